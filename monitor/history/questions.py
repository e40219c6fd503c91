"""The questions asked of the store, as statements, and their answers, as values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Culprit, CulpritKind
from monitor.domain.failure import Phase
from monitor.domain.outcome import Outcome, SlotReason, SlotState, Validity
from monitor.domain.run import Slot
from monitor.history.moments import micros, moment_of
from monitor.history.schema import BINDINGS, CHECKS, DIAGNOSES, EVIDENCE, SLOTS, VERDICTS
from monitor.history.values import Ending, GroupBy, RunFilter, RunSummary, Verdict

_DAY = 86_400_000_000
_FINISHED = SLOTS.c.state == SlotState.FINISHED.value

_VERDICT = (
    DIAGNOSES.c.cause, DIAGNOSES.c.detail, DIAGNOSES.c.confidence, DIAGNOSES.c.rule, DIAGNOSES.c.because,
    DIAGNOSES.c.culprit_kind, DIAGNOSES.c.culprit, DIAGNOSES.c.culprit_host, DIAGNOSES.c.failed_step,
)  # fmt: skip
_SUMMARY = (
    SLOTS.c.run_id, SLOTS.c.scheduled_at, SLOTS.c.started_at, SLOTS.c.duration, SLOTS.c.outcome, SLOTS.c.validity,
    SLOTS.c.attempts, SLOTS.c.recovered, SLOTS.c.resolve, SLOTS.c.connect, SLOTS.c.tls, SLOTS.c.wait, SLOTS.c.receive,
    SLOTS.c.check_id, CHECKS.c.name.label("check_name"), BINDINGS.c.journey, BINDINGS.c.target,
    BINDINGS.c.profile, BINDINGS.c.location, *_VERDICT,
)  # fmt: skip


def _same_slot(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.scheduled_at == SLOTS.c.scheduled_at, table.c.check_id == SLOTS.c.check_id)


_RUN = (
    SLOTS.join(CHECKS, CHECKS.c.id == SLOTS.c.check_id)
    .join(BINDINGS, BINDINGS.c.id == SLOTS.c.binding_id)
    .outerjoin(DIAGNOSES, _same_slot(DIAGNOSES))
)


def runs_where(wanted: RunFilter, number: int | None = None) -> sa.Select[Any]:
    """Return the newest runs that a filter lets through; of the check with this ``number``, where one is given."""
    query = sa.select(*_SUMMARY).select_from(_RUN).where(_FINISHED, *_bound(wanted))
    if number is not None:
        query = query.where(SLOTS.c.check_id == number)
    if wanted.check is not None:
        query = query.where(SLOTS.c.check_id == _number_of(wanted.check))
    if wanted.outcomes:
        query = query.where(SLOTS.c.outcome.in_([outcome.value for outcome in wanted.outcomes]))
    if wanted.causes:
        query = query.where(DIAGNOSES.c.cause.in_([cause.value for cause in wanted.causes]))
    for column, value in (
        (DIAGNOSES.c.cause, wanted.cause),
        (DIAGNOSES.c.detail, wanted.detail),
        (DIAGNOSES.c.culprit, wanted.culprit),
    ):
        if value is not None:
            query = query.where(column == str(value))
    if wanted.since is not None:
        query = query.where(SLOTS.c.scheduled_at >= micros(wanted.since))
    if wanted.before is not None:
        query = query.where(SLOTS.c.scheduled_at < micros(wanted.before))
    if wanted.beyond is not None:
        moment, check = micros(wanted.beyond[0]), _number_of(wanted.beyond[1])
        rest = sa.and_(SLOTS.c.scheduled_at == moment, SLOTS.c.check_id > check)
        query = query.where(SLOTS.c.scheduled_at <= moment, sa.or_(SLOTS.c.scheduled_at < moment, rest))
    # Of runs with a diagnosis there are few: in the order of their table, none of the others has to be looked at.
    table = DIAGNOSES if wanted.causes or wanted.cause or wanted.detail or wanted.culprit else SLOTS
    return query.order_by(table.c.scheduled_at.desc(), table.c.check_id).limit(wanted.limit)


def endings_where(wanted: RunFilter) -> sa.Select[Any]:
    """Return how the runs ended that a filter lets through, the newest first."""
    return runs_where(wanted).with_only_columns(SLOTS.c.outcome, SLOTS.c.validity, SLOTS.c.recovered)


def ending_of(row: sa.Row[Any]) -> Ending:
    """Return how a run ended."""
    return Ending(outcome=Outcome(row.outcome), validity=Validity(row.validity), recovered=bool(row.recovered))


def checks_bound(wanted: RunFilter) -> sa.Select[Any] | None:
    """Return the numbers of the checks that ever had the names of a filter; ``None`` where it names nothing."""
    names = _bound(wanted)
    return sa.select(BINDINGS.c.check_id).where(*names).distinct() if names else None


def _bound(wanted: RunFilter) -> list[sa.ColumnElement[bool]]:
    named = (
        (BINDINGS.c.journey, wanted.journeys),
        (BINDINGS.c.target, wanted.targets),
        (BINDINGS.c.profile, wanted.profiles),
        (BINDINGS.c.location, wanted.locations),
    )
    return [column.in_(names) for column, names in named if names]


def one_run(run_id: str) -> sa.Select[Any]:
    """Return one run with what is kept of it: lean, everything where that is kept, and a revised verdict in force."""
    columns = (
        *_SUMMARY,
        SLOTS.c.body.label("lean"),
        EVIDENCE.c.body.label("everything"),
        VERDICTS.c.body.label("verdict"),
    )
    in_force = sa.and_(_same_slot(VERDICTS), VERDICTS.c.current == 1)
    return (
        sa.select(*columns)
        .select_from(_RUN.outerjoin(EVIDENCE, _same_slot(EVIDENCE)).outerjoin(VERDICTS, in_force))
        .where(SLOTS.c.run_id == run_id, _FINISHED)
        .limit(1)
    )


def runs_with_evidence(check: str | None, since: dt.datetime, limit: int) -> sa.Select[Any]:
    """Return the ids of the newest runs of which everything is kept."""
    query = (
        sa.select(SLOTS.c.run_id)
        .select_from(EVIDENCE.join(SLOTS, _same_slot(EVIDENCE)))
        .where(EVIDENCE.c.scheduled_at >= micros(since), SLOTS.c.scheduled_at >= micros(since), _FINISHED)
    )
    if check is not None:
        query = query.where(EVIDENCE.c.check_id == _number_of(check))
    return query.order_by(EVIDENCE.c.scheduled_at.desc(), EVIDENCE.c.check_id).limit(limit)


def latest_runs(outcomes: Collection[Outcome] = (), since: dt.datetime | None = None) -> sa.Select[Any]:
    """Return the newest finished run of each check, of those with one of these outcomes and from ``since`` on."""
    wanted = [_inner_finished]
    if outcomes:
        wanted.append(_INNER.c.outcome.in_([outcome.value for outcome in outcomes]))
    if since is not None:
        wanted.append(_INNER.c.scheduled_at >= micros(since))
    newest = _newest(sa.and_(*wanted))
    return sa.select(*_SUMMARY).select_from(_RUN.join(newest, _is(newest)))


def latest_slots() -> sa.Select[Any]:
    """Return the newest slot of each check that is not planned any more."""
    newest = _newest(_inner_begun)
    slots = SLOTS.join(CHECKS, CHECKS.c.id == SLOTS.c.check_id).join(newest, _is(newest))
    return sa.select(CHECKS.c.name, *_SLOT).select_from(slots)


_EACH = CHECKS.alias("each_check")
_INNER = SLOTS.alias("inner_slots")
_inner_finished = _INNER.c.state == SlotState.FINISHED.value
_inner_begun = _INNER.c.state != SlotState.PLANNED.value
_SLOT = (SLOTS.c.scheduled_at, SLOTS.c.state, SLOTS.c.reason, SLOTS.c.run_id)


def _newest(condition: sa.ColumnElement[bool]) -> sa.CTE:
    """Return the key of the newest slot of each check: one look into an index for each."""
    newest = (
        sa.select(_INNER.c.scheduled_at)
        .where(_INNER.c.check_id == _EACH.c.id, condition)
        .order_by(_INNER.c.scheduled_at.desc())
        .limit(1)
        .correlate(_EACH)
        .scalar_subquery()
    )
    # A table expression that is worked out first; left to itself, SQLite walks all slots instead.
    keys = sa.select(_EACH.c.id.label("check_id"), newest.label("scheduled_at"))
    return keys.cte("newest").prefix_with("MATERIALIZED")


def _is(newest: sa.CTE) -> sa.ColumnElement[bool]:
    return sa.and_(newest.c.check_id == SLOTS.c.check_id, newest.c.scheduled_at == SLOTS.c.scheduled_at)


def first_bad(check: str) -> sa.Select[Any]:
    """Return when the first run started that failed or was slow since the last one that passed."""
    number = _number_of(check)
    passed = (
        sa.select(_INNER.c.scheduled_at)
        .where(_INNER.c.check_id == number, _inner_finished, _INNER.c.outcome == Outcome.PASSED.value)
        .order_by(_INNER.c.scheduled_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.select(sa.func.min(SLOTS.c.started_at).label("started_at")).where(
        SLOTS.c.check_id == number,
        SLOTS.c.scheduled_at > sa.func.coalesce(passed, 0),
        _FINISHED,
        SLOTS.c.outcome.in_([Outcome.FAILED.value, Outcome.DEGRADED.value]),
    )


def slots_of(check: str, since: dt.datetime) -> sa.Select[Any]:
    """Return the slots of a check since a moment, oldest first."""
    number = _number_of(check)
    wanted = (SLOTS.c.check_id == number, SLOTS.c.scheduled_at >= micros(since))
    return sa.select(sa.literal(check), *_SLOT).where(*wanted).order_by(SLOTS.c.scheduled_at)


def outcome_counts(since: dt.datetime) -> sa.Select[Any]:
    """Return how many runs of each check ended how since a moment."""
    return (
        sa.select(CHECKS.c.name, SLOTS.c.outcome, sa.func.count())
        .select_from(SLOTS.join(CHECKS, CHECKS.c.id == SLOTS.c.check_id))
        .where(_FINISHED, SLOTS.c.scheduled_at >= micros(since))
        .group_by(CHECKS.c.name, SLOTS.c.outcome)
    )


def state_counts(check: str | None, since: dt.datetime, until: dt.datetime) -> sa.Select[Any]:
    """Return how many slots are in which state and with which outcome."""
    query = sa.select(SLOTS.c.state, SLOTS.c.outcome, sa.func.count()).where(
        SLOTS.c.scheduled_at >= micros(since),
        SLOTS.c.scheduled_at <= micros(until),
    )
    if check is not None:
        query = query.where(SLOTS.c.check_id == _number_of(check))
    return query.group_by(SLOTS.c.state, SLOTS.c.outcome)


def failures_by(group: GroupBy, since: dt.datetime, check: str | None) -> sa.Select[Any]:
    """Return how many failed runs there were of each group, in one row or several."""
    key: sa.ColumnElement[Any]
    match group:
        case GroupBy.CAUSE:
            key = DIAGNOSES.c.cause
        case GroupBy.DETAIL:
            key = DIAGNOSES.c.detail
        case GroupBy.CULPRIT:
            key = DIAGNOSES.c.culprit
        case GroupBy.CHECK:
            key = DIAGNOSES.c.check_id
        case GroupBy.DAY:
            # An integer division in both databases, unlike SQLAlchemy's own operator on a mere number.
            key = DIAGNOSES.c.scheduled_at.op("/")(sa.literal_column(str(_DAY)))
    query = sa.select(key.label("key"), DIAGNOSES.c.cause, sa.func.count().label("runs")).where(
        DIAGNOSES.c.scheduled_at >= micros(since),
        DIAGNOSES.c.outcome == Outcome.FAILED.value,
    )
    if group in {GroupBy.CHECK, GroupBy.DAY}:
        query = query.group_by(sa.literal_column("1"), DIAGNOSES.c.cause)
    else:
        # Finer than was asked for, but in the order of the index, which is what makes it quick.
        query = query.group_by(DIAGNOSES.c.cause, DIAGNOSES.c.detail, DIAGNOSES.c.culprit)
    return query if check is None else query.where(DIAGNOSES.c.check_id == _number_of(check))


def key_of(group: GroupBy, key: Any, names: dict[int, str]) -> str:
    """Return the name of one group of a breakdown."""
    match group:
        case GroupBy.CHECK:
            return names.get(key, "")
        case GroupBy.DAY:
            return f"{moment_of(int(key) * _DAY):%Y-%m-%d}"
        case _:
            return key or ""


def slot_of(row: sa.Row[*tuple[Any, ...]]) -> Slot:
    """Return a slot from a row that begins with the name of its check."""
    check, scheduled_at, state, reason, run_id = row
    return Slot(
        check=check,
        scheduled_at=moment_of(scheduled_at),
        state=SlotState(state),
        reason=SlotReason(reason) if reason else None,
        run_id=run_id,
    )


def summary_of(row: sa.Row[*tuple[Any, ...]]) -> RunSummary:
    """Return the summary of a run."""
    seconds = ((phase.value, getattr(row, phase.value)) for phase in Phase)
    return RunSummary(
        run_id=row.run_id,
        check=row.check_name,
        journey=row.journey,
        target=row.target,
        profile=row.profile,
        location=row.location,
        scheduled_at=moment_of(row.scheduled_at),
        started_at=moment_of(row.started_at),
        duration=row.duration,
        outcome=Outcome(row.outcome),
        validity=Validity(row.validity),
        attempts=row.attempts,
        recovered=bool(row.recovered),
        phases=tuple((name, value) for name, value in seconds if value is not None),
        verdict=_verdict_of(row) if row.cause else None,
    )


def _verdict_of(row: sa.Row[*tuple[Any, ...]]) -> Verdict:
    culprit = None
    if row.culprit_kind:
        culprit = Culprit(kind=CulpritKind(row.culprit_kind), name=row.culprit, host=row.culprit_host)
    return Verdict(
        cause=Cause(row.cause),
        detail=Detail(row.detail),
        confidence=Confidence(row.confidence),
        rule=row.rule,
        because=row.because,
        culprit=culprit,
        failed_step=row.failed_step,
    )


def _number_of(check: str) -> sa.ScalarSelect[Any]:
    return sa.select(CHECKS.c.id).where(CHECKS.c.name == check).scalar_subquery()
