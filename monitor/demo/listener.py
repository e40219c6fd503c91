"""One host's listening socket, which can be closed, reset and opened again while the shop runs."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import struct
from enum import StrEnum
from typing import TYPE_CHECKING

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"
_NO_LINGER = struct.pack("ii", 1, 0)


class PortTakenError(OSError):
    """A port that the shop needs cannot be had; the message names it and the reason."""


class Listening(StrEnum):
    """What a host does with a new connection."""

    SERVES = "serves"
    REFUSES = "refuses"
    RESETS = "resets"


class Listener:
    """Serves one application on one port, of 127.0.0.1 unless told otherwise, with or without TLS."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        choose_context: Callable[[], ssl.SSLContext] | None = None,
        address: str = LOOPBACK,
    ) -> None:
        """Prepare to serve; ``choose_context`` is asked at each handshake, so that certificates change at once."""
        self._config = Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        self._config.load()
        self._state = ServerState()
        self._choose_context = choose_context
        self._address = address
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._listening = Listening.REFUSES
        self._port = 0

    @property
    def connections(self) -> int:
        """Return how many clients are connected."""
        return len(self._state.connections)

    def bind(self, port: int) -> int:
        """Reserve the port, 0 for any free one, without listening yet; return its number."""
        self._socket = _bound(self._address, port)
        self._port = self._socket.getsockname()[1]
        return self._port

    async def become(self, listening: Listening) -> None:
        """Serve, refuse or reset from now on; clients that are connected are cut off."""
        if listening is self._listening:
            return
        self._stop()
        self._listening = listening
        # A socket that is bound and does not listen refuses connections and keeps others from taking the port.
        self._socket = self._socket or _bound(self._address, self._port)
        if listening is Listening.REFUSES:
            return
        loop = asyncio.get_running_loop()
        if listening is Listening.RESETS:
            self._server = await loop.create_server(_Resetting, sock=self._socket)
        else:
            self._server = await loop.create_server(self._protocol, sock=self._socket, ssl=self._context())
        self._socket = None

    def cut(self) -> None:
        """End every connection, so that the next request makes a new one."""
        for connection in list(self._state.connections):
            connection.transport.abort()

    async def close(self) -> None:
        """Stop listening and release the port; never raises."""
        self._stop()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=2)

    def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def _protocol(self) -> asyncio.Protocol:
        return H11Protocol(config=self._config, server_state=self._state, app_state={})

    def _context(self) -> ssl.SSLContext | None:
        if self._choose_context is None:
            return None
        choose = self._choose_context
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def present(connection: ssl.SSLObject, _name: str, _context: ssl.SSLContext) -> None:
            connection.context = choose()

        context.sni_callback = present
        return context


class _Resetting(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.close()


def _bound(address: str, port: int) -> socket.socket:
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.setblocking(False)
    try:
        reserved.bind((address, port))
    except OSError as error:
        reserved.close()
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} of {address} is taken; start the shop with another first port (--ports-from)"
        else:
            message = f"port {port} of {address} cannot be listened on: {error.strerror or error}"
        raise PortTakenError(message) from error
    return reserved
