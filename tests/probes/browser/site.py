"""A site on loopback that misbehaves on request, in a thread of its own, so that no test can hold it up."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import ssl
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import trustme

Handler = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]

LONG_AGO = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    host: str
    headers: dict[str, str] = field(default_factory=dict)


class FaultSite:
    """Serves pages by path at every name, over HTTP and over HTTPS with good and bad certificates."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.ports: dict[str, int] = {}
        self._routes: dict[str, Handler] = {}
        self._authority = trustme.CA()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._servers: list[asyncio.Server] = []

    @property
    def authority(self) -> str:
        return self._authority.cert_pem.bytes().decode()

    def url(self, path: str = "/", *, host: str = "shop.localhost", port: str = "http") -> str:
        scheme = "http" if port == "http" else "https"
        return f"{scheme}://{host}:{self.ports[port]}{path}"

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def forget(self) -> None:
        self.requests.clear()

    def page(self, path: str, body: str | bytes, *, status: int = 200, kind: str = "text/html", **headers: str) -> None:
        content = body.encode() if isinstance(body, str) else body
        more = {name.replace("_", "-"): value for name, value in headers.items()}

        async def answer(_request: Request, writer: asyncio.StreamWriter) -> None:
            await reply(writer, content, status=status, kind=kind, headers=more)

        self._routes[path] = answer

    def route(self, path: str, handler: Handler) -> None:
        self._routes[path] = handler

    def drop(self, path: str) -> None:
        self._routes.pop(path, None)

    def seen(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    async def _start(self) -> None:
        names = ("shop.localhost", "www.shop.localhost", "third.localhost", "third.test")
        good = self._authority.issue_cert(*names, common_name=names[0])
        expired = self._authority.issue_cert(*names, not_before=LONG_AGO, not_after=LONG_AGO + dt.timedelta(days=90))
        wrong = self._authority.issue_cert("elsewhere.test")
        unknown = trustme.CA().issue_cert(*names)
        await self._listen("http", None)
        for name, certificate in (("https", good), ("expired", expired), ("wrong", wrong), ("unknown", unknown)):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            await self._listen(name, context)

    async def _listen(self, name: str, context: ssl.SSLContext | None) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self._servers.append(server)
        self.ports[name] = server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError):
            while not writer.is_closing():
                request = await self._read(reader)
                self.requests.append(request)
                handler = self._routes.get(request.path.partition("?")[0], missing)
                await handler(request, writer)
        with contextlib.suppress(OSError):
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        if int(headers.get("content-length", "0")):
            await reader.readexactly(int(headers["content-length"]))
        return Request(method=method, path=path, host=headers.get("host", "").partition(":")[0], headers=headers)


async def reply(
    writer: asyncio.StreamWriter,
    body: bytes,
    *,
    status: int = 200,
    kind: str = "text/html",
    headers: dict[str, str] | None = None,
    length: int | None = None,
) -> None:
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body) if length is None else length}",
    ]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()


async def missing(_request: Request, writer: asyncio.StreamWriter) -> None:
    await reply(writer, b"nothing here", status=404)


async def reset(_request: Request, writer: asyncio.StreamWriter) -> None:
    """Answer with a TCP reset."""
    transport = writer.transport
    raw = transport.get_extra_info("socket")
    raw.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER with no time
    transport.abort()


async def hang_up(_request: Request, writer: asyncio.StreamWriter) -> None:
    """Close without an answer."""
    writer.close()


async def stay_silent(_request: Request, _writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.sleep(3600)


async def flood_websocket(request: Request, writer: asyncio.StreamWriter) -> None:
    """Accept a WebSocket and send small messages as fast as they are taken."""
    digest = hashlib.sha1((request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode())
    accept = base64.b64encode(digest.digest()).decode()
    head = f"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    writer.write(head.encode())
    while True:
        writer.write(b"\x81\x04ping" * 100)
        await writer.drain()
