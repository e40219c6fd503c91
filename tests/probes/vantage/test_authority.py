"""The zone's own servers, found and asked; and resolvers that are told to leave signatures unchecked."""

from __future__ import annotations

import asyncio
import time

import dnslib
import pytest

from monitor.domain.failure import Failure
from monitor.domain.profile import Asking
from monitor.probes.vantage.resolver import NameView, ResolveFailed, Resolver
from tests.probes.vantage.dns_server import DnsServer, Reply, answering

_RD, _CD = 0x0100, 0x0010


def speaking(*records: str, rcode: str = "NOERROR", aa: int = 1) -> Reply:
    """Answer as the owner of a zone does."""

    def reply(question: dnslib.DNSRecord) -> dnslib.DNSRecord:
        made = answering(*records, rcode=rcode)(question)
        made.header.aa = aa
        return made

    return reply


def handing_on(owner: str, host: str, *, glue: str = "") -> Reply:
    """Answer as a zone does for a name that it has given away."""

    def reply(question: dnslib.DNSRecord) -> dnslib.DNSRecord:
        made = question.reply(aa=0)
        made.add_auth(*dnslib.RR.fromZone(f"{owner}. 60 NS {host}."))
        if glue:
            made.add_ar(*dnslib.RR.fromZone(f"{host}. 60 A {glue}"))
        return made

    return reply


def validating(well: Reply) -> Reply:
    """Answer SERVFAIL as a resolver does that finds the signatures wrong, unless it is told not to look at them."""

    def reply(question: dnslib.DNSRecord) -> dnslib.DNSRecord | bytes | None:
        return well(question) if question.header.bitmap & _CD else answering(rcode="SERVFAIL")(question)

    return reply


@pytest.fixture
async def zone():
    async with DnsServer("127.0.0.1") as running:
        yield running


@pytest.fixture
def ask(dns, zone, tmp_path):
    for name in ("hosts", "resolv.conf"):
        (tmp_path / name).write_text("127.0.0.9 shop.test\n" if name == "hosts" else "nameserver 127.0.0.1\n")
    resolver = Resolver(
        elapsed=time.monotonic,
        hosts=tmp_path / "hosts",
        resolv_conf=tmp_path / "resolv.conf",
        authority_port=int(zone.address.rpartition(":")[2]),
    )

    async def resolve(name: str, *, asking: Asking = Asking.AUTHORITY, **view):
        deadline = asyncio.get_running_loop().time() + 5
        seen = NameView(server=dns.address, asking=asking, **view)
        return await resolver.resolve(name, port=443, view=seen, deadline=deadline)

    return resolve


@pytest.fixture
def named(dns):
    """A resolver that denies the shop, and knows who answers for its zone."""
    dns.names["shop.test"] = answering("shop.test. 60 NS ns1.shop.test.")
    dns.names["ns1.shop.test"] = answering("ns1.shop.test. 60 A 127.0.0.1")
    dns.names["www.shop.test"] = answering(rcode="NXDOMAIN")
    return dns


async def test_the_zones_own_server_is_asked_though_the_resolver_denies_the_name(named, zone, ask):
    zone.names["www.shop.test"] = speaking("www.shop.test. 60 A 192.0.2.7")
    found = await ask("www.shop.test")
    assert found.addresses == ("192.0.2.7",)
    assert found.server == zone.address
    assert not any(flags & _RD for flags in zone.flags)


async def test_a_zones_own_server_that_denies_the_name_is_said_so(named, zone, ask):
    zone.names["www.shop.test"] = speaking(rcode="NXDOMAIN")
    with pytest.raises(ResolveFailed) as caught:
        await ask("www.shop.test")
    assert caught.value.failure is Failure.DNS_NAME_NOT_RESOLVED
    assert (caught.value.resolution.rcode, caught.value.resolution.server) == ("NXDOMAIN", zone.address)


async def test_whoever_answers_without_calling_the_zone_its_own_is_no_witness(named, zone, ask):
    zone.names["www.shop.test"] = speaking("www.shop.test. 60 A 192.0.2.7", aa=0)
    with pytest.raises(ResolveFailed) as caught:
        await ask("www.shop.test")
    assert caught.value.failure not in {Failure.DNS_NAME_NOT_RESOLVED, Failure.DNS_SERVER_FAILURE}


async def test_where_the_resolver_knows_no_server_the_zone_above_is_asked(dns, zone, ask):
    port = int(zone.address.rpartition(":")[2])
    async with DnsServer("127.0.0.2", port) as below:
        dns.names["shop.test"] = answering(rcode="SERVFAIL")
        dns.names["test"] = answering("test. 60 NS ns.nic.test.")
        dns.names["ns.nic.test"] = answering("ns.nic.test. 60 A 127.0.0.1")
        zone.names["shop.test"] = handing_on("shop.test", "ns1.shop.test", glue="127.0.0.2")
        below.names["shop.test"] = speaking("shop.test. 60 A 192.0.2.8")
        found = await ask("shop.test")
        assert (found.addresses, found.server) == (("192.0.2.8",), below.address)


async def test_without_glue_the_server_handed_on_to_is_looked_up(dns, zone, ask):
    port = int(zone.address.rpartition(":")[2])
    async with DnsServer("127.0.0.2", port) as below:
        dns.names["test"] = answering("test. 60 NS ns.nic.test.")
        dns.names["ns.nic.test"] = answering("ns.nic.test. 60 A 127.0.0.1")
        dns.names["ns.vendor.test"] = answering("ns.vendor.test. 60 A 127.0.0.2")
        zone.names["shop.test"] = handing_on("shop.test", "ns.vendor.test")
        below.names["shop.test"] = speaking(rcode="SERVFAIL")
        with pytest.raises(ResolveFailed) as caught:
            await ask("shop.test")
        assert caught.value.failure is Failure.DNS_SERVER_FAILURE
        assert caught.value.resolution.server == below.address


async def test_zones_that_hand_a_name_on_to_themselves_come_to_an_end(named, zone, ask):
    zone.names["www.shop.test"] = handing_on("shop.test", "ns1.shop.test", glue="127.0.0.1")
    with pytest.raises(ResolveFailed):
        await ask("www.shop.test")
    assert len(zone.questions) < 10


@pytest.mark.parametrize("private", [True, False])
async def test_where_no_server_is_found_or_may_be_asked_nobody_is_named(dns, named, zone, ask, private):
    if private:
        dns.names["shop.test"] = answering(rcode="SERVFAIL")
    with pytest.raises(ResolveFailed) as caught:
        await ask("www.shop.test", allowed_private=private)
    assert caught.value.resolution.server == ""
    assert "no server was found" in str(caught.value)
    assert zone.questions == []


async def test_a_name_that_is_no_name_is_asked_of_nobody(ask, zone):
    with pytest.raises(ResolveFailed):
        await ask("a" * 64 + ".test")
    assert zone.questions == []


async def test_an_alias_is_followed_to_the_servers_of_its_own_zone(named, zone, ask):
    zone.names["www.shop.test"] = speaking("www.shop.test. 60 CNAME edge.cdn.test.")
    named.names["cdn.test"] = answering("cdn.test. 60 NS ns1.shop.test.")
    zone.names["edge.cdn.test"] = speaking("edge.cdn.test. 60 A 192.0.2.9")
    found = await ask("www.shop.test")
    assert (found.addresses, found.aliases) == (("192.0.2.9",), ("edge.cdn.test",))


async def test_a_resolver_that_checks_signatures_answers_once_it_is_told_not_to(dns, ask):
    dns.names["shop.test"] = validating(answering("shop.test. 60 A 192.0.2.5"))
    assert (await ask("shop.test", asking=Asking.UNCHECKED)).addresses == ("192.0.2.5",)
    with pytest.raises(ResolveFailed) as caught:
        await ask("shop.test", asking=Asking.USUAL)
    assert caught.value.failure is Failure.DNS_SERVER_FAILURE


async def test_no_file_of_the_system_answers_for_a_resolver_that_leaves_signatures_unchecked(tmp_path):
    (tmp_path / "hosts").write_text("127.0.0.9 shop.test\n")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.254\nsearch corp.test\noptions timeout:1 attempts:1\n")
    resolver = Resolver(elapsed=time.monotonic, hosts=tmp_path / "hosts", resolv_conf=tmp_path / "resolv.conf")
    deadline = asyncio.get_running_loop().time() + 1
    with pytest.raises(ResolveFailed):
        await resolver.resolve("shop.test", port=443, view=NameView(asking=Asking.UNCHECKED), deadline=deadline)
