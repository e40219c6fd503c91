from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from monitor.domain.failure import Failure
from monitor.domain.profile import HostOverride, IpFamily
from monitor.probes.vantage.resolver import Resolution, ResolutionSource
from tests.probes.http.fault_server import FaultServer


@pytest.fixture
def resolving_to(probe, monkeypatch):
    def change(*addresses: str) -> None:
        async def resolve(host, *, port, view, deadline):
            return Resolution(addresses=addresses, source=ResolutionSource.OVERRIDE)

        monkeypatch.setattr(probe._resolver, "resolve", resolve)

    return change


async def test_a_refusal_lets_the_next_address_try_at_once(server, probe, monkeypatch, resolving_to, open_session):
    # Whoever waited out the delay would wait beyond the deadline.
    monkeypatch.setattr(probe, "_limits", replace(probe._limits, happy_eyeballs_delay=60.0))
    resolving_to("::1", "127.0.0.1")
    session = await open_session(f"http://shop.test:{server.port}")
    response = await session.handle.get("/")
    assert (response.exchange.address, response.exchange.ip_family) == ("127.0.0.1", "ipv4")
    events = (await session.finish(failed=False)).events
    assert [(event.kind, event.text) for event in events] == [
        ("address_fallback", "shop.test: ::1: Connection refused")
    ]


async def test_a_silent_address_is_overtaken_after_the_delay(server, resolving_to, open_session):
    with socket.socket() as silent:
        silent.bind(("127.0.0.3", server.port))
        silent.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(silent.getsockname())
        resolving_to("127.0.0.3", "127.0.0.1")
        session = await open_session(f"http://shop.test:{server.port}")
        started = time.monotonic()
        response = await session.handle.get("/")
        took = time.monotonic() - started
        assert took > 0.2
        for filler in fillers:
            filler.close()
    assert response.exchange.address == "127.0.0.1"
    # What was spent on the silent address is none of the time in which the other one connected.
    assert response.timings.connect < took - 0.2


async def test_the_family_that_answers_is_recorded(open_session):
    async with FaultServer(host="::1") as server:
        session = await open_session(server.url(host="shop.localhost"))
        response = await session.handle.get("/")
        assert (response.exchange.address, response.exchange.ip_family) == ("::1", "ipv6")


async def test_a_profile_may_insist_on_one_family(open_session, failure_of_get, unused_tcp_port):
    # A port that the system chose for one address may be somebody else's at the other one.
    async with FaultServer(host="::1", port=unused_tcp_port) as server:
        session = await open_session(server.url(host="shop.localhost"), profile={"ip_family": IpFamily.IPV4})
        exchange = (await failure_of_get(session.handle)).exchange
        assert (exchange.failure, exchange.address) == (Failure.TCP_REFUSED, "127.0.0.1")


async def test_where_no_address_answers_the_most_telling_refusal_counts(
    resolving_to, open_session, failure_of_get, unused_tcp_port
):
    resolving_to("127.0.0.1", "2001:db8::1")
    exchange = (await failure_of_get((await open_session(f"http://shop.test:{unused_tcp_port}")).handle)).exchange
    assert exchange.failure is Failure.TCP_REFUSED


async def test_an_override_sends_a_name_to_an_address_as_curl_does(server, open_session):
    hosts = (HostOverride(host="shop.example", address="127.0.0.1", port=server.port),)
    session = await open_session(f"http://shop.example:{server.port}", profile={"hosts": hosts})
    response = await session.handle.get("/")
    assert response.status == 200
    assert server.requests[0].header("host") == f"shop.example:{server.port}"


async def test_a_name_in_any_script_is_asked_for_in_its_ascii_form(server, open_session):
    session = await open_session(f"http://bücher.localhost:{server.port}")
    response = await session.handle.get("/")
    assert response.exchange.host == "xn--bcher-kva.localhost"
    assert server.requests[0].header("host") == f"xn--bcher-kva.localhost:{server.port}"
