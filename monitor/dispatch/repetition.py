"""The evidence of a run that was dispatched twice, because the worker that it shared with others died."""

from __future__ import annotations

from dataclasses import replace

from monitor.domain.evidence import Attempt, Evidence
from monitor.domain.exchange import Exchange


def joined(lost: Evidence, second: Evidence) -> Evidence:
    """Return one evidence: the attempts that were lost, then the others, all times from the start of the first."""
    later = (second.started_at - lost.started_at).total_seconds()
    number = lost.last.number
    return replace(
        second,
        started_at=lost.started_at,
        duration=later + second.duration,
        attempts=(*lost.attempts, *(_later(attempt, later, number) for attempt in second.attempts)),
        exchanges=tuple(_later_exchange(exchange, later, number) for exchange in second.exchanges),
    )


def _later(attempt: Attempt, seconds: float, number: int) -> Attempt:
    steps = tuple(replace(step, started=step.started + seconds) for step in attempt.steps)
    return replace(attempt, number=attempt.number + number, started=attempt.started + seconds, steps=steps)


def _later_exchange(exchange: Exchange, seconds: float, number: int) -> Exchange:
    timings = replace(exchange.timings, started=exchange.timings.started + seconds)
    return replace(exchange, attempt=exchange.attempt + number, timings=timings)
