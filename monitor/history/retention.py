"""Removes what has been kept long enough, in batches small enough that results never wait for it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from monitor.domain.outcome import SlotReason, SlotState
from monitor.domain.run import Slot
from monitor.history.moments import micros
from monitor.history.questions import slot_of
from monitor.history.schema import BINDINGS, CHECKS, DIAGNOSES, EVIDENCE, SLOTS, VERDICTS

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What one batch removed: how many slots, the runs among them, and how many bodies of evidence."""

    slots: int = 0
    run_ids: tuple[str, ...] = ()
    evidence: int = 0


def remove_slots(connection: sa.Connection, before: dt.datetime, batch: int = BATCH) -> Removed:
    """Remove the oldest slots scheduled before a moment, with everything that hangs on them."""
    oldest = (
        sa.select(SLOTS.c.scheduled_at, SLOTS.c.run_id)
        .where(SLOTS.c.scheduled_at < micros(before))
        .order_by(SLOTS.c.scheduled_at)
        .limit(batch)
    )
    rows = connection.execute(oldest).all()
    if not rows:
        return Removed()
    # Slots that share the newest moment of the batch go with it, so that one plain range is deleted.
    newest = rows[-1].scheduled_at
    run_ids = connection.execute(
        sa.select(SLOTS.c.run_id).where(SLOTS.c.scheduled_at <= newest, SLOTS.c.run_id.is_not(None))
    ).scalars()
    removed = tuple(run_ids.all())
    for table in (EVIDENCE, DIAGNOSES, VERDICTS):
        connection.execute(sa.delete(table).where(table.c.scheduled_at <= newest))
    slots = connection.execute(sa.delete(SLOTS).where(SLOTS.c.scheduled_at <= newest)).rowcount
    return Removed(slots=slots, run_ids=removed)


def remove_evidence(connection: sa.Connection, before: dt.datetime, batch: int = BATCH) -> Removed:
    """Remove the oldest full evidence of good runs scheduled before a moment; their lean evidence stays."""
    oldest = (
        sa.select(EVIDENCE.c.scheduled_at, EVIDENCE.c.check_id)
        .where(EVIDENCE.c.good == 1, EVIDENCE.c.scheduled_at < micros(before))
        .order_by(EVIDENCE.c.scheduled_at)
        .limit(batch)
    )
    keys = [tuple(row) for row in connection.execute(oldest).all()]
    if not keys:
        return Removed()
    key = sa.tuple_(EVIDENCE.c.scheduled_at, EVIDENCE.c.check_id)
    return Removed(evidence=connection.execute(sa.delete(EVIDENCE).where(key.in_(keys))).rowcount)


def remove_unused_names(connection: sa.Connection) -> None:
    """Remove names that no slot refers to any more."""
    used = sa.exists().where(SLOTS.c.check_id == CHECKS.c.id)
    connection.execute(sa.delete(CHECKS).where(~used))
    known = sa.exists().where(CHECKS.c.id == BINDINGS.c.check_id)
    connection.execute(sa.delete(BINDINGS).where(~known))


def give_back_space(connection: sa.Connection, pages: int = 500) -> bool:
    """Shrink the file of SQLite by some of the pages that removed rows left empty; say whether there are more."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        return False
    # The driver takes a step of this statement for each page, and only when it is asked for a row.
    driver.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
    (left,) = driver.execute("PRAGMA freelist_count").fetchone()
    return bool(left)


def close_open_slots(connection: sa.Connection, before: dt.datetime) -> tuple[Slot, ...]:
    """Give every open slot of the past its end: a started one is lost, a planned one was missed."""
    return (
        *_close(connection, SlotState.STARTED, SlotState.LOST, SlotReason.CRASH, before),
        *_close(connection, SlotState.PLANNED, SlotState.MISSED, SlotReason.LATE, before),
    )


def _close(
    connection: sa.Connection,
    found: SlotState,
    end: SlotState,
    reason: SlotReason,
    before: dt.datetime,
) -> tuple[Slot, ...]:
    moment = SLOTS.c.scheduled_at if found is SlotState.PLANNED else sa.func.coalesce(*_BEGUN)
    name = sa.select(CHECKS.c.name).where(CHECKS.c.id == SLOTS.c.check_id).scalar_subquery()
    statement: Any = (
        sa.update(SLOTS)
        # Written out, so that SQLite sees that its index of open slots answers this.
        .where(sa.text("state IN ('planned', 'started')"), SLOTS.c.state == found.value, moment <= micros(before))
        .values(state=end.value, reason=reason.value)
        .returning(name, SLOTS.c.scheduled_at, SLOTS.c.state, SLOTS.c.reason, SLOTS.c.run_id)
    )
    return tuple(map(slot_of, connection.execute(statement).all()))


_BEGUN = (SLOTS.c.started_at, SLOTS.c.scheduled_at)


def unknown_runs(connection: sa.Connection, run_ids: list[str]) -> set[str]:
    """Return those ids that belong to no slot."""
    strangers = set(run_ids)
    for start in range(0, len(run_ids), BATCH):
        some = run_ids[start : start + BATCH]
        strangers.difference_update(
            connection.execute(sa.select(SLOTS.c.run_id).where(SLOTS.c.run_id.in_(some))).scalars()
        )
    return strangers
