"""Where the time of each step went along its critical path: walked backwards, from the end to what was waited for.

Chains of requests are known only in part, so the walk trusts time more: the last thing that finished before something
began is what it waited for. What nothing explains belongs to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from monitor.diagnosis.incident import Incident
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.spans import CODE, DATA, Piece, Span, Waits, pieces_of, waits_of
from monitor.domain.cause import Party
from monitor.domain.outcome import StepOutcome
from monitor.domain.reference import Part

SCRIPT = "script"
SEQUENCE = "sequence"
BETWEEN = "between"
MANY = 20
_STARTERS = CODE | {"document"}
_SKEW = 0.02
_AT_ONCE = 0.05
_TOGETHER = 0.1
_ORDINARY = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPath:
    """The critical path of one step; of the whole attempt, without a name, where it had no steps.

    Attributes:
        pieces: Where the seconds went. Together at most the duration: what nothing explains is left out.
    """

    step: str
    started: float
    duration: float
    pieces: tuple[Piece, ...]

    @property
    def parts(self) -> dict[Part, float]:
        """Return the seconds of each part."""
        return parts_of(self.pieces)


class _Leg(NamedTuple):
    span: Span
    low: float
    high: float
    weight: float


class _Gap(NamedTuple):
    low: float
    high: float
    before: Span | None
    after: Span | None


def split(incident: Incident) -> dict[str, dict[Part, float]]:
    """Return the seconds of each part for each step that was begun; together at most the step's duration."""
    return {path.step: path.parts for path in paths_of(incident)}


def paths_of(incident: Incident) -> tuple[StepPath, ...]:
    """Return the critical path of each step that was begun, in their order."""
    attempt = incident.attempt
    waits = waits_of(incident)
    begun = [(s.name, s.started, s.duration) for s in attempt.steps if s.outcome is not StepOutcome.NOT_REACHED]
    return tuple(_path(incident, waits, *step) for step in begun or [("", attempt.started, attempt.duration)])


def parts_of(pieces: Sequence[Piece]) -> dict[Part, float]:
    """Return the seconds of each part."""
    total: dict[Part, float] = {}
    for piece in pieces:
        total[piece.part] = total.get(piece.part, 0.0) + piece.seconds
    return total


def most_of(pieces: Iterable[Piece], part: Part) -> tuple[Owner | None, list[Piece]]:
    """Return who has most of a part, and their pieces of it, the longest first."""
    theirs: dict[str, list[Piece]] = {}
    for piece in pieces:
        if piece.part is part:
            theirs.setdefault(piece.owner.name, []).append(piece)
    if not theirs:
        return None, []
    most = max(theirs.values(), key=lambda group: sum(piece.seconds for piece in group))
    most.sort(key=lambda piece: -piece.seconds)
    return most[0].owner, most


def _path(incident: Incident, waits: Waits, name: str, started: float, duration: float) -> StepPath:
    legs, gaps = _walk(waits.awaited, started, started + duration)
    found = [piece for leg in legs for piece in pieces_of(leg.span, leg.low, leg.high, leg.weight)]
    pieces = (*_in_sequence(found), *_in_gaps(incident, waits.decorations, name, gaps))
    return StepPath(step=name, started=started, duration=duration, pieces=pieces)


def _walk(spans: Sequence[Span], low: float, high: float) -> tuple[list[_Leg], list[_Gap]]:
    """Walk back from ``high`` to ``low`` over spans that are ordered by their end; each is looked at once."""
    legs: list[_Leg] = []
    gaps: list[_Gap] = []
    by_url = {span.exchange.url: span for span in spans if span.exchange.resource in _STARTERS}
    by_id = {span.exchange.id: span for span in spans}
    place, cursor = len(spans) - 1, high
    current: Span | None = None
    while cursor > low:
        while place >= 0 and (spans[place].end > cursor + _SKEW or spans[place].start >= cursor):
            place -= 1
        found = spans[place] if place >= 0 and spans[place].end > low else None
        parent = _parent(current, by_url, by_id)
        streaming = parent is not None and parent.start < cursor <= parent.end
        if streaming and (found is None or cursor - found.end > _AT_ONCE):
            found = parent
        if found is None:
            gaps.append(_Gap(low, cursor, None, current))
            break
        top = min(found.end, cursor)
        if cursor > top:
            gaps.append(_Gap(top, cursor, found, current))
        bottom = max(low, found.start)
        legs += _shared(found, _rival(spans, place, found, cursor), bottom, top)
        current, cursor = found, bottom
    return legs, gaps


def _parent(span: Span | None, by_url: dict[str, Span], by_id: dict[str, Span]) -> Span | None:
    """Return what made the browser send a request, as far as it is known."""
    if span is None:
        return None
    exchange = span.exchange
    if exchange.redirected_from is not None:
        return by_id.get(exchange.redirected_from)
    if exchange.initiator is None:
        return None
    known = (by_url.get(url) for url in (exchange.initiator.url, *exchange.initiator.frames))
    return next((one for one in known if one is not None and one is not span), None)


def _rival(spans: Sequence[Span], place: int, found: Span, cursor: float) -> Span | None:
    """Return another party's exchange that ended together with this one: each alone would have held the step up."""
    patience = max(_AT_ONCE, _TOGETHER * (found.end - found.start))
    for number in range(place - 1, -1, -1):
        other = spans[number]
        if other.end < found.end - patience:
            return None
        if other.owner.party is not found.owner.party and other.start < min(cursor, found.end) - patience:
            return other
    return None


def _shared(found: Span, rival: Span | None, low: float, high: float) -> Iterator[_Leg]:
    if rival is None:
        yield _Leg(found, low, high, 1.0)
        return
    both = max(low, rival.start)
    yield _Leg(found, low, both, 1.0)
    yield _Leg(found, both, high, 0.5)
    yield _Leg(rival, both, min(high, rival.end), 0.5)


def _in_sequence(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Count many own calls, one after the other, as the page's doing; one that took far longer than the rest is not."""
    calls: dict[str, float] = {}
    for piece in pieces:
        if _is_call(piece):
            calls[piece.exchange.id] = calls.get(piece.exchange.id, 0.0) + piece.seconds  # type: ignore[union-attr]  # a call has one
    if len(calls) <= MANY:
        yield from pieces
        return
    ordinary = _ORDINARY * median(calls.values())
    for piece in pieces:
        seconds = calls.get(piece.exchange.id) if piece.exchange is not None and _is_call(piece) else None
        if seconds is None:
            yield piece
            continue
        share = min(1.0, ordinary / seconds) if seconds > 0 else 1.0
        yield piece._replace(part=Part.OWN_FRONTEND, phase=SEQUENCE, seconds=piece.seconds * share)
        if share < 1.0:
            yield piece._replace(seconds=piece.seconds * (1.0 - share))


def _is_call(piece: Piece) -> bool:
    return piece.exchange is not None and piece.owner.party is Party.OWN and piece.exchange.resource in DATA


def _in_gaps(incident: Incident, decorations: Sequence[Span], step: str, gaps: Sequence[_Gap]) -> Iterator[Piece]:
    """Explain time in which nothing was waited for: by work of scripts, own pictures, pauses between own calls."""
    room = sum(gap.high - gap.low for gap in gaps)
    if room <= 0:
        return
    work = list(_work(incident, step))
    busy = sum(seconds for _, _, seconds in work)
    fits = min(1.0, room / busy) if busy > 0 else 0.0
    for owner, url, seconds in work:
        part = Part.OWN_FRONTEND if owner.party is Party.OWN else Part.THIRD_PARTY
        yield Piece(part, SCRIPT, seconds * fits, owner, url)
    left = max(0.0, room - busy) / room
    if left <= 0:
        return
    for gap in gaps:
        legs, idle = _walk(decorations, gap.low, gap.high) if decorations else ([], [gap])
        for leg in legs:
            yield from pieces_of(leg.span, leg.low, leg.high, leg.weight * left)
        yield from _between(gap, sum(one.high - one.low for one in idle) * left)


def _work(incident: Incident, step: str) -> Iterator[tuple[Owner, str, float]]:
    for script in incident.evidence.scripts:
        # Without an address nobody knows whose it is; layout and painting have none either.
        if script.url and script.step in ("", step) and script.seconds > 0:
            yield incident.context.owners.owner_of(script.url), script.url, script.seconds


def _between(gap: _Gap, seconds: float) -> Iterator[Piece]:
    """A pause between two things that the page waited for is the page's; before and after them it may be ours."""
    following = gap.after
    if following is None or gap.before is None or seconds <= 0 or following.exchange.resource == "http":
        return
    if following.owner.party is Party.OWN and following.exchange.resource != "document":
        yield Piece(Part.OWN_FRONTEND, BETWEEN, seconds, following.owner, following.exchange.url, following.exchange)
