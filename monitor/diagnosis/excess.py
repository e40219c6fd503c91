"""By how much a step was slower than usual, and how much of that lies in which part of its critical path."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from monitor.diagnosis.critical_path import SEQUENCE, paths_of
from monitor.diagnosis.incident import Incident
from monitor.diagnosis.spans import DATA, Piece
from monitor.domain.cause import Party
from monitor.domain.evidence import StepResult
from monitor.domain.exchange import Exchange
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.reference import Part, StepBaseline

_DEVIATIONS = 3.0
_MARGIN = 0.20
_GROWTH = 1.2
_MORE_REQUESTS = 5
_MORE_BYTES = 20_000
_DOMINANT_CALL = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """What a slow step took beyond what is usual, or beyond its budget where nobody knows what is usual.

    Attributes:
        step: The slow step; empty for the whole journey.
        usual: Seconds of the step in a usual run, where that is known.
        limit: Up to how many seconds it would still have been fine; ``None`` where nobody knows.
        seconds: The excess.
        parts: The excess by part; together at most the excess, for some of it may be nobody's.
        pieces: The step's critical path.
        compared: Whether the parts are known of usual runs too, so that they are excess rather than shares of all.
        requests: Requests of the step in this run, and in a usual one where that is known.
        grew: Whether more was transferred than usual; ``None`` where nobody knows.
    """

    step: str
    took: float
    usual: float | None
    limit: float | None
    seconds: float
    parts: dict[Part, float]
    pieces: tuple[Piece, ...]
    compared: bool = False
    requests: tuple[int, float | None] = (0, None)
    grew: bool | None = None

    def of(self, *parts: Part) -> float:
        """Return the seconds of some parts together."""
        return sum(self.parts.get(part, 0.0) for part in parts)

    def moved(self, sources: Sequence[Part], to: Part, share: float = 1.0) -> Excess:
        """Return the same with a share of some parts counted to another one."""
        parts = dict(self.parts)
        taken = 0.0
        for source in sources:
            seconds = parts.get(source, 0.0) * share
            parts[source] = parts.get(source, 0.0) - seconds
            taken += seconds
        parts[to] = parts.get(to, 0.0) + taken
        return replace(self, parts=parts)


def beyond(seconds: float, usual: StepBaseline | None) -> bool:
    """Say whether a time lies outside of what is usual; whatever it is where nobody knows that."""
    return usual is None or seconds > limit_of(usual)


def limit_of(usual: StepBaseline) -> float:
    """Return up to how many seconds a step is within its baseline: three deviations or a fifth above the median."""
    return usual.median + max(_DEVIATIONS * usual.deviation, _MARGIN * usual.median)


def usual_of(incident: Incident, step: str) -> StepBaseline | None:
    """Return what a step usually takes, where that is known of this client: another's seconds do not compare."""
    baseline = incident.evidence.baseline
    return baseline.of(step) if baseline is not None and not baseline.profile else None


def slow_steps(incident: Incident) -> list[StepResult]:
    """Return the steps that are over their budget and beyond their baseline."""
    return [
        step
        for step in incident.attempt.steps
        if (step.outcome is StepOutcome.DEGRADED or (step.budget is not None and step.duration > step.budget))
        and beyond(step.duration, usual_of(incident, step.name))
    ]


def is_whole_slow(incident: Incident) -> bool:
    """Say whether the journey as a whole is over its budget and beyond its baseline."""
    attempt = incident.attempt
    budget = incident.context.check.budget
    # The budget that a journey itself names is known to the worker alone, and only by its verdict.
    named_elsewhere = attempt.outcome is Outcome.DEGRADED and not any(
        step.outcome is StepOutcome.DEGRADED for step in attempt.steps
    )
    over = budget is not None and attempt.duration > budget / dt.timedelta(seconds=1)
    return (over or named_elsewhere) and beyond(attempt.duration, usual_of(incident, ""))


def excess_of(incident: Incident, step: StepResult | None = None) -> Excess:
    """Return the excess of a step; without one of the worst of the slow steps, or of the whole journey."""
    chosen = step or max(slow_steps(incident), key=lambda one: one.duration - (one.budget or 0.0), default=None)
    name, took = (chosen.name, chosen.duration) if chosen else ("", incident.attempt.duration)
    usual = usual_of(incident, name)
    budget = chosen.budget if chosen else _journey_budget(incident)
    made = [x for x in incident.exchanges if not chosen or x.step == name]
    pieces = tuple(
        piece for path in paths_of(incident) if not chosen or path.step in ("", name) for piece in path.pieces
    )
    seconds = max(0.0, took - (usual.median if usual else budget or 0.0))
    excess = Excess(
        step=name,
        took=took,
        usual=usual.median if usual else None,
        limit=max(limit_of(usual), budget or 0.0) if usual else budget,
        seconds=seconds,
        parts=_parts(pieces, took, seconds, usual),
        pieces=pieces,
        compared=bool(usual and usual.parts),
        requests=(len(made), usual.requests if usual else None),
        grew=_grew(made, usual),
    )
    return _by_number_of_calls(excess)


def _journey_budget(incident: Incident) -> float | None:
    budget = incident.context.check.budget
    return budget / dt.timedelta(seconds=1) if budget is not None else None


def _parts(pieces: Sequence[Piece], took: float, seconds: float, usual: StepBaseline | None) -> dict[Part, float]:
    now = dict.fromkeys(Part, 0.0)
    for piece in pieces:
        now[piece.part] += piece.seconds
    if usual is None or not usual.parts:
        share = min(1.0, seconds / took) if took > 0 else 0.0
        return {part: value * share for part, value in now.items()}
    before = dict(usual.parts)
    more = {part: max(0.0, value - before.get(part, 0.0)) for part, value in now.items()}
    nobodys = max(0.0, (took - sum(now.values())) - max(0.0, usual.median - sum(before.values())))
    total = sum(more.values()) + nobodys
    # What one part saved does not make another part's excess larger than the whole.
    share = min(1.0, seconds / total) if total > 0 else 0.0
    return {part: value * share for part, value in more.items()}


def _grew(made: Sequence[Exchange], usual: StepBaseline | None) -> bool | None:
    if usual is None or usual.received is None:
        return None
    received = sum(x.transfer_bytes or x.body_bytes or 0 for x in made)
    return received > _GROWTH * usual.received + _MORE_BYTES


def _by_number_of_calls(excess: Excess) -> Excess:
    """Tell a page that asks more often from a back end that answers more slowly, where the usual number is known."""
    now, usual = excess.requests
    if usual is None:
        return excess
    more = now > _GROWTH * usual and now >= usual + _MORE_REQUESTS
    in_sequence = sum(piece.seconds for piece in excess.pieces if piece.phase == SEQUENCE)
    if in_sequence > 0 and not more:
        front = sum(piece.seconds for piece in excess.pieces if piece.part is Part.OWN_FRONTEND)
        return excess.moved((Part.OWN_FRONTEND,), Part.OWN_BACKEND, in_sequence / front)
    calls = list(_calls(excess))
    if in_sequence > 0 or not more or len(calls) < _MORE_REQUESTS or max(calls) > _DOMINANT_CALL * sum(calls):
        return excess
    return excess.moved((Part.OWN_BACKEND,), Part.OWN_FRONTEND, min(1.0, (now - usual) / len(calls)))


def _calls(excess: Excess) -> Iterator[float]:
    """Yield the seconds of each call of our own that was waited for, few as they are."""
    by_call: dict[str, float] = {}
    for piece in excess.pieces:
        exchange = piece.exchange
        if exchange is not None and piece.owner.party is Party.OWN and exchange.resource in DATA:
            by_call[exchange.id] = by_call.get(exchange.id, 0.0) + piece.seconds
    yield from by_call.values()
