from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Self

import pytest

from monitor.domain.evidence import ProberFault
from monitor.domain.failure import Failure, Phase
from monitor.domain.profile import Proxy
from monitor.domain.secret import Secret
from monitor.probes.http.proxying import route_of
from monitor.probes.session import ProberError
from tests.probes.http.certificates import serving
from tests.probes.http.fault_server import FaultServer, reply

HOST = "shop.localhost"


class Tunnel:
    """A proxy that connects every CONNECT to one port of loopback."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.heads: list[bytes] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_writer = writer
        with suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        for each in {writer, far_writer}:
            each.close()
            with suppress(OSError, asyncio.CancelledError):
                await each.wait_closed()
        self._tasks.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@pytest.fixture
async def encrypted(authority) -> AsyncIterator[FaultServer]:
    async with FaultServer(tls=serving(authority.issue_cert(HOST))) as running:
        yield running


async def test_an_encrypted_request_goes_through_a_tunnel_with_credentials(encrypted, open_session, authority_pem):
    async with Tunnel(encrypted.port) as tunnel:
        proxy = Proxy(url=f"http://127.0.0.1:{tunnel.port}", username="me", password=Secret("proxy", "pässword"))
        session = await open_session(
            f"https://{HOST}:443", target={"extra_ca": authority_pem}, profile={"proxy": proxy}
        )
        response = await session.handle.get("/x")
        await session.finish(failed=False)
    assert response.status == 200
    assert tunnel.heads[0].startswith(b"CONNECT shop.localhost:443 HTTP/1.1\r\n")
    assert base64.b64encode("me:pässword".encode()) in tunnel.heads[0]
    assert encrypted.requests[0].header("proxy-authorization") is None


async def test_a_plain_request_names_the_whole_url_to_the_proxy(server, open_session):
    proxy = Proxy(url=f"http://127.0.0.1:{server.port}", username="me", password=Secret("proxy", "word"))
    session = await open_session("http://shop.invalid", profile={"proxy": proxy})
    response = await session.handle.get("/x?y=1")
    assert response.status == 200
    assert server.requests[0].target == "http://shop.invalid/x?y=1"
    assert server.requests[0].header("host") == "shop.invalid"
    assert server.requests[0].header("proxy-authorization") == "Basic " + base64.b64encode(b"me:word").decode()


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("407 Proxy Authentication Required", Failure.PROXY_AUTH_REQUIRED),
        ("502 Bad Gateway", Failure.PROXY_TUNNEL_FAILED),
    ],
)
async def test_a_refused_tunnel_is_the_proxys_word(server, open_session, failure_of_get, status, failure):
    server.routes["*"] = reply(b"no", status=status)
    proxy = Proxy(url=f"http://127.0.0.1:{server.port}")
    session = await open_session("https://shop.invalid", profile={"proxy": proxy})
    exchange = (await failure_of_get(session.handle)).exchange
    assert (exchange.failure, exchange.failed_phase) == (failure, Phase.CONNECT)


async def test_a_plain_407_is_the_proxys_word_too(server, open_session, failure_of_get):
    server.routes["*"] = reply(b"no", status="407 Proxy Authentication Required")
    session = await open_session("http://shop.invalid", profile={"proxy": Proxy(url=f"http://127.0.0.1:{server.port}")})
    assert (await failure_of_get(session.handle)).exchange.failure is Failure.PROXY_AUTH_REQUIRED


async def test_a_dead_proxy_is_told_from_a_dead_server(open_session, failure_of_get, unused_tcp_port):
    proxy = Proxy(url=f"http://127.0.0.1:{unused_tcp_port}")
    session = await open_session("http://shop.invalid", profile={"proxy": proxy})
    assert (await failure_of_get(session.handle)).exchange.failure is Failure.PROXY_CONNECTION_FAILED


async def test_hosts_to_bypass_are_reached_without_the_proxy(server, open_session):
    proxy = Proxy(url="http://127.0.0.1:1", bypass=("*.localhost", "127.0.0.1"))
    session = await open_session(server.url(), profile={"proxy": proxy})
    assert (await session.handle.get("/")).status == 200


def test_bypass_patterns_are_exact_names_or_domains():
    route = route_of(Proxy(url="http://proxy:3128", bypass=("example.org", ".example.net")))
    assert not route.serves("example.org")
    assert not route.serves("www.example.org")
    assert not route.serves("a.example.net")
    assert route.serves("badexample.org")


def test_a_proxy_of_another_kind_is_refused_with_a_remedy():
    with pytest.raises(ProberError, match="http://host:port") as caught:
        route_of(Proxy(url="socks5://proxy:1080"))
    assert caught.value.fault is ProberFault.INTERNAL


async def test_a_proxy_that_hangs_up_on_the_request_for_a_tunnel_failed(server, open_session, failure_of_get):
    from tests.probes.http.fault_server import close

    server.routes["*"] = close
    proxy = Proxy(url=f"http://127.0.0.1:{server.port}")
    session = await open_session("https://shop.invalid", profile={"proxy": proxy})
    assert (await failure_of_get(session.handle)).exchange.failure is Failure.PROXY_TUNNEL_FAILED
