"""Where scrapers get the metrics: one answer is made at a time, and those who do not take theirs are few."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

_AT_ONCE = 8
_PIECE = 262_144


class Scrapes:
    """Answers scrapes. Rendering takes a thread, and many at once would take the time of the runs."""

    def __init__(self, render: Callable[[str], tuple[bytes, str]], *, at_once: int = _AT_ONCE) -> None:
        """Answer with what ``render`` makes for an ``Accept`` header, ``at_once`` scrapers at most."""
        self._render = render
        self._at_once = at_once
        self._turn = asyncio.Lock()
        self._open = 0

    async def answer(self, request: Request) -> Response:
        """Return the metrics in the form that the scraper asks for, or 503 where too many have not taken theirs."""
        if self._open >= self._at_once:
            words = f"{self._open} scrapes are not finished; this one would take the time of the runs\n"
            return PlainTextResponse(words, 503, {"retry-after": "5"})
        return _Answer(self, request.headers.get("accept", ""))

    async def send(self, accept: str, scope: Scope, send: Send) -> None:
        """Render and send, a piece at a time, so that one who reads slowly fills no memory but the answer's."""
        self._open += 1
        try:
            async with self._turn:
                body, kind = await asyncio.to_thread(self._render, accept)
            headers = [
                (b"content-type", kind.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"vary", b"accept"),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            wanted = memoryview(body if scope["method"] != "HEAD" else b"")
            for begin in range(0, len(wanted), _PIECE):
                piece = bytes(wanted[begin : begin + _PIECE])
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._open -= 1


class _Answer(Response):
    """An answer that is counted until it has been taken."""

    def __init__(self, scrapes: Scrapes, accept: str) -> None:
        """Prepare the answer to one scraper."""
        super().__init__()
        self._scrapes = scrapes
        self._accept = accept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI hands it over
        """Render and send."""
        await self._scrapes.send(self._accept, scope, send)
