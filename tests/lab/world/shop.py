"""The own side of the world: shop, API, flag service, WebSocket."""

from __future__ import annotations

import base64
import hashlib
import itertools
import secrets
import socket
import struct
import threading
import zlib
from collections.abc import Callable

from tests.lab.manifest import World
from tests.lab.world.faults import Faults
from tests.lab.world.messages import Answer, Request, data, page, redirect, script
from tests.lab.world.names import Names
from tests.lab.world.pages import Pages, bundle, till

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Shop:
    """Answers for the own hosts. What is kept is kept in memory."""

    def __init__(self, names: Names, world: World, faults: Faults, *, login: str) -> None:
        """Begin with empty baskets."""
        self._names = names
        self._world = world
        self._faults = faults
        self._login = login
        self._pages = Pages(names, world)
        self._baskets: dict[str, str] = {}
        self._numbers = itertools.count(1000 + len(names.slug))
        self._lock = threading.Lock()
        self._picture = _png(names.token)

    def own(self, request: Request) -> Answer:
        """Answer for the shop itself."""
        variants = self._faults.variants()
        answer = self._static(request) or self._routed(request)
        if answer.type.startswith("text/html") and answer.status < 300:
            answer.headers.setdefault("content-security-policy", self._policy(variants))
        answer.headers.setdefault("server-timing", "app;dur=1")
        answer.headers.setdefault("cache-control", "no-store")
        if "sid" not in request.cookies and answer.type.startswith("text/html"):
            answer.cookies.append(f"sid={secrets.token_hex(8)}; Path=/; Secure; HttpOnly; SameSite=Lax")
        return answer

    def _static(self, request: Request) -> Answer | None:
        part = self._names.paths["own"]
        if request.path == part["app-js"]:
            throws = any(
                trouble.get("payload") == "throw" and "own" in trouble.roles
                for trouble in self._faults.of_kind("script")
            )
            return script(bundle(self._names, self._world, self._faults.variants(), throws=throws))
        if request.path == part["pay-js"]:
            return script(till(self._names))
        if request.path == part["css"]:
            return Answer(
                body=self._pages.style().encode(), type="text/css", headers={"cache-control": "public, max-age=600"}
            )
        if request.path.startswith(part["picture"]):
            return Answer(status=404) if "seasonal" in request.path else Answer(body=self._picture, type="image/png")
        return None

    def _routed(self, request: Request) -> Answer:
        part, variants, pages = self._names.paths["own"], self._faults.variants(), self._pages
        routes: tuple[tuple[str, Callable[[], Answer]], ...] = (
            (part["product"], lambda: page(pages.product(self._names.product, variants))),
            (part["article"], lambda: page(pages.article(variants))),
            (part["order"], lambda: page(pages.order(variants))),
            (part["cart"], lambda: page(pages.cart(variants))),
            (part["checkout"], lambda: page(pages.checkout(variants))),
            (part["pay"], lambda: redirect(f"{self._names.at('pay', 'hosted-page')}{secrets.token_hex(6)}")),
            (part["callback"], lambda: self._callback(request)),
            (part["start"], lambda: redirect(f"{self._names.at('idp', 'authorize')}?state={secrets.token_hex(4)}")),
            (part["signin"], lambda: page(pages.signin(self._login, variants))),
            (part["account"], lambda: self._account(request)),
            (part["reserve"], lambda: Answer(body=b"{}", type="application/json")),
        )
        if request.path == "/":
            return page(pages.home(variants))
        for prefix, make in routes:
            if request.path.startswith(prefix):
                return make()
        return Answer(status=404, body=b"<h1>Not found</h1>")

    def _callback(self, request: Request) -> Answer:
        host = f"accounts.{self._names.domains['own']}"
        wrong = f"; Domain={host}" if "cookie-domain" in self._faults.variants() else ""
        cookie = f"member={request.argument('who')}{wrong}; Path=/; Secure; SameSite=Lax"
        return redirect(self._names.part("own", "account"), cookie)

    def _account(self, request: Request) -> Answer:
        member = request.cookies.get("member")
        if not member:
            return redirect(self._names.part("own", "signin"))
        return page(self._pages.account(member, self._faults.variants()))

    def _policy(self, variants: dict[str, object]) -> str:
        names = self._names
        forbidden = str(variants.get("csp", "")).lstrip("@")
        vendors = ("pay", "cdn", "tags", "tag", "cmp", "ads", "ana", "chat", "captcha")
        allowed = " ".join(names.url(role) for role in vendors if role != forbidden)
        return f"script-src 'self' {allowed}; object-src 'none'"

    def api(self, request: Request) -> Answer:
        """Answer for the API on its other domain."""
        part = self._names.paths["api"]
        if request.method == "OPTIONS":
            answer = Answer(status=204, headers={"access-control-allow-headers": "content-type"})
        elif request.path.startswith(part["prices"]):
            goods = (self._names.product, *self._names.others)
            answer = data({"currency": "EUR", "items": [{"name": good, "amount": self._names.price} for good in goods]})
        elif request.path.startswith(part["basket"]):
            answer = self._basket(request)
        elif request.path.startswith(part["orders"]):
            answer = self._order(request)
        elif request.path.startswith(part["session"]):
            answer = data({"member": True})
        else:
            answer = data({"error": "not found"}, 404)
        answer.headers["access-control-allow-origin"] = self._names.url("own")
        answer.headers["server-timing"] = "app;dur=1"
        answer.headers["timing-allow-origin"] = "*"
        return answer

    def _basket(self, request: Request) -> Answer:
        if request.method == "POST":
            number = secrets.token_hex(6)
            with self._lock:
                self._baskets[number] = str(request.json().get("item", ""))
            return data({"id": number}, 201)
        # A query of the database, as such things have.
        threading.Event().wait(0.04)
        return data({"id": request.argument("id"), "items": [self._baskets.get(request.argument("id"), "")]})

    def _order(self, request: Request) -> Answer:
        if request.method != "POST":
            return data({"open": True})
        body = request.json()
        if not body.get("token") and not body.get("items"):
            return data({"error": "no payment"}, 402)
        with self._lock:
            return data({"number": f"{self._names.token[:3].upper()}{next(self._numbers)}"}, 201)

    def flags(self, _request: Request) -> Answer:
        """Answer for the flag service."""
        answer = data(
            {"rounded": True, "banner": False, "variant": "b", "limits": [1, 2, 3], "text": self._names.brand}
        )
        answer.headers["access-control-allow-origin"] = self._names.url("own")
        return answer

    def live(self, request: Request) -> Answer:
        """Open the WebSocket."""
        key = request.headers.get("sec-websocket-key")
        if key is None:
            return Answer(status=426, body=b"", headers={"upgrade": "websocket"})
        accept = base64.b64encode(hashlib.sha1(key.encode() + _MAGIC, usedforsecurity=False).digest()).decode()
        headers = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": accept}
        return Answer(status=101, headers=headers, takeover=_hold)


def _hold(stream: socket.socket) -> None:
    text = b"held"
    stream.sendall(struct.pack("!BB", 0x81, len(text)) + text)
    while stream.recv(1024):
        pass


def _png(mark: str) -> bytes:
    """Return a picture of one pixel, with a drawn comment to make it its own."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))

    header = struct.pack("!IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    comment = chunk(b"tEXt", b"Comment\0" + mark.encode() * 200)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + comment
        + chunk(b"IDAT", zlib.compress(b"\0\x20\x60\x90"))
        + chunk(b"IEND", b"")
    )
