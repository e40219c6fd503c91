"""Webhooks that a step waits for: the back end's own word that it has kept the front end's promise."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from monitor.probes.session import ExpectationFailed
from monitor.reading.quantities import parse_duration, show_duration

_LARGEST_HEAD = 16_384
_LARGEST_BODY = 1_000_000
_MOST_CALLS = 100
_READ_SECONDS = 10
_LONGEST_LOAN = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that came in. Header names are in lower case."""

    method: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode(errors="replace")

    def json(self) -> object:
        """Return the body as JSON; that it is JSON is an expectation."""
        try:
            return json.loads(self.body)
        except ValueError:
            msg = f"expected the webhook to bring JSON, saw {self.text[:160]!r}"
            raise ExpectationFailed(msg) from None


class Webhook:
    """An address that only this run knows, and what is sent to it."""

    def __init__(self, url: str) -> None:
        """Begin to collect calls."""
        self.url = url
        self.lent = time.monotonic()
        self._calls: asyncio.Queue[Call] = asyncio.Queue(_MOST_CALLS)

    def __str__(self) -> str:
        """Show the address."""
        return self.url

    async def received(self, *, within: str | dt.timedelta) -> Call:
        """Return the next call, one that is there already or one to come. Raises ExpectationFailed when none comes."""
        limit = parse_duration(within) if isinstance(within, str) else within
        try:
            async with asyncio.timeout(limit.total_seconds()):
                return await self._calls.get()
        except TimeoutError:
            msg = f"expected a webhook within {show_duration(limit)}, saw none"
            raise ExpectationFailed(msg) from None

    def take(self, call: Call) -> bool:
        """Keep a call; refused when too many wait already."""
        with contextlib.suppress(asyncio.QueueFull):
            self._calls.put_nowait(call)
            return True
        return False


class Webhooks:
    """Listens, from the first webhook that a step opens, for as long as the worker lives."""

    def __init__(self, host: str = "127.0.0.1", *, port: int = 0, url: str = "") -> None:
        """Say where to listen, and under which URL that can be reached from outside where it differs."""
        self._host = host
        self._port = port
        self._url = url.rstrip("/")
        self._server: asyncio.Server | None = None
        self._opening = asyncio.Lock()
        self._open: dict[str, Webhook] = {}

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Webhook]:
        """Lend a webhook until the block ends."""
        webhook = await self.lend()
        try:
            yield webhook
        finally:
            self.take_back(webhook)

    async def lend(self) -> Webhook:
        """Lend a webhook until it is taken back."""
        async with self._opening:
            if self._server is None:
                self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=_LARGEST_HEAD)
        self._forget_old()
        path = f"/{secrets.token_urlsafe(24)}"
        webhook = Webhook(f"{self._base()}{path}")
        self._open[path] = webhook
        return webhook

    def take_back(self, webhook: Webhook) -> None:
        """Answer 404 under its address from now on."""
        self._open = {path: one for path, one in self._open.items() if one is not webhook}

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _forget_old(self) -> None:
        # A run that fails before it waits for its webhook does not take it back.
        now = time.monotonic()
        self._open = {path: one for path, one in self._open.items() if now - one.lent < _LONGEST_LOAN}

    def _base(self) -> str:
        if self._url:
            return self._url
        port = self._server.sockets[0].getsockname()[1] if self._server else self._port
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status = "400 Bad Request"
        try:
            async with asyncio.timeout(_READ_SECONDS):
                status = await self._answer(reader)
                writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
                await writer.drain()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a caller that does not speak HTTP is not answered
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> str:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.rstrip("\r\n").split("\r\n")
        method, target, _ = request.split(" ", 2)
        webhook = self._open.get(target.partition("?")[0].removeprefix(self._prefix()))
        if webhook is None:
            return "404 Not Found"
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await _body(reader, headers)
        if body is None:
            return "413 Content Too Large"
        taken = webhook.take(Call(method=method, headers=headers, body=body))
        return "204 No Content" if taken else "429 Too Many Requests"

    def _prefix(self) -> str:
        return "/" + self._url.split("/", 3)[3] if self._url.count("/") > 2 else ""  # noqa: PLR2004 - scheme://host/path


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes | None:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _chunks(reader)
    length = int(headers.get("content-length", "0"))
    return await reader.readexactly(length) if 0 <= length <= _LARGEST_BODY else None


async def _chunks(reader: asyncio.StreamReader) -> bytes | None:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        if size < 0 or len(body) + size > _LARGEST_BODY:
            return None
        body += await reader.readexactly(size)
        await reader.readuntil(b"\r\n")
    return body
