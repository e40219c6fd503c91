"""Through a forward proxy: which hosts go through it, and the tunnel for those that are encrypted."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import httptools

from monitor.domain.evidence import ProberFault
from monitor.domain.failure import Failure, Phase
from monitor.domain.profile import Proxy
from monitor.probes.http.channels import Channel, DeadlineReached
from monitor.probes.http.failures import Fault, words_of
from monitor.probes.http.http1 import converse
from monitor.probes.http.limits import Limits
from monitor.probes.http.observation import Observation
from monitor.probes.http.outgoing import Origin
from monitor.probes.session import ProberError

_DEFAULT_PORT = 8080
_AUTH_REQUIRED = 407
_OK = range(200, 300)
_LONGEST_STATEMENT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRoute:
    """How to reach a proxy, and what to show it.

    Attributes:
        authorization: The value of ``Proxy-Authorization``.
        bypass: Hosts that are reached without it: exact, or a domain with or without a leading dot or ``*.``.
        connect_headers: Further headers of the request for a tunnel.
    """

    host: str
    port: int
    authorization: bytes | None = None
    bypass: tuple[str, ...] = ()
    connect_headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return the header that a request to the proxy itself carries."""
        return ((b"Proxy-Authorization", self.authorization),) if self.authorization else ()

    def serves(self, host: str) -> bool:
        """Say whether requests for a host go through the proxy."""
        for pattern in self.bypass:
            domain = pattern.lower().removeprefix("*").removeprefix(".")
            if pattern == "*" or host == domain or host.endswith(f".{domain}"):
                return False
        return True


def route_of(proxy: Proxy) -> ProxyRoute:
    """Return the route that a profile asks for. Raises ProberError where it names none that HTTP probes know."""
    parts = urlsplit(proxy.url if "://" in proxy.url else f"http://{proxy.url}")
    if parts.scheme != "http" or not parts.hostname:
        msg = f"HTTP checks know proxies by http://host:port only, not {parts.scheme!r}; use another profile for them"
        raise ProberError(ProberFault.INTERNAL, msg)
    name = proxy.username or unquote(parts.username or "")
    word = proxy.password.reveal() if proxy.password else unquote(parts.password or "")
    credentials = base64.b64encode(f"{name}:{word}".encode()) if name else b""
    return ProxyRoute(
        host=parts.hostname,
        port=parts.port or _DEFAULT_PORT,
        authorization=b"Basic " + credentials if credentials else None,
        bypass=proxy.bypass,
    )


async def open_tunnel(
    channel: Channel, route: ProxyRoute, origin: Origin, limits: Limits, *, seen: Observation | None = None
) -> None:
    """Ask a proxy to connect us with an origin. Raises Fault where it does not; the words hold the proxy's status then.

    The headers of its refusal are noted on ``seen``: they may tell why the proxy itself could not reach the origin.
    """
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    where = f"{host}:{origin.port}".encode()
    lines = [b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n" % (where, where)]
    lines += [b"%b: %b\r\n" % header for header in (*route.headers, *route.connect_headers)]
    # The answer to CONNECT has no body, whatever its headers say; in that it is like the answer to HEAD.
    answer = Observation(id="", url="", host=route.host, method="HEAD", step="", started=0.0, phase=Phase.CONNECT)
    try:
        await converse(channel, b"".join([*lines, b"\r\n"]), answer, limits)
    except (OSError, EOFError, DeadlineReached, httptools.HttpParserError, Fault) as error:
        text = f"the proxy did not answer the request for a tunnel: {words_of(error)}"
        raise Fault(Failure.PROXY_TUNNEL_FAILED, text) from error
    status = answer.status or 0
    if status in _OK:
        return
    if seen is not None:
        # Not its status: an exchange's status is what its host answered, and the host has not been heard.
        seen.headers = answer.headers
    if status == _AUTH_REQUIRED:
        raise Fault(Failure.PROXY_AUTH_REQUIRED, "the proxy asks for other credentials than ours (407)")
    text = f"the proxy answered the request for a tunnel with {status}{_words_of(answer)}"
    raise Fault(Failure.PROXY_TUNNEL_FAILED, text)


def _words_of(answer: Observation) -> str:
    """Return what a proxy says of why there is no tunnel (RFC 9209), to be put behind its status."""
    stated = b", ".join(value for name, value in answer.headers if name == b"proxy-status")
    return f" (Proxy-Status: {stated.decode('latin-1')[:_LONGEST_STATEMENT]})" if stated else ""
