"""Looks, as the dispatcher really carries them out: one light request, told whatever came of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import dnslib
import pytest
import pytest_asyncio
import trustme

from monitor.config.settings import WorkerSettings
from monitor.dispatch.dispatcher import Dispatcher
from monitor.domain.assignment import Assignment
from monitor.domain.check import Check
from monitor.domain.clock import SystemClock
from monitor.domain.evidence import Evidence
from monitor.domain.exchange import DnsFacts, Exchange
from monitor.domain.failure import Failure, Phase
from monitor.domain.outcome import Outcome
from monitor.domain.profile import HostOverride, Proxy
from monitor.domain.secret import Secret
from monitor.journeys.looking import LOOK, by_address, by_resolver, look_at
from tests.builders import a_profile, a_target
from tests.probes.http.certificates import serving
from tests.probes.http.fault_server import FaultServer, hang, reply
from tests.probes.http.forward_proxy import ForwardProxy
from tests.probes.vantage.dns_server import DnsServer, answering

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
Carry = Callable[[Check], Awaitable[Evidence]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dispatcher(tmp_path_factory) -> AsyncIterator[Dispatcher]:
    folder = tmp_path_factory.mktemp("journeys")
    made = Dispatcher(
        WorkerSettings(), journeys=folder, clock=SystemClock(), directory=tmp_path_factory.mktemp("looks") / "workers"
    )
    await made.start()
    yield made
    await made.close(0)


@pytest.fixture
def carry_out(dispatcher: Dispatcher) -> Carry:
    async def carry(check: Check) -> Evidence:
        now = dt.datetime.now(dt.UTC)
        assignment = Assignment(
            run_id=f"look-{uuid.uuid4()}",
            check=check,
            location="here",
            scheduled_at=now,
            not_after=now + dt.timedelta(seconds=90),
            attempt_limit=check.attempts,
            artifact_directory="",
        )
        evidence = await dispatcher.run(assignment, LOOK)
        assert isinstance(evidence, Evidence), evidence
        assert evidence.last.prober_fault is None, evidence.last
        return evidence

    return carry


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def a_look(url: str, *, target: dict[str, Any] | None = None, profile: dict[str, Any] | None = None, **values) -> Check:
    return look_at(
        url, name="look of x@shop", target=a_target(**(target or {})), profile=a_profile(**(profile or {})), **values
    )


def trusting(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


def the_only(evidence: Evidence) -> Exchange:
    (exchange,) = evidence.exchanges
    return exchange


async def test_an_answer_passes_with_its_exchange(carry_out):
    async with FaultServer() as server:
        evidence = await carry_out(a_look(server.url("/health?x=1")))
    assert evidence.last.outcome is Outcome.PASSED
    assert (the_only(evidence).status, the_only(evidence).step) == (200, "look")
    assert (server.requests[0].method, server.requests[0].target) == ("GET", "/health?x=1")
    assert "Faultline" in server.requests[0].header("user-agent")


async def test_an_error_status_fails_and_is_told(carry_out):
    async with FaultServer(routes={"*": reply(b"no", status="503 Unavailable", headers=("Server: shop",))}) as server:
        evidence = await carry_out(a_look(server.url(), method="HEAD", user_agent="An ordinary browser"))
    assert evidence.last.outcome is Outcome.FAILED
    assert "answered 503 Unavailable" in evidence.last.steps[0].error.message
    assert (the_only(evidence).status, dict(the_only(evidence).headers)["server"]) == (503, "shop")
    assert (server.requests[0].method, server.requests[0].header("user-agent")) == ("HEAD", "An ordinary browser")


async def test_a_refused_port_fails(carry_out):
    # Held, so that nobody else is given the port and answers there; but not listened on.
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        exchange = the_only(await carry_out(a_look(f"http://127.0.0.1:{nobody.getsockname()[1]}/")))
    assert (exchange.failure, exchange.failed_phase) == (Failure.TCP_REFUSED, Phase.CONNECT)


async def test_a_server_that_hangs_is_given_up_in_the_phase_in_which_it_was(carry_out):
    async with FaultServer(routes={"*": hang}) as server:
        evidence = await carry_out(a_look(server.url(), deadline=dt.timedelta(seconds=2)))
    exchange = the_only(evidence)
    assert evidence.last.outcome is Outcome.FAILED
    assert (exchange.failure, exchange.failed_phase) == (Failure.HTTP_RESPONSE_TIMED_OUT, Phase.WAIT)
    assert exchange.request_sent


async def test_an_expired_certificate_is_shown(carry_out, authority):
    certificate = authority.issue_cert("shop.localhost", not_before=NOW - 9 * DAY, not_after=NOW - DAY)
    async with FaultServer(tls=serving(certificate)) as server:
        url = server.url(host="shop.localhost")
        exchange = the_only(await carry_out(a_look(url, target={"extra_ca": trusting(authority)})))
    assert (exchange.failure, exchange.tls.verify_code) == (Failure.TLS_CERT_EXPIRED, 10)
    assert exchange.tls.chain[0].not_after < NOW


async def test_a_redirect_is_followed_and_both_exchanges_are_told(carry_out):
    async with FaultServer() as server:
        server.routes["/old"] = reply(b"", status="302 Found", headers=("Location: /new",))
        evidence = await carry_out(a_look(server.url("/old")))
    assert evidence.last.outcome is Outcome.PASSED
    assert [exchange.status for exchange in evidence.exchanges] == [302, 200]


async def test_redirects_without_end_are_followed_five_times(carry_out):
    async with FaultServer() as server:
        server.routes["*"] = reply(b"", status="302 Found", headers=("Location: /again",))
        evidence = await carry_out(a_look(server.url("/")))
    assert evidence.last.outcome is Outcome.FAILED
    assert len(evidence.exchanges) == 6
    assert evidence.exchanges[-1].failure is Failure.HTTP_RESPONSE_REDIRECT_LOOP


async def test_of_a_long_body_little_is_taken(carry_out):
    async with FaultServer(routes={"*": reply(b"x" * 3_000_000)}) as server:
        evidence = await carry_out(a_look(server.url("/")))
    assert evidence.last.outcome is Outcome.PASSED
    assert the_only(evidence).body_bytes == 65_536
    assert the_only(evidence).truncated


async def test_headers_of_the_target_go_to_its_own_origin_alone(carry_out):
    headers = (("X-Key", Secret("key", "opensesame")),)
    async with FaultServer() as server, FaultServer(host="127.0.0.2") as stranger:
        server.routes["/out"] = reply(b"", status="302 Found", headers=(f"Location: {stranger.url('/in')}",))
        target = {"base_url": server.url(), "headers": headers}
        await carry_out(a_look(server.url("/x"), target=target))
        await carry_out(a_look(server.url("/out"), target=target))
        evidence = await carry_out(a_look(stranger.url("/x"), target=target))
    assert evidence.last.outcome is Outcome.PASSED
    assert [request.header("x-key") for request in server.requests] == ["opensesame", "opensesame"]
    assert [request.header("x-key") for request in stranger.requests] == [None, None]


async def test_a_look_goes_through_the_proxy_of_another_place(carry_out, authority):
    certificate = authority.issue_cert("shop.test")
    async with FaultServer(tls=serving(certificate)) as server, ForwardProxy({"shop.test": server.port}) as proxy:
        profile = {"proxy": Proxy(url=proxy.url)}
        evidence = await carry_out(
            a_look("https://shop.test/", target={"extra_ca": trusting(authority)}, profile=profile)
        )
    assert evidence.last.outcome is Outcome.PASSED
    assert (the_only(evidence).status, the_only(evidence).dns) == (200, None)
    assert proxy.heads == ["CONNECT shop.test:443 HTTP/1.1"]


async def test_a_plain_look_goes_through_the_proxy_too(carry_out):
    refusal = reply(b"", status="504 Gateway Timeout", headers=("Proxy-Status: far; error=connection_timeout",))
    async with FaultServer() as server, ForwardProxy({"shop.test": server.port}, refusal=refusal) as proxy:
        profile = {"proxy": Proxy(url=proxy.url)}
        good = await carry_out(a_look("http://shop.test/x", profile=profile))
        bad = await carry_out(a_look("http://other.test/", profile=profile))
    assert good.last.outcome is Outcome.PASSED
    assert server.requests[0].target == "/x"
    assert the_only(bad).status == 504
    assert dict(the_only(bad).headers)["proxy-status"] == "far; error=connection_timeout"


@pytest.mark.parametrize(
    ("status", "error"),
    [("502 Bad Gateway", "dns_error; rcode=NXDOMAIN"), ("504 Gateway Timeout", "connection_timeout")],
)
async def test_why_a_proxy_cannot_connect_us_is_kept(carry_out, status, error):
    stated = f"far.example; error={error}"
    refusal = reply(b"", status=status, headers=(f"Proxy-Status: {stated}", "Server: squid"))
    async with ForwardProxy({}, refusal=refusal) as proxy:
        evidence = await carry_out(a_look("https://shop.test/", profile={"proxy": Proxy(url=proxy.url)}))
    exchange = the_only(evidence)
    assert evidence.last.outcome is Outcome.FAILED
    assert (exchange.failure, exchange.failed_phase) == (Failure.PROXY_TUNNEL_FAILED, Phase.CONNECT)
    assert exchange.failure_text == (
        f"the proxy answered the request for a tunnel with {status[:3]} (Proxy-Status: {stated})"
    )
    assert dict(exchange.headers)["proxy-status"] == stated
    # The host itself has answered nothing.
    assert exchange.status is None


async def test_dns_is_told_of_a_look_that_passed(carry_out):
    async with FaultServer() as server, DnsServer() as dns:
        dns.names["shop.test"] = answering("shop.test. 60 CNAME shop.host.test.", "shop.host.test. 60 A 127.0.0.1")
        evidence = await carry_out(a_look(server.url(host="shop.test"), profile={"resolver": dns.address}))
    assert evidence.last.outcome is Outcome.PASSED
    assert the_only(evidence).dns == DnsFacts(
        rcode="NOERROR", aliases=("shop.host.test",), addresses=("127.0.0.1",), server=dns.address
    )


async def test_a_name_that_does_not_exist_is_told_by_the_server_that_says_so(carry_out):
    async with DnsServer() as dns:
        evidence = await carry_out(a_look("http://gone.test/", profile={"resolver": dns.address}))
    exchange = the_only(evidence)
    assert (exchange.failure, exchange.failed_phase) == (Failure.DNS_NAME_NOT_RESOLVED, Phase.RESOLVE)
    assert exchange.dns == DnsFacts(rcode="NXDOMAIN", server=dns.address)


async def test_extended_errors_of_a_server_that_fails_are_told(carry_out):
    def bogus(question: dnslib.DNSRecord) -> dnslib.DNSRecord:
        made = question.reply()
        made.header.rcode = dnslib.RCODE.SERVFAIL
        made.add_ar(dnslib.EDNS0(opts=[dnslib.EDNSOption(15, b"\x00\x06signature \x1b[31mexpired")]))
        return made

    async with DnsServer() as dns:
        dns.names["shop.test"] = bogus
        exchange = the_only(await carry_out(a_look("http://shop.test/", profile={"resolver": dns.address})))
    assert exchange.failure is Failure.DNS_SERVER_FAILURE
    assert (exchange.dns.rcode, exchange.dns.server) == ("SERVFAIL", dns.address)
    assert exchange.dns.errors == ("6 dnssec bogus: signature \\x1b[31mexpired",)


async def test_a_resolver_that_says_nothing_is_told_by_its_address(carry_out):
    async with DnsServer() as dns:
        dns.names["shop.test"] = lambda _: None
        look = a_look("http://shop.test/", profile={"resolver": dns.address}, deadline=dt.timedelta(seconds=2))
        exchange = the_only(await carry_out(look))
    assert (exchange.failure, exchange.failed_phase) == (Failure.DNS_TIMED_OUT, Phase.RESOLVE)
    assert exchange.dns == DnsFacts(server=dns.address)


async def test_two_resolvers_that_disagree_are_both_heard(carry_out):
    pins = (HostOverride(host="shop.test", address="192.0.2.1"),)
    async with FaultServer() as server, DnsServer() as one, DnsServer() as other:
        one.names["shop.test"] = answering("shop.test. 60 A 127.0.0.1")
        look = a_look(
            server.url(host="shop.test"),
            target={"hosts": pins},
            profile={"hosts": pins, "resolver": "192.0.2.53", "proxy": Proxy(url="http://192.0.2.2:8080")},
        )
        heard, refuted = await asyncio.gather(
            carry_out(by_resolver(look, one.address)), carry_out(by_resolver(look, other.address))
        )
    assert (the_only(heard).dns.rcode, the_only(refuted).dns.rcode) == ("NOERROR", "NXDOMAIN")
    assert (the_only(heard).dns.server, the_only(refuted).dns.server) == (one.address, other.address)


async def test_a_look_at_an_address_speaks_in_the_name_of_the_host(carry_out, authority):
    headers = (("X-Key", "value"),)
    async with FaultServer(tls=serving(authority.issue_cert("www.shop.test"))) as origin:
        origin.routes["/moved"] = reply(b"", status="301 Moved", headers=("Location: https://www.shop.test/",))
        target = {
            "base_url": "https://www.shop.test",
            "headers": headers,
            "extra_ca": trusting(authority),
            "hosts": (HostOverride(host="www.shop.test", address="192.0.2.1"),),
        }
        where = f"127.0.0.1:{origin.port}"
        good = await carry_out(by_address(a_look("https://www.shop.test/x", target=target), where))
        moved = await carry_out(by_address(a_look("https://www.shop.test/moved", target=target), where))
    assert good.last.outcome is moved.last.outcome is Outcome.PASSED
    assert [request.header("host") for request in origin.requests] == ["www.shop.test", "www.shop.test"]
    assert origin.requests[0].header("x-key") == "value"
    assert [exchange.status for exchange in moved.exchanges] == [301]


async def test_many_looks_at_a_time_share_the_http_worker(carry_out):
    async with FaultServer() as server:
        server.routes["/bad"] = reply(b"", status="500 No")
        urls = [server.url("/bad" if number % 2 else "/good") for number in range(40)]
        found = await asyncio.gather(*(carry_out(a_look(url, target={"concurrency": 1})) for url in urls))
    wanted = [Outcome.FAILED if number % 2 else Outcome.PASSED for number in range(40)]
    assert [evidence.last.outcome for evidence in found] == wanted
    assert len({evidence.worker for evidence in found}) == 1
