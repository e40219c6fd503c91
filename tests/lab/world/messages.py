"""Requests and answers of the world's servers, read from and written to sockets by hand, so that they can be wrong."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

_LONGEST_LINE = 16_384


@dataclass(slots=True)
class Request:
    """What a client asked for: ``target`` as it was sent; ``troubles`` are the faults that touch it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    role: str = ""
    client: str = ""
    path: str = ""
    query: str = ""
    troubles: tuple[Any, ...] = ()

    @property
    def agent(self) -> str:
        """Return what the client calls itself."""
        return self.headers.get("user-agent", "")

    @property
    def cookies(self) -> dict[str, str]:
        """Return its cookies."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name}

    def argument(self, name: str) -> str:
        """Return one argument of the query."""
        return parse_qs(self.query).get(name, [""])[0]

    def form(self) -> dict[str, str]:
        """Return the fields of a form."""
        return {name: values[0] for name, values in parse_qs(self.body.decode(errors="replace")).items()}

    def json(self) -> dict[str, Any]:
        """Return the object in the body; an empty one where it holds none."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(slots=True)
class Answer:
    """What a server says. ``takeover`` speaks with the client itself after the head was sent."""

    status: int = 200
    body: bytes = b""
    type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    takeover: Callable[[socket.socket], None] | None = None
    own_head: bool = False

    def head(self, *, length: int, moved: float, method: str) -> bytes:
        """Return status line and headers. ``moved`` is how many days the server's clock runs ahead."""
        lines = [f"HTTP/1.1 {self.status} {_phrase(self.status)}"]
        headers = {"date": formatdate(time.time() + moved * 86400, usegmt=True), "content-type": self.type}
        headers |= {name.lower(): value for name, value in self.headers.items()}
        if self.takeover is None and (method == "HEAD" or self.status != HTTPStatus.NO_CONTENT):
            headers["content-length"] = str(length)
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        lines += [f"set-cookie: {cookie}" for cookie in self.cookies]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def read_request(stream: BinaryIO) -> Request | None:
    """Return the next request, or nothing where the client has gone or does not speak HTTP."""
    line = stream.readline(_LONGEST_LINE)
    parts = line.decode("latin-1").split()
    if len(parts) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := stream.readline(_LONGEST_LINE)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0") or 0))
    split = urlsplit(parts[1])
    return Request(parts[0], parts[1], headers, body, path=split.path or "/", query=split.query)


def page(body: str, **headers: str) -> Answer:
    """Return a page."""
    return Answer(body=body.encode(), headers={name.replace("_", "-"): value for name, value in headers.items()})


def script(body: str, *, cached: bool = True) -> Answer:
    """Return a script."""
    caching = "public, max-age=600" if cached else "no-store"
    return Answer(body=body.encode(), type="text/javascript; charset=utf-8", headers={"cache-control": caching})


def data(value: object, status: int = 200) -> Answer:
    """Return JSON."""
    return Answer(
        status=status, body=json.dumps(value).encode(), type="application/json", headers={"cache-control": "no-store"}
    )


def redirect(to: str, *cookies: str) -> Answer:
    """Return a redirection."""
    return Answer(status=302, headers={"location": to, "cache-control": "no-store"}, cookies=list(cookies))
