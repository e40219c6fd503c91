"""Forward proxies: the client's own, and those that stand at other places."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from tests.lab.world.certificates import FOREIGN, Certificates
from tests.lab.world.faults import Faults, Trouble
from tests.lab.world.messages import Answer, Request, read_request
from tests.lab.world.names import Names

_PORT = 3128
_PATIENCE = 30.0
_REFUSALS = {
    "credentials": (407, {"proxy-authenticate": 'Basic realm="proxy"'}),
    "bad-gateway": (502, {}),
}
_INSIDE = {
    "network-auth": (511, {}),
    "blocked-by": (451, {"link": '<https://isp.example/>; rel="blocked-by"'}),
}


class Proxy:
    """Takes CONNECT and plain requests, and sends them where ``find`` says."""

    def __init__(
        self, role: str, names: Names, faults: Faults, certificates: Certificates, find: Callable[[str], str | None]
    ) -> None:
        """Stand at the address of ``role``; ``find`` returns the address of a host."""
        self._role = role
        self._names = names
        self._faults = faults
        self._certificates = certificates
        self._find = find
        self._closing = threading.Event()
        self._listener: socket.socket | None = None

    @property
    def url(self) -> str:
        """Return its address as it is configured."""
        return f"http://{self._names.addresses[self._role]}:{_PORT}"

    def start(self) -> None:
        """Listen. Raises OSError where the address is taken."""
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((self._names.addresses[self._role], _PORT))
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def update(self) -> None:
        """Take up what the faults of the moment ask for."""
        dead = self._kind() == "dead" or self._faults.listening(self._role) is not None
        if dead and self._listener is not None:
            self.close()
        elif not dead and self._listener is None:
            self.start()

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _kind(self) -> str:
        trouble = self._trouble()
        return str(trouble.get("kind")) if trouble is not None else ""

    def _trouble(self) -> Trouble | None:
        return next((one for one in self._faults.of_kind("proxy") if self._role in one.roles), None)

    def _concerns(self, host: str) -> bool:
        """Say whether what the proxy does wrong touches a host; all of them where none is listed."""
        trouble = self._trouble()
        listed = [str(one).lstrip("@") for one in (trouble.get("hosts") or ())] if trouble is not None else []
        return not listed or host in {self._names.hosts[role] for role in listed}

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_PATIENCE)
        with contextlib.suppress(OSError, ValueError), contextlib.closing(client):
            # Unbuffered, so that what follows the request stays in the socket.
            request = read_request(client.makefile("rb", buffering=0))  # type: ignore[arg-type]  # reads as the other does
            if request is None:
                return
            kind = self._kind()
            if kind in _REFUSALS:
                status, headers = _REFUSALS[kind]
                self._say(client, request, Answer(status=status, headers={**headers, "connection": "close"}))
            elif request.method == "CONNECT":
                self._tunnel(client, request, kind)
            else:
                self._plain(client, request, kind)

    def _say(self, stream: socket.socket, request: Request, answer: Answer) -> None:
        stream.sendall(answer.head(length=len(answer.body), moved=0, method=request.method) + answer.body)

    def _tunnel(self, client: socket.socket, request: Request, kind: str) -> None:
        host, _, port = request.target.rpartition(":")
        address = self._find(host)
        if (kind == "blocked-by" and host != self._names.hosts["own"]) or not self._concerns(host):
            kind = ""
        if kind == "forbid":
            self._say(client, request, Answer(status=403, headers={"connection": "close"}))
            return
        if kind == "slow":
            time.sleep(float(self._trouble().get("seconds")))  # type: ignore[union-attr]  # it has a kind
        if kind == "rewrite":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._rewrite(client, host, address or "", int(port))
            return
        if kind in {"intercept", "portal", *_INSIDE}:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._intercept(client, host, kind)
            return
        try:
            source = (self._names.addresses[self._role], 0)
            # An address that nobody has refuses, as a name that nobody knows should.
            place = (address or self._names.addresses["nobody"], int(port))
            remote = socket.create_connection(place, timeout=3, source_address=source)
        except OSError as error:
            self._say(client, request, self._unreached(error, found=address is not None))
            return
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        _pump(client, remote)

    def _unreached(self, error: OSError, *, found: bool) -> Answer:
        """Return what a proxy says of a host that it cannot reach (RFC 9209)."""
        late = isinstance(error, TimeoutError)
        word = "connection_timeout" if late else "connection_refused" if found else "dns_error"
        headers = {"connection": "close", "proxy-status": f"{self._names.addresses[self._role]}; error={word}"}
        return Answer(status=504 if late else 502, headers=headers)

    def _intercept(self, client: socket.socket, host: str, kind: str) -> None:
        trusted = kind in _INSIDE
        context = self._certificates.context(
            host, issuer=2 if trusted else FOREIGN, kind="good" if trusted else "unknown-issuer"
        )
        with context.wrap_socket(client, server_side=True) as stream:
            reader = stream.makefile("rb")
            while (request := read_request(reader)) is not None:
                status, headers = _INSIDE.get(kind, (302, {"location": self._names.url("control1")}))
                body = b"<!doctype html><title>Access</title><h1>Access to this network is restricted</h1>"
                self._say(stream, request, Answer(status=status, headers=dict(headers), body=body))

    def _rewrite(self, client: socket.socket, host: str, address: str, port: int) -> None:
        """Read along with a certificate that the client trusts, as a company's filter does, and change answers."""
        trouble = self._trouble()
        context = self._certificates.context(host, issuer=2)
        with context.wrap_socket(client, server_side=True) as stream:
            reader = stream.makefile("rb")
            while trouble is not None and (request := read_request(reader)) is not None:
                if trouble.get("status") is not None:
                    body = str(trouble.get("body", "<h1>Blocked</h1>")).encode()
                    self._say(stream, request, Answer(status=int(trouble.get("status")), body=body))
                    continue
                answer = _fetched(request, host, address, port)
                old, new = str(trouble.get("old", "")), str(trouble.get("new", ""))
                answer.body = answer.body.replace(old.encode(), new.encode())
                self._say(stream, request, answer)

    def _plain(self, client: socket.socket, request: Request, kind: str) -> None:
        if kind in _INSIDE:
            status, headers = _INSIDE[kind]
            self._say(client, request, Answer(status=status, headers=dict(headers)))
            return
        host = urlsplit(request.target).hostname or ""
        self._say(client, request, Answer(status=200 if self._find(host) else 502, headers={"connection": "close"}))


def _fetched(request: Request, host: str, address: str, port: int) -> Answer:
    context = ssl._create_unverified_context()
    plain = socket.create_connection((address, port), timeout=_PATIENCE)
    connection = http.client.HTTPConnection(host, port)
    connection.sock = context.wrap_socket(plain, server_hostname=host)
    with contextlib.closing(connection):
        kept = {name: value for name, value in request.headers.items() if name not in {"accept-encoding", "connection"}}
        connection.request(request.method, request.target, request.body or None, kept)
        got = connection.getresponse()
        headers = {name.lower(): value for name, value in got.getheaders()}
        cookies = [value for name, value in got.getheaders() if name.lower() == "set-cookie"]
        kind = headers.pop("content-type", "text/html")
        for name in ("content-length", "set-cookie", "connection", "transfer-encoding"):
            headers.pop(name, None)
        return Answer(status=got.status, body=got.read(), type=kind, headers=headers, cookies=cookies)


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.closing(other):
        one.settimeout(None)
        other.settimeout(None)
        while True:
            ready, _, _ = select.select((one, other), (), (), 120)
            if not ready:
                return
            for source in ready:
                piece = source.recv(65536)
                if not piece:
                    return
                (other if source is one else one).sendall(piece)
