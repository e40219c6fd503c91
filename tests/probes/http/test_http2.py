from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from monitor.domain.exchange import TimeSource
from monitor.domain.failure import Failure
from monitor.probes.http.plan import Wanted
from tests.probes.http.certificates import serving
from tests.probes.http.http2_server import Http2Server, answering, leaving, resetting

HOST = "shop.localhost"


@pytest.fixture
async def server2(authority) -> AsyncIterator[Http2Server]:
    async with Http2Server(serving(authority.issue_cert(HOST), alpn=("h2", "http/1.1"))) as running:
        yield running


@pytest.fixture
def open_two(server2, open_session, authority_pem):
    async def opener(**values):
        target = {"extra_ca": authority_pem}
        return await open_session(f"https://{HOST}:{server2.port}", target=target, **values)

    return opener


async def test_http2_is_spoken_where_the_server_offers_it(server2, open_two):
    session = await open_two()
    response = await session.handle.get("/x", headers={"X-One": "1"})
    assert (response.status, response.body) == (200, b"over two")
    assert response.exchange.protocol == "h2"
    assert server2.requests[0]["x-one"] == "1"
    assert "host" not in server2.requests[0]
    assert server2.requests[0][":authority"] == f"{HOST}:{server2.port}"
    assert response.timings.source is TimeSource.KERNEL
    assert response.timings.wait > 0


async def test_requests_of_one_run_share_a_connection(server2, open_two):
    session = await open_two()
    for _ in range(3):
        assert (await session.handle.get("/")).status == 200
    assert server2.connections == 1


async def test_a_large_body_goes_up_through_the_flow_control_window(server2, open_two):
    session = await open_two()
    body = b"y" * 300_000
    assert (await session.handle.post("/", content=body)).status == 200
    assert server2.bodies[1] == body


async def test_a_body_above_the_cap_is_cut(server2, open_two, small_probe):
    server2.acts["/"] = answering(b"z" * 400_000)
    session = await open_two(using=small_probe)
    response = await session.handle.get("/")
    assert response.truncated
    assert len(response.body) == 100_000


@pytest.mark.parametrize("act", [resetting(2), leaving(1), leaving(0)])
async def test_a_reset_stream_and_a_goodbye_are_protocol_errors(server2, open_two, failure_of_get, act):
    server2.acts["/"] = act
    exchange = (await failure_of_get((await open_two()).handle)).exchange
    assert exchange.failure is Failure.HTTP_PROTOCOL_ERROR


async def test_more_headers_than_are_taken_are_refused(server2, open_two, small_probe, failure_of_get):
    server2.acts["/"] = answering(b"", **{f"x-{number}": "v" * 50 for number in range(150)})
    exchange = (await failure_of_get((await open_two(using=small_probe)).handle)).exchange
    assert exchange.failure is Failure.HTTP_RESPONSE_HEADERS_TOO_BIG


async def test_a_profile_without_http2_speaks_http1(authority, open_session, authority_pem):
    from tests.probes.http.fault_server import FaultServer

    context = serving(authority.issue_cert(HOST), alpn=("h2", "http/1.1"))
    async with FaultServer(tls=context) as server:
        session = await open_session(
            server.url(host=HOST), target={"extra_ca": authority_pem}, profile={"http2": False}
        )
        assert (await session.handle.get("/")).exchange.protocol == "http/1.1"


async def test_a_request_may_ask_for_less_of_a_body_than_the_probe_takes(server2, open_two):
    server2.acts["/"] = answering(b"z" * 400_000)
    session = await open_two()
    response = await session.handle.send(Wanted(method="GET", path="/", most_bytes=1_000))
    assert (len(response.body), response.truncated) == (1_000, True)
