"""What an exchange tells of DNS: what was really asked, and nothing where nobody was."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from monitor.domain.exchange import DnsFacts
from monitor.domain.failure import Failure
from monitor.domain.profile import HostOverride, IpFamily, Proxy
from tests.probes.http.fault_server import FaultServer, close
from tests.probes.vantage.dns_server import DnsServer, answering


@pytest.fixture
async def dns() -> AsyncIterator[DnsServer]:
    async with DnsServer() as running:
        yield running


@pytest.mark.parametrize("host", ["127.0.0.1", "shop.localhost", "pinned.test"])
async def test_where_nobody_was_asked_nothing_is_told(server, open_session, host):
    pins = (HostOverride(host="pinned.test", address="127.0.0.1"),)
    session = await open_session(server.url(host=host), profile={"hosts": pins})
    assert (await session.handle.get("/")).exchange.dns is None


async def test_a_request_over_an_open_connection_asks_nobody(server, dns, open_session):
    dns.names["shop.test"] = answering("shop.test. 60 A 127.0.0.1")
    session = await open_session(server.url(host="shop.test"), profile={"resolver": dns.address})
    first, second = [(await session.handle.get("/")).exchange.dns for _ in range(2)]
    assert first == DnsFacts(rcode="NOERROR", addresses=("127.0.0.1",), server=dns.address)
    assert second is None


async def test_the_answer_is_told_of_an_exchange_that_fails_later(server, dns, open_session, failure_of_get):
    dns.names["shop.test"] = answering("shop.test. 60 A 127.0.0.1")
    server.routes["*"] = close
    session = await open_session(server.url(host="shop.test"), profile={"resolver": dns.address})
    exchange = (await failure_of_get(session.handle)).exchange
    assert (exchange.failure, exchange.dns.rcode) == (Failure.HTTP_RESPONSE_EMPTY, "NOERROR")


async def test_a_pin_of_the_other_family_is_named_as_the_reason(open_session, failure_of_get):
    pins = (HostOverride(host="pinned.test", address="127.0.0.1"),)
    session = await open_session("http://pinned.test", profile={"hosts": pins, "ip_family": IpFamily.IPV6})
    exchange = (await failure_of_get(session.handle)).exchange
    assert (exchange.failure, exchange.dns.server) == (Failure.DNS_NO_ADDRESS, "override")


async def test_what_is_said_of_a_proxys_name_is_no_word_on_the_host(dns, open_session, failure_of_get):
    profile = {"resolver": dns.address, "proxy": Proxy(url="http://proxy.test:3128")}
    session = await open_session("https://shop.test", profile=profile)
    exchange = (await failure_of_get(session.handle)).exchange
    assert (exchange.failure, exchange.dns) == (Failure.PROXY_CONNECTION_FAILED, None)
    assert "proxy.test does not exist" in exchange.failure_text


async def test_an_alias_of_a_hostile_server_is_a_harmless_line(dns, open_session, failure_of_get):
    async with FaultServer():
        dns.names["shop.test"] = answering("shop.test. 60 CNAME a\\027b.test.")
        session = await open_session("http://shop.test", profile={"resolver": dns.address})
        exchange = (await failure_of_get(session.handle)).exchange
    assert exchange.failure is not None
    assert all(alias.isprintable() for alias in exchange.dns.aliases)
    assert exchange.dns.aliases
