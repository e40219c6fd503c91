"""Sentences about slowness, in seconds."""

from __future__ import annotations

from monitor.diagnosis.client_side import Seen
from monitor.diagnosis.critical_path import BETWEEN, SCRIPT, SEQUENCE, most_of
from monitor.diagnosis.excess import Excess
from monitor.diagnosis.incident import Incident
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.spans import CONNECT, QUEUE, RECEIVE, RESOLVE, TLS, WAIT
from monitor.domain.cause import Detail
from monitor.domain.outcome import StepOutcome
from monitor.domain.reference import Part

_PLAIN = {
    Part.OWN_BACKEND: "own back end",
    Part.OWN_FRONTEND: "own front end",
    Part.OWN_DELIVERY: "own delivery",
    Part.THIRD_PARTY: "third parties",
    Part.CLIENT: "client",
}
_DELIVERING = {
    QUEUE: "requests that queue before they are sent to",
    RESOLVE: "resolving the name of",
    CONNECT: "connecting to",
    TLS: "the TLS handshake with",
    WAIT: "the way through the edge to",
    RECEIVE: "receiving from",
}
_ALIKE = {
    Detail.CLIENT_DNS: "names resolve slowly for every host, so it is the client's name server",
    Detail.CLIENT_DEVICE: "an ordinary processor is quick enough, so it is the client's",
    Detail.CLIENT_SLOW_LINK: "it is the client's line that is slow",
}
NOTHING = 0.05


def opening(incident: Incident, excess: Excess) -> str:
    """Say what was slow, and by how much."""
    step = next((one for one in incident.attempt.steps if one.name == excess.step), None) if excess.step else None
    scene = f'Step "{excess.step}"' if excess.step else "The journey"
    verb = "failed after" if step is not None and step.outcome is StepOutcome.FAILED else "took"
    if excess.usual is not None:
        return f"{scene} {verb} {excess.took:.1f} s, {excess.seconds:.1f} s more than usual"
    if excess.limit is not None:
        return f"{scene} {verb} {excess.took:.1f} s, {excess.seconds:.1f} s over its budget"
    return (
        f"{scene} {verb} {excess.took:.1f} s, which is over its budget"
        if verb == "took"
        else f"{scene} {verb} {excess.took:.1f} s"
    )


def shares_in_words(excess: Excess) -> str:
    """Say how the excess is split, the largest part first."""
    parts = sorted((part for part in Part if excess.of(part) >= NOTHING), key=lambda part: -excess.of(part))
    words = [f"{excess.of(part):.1f} s {_PLAIN[part]}" for part in parts]
    left = excess.seconds - excess.of(*Part)
    if left >= NOTHING:
        words.append(f"{left:.1f} s unexplained")
    return ", ".join(words) or "nothing to be seen"


def doing(excess: Excess, part: Part, seen: Seen) -> str:
    """Say what the time of a part was spent on, and with whom."""
    if part is Part.CLIENT:
        return _of_client(seen)
    owner, pieces = most_of(excess.pieces, part)
    if owner is None:
        return _PLAIN[part]
    phases: dict[str, float] = {}
    for piece in pieces:
        phases[piece.phase] = phases.get(piece.phase, 0.0) + piece.seconds
    phase = max(phases, key=lambda one: phases[one])
    whom = f"{owner.title} ({owner.host})"
    if phase == SCRIPT:
        file = parts_of(pieces[0].url).path.rpartition("/")[2]
        return f"main-thread work of {whom}{f', {file}' if file else ''}"
    match part:
        case Part.OWN_FRONTEND:
            return _of_page(excess, phase, whom)
        case Part.OWN_DELIVERY:
            return f"{_DELIVERING.get(phase, 'reaching')} {whom}"
        case _:
            return f"waiting for {whom}"


def _of_client(seen: Seen) -> str:
    because = f" ({'; '.join(seen.words)})" if seen.words else ""
    return f"{_ALIKE[seen.detail]}{because}"


def _of_page(excess: Excess, phase: str, whom: str) -> str:
    if phase == BETWEEN:
        return f"pauses of the page between its own requests to {whom}"
    calls = len({p.exchange.id for p in excess.pieces if p.exchange is not None and p.part is Part.OWN_FRONTEND})
    now, usual = excess.requests
    more = f"; {now} requests in all, {usual:.0f} in a usual run" if usual is not None else ""
    if phase == SEQUENCE:
        return f"{calls} calls that the page makes one after the other to {whom}{more}"
    return f"more calls than usual that the page makes to {whom}{more}"
