"""Scrapers that are many, and scrapers that hang, through a real server and real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from monitor.cli.serving import bound
from monitor.config.settings import WebSettings
from monitor.web.scrapes import Scrapes
from tests.waiting import until

# More than the kernel takes in for a connection whose other end reads nothing.
BIG = b"x" * 32_000_000
AT_ONCE = 3


class Renderer:
    def __init__(self) -> None:
        self.may = threading.Event()
        self.may.set()
        self.asked = 0
        self.at_work = self.most = 0
        self._count = threading.Lock()

    def render(self, accept: str) -> tuple[bytes, str]:
        with self._count:
            self.asked += 1
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        self.may.wait(60)
        with self._count:
            self.at_work -= 1
        return BIG, "text/plain; version=0.0.4; charset=utf-8"


@pytest.fixture
def renderer():
    renderer = Renderer()
    yield renderer
    renderer.may.set()


@pytest.fixture
def scrapes(renderer: Renderer) -> Scrapes:
    return Scrapes(renderer.render, at_once=AT_ONCE)


@pytest.fixture
def listener() -> socket.socket:
    return bound(WebSettings(port=0))


@pytest.fixture
async def port(renderer: Renderer, scrapes: Scrapes, listener: socket.socket) -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/metrics", scrapes.answer)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    server.capture_signals = contextlib.nullcontext
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield int(listener.getsockname()[1])
    renderer.may.set()
    server.should_exit = server.force_exit = True
    await serving


def hanging(port: int) -> socket.socket:
    """A scraper that asks and takes nothing."""
    scraper = socket.socket()
    scraper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    scraper.connect(("127.0.0.1", port))
    scraper.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return scraper


async def answered(client: httpx.AsyncClient, status: int) -> httpx.Response:
    """Ask until the answer has this status."""
    async with asyncio.timeout(60):
        while (answer := await client.get("/metrics")).status_code != status:  # noqa: ASYNC110 - a scraper has no event
            await asyncio.sleep(0.05)
    return answer


async def test_a_scraper_that_hangs_keeps_neither_its_answer_nor_its_place(
    port: int, listener: socket.socket, scrapes: Scrapes, renderer: Renderer
) -> None:
    # Each connection has the patience that the listener had when it was made.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1_500)
    # While their answers are made nobody can lose patience with them, however slow the machine is.
    renderer.may.clear()
    scrapers = [await asyncio.to_thread(hanging, port) for _ in range(AT_ONCE)]
    await until(lambda: scrapes._open == AT_ONCE, "all places are taken")
    # A scraper that takes what it is given may be slow to do so on a busy machine.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        refused = await answered(client, 503)
        assert refused.headers["retry-after"] == "5"
        assert "scrapes are not finished" in refused.text
        renderer.may.set()
        served = await answered(client, 200)
    assert served.content == BIG
    for scraper in scrapers:
        scraper.close()


async def test_scrapes_that_come_together_are_rendered_one_after_the_other(port: int, renderer: Renderer) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        answers = await asyncio.gather(*(client.get("/metrics") for _ in range(AT_ONCE)))
    assert [answer.content == BIG for answer in answers] == [True] * AT_ONCE
    assert (renderer.asked, renderer.most) == (AT_ONCE, 1)


async def test_a_scraper_that_goes_away_while_its_answer_is_made_leaves_room(
    port: int, scrapes: Scrapes, renderer: Renderer
) -> None:
    renderer.may.clear()
    for _ in range(AT_ONCE):
        (await asyncio.to_thread(hanging, port)).close()
    await until(lambda: scrapes._open == AT_ONCE, "all places are taken")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        await answered(client, 503)
        renderer.may.set()
        assert (await answered(client, 200)).headers["content-length"] == str(len(BIG))


async def test_a_head_tells_the_size_and_sends_nothing(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        answer = await client.head("/metrics")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(len(BIG)))
    assert answer.headers["vary"] == "accept"
