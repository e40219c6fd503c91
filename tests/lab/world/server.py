"""One address on which a part of the world answers, and how it fails to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.lab.world.answering import Gone, Line, before, changed, write
from tests.lab.world.faults import Faults
from tests.lab.world.messages import Answer, Request, read_request

App = Callable[[Request], Answer]
_NO_LINGER = struct.pack("ii", 1, 0)
_PATIENCE = 60.0
# HTTP/2: empty settings, and an end of the connection for an internal error (RFC 9113, 6.5 and 6.8).
_GOAWAY = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)) + bytes((0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One host name of an address: which role it is, what answers, and its TLS."""

    role: str
    host: str
    app: App
    context: Callable[[str, dict[str, object]], ssl.SSLContext]


class Server:
    """Listens on one address for one or more hosts. Faults decide how it takes connections."""

    def __init__(
        self, tenants: tuple[Tenant, ...], address: str, port: int, faults: Faults, *, moved: Callable[[], float]
    ) -> None:
        """Prepare; ``moved`` says how many days the world's clock runs ahead."""
        self._tenants = {tenant.host: tenant for tenant in tenants}
        self._first = tenants[0]
        self._address = (address, port)
        self._faults = faults
        self._moved = moved
        self._closing = threading.Event()
        self._state: str | None = "stopped"
        self._listener: socket.socket | None = None
        self._fillers: list[socket.socket] = []
        self._connections: set[socket.socket] = set()
        self._lock = threading.RLock()

    @property
    def roles(self) -> frozenset[str]:
        """Return the roles that answer here."""
        return frozenset(tenant.role for tenant in self._tenants.values())

    def start(self) -> None:
        """Listen. Raises OSError where the address is taken."""
        self._become(None)

    def update(self) -> None:
        """Take up what the faults of the moment ask for."""
        states = [self._faults.listening(role) for role in self.roles]
        self._become(next((state for state in states if state is not None), None))
        self.cut()

    def close(self) -> None:
        """Stop, and let go of every client."""
        self._closing.set()
        self._become("stopped")
        self.cut()

    def cut(self) -> None:
        """End all connections."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                connection.shutdown(socket.SHUT_RDWR)

    def _become(self, state: str | None) -> None:
        with self._lock:
            if state == self._state:
                return
            self._state = state
            for filler in self._fillers:
                filler.close()
            self._fillers.clear()
            if self._listener is not None:
                with contextlib.suppress(OSError):
                    self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._listener = None
            if state == "stopped":
                return
            self._listener = _listening(self._address, backlog=0 if state == "black-hole" else 128)
            if state == "black-hole":
                self._fill()
                return
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _fill(self) -> None:
        # Nobody accepts: once the queue is full, the kernel drops what else comes.
        for _ in range(3):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex(self._address)
            self._fillers.append(filler)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, peer[0]), daemon=True).start()

    def _serve(self, plain: socket.socket, client: str) -> None:
        plain.settimeout(_PATIENCE)
        with contextlib.suppress(Gone, OSError, ValueError), contextlib.closing(plain):
            with self._kept(plain):
                stream, tenant = self._secured(plain)
            with contextlib.closing(stream), self._kept(stream):
                self._converse(stream, tenant, client)

    @contextlib.contextmanager
    def _kept(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _secured(self, plain: socket.socket) -> tuple[ssl.SSLSocket, Tenant]:
        chosen = self._tenants.get(_server_name(plain), self._first)
        role = chosen.role
        line = Line(plain, self._closing)
        trouble = self._faults.at_connection(role, "reset", "close", "silent-tls", "tls-alert", "tls-delay")
        match trouble.what if trouble is not None else None:
            case "reset":
                line.reset()
            case "close":
                raise Gone
            case "silent-tls":
                line.pause(_PATIENCE, trouble)
                raise Gone
            case "tls-alert":
                plain.recv(4096)
                plain.sendall(bytes((21, 3, 3, 0, 2, 2, int(trouble.get("code")))))  # type: ignore[union-attr]  # there is one
                plain.shutdown(socket.SHUT_WR)
                time.sleep(0.05)
                raise Gone
            case "tls-delay":
                line.pause(float(trouble.get("seconds")), trouble)  # type: ignore[union-attr]  # there is one
        if self._faults.at_connection(role, "goaway") is not None:
            with chosen.context(chosen.host, {"kind": "h2"}).wrap_socket(plain, server_side=True) as stream:
                stream.sendall(_GOAWAY)
                stream.recv(4096)
                time.sleep(0.05)
            raise Gone
        bad = self._faults.at_connection(role, "certificate")
        context = chosen.context(chosen.host, bad.fault.parameters if bad is not None else {})
        return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=True), chosen

    def _converse(self, stream: ssl.SSLSocket, tenant: Tenant, client: str) -> None:
        reader = stream.makefile("rb")
        line = Line(stream, self._closing)
        while (request := read_request(reader)) is not None:
            chosen = self._tenants.get(request.headers.get("host", "").partition(":")[0], tenant)
            request.role, request.client = chosen.role, client
            if not self._answer(request, chosen, line):
                return

    def _answer(self, request: Request, tenant: Tenant, line: Line) -> bool:
        self._faults.saw(tenant.role, request.path)
        troubles = request.troubles = self._faults.at_request(request)
        began = time.monotonic()
        before(troubles, line)
        answer = changed(tenant.app(request), troubles, request)
        if "server-timing" in answer.headers:
            answer.headers["server-timing"] = f"app;dur={1000 * (time.monotonic() - began):.1f}"
        return write(answer, request, troubles, line, self._moved())


def _listening(address: tuple[str, int], *, backlog: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(backlog)
    return listener


def _server_name(plain: socket.socket) -> str:
    """Return the name in the ClientHello, without taking it from the queue."""
    hello = plain.recv(4096, socket.MSG_PEEK)
    try:
        at = 43 + 1 + hello[43]
        at += 2 + int.from_bytes(hello[at : at + 2])
        at += 1 + hello[at]
        end = at + 2 + int.from_bytes(hello[at : at + 2])
        at += 2
        while at + 4 <= min(end, len(hello)):
            kind, size = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
            if kind == 0:
                return hello[at + 9 : at + 4 + size].decode("ascii")
            at += 4 + size
    except (IndexError, UnicodeDecodeError):
        pass
    return ""
