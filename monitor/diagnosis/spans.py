"""Which exchanges a step may have waited for, and which part of the path each second of one belongs to."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from monitor.diagnosis.incident import Incident
from monitor.diagnosis.owners import Owner
from monitor.domain.cause import Party
from monitor.domain.exchange import Exchange
from monitor.domain.reference import Part

QUEUE = "queue"
RESOLVE = "resolve"
CONNECT = "connect"
TLS = "tls"
WAIT = "wait"
RECEIVE = "receive"

DATA = frozenset({"xhr", "fetch"})
CODE = frozenset({"script", "stylesheet"})
DECORATION = frozenset({"image", "font", "media"})
_OPEN_FOR_EVER = frozenset({"ping", "beacon", "eventsource", "websocket", "prefetch", "csp_report"})
_SETTLING = 0.1
_SOON = 0.5
_SERVER_TIMING = re.compile(r"^\s*([\w-]+)\b.*?;\s*dur\s*=\s*\"?([0-9.]+)", re.IGNORECASE)
_SERVER = frozenset({"app", "db", "origin", "cforigin", "backend", "server", "total"})
_EDGE = frozenset({"edge", "cfedge", "cdn", "cdn-cache", "proxy"})


class Span(NamedTuple):
    """One exchange in time: seconds from the start of the run."""

    start: float
    end: float
    owner: Owner
    exchange: Exchange


class Piece(NamedTuple):
    """Some seconds of a step and where they went; ``url`` is the exchange's or the script's."""

    part: Part
    phase: str
    seconds: float
    owner: Owner
    url: str
    exchange: Exchange | None = None


class Waits(NamedTuple):
    """The spans that may have been waited for, and our own pictures and fonts, which only fill what is left open."""

    awaited: list[Span]
    decorations: list[Span]


def waits_of(incident: Incident) -> Waits:
    """Return what may stand on the critical path, each ordered by its end; vendors only where something awaits them."""
    spans = [span for exchange in incident.exchanges if (span := _span(incident, exchange)) is not None]
    own = sorted(s.start for s in spans if s.owner.party is Party.OWN)
    calls = sorted(s.start for s in spans if s.owner.party is Party.OWN and s.exchange.resource in DATA)
    awaited, decorations = [], []
    for span in spans:
        if span.exchange.resource in DECORATION:
            if span.owner.party is Party.OWN:
                decorations.append(span)
        elif span.owner.party is Party.OWN or _is_awaited(incident, span, own, calls):
            awaited.append(span)
    return Waits(sorted(awaited, key=_end), sorted(decorations, key=_end))


def _end(span: Span) -> float:
    return span.end


def _span(incident: Incident, exchange: Exchange) -> Span | None:
    timings = exchange.timings
    if exchange.pending or timings.total <= 0 or exchange.resource in _OPEN_FOR_EVER:
        return None
    return Span(timings.started, timings.started + timings.total, incident.owner(exchange), exchange)


def _is_awaited(incident: Incident, span: Span, own: Sequence[float], calls: Sequence[float]) -> bool:
    """Say whether a vendor's exchange may have been waited for by the page rather than run beside it.

    A script in the head that blocks the page lets none of our code run meanwhile. What a vendor's script fetched is its
    own affair, and advertising and analytics run beside the page, unless they visibly held it up.
    """
    exchange, initiator = span.exchange, span.exchange.initiator
    is_code = exchange.resource in CODE
    if initiator is not None and initiator.kind == "script" and not _has_own_frame(incident, initiator.frames):
        return not span.owner.beside and (span.owner.critical or _held_up(span, own))
    if span.owner.beside:
        return is_code and initiator is not None and initiator.kind == "parser" and _held_up(span, own)
    return not (is_code and _any_within(calls, span.start + _SETTLING, span.end - _SETTLING / 2))


def _held_up(span: Span, own: Sequence[float]) -> bool:
    """Say whether nothing of ours began during an exchange, and something did as soon as it was over."""
    if _any_within(own, span.start + _SETTLING, span.end - _SETTLING / 2):
        return False
    return _any_within(own, span.end - _SETTLING / 5, span.end + _SOON)


def _has_own_frame(incident: Incident, frames: Sequence[str]) -> bool:
    owners = incident.context.owners
    return not frames or any(owners.owner_of(frame).party is Party.OWN for frame in frames)


def _any_within(moments: Sequence[float], low: float, high: float) -> bool:
    place = bisect_left(moments, low)
    return place < len(moments) and moments[place] < high


def pieces_of(span: Span, low: float, high: float, weight: float = 1.0) -> Iterator[Piece]:
    """Yield where the time of an exchange went between two moments, phase by phase."""
    moment = span.start
    for phase, seconds in _phases(span):
        inside = min(moment + seconds, high) - max(moment, low)
        moment += seconds
        if inside > 0:
            for part, share in _parts(span, phase):
                yield Piece(part, phase, inside * share * weight, span.owner, span.exchange.url, span.exchange)


def _phases(span: Span) -> tuple[tuple[str, float], ...]:
    """Lay the phases out in their order; what none of them explains was queueing before the first."""
    timings = span.exchange.timings
    resolve, connect, tls = timings.resolve or 0.0, timings.connect or 0.0, timings.tls or 0.0
    wait, receive = timings.wait or 0.0, timings.receive or 0.0
    left = max(0.0, timings.total - (resolve + connect + tls + wait + receive))
    if left == timings.total and span.exchange.status is not None:
        # Nothing was timed but the whole: the server had the request for most of it.
        return ((WAIT, left),)
    return (
        (QUEUE, left),
        (RESOLVE, resolve),
        (CONNECT, connect),
        (TLS, tls),
        (WAIT, wait),
        (RECEIVE, receive),
    )


def _parts(span: Span, phase: str) -> tuple[tuple[Part, float], ...]:
    if span.owner.party is Party.THIRD_PARTY:
        return ((Part.THIRD_PARTY, 1.0),)
    if phase != WAIT:
        return ((Part.OWN_DELIVERY, 1.0),)
    share = backend_share(span.exchange)
    if share >= 1.0:
        return ((Part.OWN_BACKEND, 1.0),)
    return ((Part.OWN_BACKEND, share), (Part.OWN_DELIVERY, 1.0 - share))


def backend_share(exchange: Exchange) -> float:
    """Return the share of waiting that was the server's work, by its own statement; all of it where it made none."""
    wait = exchange.timings.wait or exchange.timings.total
    header = next((value for name, value in exchange.headers if name == "server-timing"), "")
    if not header or wait <= 0:
        return 1.0
    stated = _stated(header)
    server = max((seconds for name, seconds in stated if name in _SERVER), default=None)
    edge = sum(seconds for name, seconds in stated if name in _EDGE)
    seconds = wait - edge if server is None else server
    return min(1.0, max(0.0, seconds / wait))


def _stated(header: str) -> list[tuple[str, float]]:
    found = []
    for metric in header.split(","):
        match = _SERVER_TIMING.match(metric)
        if match is not None and match[2].count(".") <= 1 and match[2] != ".":
            found.append((match[1].lower(), float(match[2]) / 1000))
    return found
