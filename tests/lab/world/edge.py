"""A content delivery network in front of the shop: fetches from the origin, and says in its own dialect what it met."""

from __future__ import annotations

import contextlib
import http.client
import secrets
import socket
import ssl
from collections.abc import Callable

from tests.lab.world.messages import Answer, Request
from tests.lab.world.names import Names

_CONNECT = 1.5
_READ = 3.0
_HOP = frozenset({"connection", "transfer-encoding", "content-length", "date", "keep-alive", "set-cookie"})
_CODES = {"refused": 521, "timeout": 522, "closed": 520, "slow": 524, "tls": 525}
_WORDS = {
    "refused": "connection_refused",
    "timeout": "connection_timeout",
    "closed": "connection_terminated",
    "slow": "connection_read_timeout",
    "tls": "tls_protocol_error",
}


class Edge:
    """Answers for a host in place of its origin."""

    def __init__(self, names: Names, dialect: str) -> None:
        """Speak one dialect: ``proxy-status``, ``cf`` or ``silent``."""
        self._names = names
        self._dialect = dialect
        self._place = names.hosts["edge"]

    @property
    def title(self) -> str:
        """Return the name in its answers, as the user would configure it."""
        return "cloudflare" if self._dialect == "cf" else self._names.domains["edge"].partition(".")[0]

    def front(self, behind: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        """Return what answers for a host whose content comes from ``behind``."""

        def answer(request: Request) -> Answer:
            for trouble in request.troubles:
                if trouble.what == "edge":
                    return self._own_answer(str(trouble.get("error")), trouble.get("status"))
            try:
                found = behind(request)
            except _OriginError as error:
                return self._origin_failed(error.how)
            return self._marked(found, cache="MISS")

        return answer

    def fetch(self, request: Request) -> Answer:
        """Return the origin's answer. Raises _OriginError."""
        connection = _Direct(self._names.hosts["own"], self._names.addresses["origin"], self._names.port)
        connection.source_address = (self._names.addresses["edge"], 0)
        headers = {
            name: value for name, value in request.headers.items() if name not in {"connection", "accept-encoding"}
        }
        with contextlib.closing(connection):
            try:
                connection.connect()
                connection.request(request.method, request.target, body=request.body or None, headers=headers)
                got = connection.getresponse()
                body = got.read()
            except (OSError, http.client.HTTPException) as error:
                raise _OriginError(_how(error, connection)) from error
        kept = {name.lower(): value for name, value in got.getheaders() if name.lower() not in _HOP}
        kind = kept.pop("content-type", "text/html; charset=utf-8")
        cookies = [value for name, value in got.getheaders() if name.lower() == "set-cookie"]
        return Answer(status=got.status, body=body, type=kind, headers=kept, cookies=cookies)

    def _own_answer(self, error: str, status: int | None) -> Answer:
        if error == "challenge":
            answer = Answer(
                status=403, body=b"<!doctype html><title>Just a moment...</title><h1>Checking your browser</h1>"
            )
            answer.headers["cf-mitigated"] = "challenge"
            return self._marked(answer)
        if error == "rule":
            answer = Answer(
                status=status or 403, body=b"<!doctype html><title>Attention</title><h1>Request blocked</h1>"
            )
            return self._marked(answer, words="http_request_denied")
        answer = Answer(status=status or 503, body=b"<!doctype html><title>Error</title><h1>Service unavailable</h1>")
        if self._dialect == "cf":
            answer.headers |= {"cf-error-type": "1101", "cf-error-origin": "cloudflare"}
        return self._marked(answer, words="proxy_internal_error")

    def _origin_failed(self, how: str) -> Answer:
        status = _CODES[how] if self._dialect == "cf" else 504 if how in {"timeout", "slow"} else 502
        answer = Answer(status=status, body=f"<!doctype html><title>{status}</title><h1>Error {status}</h1>".encode())
        if self._dialect == "cf":
            answer.headers |= {"cf-error-type": str(status), "cf-error-origin": "cloudflare"}
        return self._marked(answer, words=_WORDS[how])

    def _marked(self, answer: Answer, *, words: str = "", cache: str = "") -> Answer:
        ray = secrets.token_hex(8)
        if self._dialect == "cf":
            answer.headers |= {"server": "cloudflare", "cf-ray": f"{ray}-FRA", "cf-cache-status": cache or "DYNAMIC"}
        else:
            answer.headers |= {"server": self.title, "via": f"1.1 {self._place}", "x-served-by": self._place}
            answer.headers["x-cache"] = cache or f"Error from {self.title}"
        if words and self._dialect == "proxy-status":
            answer.headers["proxy-status"] = f"{self._place}; error={words}"
        return answer


class _OriginError(Exception):
    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class _Direct(http.client.HTTPSConnection):
    """Connects to an address, whatever the name."""

    def __init__(self, host: str, address: str, port: int) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        super().__init__(host, port, timeout=_READ, context=context)
        self._place = (address, port)
        self._secure = context
        self.reached = ""

    def connect(self) -> None:
        plain = socket.create_connection(self._place, timeout=_CONNECT, source_address=self.source_address)
        self.reached = "tls"
        plain.settimeout(_READ)
        self.sock = self._secure.wrap_socket(plain, server_hostname=self.host)
        self.reached = "http"


def _how(error: Exception, connection: _Direct) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError):
        return "slow" if connection.reached == "http" else "timeout"
    return "tls" if connection.reached == "tls" else "closed"
