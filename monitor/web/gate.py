"""The one door for every request: host, credentials, origin, and the headers that every answer carries."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.config.settings import WebSettings

# Whoever restarts a sick monitor must be able to ask without a password; these two say nothing but how it is.
OPEN_PATHS = frozenset({"/-/healthy", "/-/ready"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD"})
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not let in."""

    status: int
    message: str
    challenge: bool = False


class Gate:
    """ASGI middleware around the whole application, so that no route can be forgotten."""

    def __init__(self, app: ASGIApp, *, web: WebSettings) -> None:
        """Guard ``app`` as the web settings say."""
        self._app = app
        self._web = web
        external = urlsplit(web.external_url).hostname
        self._hosts = _LOOPBACK | {web.host.strip("[]")} | ({external} if external else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self.refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _with_headers(send))
            return
        headers = {"www-authenticate": 'Basic realm="Faultline"'} if refusal.challenge else {}
        answer = PlainTextResponse(refusal.message + "\n", refusal.status, headers)
        await answer(scope, receive, _with_headers(send))

    def refusal(self, scope: Scope) -> Refusal | None:
        """Say why this request may not pass, or ``None`` where it may."""
        headers = Headers(scope=scope)
        if not self._host_is_ours(headers):
            return Refusal(421, "this host name is not the monitor's; set web.external_url to the one you use")
        if scope["path"] not in OPEN_PATHS and not self._is_known(headers):
            return Refusal(401, "user name and password, please", challenge=True)
        if scope["method"] not in _SAFE and not _same_site(headers):
            return Refusal(403, "a page of another site may not do this")
        return None

    def _host_is_ours(self, headers: Headers) -> bool:
        # Behind a password any name will do; without one, a foreign name is how a web page reaches a loopback server.
        if self._web.password is not None:
            return True
        return (urlsplit("//" + headers.get("host", "")).hostname or "") in self._hosts

    def _is_known(self, headers: Headers) -> bool:
        if self._web.password is None:
            return True
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return False
        wanted = f"{self._web.username}:{self._web.password.reveal()}".encode()
        return hmac.compare_digest(given, wanted)


def _same_site(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
