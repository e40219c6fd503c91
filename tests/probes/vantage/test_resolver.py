from __future__ import annotations

import asyncio
import time

import dnslib
import pytest

from monitor.domain.failure import Failure
from monitor.domain.profile import HostOverride, IpFamily
from monitor.probes.vantage.resolver import NameView, ResolutionSource, ResolveFailed, Resolver
from tests.probes.vantage.dns_server import DnsServer, answering
from tests.stamping import kernel_stamps


@pytest.fixture
def resolver(tmp_path):
    (tmp_path / "hosts").write_text("127.0.0.9 listed.test alias.test # comment\n::9 listed.test\nrubbish x\n")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    return Resolver(elapsed=time.monotonic, hosts=tmp_path / "hosts", resolv_conf=tmp_path / "resolv.conf")


@pytest.fixture
def resolve(resolver, dns):
    async def ask(name: str, *, seconds: float = 5.0, port: int = 443, **view):
        deadline = asyncio.get_running_loop().time() + seconds
        view = NameView(**{"server": dns.address, **view})
        return await resolver.resolve(name, port=port, view=view, deadline=deadline)

    return ask


@pytest.fixture
def failure(resolve):
    async def ask(name: str, **options) -> ResolveFailed:
        with pytest.raises(ResolveFailed) as caught:
            await resolve(name, **options)
        return caught.value

    return ask


async def test_both_families_are_asked_at_once_and_interleaved(dns, resolve):
    dns.names["shop.test"] = answering(
        "shop.test. 60 A 192.0.2.1", "shop.test. 60 A 192.0.2.2", "shop.test. 60 AAAA 2001:db8::1"
    )
    found = await resolve("Shop.TEST")
    assert found.addresses == ("2001:db8::1", "192.0.2.1", "192.0.2.2")
    assert (found.source, found.rcode) == (ResolutionSource.DNS, "NOERROR")
    assert found.seconds > 0
    assert sorted(dns.questions) == [("shop.test", "A"), ("shop.test", "AAAA")]


async def test_one_family_alone_is_asked_where_the_client_has_but_one(dns, resolve):
    dns.names["shop.test"] = answering("shop.test. 60 A 192.0.2.1", "shop.test. 60 AAAA 2001:db8::1")
    assert (await resolve("shop.test", family=IpFamily.IPV4)).addresses == ("192.0.2.1",)
    assert dns.questions == [("shop.test", "A")]


async def test_a_name_that_does_not_exist_is_said_so(dns, failure):
    error = await failure("gone.test")
    assert error.failure is Failure.DNS_NAME_NOT_RESOLVED
    assert error.resolution.rcode == "NXDOMAIN"


@pytest.mark.parametrize(
    ("rcode", "expected"),
    [("SERVFAIL", Failure.DNS_SERVER_FAILURE), ("REFUSED", Failure.DNS_REFUSED), ("NOTIMP", Failure.DNS_FAILED)],
)
async def test_each_refusal_of_a_server_has_its_name(dns, failure, rcode, expected):
    dns.names["bad.test"] = answering(rcode=rcode)
    assert (await failure("bad.test")).failure is expected


async def test_a_name_without_addresses_is_told_from_one_that_is_missing(dns, failure):
    dns.names["empty.test"] = answering()
    assert (await failure("empty.test")).failure is Failure.DNS_NO_ADDRESS


async def test_aliases_that_lead_in_a_circle_are_a_loop(dns, failure):
    dns.names["a.test"] = answering("a.test. 60 CNAME b.test.", "b.test. 60 CNAME a.test.")
    assert (await failure("a.test")).failure is Failure.DNS_CNAME_LOOP
    dns.names["x.test"] = answering("x.test. 60 CNAME y.test.")
    dns.names["y.test"] = answering("y.test. 60 CNAME x.test.")
    assert (await failure("x.test")).failure is Failure.DNS_CNAME_LOOP


async def test_a_chain_without_end_is_a_loop(dns, failure):
    for link in range(40):
        dns.names[f"n{link}.test"] = answering(f"n{link}.test. 60 CNAME n{link + 1}.test.")
    assert (await failure("n0.test")).failure is Failure.DNS_CNAME_LOOP


async def test_aliases_are_followed_over_several_answers_and_kept(dns, resolve):
    dns.names["www.test"] = answering("www.test. 60 CNAME edge.test.")
    dns.names["edge.test"] = answering("edge.test. 60 A 192.0.2.7")
    found = await resolve("www.test")
    assert (found.addresses, found.aliases) == (("192.0.2.7",), ("edge.test",))


async def test_garbage_is_told_from_silence_and_both_keep_the_deadline(dns, failure):
    dns.names["garbage.test"] = lambda _: b"\xff" * 30
    dns.names["silent.test"] = lambda _: None
    started = time.monotonic()
    assert (await failure("garbage.test", seconds=2)).failure is Failure.DNS_MALFORMED
    assert (await failure("silent.test", seconds=0.5)).failure is Failure.DNS_TIMED_OUT
    assert time.monotonic() - started < 30


async def test_an_answer_after_the_deadline_is_too_late(dns, failure):
    dns.names["slow.test"] = answering("slow.test. 60 A 192.0.2.1")
    dns.delays["slow.test"] = 10
    started = time.monotonic()
    assert (await failure("slow.test", seconds=0.5)).failure is Failure.DNS_TIMED_OUT
    assert time.monotonic() - started < 8


async def test_a_server_that_nobody_runs_is_unreachable(failure):
    assert (await failure("shop.test", server="127.0.0.1:1")).failure is Failure.DNS_UNREACHABLE


async def test_forged_answers_are_passed_over(dns, resolve):
    def forge(question: dnslib.DNSRecord) -> bytes:
        made = answering("shop.test. 60 A 192.0.2.66")(question)
        made.header.id ^= 1
        return made.pack()

    dns.names["shop.test"] = forge
    with pytest.raises(ResolveFailed):
        await resolve("shop.test", seconds=0.5)


async def test_a_truncated_answer_is_asked_for_again_over_tcp(dns, resolve):
    def cut(question: dnslib.DNSRecord) -> dnslib.DNSRecord:
        made = question.reply()
        made.header.tc = 1
        return made

    dns.names["big.test"] = cut
    dns.by_tcp["big.test"] = answering("big.test. 60 A 192.0.2.8")
    assert (await resolve("big.test")).addresses == ("192.0.2.8",)


async def test_an_extended_error_is_kept(dns, failure):
    def blocked(question: dnslib.DNSRecord) -> dnslib.DNSRecord:
        made = question.reply()
        made.header.rcode = dnslib.RCODE.NXDOMAIN
        made.add_ar(dnslib.EDNS0(opts=[dnslib.EDNSOption(15, b"\x00\x0fmalware list")]))
        return made

    dns.names["blocked.test"] = blocked
    error = await failure("blocked.test")
    assert error.resolution.errors == ("15 blocked: malware list",)
    assert "malware list" in str(error)


async def test_a_slow_family_does_not_hold_up_the_other(dns, resolve):
    dns.names["half.test"] = lambda question: (
        answering("half.test. 60 A 192.0.2.1")(question) if question.q.qtype == dnslib.QTYPE.A else None
    )
    started = time.monotonic()
    assert (await resolve("half.test", seconds=20)).addresses == ("192.0.2.1",)
    assert time.monotonic() - started < 10


async def test_fifty_slow_names_do_not_hold_up_fifty_healthy_ones(dns, resolve):
    for number in range(50):
        dns.names[f"slow{number}.test"] = lambda _: None
        dns.names[f"fine{number}.test"] = answering(f"fine{number}.test. 60 A 192.0.2.{number}")

    slow = [asyncio.ensure_future(resolve(f"slow{number}.test", seconds=60)) for number in range(50)]
    fine = await asyncio.gather(*(resolve(f"fine{number}.test", seconds=30) for number in range(50)))
    assert all(found.addresses for found in fine)
    assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_localhost_names_are_loopback_whatever_a_server_says(dns, resolve):
    for name in ("localhost", "www.shop.localhost", "LOCALHOST."):
        found = await resolve(name)
        assert found.addresses == ("::1", "127.0.0.1")
        assert found.source is ResolutionSource.LOCALHOST
    assert not dns.questions


async def test_overrides_come_first_and_may_be_for_one_port(resolve, dns):
    dns.names["shop.test"] = answering("shop.test. 60 A 192.0.2.1")
    overrides = (
        HostOverride(host="shop.test", address="127.0.0.5", port=8443),
        HostOverride(host="all.test", address="[::1]"),
    )
    assert (await resolve("shop.test", port=8443, overrides=overrides)).addresses == ("127.0.0.5",)
    assert (await resolve("shop.test", port=443, overrides=overrides)).addresses == ("192.0.2.1",)
    assert (await resolve("all.test", overrides=overrides)).addresses == ("::1",)


async def test_the_hosts_file_holds_for_the_systems_view_alone(resolve, failure):
    found = await resolve("listed.test", server=None)
    assert (found.addresses, found.source) == (("127.0.0.9", "::9"), ResolutionSource.HOSTS_FILE)
    assert (await failure("listed.test")).failure is Failure.DNS_NAME_NOT_RESOLVED


async def test_literals_need_no_looking_up(resolve, failure):
    assert (await resolve("192.0.2.1")).addresses == ("192.0.2.1",)
    assert (await resolve("2001:db8::1")).source is ResolutionSource.LITERAL
    assert (await failure("192.0.2.1", family=IpFamily.IPV6)).failure is Failure.DNS_NO_ADDRESS


async def test_what_is_no_name_is_not_asked_for(failure, dns):
    for name in ("a..b", "x" * 64 + ".test", ".".join(["a" * 60] * 5)):
        assert (await failure(name)).failure is Failure.DNS_NAME_NOT_RESOLVED
    assert not dns.questions


async def test_short_names_are_searched_for_in_the_systems_domains(dns, tmp_path):
    port = int(dns.address.partition(":")[2])
    (tmp_path / "resolv.conf").write_text(
        "nameserver 127.0.0.1\nsearch corp.test\noptions ndots:1 timeout:1 attempts:1\n"
    )
    resolver = Resolver(elapsed=time.monotonic, hosts=tmp_path / "none", resolv_conf=tmp_path / "resolv.conf")
    from monitor.probes.vantage import system

    dns.names["intranet.corp.test"] = answering("intranet.corp.test. 60 A 192.0.2.3")
    settings = resolver._settings.read()
    servers = (system.NameServer("127.0.0.1", port),)
    resolver._settings._value = system.ResolverSettings(servers=servers, search=settings.search)
    found = await resolver.resolve("intranet", port=80, view=NameView(), deadline=asyncio.get_running_loop().time() + 2)
    assert found.addresses == ("192.0.2.3",)


async def test_a_loop_that_was_busy_when_the_answer_came_does_not_count_as_resolving(resolver):
    import socket
    import threading

    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    answered = []

    def serve() -> None:
        for _ in range(2):
            data, address = listener.recvfrom(2000)
            listener.sendto(answering("shop.test. 60 A 192.0.2.1")(dnslib.DNSRecord.parse(data)).pack(), address)
            answered.append(time.monotonic())

    thread = threading.Thread(target=serve)
    thread.start()
    loop = asyncio.get_running_loop()
    view = NameView(server=f"127.0.0.1:{listener.getsockname()[1]}")
    # The kernel begins to stamp a moment after the first socket has asked for it; a worker's engine keeps one open.
    with kernel_stamps():
        task = asyncio.ensure_future(resolver.resolve("shop.test", port=80, view=view, deadline=loop.time() + 5))
        await asyncio.sleep(0)
        began = time.monotonic()
        time.sleep(0.5)  # noqa: ASYNC251 - the loop is to be blocked
        found = await task
    thread.join()
    listener.close()
    assert found.addresses == ("192.0.2.1",)
    # The thread that answers may have been kept waiting too.
    assert 0 < found.seconds < max(0.0, answered[-1] - began) + 0.4


async def test_one_kind_of_address_that_cannot_be_told_takes_nothing_from_the_answer(dns, resolve):
    dns.names["half.test"] = lambda question: (
        answering("half.test. 60 A 192.0.2.1")(question)
        if question.q.qtype == dnslib.QTYPE.A
        else answering(rcode="SERVFAIL")(question)
    )
    found = await resolve("half.test")
    assert (found.addresses, found.rcode) == (("192.0.2.1",), "NOERROR")


async def test_a_second_opinion_is_neither_remembered_nor_replaced(dns, resolve, failure):
    dns.names["shop.test"] = answering("shop.test. 60 A 192.0.2.1")
    dns.names["listed.test"] = answering("listed.test. 60 A 192.0.2.2")
    assert (await resolve("shop.test")).addresses == ("192.0.2.1",)
    async with DnsServer() as other:
        # It says that the name does not exist: nobody else is asked then, and nothing that is known already helps.
        error = await failure("shop.test", server=other.address)
        assert (error.resolution.rcode, error.resolution.server) == ("NXDOMAIN", other.address)
    assert dns.questions == [("shop.test", "AAAA"), ("shop.test", "A")]
    assert (await resolve("listed.test")).addresses == ("192.0.2.2",)
    assert (await resolve("listed.test", server=None)).source is ResolutionSource.HOSTS_FILE
