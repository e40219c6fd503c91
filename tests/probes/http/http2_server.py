"""A server of HTTP/2 that answers, breaks off, or resets as a test asks."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import h2.config
import h2.connection
import h2.events

Act = Callable[[h2.connection.H2Connection, int, dict[str, str]], None]


class Http2Server:
    def __init__(self, tls: ssl.SSLContext) -> None:
        self.tls = tls
        self.acts: dict[str, Act] = {}
        self.requests: list[dict[str, str]] = []
        self.bodies: dict[int, bytes] = {}
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        headers: dict[int, dict[str, str]] = {}
        try:
            while data := await reader.read(65536):
                for event in connection.receive_data(data):
                    self._on(connection, event, headers)
                writer.write(connection.data_to_send())
                await writer.drain()
        except OSError:
            pass
        except asyncio.CancelledError:
            # A polite goodbye under TLS would wait for the client's.
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    def _on(
        self, connection: h2.connection.H2Connection, event: h2.events.Event, headers: dict[int, dict[str, str]]
    ) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers[event.stream_id] = dict(event.headers)
            self.bodies[event.stream_id] = b""
        elif isinstance(event, h2.events.DataReceived):
            self.bodies[event.stream_id] += event.data
            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            request = headers[event.stream_id]
            self.requests.append(request)
            act = self.acts.get(request[":path"], answering(b"over two"))
            act(connection, event.stream_id, request)


def answering(body: bytes, status: str = "200", **headers: str) -> Act:
    def act(connection: h2.connection.H2Connection, stream: int, _request: dict[str, str]) -> None:
        connection.send_headers(stream, [(":status", status), *headers.items()])
        room = connection.local_flow_control_window(stream)
        rest = body[:room]
        while rest:
            connection.send_data(stream, rest[:16384])
            rest = rest[16384:]
        connection.end_stream(stream)

    return act


def resetting(code: int) -> Act:
    def act(connection: h2.connection.H2Connection, stream: int, _request: dict[str, str]) -> None:
        connection.reset_stream(stream, code)

    return act


def leaving(code: int) -> Act:
    def act(connection: h2.connection.H2Connection, stream: int, _request: dict[str, str]) -> None:
        connection.close_connection(code, last_stream_id=0)

    return act
