"""What is waiting to be written: entries that are ready for the database but for the numbers of names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from monitor.domain.exchange import Exchange
from monitor.domain.failure import Phase
from monitor.domain.outcome import Outcome, SlotState, StepOutcome
from monitor.domain.run import Run, Slot
from monitor.history.body import BodyCodec, deserves_everything
from monitor.history.moments import micros

_PHASES = tuple(phase.value for phase in Phase)
_PHASES_OF = attrgetter(*_PHASES)
_FINISHED = SlotState.FINISHED.value
_GOOD = frozenset({Outcome.PASSED, Outcome.DEGRADED})
_OVERHEAD = 600

Row = dict[str, Any]
Binding = tuple[str, str, str, str, str]


@dataclass(slots=True, kw_only=True)
class Entry:
    """One change of one slot. ``settle`` is called once: with ``None`` after the commit, or with what went wrong.

    Attributes:
        stage: Entries of one batch are written stage by stage: plans, starts, ends.
        patient: Whether ``settle`` waits for the commit even while the database is in trouble.
    """

    stage: int
    check: str
    slot: Row
    settle: Callable[[Exception | None], None]
    patient: bool = False
    binding: Binding | None = None
    diagnosis: Row | None = None
    evidence: Row | None = None
    notifications: tuple[Row, ...] = ()
    size: int = field(default=_OVERHEAD)


@dataclass(slots=True, kw_only=True)
class Errand:
    """Something else to do on the one connection that writes, in a transaction of its own."""

    act: Callable[[sa.Connection], Any]
    settle: Callable[[Any, Exception | None], None]


PLAN, START, END = 0, 1, 2


def slot_row(slot: Slot) -> Row:
    """Return the columns of a slot that no run has filled."""
    return {
        "scheduled_at": micros(slot.scheduled_at),
        "state": str(slot.state),
        "reason": str(slot.reason) if slot.reason else None,
        "run_id": slot.run_id,
    }


class RunRows:
    """Turns finished runs into rows."""

    def __init__(self, *, full_every: int = 6 * 3600 * 1_000_000) -> None:
        """Keep everything about one passed run of each check in ``full_every`` microseconds."""
        self._codec = BodyCodec()
        self._full_every = full_every
        self._last_full: dict[str, int] = {}

    def entry(self, run: Run, settle: Callable[[Exception | None], None]) -> Entry:
        """Return the entry of a finished run."""
        moment = micros(run.scheduled_at)
        lean = self._codec.lean(run)
        entry = Entry(
            stage=END,
            check=run.check.name,
            slot=_figures(run, moment, lean),
            binding=(run.check.name, run.check.journey, run.check.target.name, run.check.profile.name, run.location),
            settle=settle,
            patient=True,
            size=_OVERHEAD + len(lean),
        )
        if run.judgement.diagnosis is not None:
            entry.diagnosis = _verdict(run, moment)
        if deserves_everything(run) or self._is_picture_of_good(run, moment):
            good = run.outcome in _GOOD
            full = self._codec.full(run)
            entry.evidence = {"scheduled_at": moment, "good": int(good), "body": full, "run_id": run.run_id}
            entry.size += len(full)
        return entry

    def _is_picture_of_good(self, run: Run, moment: int) -> bool:
        last = self._last_full.get(run.check.name)
        if last is not None and moment - last < self._full_every:
            return False
        self._last_full[run.check.name] = moment
        return True


def _figures(run: Run, moment: int, lean: bytes) -> Row:
    evidence = run.evidence
    attempts = len(evidence.attempts)
    return {
        "scheduled_at": moment,
        "state": _FINISHED,
        "reason": None,
        "run_id": run.run_id,
        "started_at": micros(evidence.started_at),
        "duration": evidence.duration,
        "outcome": str(run.judgement.outcome),
        "validity": str(run.judgement.validity),
        "attempts": attempts,
        "recovered": int(attempts > 1 and evidence.recovered),
        "body": lean,
        **_phases(evidence.exchanges, attempts),
    }


def _phases(exchanges: Iterable[Exchange], attempt: int) -> Row:
    timings = [exchange.timings for exchange in exchanges if exchange.attempt == attempt]
    if len(timings) == 1:
        # Most runs by far are one request.
        return dict(zip(_PHASES, _PHASES_OF(timings[0]), strict=True))
    sums: Row = dict.fromkeys(_PHASES)
    for phase in _PHASES:
        seconds = [value for timing in timings if (value := getattr(timing, phase)) is not None]
        if seconds:
            sums[phase] = sum(seconds)
    return sums


def _verdict(run: Run, moment: int) -> Row:
    diagnosis = run.judgement.diagnosis
    assert diagnosis is not None
    culprit = diagnosis.culprit
    failed = (step.name for step in run.evidence.last.steps if step.outcome is StepOutcome.FAILED)
    row: Row = {
        "scheduled_at": moment,
        "outcome": run.outcome.value,
        "cause": diagnosis.cause.value,
        "detail": diagnosis.detail.value,
        "confidence": diagnosis.confidence.value,
        "rule": diagnosis.rule,
        "culprit_kind": culprit.kind.value if culprit else None,
        "culprit": culprit.name if culprit else None,
        "culprit_host": culprit.host if culprit else None,
        "failed_step": next(failed, None),
        "because": diagnosis.because,
        "run_id": run.run_id,
    }
    return {name: storable(value) for name, value in row.items()}


def storable(value: Any) -> Any:
    """Return the value, so that what a page smuggled into a sentence does not make its row unwritable."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return value
