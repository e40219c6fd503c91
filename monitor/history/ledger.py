"""Writes entries: thousands of rows in a handful of statements, each of which keeps the rules of a slot.

The rules stand in the statements themselves, so that no order of messages can break them: a slot is planned once,
a slot that has ended stays as it ended, and a run fills one slot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.domain.outcome import SlotState
from monitor.history.entries import END, PLAN, Binding, Entry, Row
from monitor.history.schema import BINDINGS, CHECKS, DIAGNOSES, EVIDENCE, NOTIFICATIONS, OPEN, SLOTS

_BINDING = (BINDINGS.c.journey, BINDINGS.c.target, BINDINGS.c.profile, BINDINGS.c.location)
_KEY = ("scheduled_at", "check_id")
_SLOT = (*_KEY, "state", "reason", "run_id")
_START = (*_SLOT, "started_at")
_FIGURES = (
    "started_at", "binding_id", "duration", "outcome", "validity", "attempts", "recovered",
    "resolve", "connect", "tls", "wait", "receive", "body",
)  # fmt: skip


class Ledger:
    """Applies entries to a connection, and remembers the numbers of names."""

    def __init__(self, dialect: sa.Dialect) -> None:
        """Prepare the statements for one kind of database."""
        insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        self._add_check = insert(CHECKS).returning(CHECKS.c.id)
        self._add_binding = insert(BINDINGS).returning(BINDINGS.c.id)
        self._plan = _Statement(insert(SLOTS).on_conflict_do_nothing(), _SLOT, dialect)
        self._start = _Statement(
            _fill(insert(SLOTS), ("state", "run_id", "started_at"), "slots.state = 'planned'"), _START, dialect
        )
        self._close = _Statement(_fill(insert(SLOTS), ("state", "reason"), f"slots.{OPEN}"), _SLOT, dialect)
        columns = (*_SLOT, *_FIGURES)
        finish = _fill(insert(SLOTS), ("state", "reason", "run_id", *_FIGURES), f"slots.{OPEN}")
        self._finish = _Statement(finish, columns, dialect)
        self._diagnosis = _of_run(insert, DIAGNOSES)
        self._evidence = _of_run(insert, EVIDENCE)
        self._notification = insert(NOTIFICATIONS).on_conflict_do_nothing()
        self._checks: dict[str, int] = {}
        self._bindings: dict[Binding, int] = {}

    def forget(self) -> None:
        """Forget the numbers of names, some of which a failed transaction may have taken back."""
        self._checks.clear()
        self._bindings.clear()

    def apply(self, connection: sa.Connection, entries: Iterable[Entry]) -> int:
        """Write entries within the caller's transaction; return how many results came for slots that had ended."""
        late = 0
        for stage, staged in groupby(sorted(entries, key=lambda entry: entry.stage), key=lambda entry: entry.stage):
            if stage == END:
                late += self._apply_ends(connection, list(staged))
            else:
                statement = self._plan if stage == PLAN else self._start
                statement.run(connection, [self._numbered(connection, entry) for entry in staged])
        return late

    def _apply_ends(self, connection: sa.Connection, entries: Sequence[Entry]) -> int:
        late = 0
        for finished, group in groupby(entries, key=lambda entry: entry.binding is not None):
            ends = list(group)
            rows = [self._numbered(connection, entry) for entry in ends]
            if not finished:
                self._close.run(connection, rows)
                continue
            written = self._finish.run(connection, rows)
            late += len(rows) - written if written >= 0 else 0
            self._apply_findings(connection, ends)
        return late

    def _apply_findings(self, connection: sa.Connection, entries: Sequence[Entry]) -> None:
        for statement, rows in (
            (self._diagnosis, [entry.diagnosis | _key(entry) for entry in entries if entry.diagnosis]),
            (self._evidence, [entry.evidence | _key(entry) for entry in entries if entry.evidence]),
            (self._notification, [row for entry in entries for row in entry.notifications]),
        ):
            if rows:
                connection.execute(statement, rows)

    def _numbered(self, connection: sa.Connection, entry: Entry) -> Row:
        row = entry.slot
        number = self._checks.get(entry.check)
        row["check_id"] = self._check(connection, entry.check) if number is None else number
        if entry.binding is not None:
            binding = self._bindings.get(entry.binding)
            row["binding_id"] = self._binding(connection, entry.binding) if binding is None else binding
        return row

    def _check(self, connection: sa.Connection, name: str) -> int:
        if not self._checks:
            self._checks.update((row.name, row.id) for row in connection.execute(sa.select(CHECKS)))
        if name not in self._checks:
            self._checks[name] = connection.execute(self._add_check, {"name": name}).scalar_one()
        return self._checks[name]

    def _binding(self, connection: sa.Connection, binding: Binding) -> int:
        if not self._bindings:
            known = sa.select(CHECKS.c.name, *_BINDING, BINDINGS.c.id).join(
                BINDINGS, CHECKS.c.id == BINDINGS.c.check_id
            )
            self._bindings.update((_binding_of(row), row.id) for row in connection.execute(known).all())
        if binding not in self._bindings:
            check, *names = binding
            values: Row = dict(zip(("journey", "target", "profile", "location"), names, strict=True))
            values["check_id"] = self._checks[check]
            self._bindings[binding] = connection.execute(self._add_binding, values).scalar_one()
        return self._bindings[binding]


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement compiled once and handed to the driver as it is: half the time of SQLAlchemy's own way."""

    text: str
    arrange: Callable[[Row], Any]

    def __init__(self, statement: sa.Executable, columns: Sequence[str], dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(columns))  # type: ignore[attr-defined]  # every executable has it
        object.__setattr__(self, "text", str(compiled))
        positions = compiled.positiontup
        object.__setattr__(self, "arrange", itemgetter(*positions) if positions else dict)

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        return connection.exec_driver_sql(self.text, [self.arrange(row) for row in rows]).rowcount


def _fill(insert: Any, columns: Sequence[str], condition: str) -> Any:
    return insert.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: insert.excluded[name] for name in columns},
        where=sa.text(condition),
    )


def _of_run(insert: Any, table: sa.Table) -> Any:
    """Return the statement that adds a row only where the slot was filled by the same run."""
    names = [column.name for column in table.columns]
    values = [sa.bindparam(column.name, type_=column.type).label(column.name) for column in table.columns]
    filled = sa.exists().where(
        SLOTS.c.scheduled_at == sa.bindparam("scheduled_at", type_=sa.BigInteger),
        SLOTS.c.check_id == sa.bindparam("check_id", type_=sa.Integer),
        SLOTS.c.run_id == sa.bindparam("run_id", type_=sa.Text),
        SLOTS.c.state == SlotState.FINISHED.value,
    )
    return insert(table).from_select(names, sa.select(*values).where(filled)).on_conflict_do_nothing()


def _binding_of(row: sa.Row[*tuple[Any, ...]]) -> Binding:
    return (row.name, row.journey, row.target, row.profile, row.location)


def _key(entry: Entry) -> Row:
    return {"check_id": entry.slot["check_id"]}
