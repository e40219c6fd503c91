"""A listener for requests that the journey's back end promises to make."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import h11

from monitor.domain.evidence import ProberFault
from monitor.probes.session import ExpectationFailed, ProberError

logger = logging.getLogger(__name__)

_READ_SIZE = 65_536
_PATIENCE = 10.0
_FLOOD = 4
_MOST_WAITING = 16
_MOST_CONNECTIONS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAddress:
    """Where to listen, and under which URL others reach that place; its own address when there is none."""

    host: str = "127.0.0.1"
    port: int = 0
    url: str = ""
    body_bytes: int = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """One request that came in; ``truncated`` says that its body was larger than what is kept."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    truncated: bool = False

    def json(self) -> Any:
        """Return what the JSON of the body says. Raises ExpectationFailed where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            msg = f"expected JSON in the webhook, saw {self.body[:200].decode('utf-8', 'backslashreplace')!r}"
            raise ExpectationFailed(msg) from None


class Webhook:
    """One URL, known to nobody else, and the requests that came to it."""

    def __init__(self, url: str) -> None:
        """Start with none received."""
        self.url = url
        self._requests: asyncio.Queue[WebhookRequest] = asyncio.Queue(maxsize=_MOST_WAITING)

    async def received(self, timeout: dt.timedelta = dt.timedelta(seconds=30)) -> WebhookRequest:  # noqa: ASYNC109 - a promise with a time limit is what the step states
        """Return the next request. Raises ExpectationFailed where none came in time."""
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                return await self._requests.get()
        except TimeoutError:
            msg = f"no webhook came within {timeout.total_seconds():g} s"
            raise ExpectationFailed(msg) from None

    def take(self, request: WebhookRequest) -> bool:
        """Keep a request for the journey, and say whether there was room for it."""
        try:
            self._requests.put_nowait(request)
        except asyncio.QueueFull:
            return False
        return True


class WebhookListener:
    """Listens for the webhooks of all sessions of a process, from the first one that wants any."""

    def __init__(self, address: WebhookAddress) -> None:
        """Listen at one address, later."""
        self._address = address
        self._server: asyncio.Server | None = None
        self._starting = asyncio.Lock()
        self._hooks: dict[str, Webhook] = {}
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def hook(self) -> AsyncIterator[Webhook]:
        """Lend a URL that is answered until the end of the block. Raises ProberError where we cannot listen."""
        base = await self._start()
        token = secrets.token_urlsafe(24)
        webhook = self._hooks[token] = Webhook(f"{base}/{token}")
        try:
            yield webhook
        finally:
            del self._hooks[token]

    async def close(self) -> None:
        """Stop listening."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in tuple(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _start(self) -> str:
        async with self._starting:
            if self._server is None:
                try:
                    self._server = await asyncio.start_server(self._accept, self._address.host, self._address.port)
                except OSError as error:
                    msg = f"cannot listen for webhooks on {self._address.host}:{self._address.port}: {error.strerror}"
                    raise ProberError(ProberFault.INTERNAL, msg) from error
            port = self._server.sockets[0].getsockname()[1]
        host = f"[{self._address.host}]" if ":" in self._address.host else self._address.host
        return self._address.url.rstrip("/") or f"http://{host}:{port}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if len(self._connections) <= _MOST_CONNECTIONS:
                async with asyncio.timeout(_PATIENCE):
                    await self._serve(reader, writer)
        except (OSError, TimeoutError, h11.ProtocolError):
            logger.debug("a webhook's sender broke off or spoke no HTTP")
        except asyncio.CancelledError:
            # The listener closes; the streams' own callback would report a cancelled task as an error.
            logger.debug("a webhook's connection was cut")
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        head, body, truncated = await self._read(connection, reader, writer)
        if head is None:
            return
        path = head.target.decode("ascii", "backslashreplace")
        token, _, rest = path.lstrip("/").partition("?")[0].partition("/")
        hook = self._hooks.get(token)
        request = WebhookRequest(
            method=head.method.decode("ascii"),
            path=f"/{rest}" + path[len(path.partition("?")[0]) :],
            headers=tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers),
            body=body,
            truncated=truncated,
        )
        status = 404 if hook is None else 204 if hook.take(request) else 429
        answer = h11.Response(status_code=status, headers=[("Connection", "close"), ("Content-Length", "0")])
        writer.write((connection.send(answer) or b"") + (connection.send(h11.EndOfMessage()) or b""))
        await writer.drain()

    async def _read(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[h11.Request | None, bytes, bool]:
        head: h11.Request | None = None
        parts: list[bytes] = []
        size, most = 0, self._address.body_bytes
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    writer.write(connection.send(go_on) or b"")
                connection.receive_data(await reader.read(_READ_SIZE))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data)[: max(0, most - size)])
                size += len(event.data)
                if size > _FLOOD * most:
                    return None, b"", True
            else:
                return (
                    (head, b"".join(parts), size > most) if isinstance(event, h11.EndOfMessage) else (None, b"", False)
                )
