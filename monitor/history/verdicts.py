"""Verdicts on a run: each is kept, and one of them is in force.

The first verdict of a run is written with the run itself. Only when it is revised for the first time is it copied to
the table of verdicts, so that a run whose verdict stands, as nearly all do, costs nothing more.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from monitor.domain.cause import Cause
from monitor.domain.diagnosis import Diagnosis
from monitor.domain.outcome import Outcome, SlotState, StepOutcome
from monitor.domain.run import Judgement
from monitor.execution.wire import WireError
from monitor.history.body import Body, BodyCodec
from monitor.history.entries import Row, storable
from monitor.history.moments import micros, moment_of
from monitor.history.schema import DIAGNOSES, EVIDENCE, SLOTS, VERDICTS
from monitor.history.values import FieldAccuracy, HistoryError, PastVerdict, VerdictSource

CAUSE_ONLY = "person.cause"
"""The rule of a person's verdict that names a cause and leaves the detail open."""

_KEY = (SLOTS.c.scheduled_at, SLOTS.c.check_id)
_NOTHING_WRONG = frozenset({Outcome.PASSED.value, Outcome.DEGRADED.value})
_PERSON = VerdictSource.PERSON.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A further verdict on a run that is stored."""

    run_id: str
    judgement: Judgement
    at: dt.datetime
    source: VerdictSource
    reason: str = ""
    author: str = ""


def revise(connection: sa.Connection, revision: Revision, bodies: BodyCodec) -> bool:
    """Add a verdict within the caller's transaction; say whether it is now the one in force.

    Raises HistoryError where the run is not known.
    """
    slot = connection.execute(_slot_of(revision.run_id)).first()
    if slot is None:
        msg = f"no run has the id '{revision.run_id}', or it is older than runs are kept"
        raise HistoryError(msg)
    body = _body_of(slot, bodies)
    known = connection.execute(
        sa.select(VERDICTS.c.number, VERDICTS.c.source).where(*_same(VERDICTS, slot)).order_by(VERDICTS.c.number)
    ).all()
    if not known:
        connection.execute(sa.insert(VERDICTS), _row(slot, 1, _first(slot, body), bodies, current=False))
    prevails = revision.source is VerdictSource.PERSON or all(row.source != _PERSON for row in known)
    if prevails:
        connection.execute(sa.update(VERDICTS).where(*_same(VERDICTS, slot)).values(current=0))
        _put_in_force(connection, slot, revision.judgement, body)
    number = known[-1].number + 1 if known else 2
    connection.execute(sa.insert(VERDICTS), _row(slot, number, revision, bodies, current=prevails))
    return prevails


def past(connection: sa.Connection, run_id: str, bodies: BodyCodec) -> tuple[PastVerdict, ...]:
    """Return every verdict on a run, the first one first; nothing where the run is not known."""
    slot = connection.execute(_slot_of(run_id)).first()
    if slot is None:
        return ()
    kept = connection.execute(sa.select(VERDICTS).where(*_same(VERDICTS, slot)).order_by(VERDICTS.c.number)).all()
    if kept:
        return tuple(_past(row, bodies) for row in kept)
    first = _first(slot, _body_of(slot, bodies))
    return (PastVerdict(at=first.at, source=first.source, judgement=first.judgement),)


def judged_by_people(since: dt.datetime) -> sa.Select[Any]:
    """Return the verdicts on all runs of which a person gave one since a moment, each run's in their order."""
    spoken = sa.select(VERDICTS.c.run_id).where(sa.text("source = 'person'"), VERDICTS.c.at >= micros(since))
    columns = [VERDICTS.c[name] for name in ("run_id", "source", "outcome", "cause", "detail", "rule")]
    order = (VERDICTS.c.scheduled_at, VERDICTS.c.check_id, VERDICTS.c.number)
    # The keys of the table begin with the moment of the run, so the few runs that people judged are found by it.
    keys = sa.select(VERDICTS.c.scheduled_at).where(sa.text("source = 'person'"), VERDICTS.c.at >= micros(since))
    return sa.select(*columns).where(VERDICTS.c.scheduled_at.in_(keys), VERDICTS.c.run_id.in_(spoken)).order_by(*order)


def accuracy_of(rows: Iterable[Any]) -> FieldAccuracy:
    """Count, run by run, whether what the rules had said before a person spoke is what that person said last."""
    runs: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        runs[row.run_id].append(row)
    judged = right = detailed = detail_right = undetermined = false_blame = missed = 0
    for verdicts in runs.values():
        rules, person = _opposed(verdicts)
        judged += 1
        right += rules.cause == person.cause
        if person.rule != CAUSE_ONLY:
            detailed += 1
            detail_right += rules.detail == person.detail
        if rules.cause != person.cause:
            unseen = rules.cause is None and rules.outcome in _NOTHING_WRONG
            open_question = not unseen and rules.cause in {None, Cause.UNDETERMINED.value}
            missed += unseen
            undetermined += open_question
            false_blame += not unseen and not open_question
    return FieldAccuracy(
        judged=judged,
        right=right,
        detailed=detailed,
        detail_right=detail_right,
        undetermined=undetermined,
        false_blame=false_blame,
        missed=missed,
    )


def _opposed(verdicts: Sequence[Any]) -> tuple[Any, Any]:
    first = next(place for place, row in enumerate(verdicts) if row.source == _PERSON)
    person = next(row for row in reversed(verdicts) if row.source == _PERSON)
    return verdicts[first - 1], person


def _slot_of(run_id: str) -> sa.Select[Any]:
    columns = (
        *_KEY, SLOTS.c.run_id, SLOTS.c.started_at, SLOTS.c.duration, SLOTS.c.outcome, SLOTS.c.validity,
        SLOTS.c.body.label("lean"), EVIDENCE.c.body.label("everything"),
    )  # fmt: skip
    same = sa.and_(EVIDENCE.c.scheduled_at == SLOTS.c.scheduled_at, EVIDENCE.c.check_id == SLOTS.c.check_id)
    finished = SLOTS.c.state == SlotState.FINISHED.value
    return sa.select(*columns).select_from(SLOTS.outerjoin(EVIDENCE, same)).where(SLOTS.c.run_id == run_id, finished)


def _body_of(slot: Any, bodies: BodyCodec) -> Body:
    try:
        return bodies.read(slot.lean if slot.everything is None else slot.everything)
    except WireError as error:
        msg = f"what is stored of run {slot.run_id} cannot be read: {error}"
        raise HistoryError(msg) from error


def _first(slot: Any, body: Body) -> Revision:
    ended = moment_of(slot.started_at) + dt.timedelta(seconds=slot.duration)
    return Revision(run_id=slot.run_id, judgement=body.judgement, at=ended, source=VerdictSource.RULES)


def _put_in_force(connection: sa.Connection, slot: Any, judgement: Judgement, body: Body) -> None:
    ended = {"outcome": judgement.outcome.value, "validity": judgement.validity.value}
    connection.execute(sa.update(SLOTS).where(*_same(SLOTS, slot)).values(**ended))
    connection.execute(sa.delete(DIAGNOSES).where(*_same(DIAGNOSES, slot)))
    if judgement.diagnosis is None:
        return
    failed = (step.name for step in body.evidence.last.steps if step.outcome is StepOutcome.FAILED)
    row = {
        **_key(slot),
        "outcome": judgement.outcome.value,
        **_columns(judgement.diagnosis),
        "failed_step": storable(next(failed, None)),
    }
    connection.execute(sa.insert(DIAGNOSES), row)


def _row(slot: Any, number: int, revision: Revision, bodies: BodyCodec, *, current: bool) -> Row:
    judgement = revision.judgement
    diagnosis = judgement.diagnosis
    return {
        **_key(slot),
        "number": number,
        "run_id": slot.run_id,
        "at": micros(revision.at),
        "source": revision.source.value,
        "ruleset": diagnosis.ruleset if diagnosis else "",
        "outcome": judgement.outcome.value,
        "validity": judgement.validity.value,
        **_columns(diagnosis),
        "reason": storable(revision.reason),
        "author": storable(revision.author),
        "current": int(current),
        "body": bodies.verdict(judgement),
    }


def _columns(diagnosis: Diagnosis | None) -> Row:
    names = ("cause", "detail", "confidence", "rule", "culprit_kind", "culprit", "culprit_host", "because")
    if diagnosis is None:
        return dict.fromkeys(names)
    culprit = diagnosis.culprit
    values = (
        diagnosis.cause.value,
        diagnosis.detail.value,
        diagnosis.confidence.value,
        diagnosis.rule,
        culprit.kind.value if culprit else None,
        culprit.name if culprit else None,
        culprit.host if culprit else None,
        diagnosis.because,
    )
    return {name: storable(value) for name, value in zip(names, values, strict=True)}


def _past(row: Any, bodies: BodyCodec) -> PastVerdict:
    try:
        judgement = bodies.read_verdict(row.body)
    except WireError as error:
        msg = f"a verdict on run {row.run_id} cannot be read: {error}"
        raise HistoryError(msg) from error
    return PastVerdict(
        at=moment_of(row.at),
        source=VerdictSource(row.source),
        judgement=judgement,
        reason=row.reason,
        author=row.author,
        current=bool(row.current),
    )


def _key(slot: Any) -> Row:
    return {"scheduled_at": slot.scheduled_at, "check_id": slot.check_id}


def _same(table: sa.Table, slot: Any) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.scheduled_at == slot.scheduled_at, table.c.check_id == slot.check_id
