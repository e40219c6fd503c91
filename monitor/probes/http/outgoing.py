"""A request as it goes out, made of httpx's once and sent as often as wanted."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

DEFAULT_PORTS = {"http": 80, "https": 443}
_KEY = "outgoing"
# They concern one connection of HTTP/1.1, which HTTP/2 has not.
_HOP_BY_HOP = frozenset({b"host", b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One request in the form in which a connection takes it.

    Attributes:
        url: Without user information and fragment.
        authority: Host, and port where it is not the scheme's own.
        fields: Header lines of HTTP/1.1, each with its line end.
    """

    method: str
    url: str
    origin: Origin
    authority: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    fields: bytes
    body: bytes

    def http1(self, extra: tuple[tuple[bytes, bytes], ...], *, absolute: bool) -> bytes:
        """Return the bytes of HTTP/1.1; ``absolute`` names the whole URL, as a proxy wants it."""
        target = b"http://" + self.authority + self.target if absolute else self.target
        more = b"".join([name + b": " + value + b"\r\n" for name, value in extra]) if extra else b""
        return b"%b %b HTTP/1.1\r\n%b%b\r\n%b" % (self.method.encode(), target, self.fields, more, self.body)

    def http2(self, extra: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
        """Return the header list of HTTP/2."""
        return [
            (b":method", self.method.encode()),
            (b":authority", self.authority),
            (b":scheme", self.origin.scheme.encode()),
            (b":path", self.target),
            *((name.lower(), value) for name, value in self.headers if name.lower() not in _HOP_BY_HOP),
            *((name.lower(), value) for name, value in extra),
        ]


def outgoing_of(request: httpx.Request) -> Outgoing:
    """Return a request in its outgoing form, remembered in its extensions."""
    known = request.extensions.get(_KEY)
    if isinstance(known, Outgoing):
        return known
    made = _make(request)
    request.extensions[_KEY] = made
    return made


def origin_of(url: httpx.URL) -> Origin:
    """Return the origin of a URL."""
    host = url.raw_host.decode("ascii").strip("[]").rstrip(".").lower()
    return Origin(url.scheme, host, url.port or DEFAULT_PORTS.get(url.scheme, 0))


def _make(request: httpx.Request) -> Outgoing:
    url = request.url.copy_with(userinfo=b"", fragment=None)
    headers = tuple(request.headers.raw)
    return Outgoing(
        method=request.method,
        url=str(url),
        origin=origin_of(url),
        authority=request.headers.get("host", "").encode("ascii") or url.netloc,
        target=url.raw_path,
        headers=headers,
        fields=b"".join(name + b": " + value + b"\r\n" for name, value in headers),
        body=request.read(),
    )
