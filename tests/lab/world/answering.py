"""Writes answers, rightly or in one of the many ways in which servers get them wrong."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tests.lab.world.faults import Trouble
from tests.lab.world.messages import Answer, Request
from tests.lab.world.payloads import payload

_NO_LINGER = struct.pack("ii", 1, 0)
_HELD = 90.0
_PIECES = 20


class Gone(Exception):  # noqa: N818 - not an error: the connection is over, as it was meant to be
    """The connection is over."""


@dataclass(frozen=True, slots=True)
class Line:
    """A connection on which an answer is written; ``closing`` ends all waiting."""

    stream: socket.socket
    closing: threading.Event

    def reset(self) -> None:
        """End the connection with RST."""
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        # Closed below Python, where nobody waits for readers of the socket.
        os.close(self.stream.detach())
        raise Gone

    def pause(self, seconds: float, trouble: Trouble | None = None) -> None:
        """Wait, but no longer than the world stands or the trouble lasts."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.closing.is_set() and (trouble is None or trouble.on()):
            self.closing.wait(min(0.05, max(0.0, until - time.monotonic())))


def before(troubles: Sequence[Trouble], line: Line) -> float:
    """Do what is done before an answer is made: wait, or end. Returns the seconds that were waited."""
    waited = 0.0
    for trouble in troubles:
        match trouble.what:
            case "hang":
                line.pause(_HELD, trouble)
                raise Gone
            case "delay":
                seconds = float(trouble.get("seconds"))
                line.pause(seconds, trouble)
                waited += seconds
            case "reset-answer":
                line.reset()
            case "empty-answer":
                raise Gone
            case "garbage":
                line.stream.sendall(b"\x00\x1f\x8b" + os.urandom(61))
                raise Gone
    return waited


def changed(answer: Answer, troubles: Sequence[Trouble], request: Request) -> Answer:
    """Return the answer as the faults of the moment make it."""
    for trouble in troubles:
        make = _CHANGES.get(trouble.what)
        if make is not None:
            answer = make(trouble, answer, request)
    return answer


def _empty(_trouble: Trouble, answer: Answer, _request: Request) -> Answer:
    answer.body = b""
    return answer


def _body(trouble: Trouble, answer: Answer, _request: Request) -> Answer:
    answer.body = str(trouble.get("body")).encode()
    answer.type = trouble.get("type", answer.type)
    return answer


def _replace(trouble: Trouble, answer: Answer, _request: Request) -> Answer:
    answer.body = answer.body.replace(str(trouble.get("old")).encode(), str(trouble.get("new")).encode())
    return answer


def _malformed(_trouble: Trouble, answer: Answer, _request: Request) -> Answer:
    answer.body = answer.body[: max(1, len(answer.body) * 2 // 3)]
    return answer


def _script(trouble: Trouble, answer: Answer, request: Request) -> Answer:
    answer.body += payload(trouble, request)
    return answer


def _limited(_trouble: Trouble, answer: Answer, _request: Request) -> Answer:
    headers = {"retry-after": "120", **_kept(answer)}
    return Answer(status=429, body=b"<h1>Too many requests</h1>", headers=headers)


def _status(trouble: Trouble, answer: Answer, _request: Request) -> Answer:
    headers = {str(name).lower(): str(value) for name, value in (trouble.get("headers") or {}).items()}
    kind = trouble.get("type") or ("application/json" if "json" in answer.type else "text/html; charset=utf-8")
    body = trouble.get("body", f"<h1>{trouble.get('status')}</h1>" if "html" in kind else "{}")
    return Answer(
        status=int(trouble.get("status")), body=str(body).encode(), type=kind, headers={**_kept(answer), **headers}
    )


def _kept(answer: Answer) -> dict[str, str]:
    """Return the headers that a front server adds to whatever it answers."""
    return {
        name: value for name, value in answer.headers.items() if name.startswith(("access-control", "server", "via"))
    }


def _header(trouble: Trouble, answer: Answer, _request: Request) -> Answer:
    name, value = str(trouble.get("name")).lower(), trouble.get("value")
    answer.headers.pop(name, None)
    if value is not None:
        answer.headers[name] = str(value)
    return answer


def _loop(_trouble: Trouble, answer: Answer, request: Request) -> Answer:
    mark = "r=1" if "r=1" not in request.query else "r=2"
    return Answer(status=302, headers={**_kept(answer), "location": f"{request.path}?{mark}"})


_CHANGES: Mapping[str, Callable[[Trouble, Answer, Request], Answer]] = MappingProxyType(
    {
        "status": _status,
        "empty": _empty,
        "body": _body,
        "replace": _replace,
        "malformed": _malformed,
        "header": _header,
        "script": _script,
        "redirect-loop": _loop,
        "rate-limit": _limited,
    }
)


def write(answer: Answer, request: Request, troubles: Sequence[Trouble], line: Line, moved: float) -> bool:
    """Write an answer; returns whether the connection may be used again."""
    kinds = {trouble.what: trouble for trouble in troubles}
    body = b"" if request.method == "HEAD" else answer.body
    head = answer.head(length=len(answer.body), moved=moved, method=request.method)
    if "truncated" in kinds:
        share = float(kinds["truncated"].get("share", 0.5))
        line.stream.sendall(head + body[: int(len(body) * share)])
        return False
    if "stall" in kinds and len(body) > (most := int(kinds["stall"].get("bytes"))):
        line.stream.sendall(head + body[:most])
        line.pause(_HELD, kinds["stall"])
        return False
    if "drip" in kinds:
        line.stream.sendall(head)
        _drip(body, float(kinds["drip"].get("seconds")), kinds["drip"], line)
        return True
    line.stream.sendall(head + body)
    if answer.takeover is not None:
        answer.takeover(line.stream)
        return False
    return request.headers.get("connection", "").lower() != "close" and answer.headers.get("connection") != "close"


def _drip(body: bytes, seconds: float, trouble: Trouble, line: Line) -> None:
    size = max(1, len(body) // _PIECES)
    for start in range(0, len(body), size):
        line.stream.sendall(body[start : start + size])
        line.pause(seconds * size / max(1, len(body)), trouble)
