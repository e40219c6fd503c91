"""What goes wrong on a page in good runs too: most sites throw something, and some socket never opens."""

from __future__ import annotations

import re
from dataclasses import replace

from monitor.diagnosis.names import parts_of
from monitor.domain.evidence import Evidence, PageError, WebSocketFacts

_WORDS = 200
# Numbers, and the names that builds give to files, are others with each release.
_VARYING = re.compile(r"[0-9a-f]{6,}|\d+", re.IGNORECASE)


def key_of(error: PageError) -> str:
    """Return what makes an exception the same one in another run: where it was thrown, and its message."""
    where = parts_of(error.frames[0]) if error.frames else None
    place = f"{where.hostname}{where.path}" if where is not None else ""
    return _VARYING.sub("0", f"{place} {error.message.partition(chr(10))[0]}")[:_WORDS]


def place_of(socket: WebSocketFacts) -> str:
    """Return host and path of a WebSocket."""
    return f"{socket.host}{parts_of(socket.url).path}"


def has_failed(socket: WebSocketFacts) -> bool:
    """Say whether a WebSocket was refused or never opened."""
    return bool(socket.error) or (socket.answered is False and not socket.frames_received)


def without_usual_troubles(evidence: Evidence) -> Evidence:
    """Return the evidence without exceptions and failed WebSockets that the last good run of this check had too."""
    compared = evidence.compared
    if compared is None or compared.profile or not (compared.thrown or compared.sockets):
        return evidence
    return replace(
        evidence,
        page_errors=tuple(each for each in evidence.page_errors if key_of(each) not in compared.thrown),
        websockets=tuple(
            each for each in evidence.websockets if not (has_failed(each) and place_of(each) in compared.sockets)
        ),
    )
