"""Frames over a socket: four bytes of length, one of kind, then the value."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from monitor.dispatch.messages import Kind

LARGEST_FRAME = 32 << 20

_HEADER = struct.Struct(">IB")
# Nobody waits for the last milliseconds of a result, and each waking of the other side costs as much as a result.
_LINGER = {Kind.DONE: 0.005}


class Channel(asyncio.Protocol):
    """Sends and hears frames; what is sent within one turn of the event loop leaves in one write.

    A result may linger for some milliseconds, so that it leaves together with others.
    """

    def __init__(self, hear: Callable[[Kind, memoryview], None], ended: Callable[[], None]) -> None:
        """Call ``hear`` for each frame, and ``ended`` once the other side is gone or talks nonsense."""
        self._hear = hear
        self._ended = ended
        self._rest = b""
        self._unsent: list[bytes] = []
        self._leaving = self._lingering = False
        self._transport: asyncio.WriteTransport | None = None
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def over(
        cls, end: socket.socket, *, hear: Callable[[Kind, memoryview], None], ended: Callable[[], None]
    ) -> Channel:
        """Open a channel over one end of a socket pair."""
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_unix_connection(lambda: cls(hear, ended), sock=end)
        return channel

    def send(self, kind: Kind, value: bytes = b"") -> None:
        """Send a frame at the end of this turn of the event loop, or soon where it may linger."""
        if kind in _LINGER:
            if not self._leaving and not self._lingering:
                self._lingering = True
                self._loop.call_later(_LINGER[kind], self._flush_lingering)
        elif not self._leaving:
            self._leaving = True
            self._loop.call_soon(self.flush)
        self._unsent.append(_HEADER.pack(len(value), kind))
        self._unsent.append(value)

    def flush(self) -> None:
        """Send now what waits to be sent."""
        self._leaving = False
        if self._transport is not None and self._unsent:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _flush_lingering(self) -> None:
        self._lingering = False
        self.flush()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self.flush()
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hear every frame that is complete."""
        data = self._rest + data if self._rest else data
        view = memoryview(data)
        start = 0
        while len(data) - start >= _HEADER.size:
            length, kind = _HEADER.unpack_from(data, start)
            if length > LARGEST_FRAME or kind not in _KINDS:
                self._refuse()
                return
            end = start + _HEADER.size + length
            if end > len(data):
                break
            self._hear(_KINDS[kind], view[start + _HEADER.size : end])
            start = end
        self._rest = data[start:]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell that the other side is gone."""
        self._transport = None
        self._ended()

    def _refuse(self) -> None:
        self._rest = b""
        if self._transport is not None:
            self._transport.abort()


_KINDS = {kind.value: kind for kind in Kind}
