"""What the main process talks to: methods return at once or are awaited; none makes the event loop wait for a disk."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from monitor.config.settings import StorageSettings
from monitor.domain.clock import Clock
from monitor.domain.deployment import Deployment
from monitor.domain.outcome import SlotReason, SlotState
from monitor.domain.run import Judgement, Run, Slot
from monitor.history import deployments, outbox, retention, verdicts
from monitor.history.artifacts import ArtifactStore
from monitor.history.entries import END, PLAN, START, Entry, Errand, RunRows, slot_row
from monitor.history.opening import Opened, open_for_writing
from monitor.history.outbox import Unsent
from monitor.history.reader import Reader
from monitor.history.starts import Start, Starts
from monitor.history.values import HistoryError, HistoryStatus, ResultLostError, VerdictSource
from monitor.history.writer import Writer, WriterLimits

T = TypeVar("T")
_Settle = Callable[[Exception | None], None]
_Prepare = Callable[[_Settle], Sequence[Entry]]

_LOG = logging.getLogger(__name__)
_ENDS = frozenset({SlotState.MISSED, SlotState.LOST, SlotState.SKIPPED})
_ORPHAN_AGE = dt.timedelta(hours=6)
_UNSENT_AGE = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What retention removed.

    Attributes:
        artifact_runs: Runs whose artifacts were removed to stay within the quota.
        artifact_bytes: What the remaining artifacts take.
    """

    slots: int = 0
    evidence: int = 0
    orphans: int = 0
    artifact_runs: int = 0
    artifact_bytes: int = 0


class History(Reader):
    """The store of slots, runs and artifacts: writes by one thread, reads as a ``Reader`` does."""

    def __init__(self, opened: Opened, storage: StorageSettings, *, clock: Clock, limits: WriterLimits) -> None:
        """Take over what ``open`` prepared."""
        super().__init__(opened.database, clock=clock)
        self.artifacts = ArtifactStore(storage.directory)
        self._opened = opened
        self._storage = storage
        self._rows_of = RunRows()
        self._starts = Starts(self._hand_in_starts, linger=limits.linger)
        self._loop = asyncio.get_running_loop()
        self._settled: deque[tuple[asyncio.Future[Any], Any, Exception | None]] = deque()
        self._delivery_due = False
        self._closed = False
        self._writer = Writer(
            opened.database,
            opened.connection,
            clock=clock,
            ballast=opened.ballast,
            limits=limits,
            replaced=self._start_afresh,
        )
        self._writer.start()

    @classmethod
    async def open(cls, storage: StorageSettings, *, clock: Clock, limits: WriterLimits | None = None) -> Self:
        """Lock the data directory and bring the database up to date. Raises HistoryError saying what is in the way."""
        opened = await asyncio.to_thread(open_for_writing, storage, clock)
        return cls(opened, storage, clock=clock, limits=limits or WriterLimits())

    async def close(self) -> None:
        """Write what is waiting, as far as that is possible, and let go of everything. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        self._starts.release()
        await asyncio.to_thread(self._close_all)
        self._deliver()

    async def plan(self, slots: Sequence[Slot]) -> None:
        """Record slots before their moment; one that is recorded already stays as it is.

        Like ``closed`` it resolves after the commit, or at once while the database is in trouble:
        checks go on then, and what was said is written when the trouble is over.
        """
        if not slots:
            return
        last = len(slots) - 1

        def prepare(settle: _Settle) -> Sequence[Entry]:
            return [
                Entry(stage=PLAN, check=slot.check, slot=slot_row(slot), settle=settle if place == last else _ignore)
                for place, slot in enumerate(slots)
            ]

        await self._write(prepare)

    def started(self, check: str, scheduled_at: dt.datetime, run_id: str, at: dt.datetime) -> None:
        """Record within a second that a run began to fill a slot, unless its result comes sooner. Waits for nothing."""
        self._starts.add(Start(check, scheduled_at, run_id, at))

    async def closed(self, check: str, scheduled_at: dt.datetime, state: SlotState, reason: SlotReason) -> None:
        """Record that a slot ended without a result; one that has ended already stays as it ended."""
        if state not in _ENDS:
            msg = f"a slot cannot be closed as {state}"
            raise ValueError(msg)
        start = self._starts.drop(check, scheduled_at)
        if start is not None:
            self._hand_in_starts([start])
        row = slot_row(Slot(check=check, scheduled_at=scheduled_at, state=state, reason=reason))
        await self._write(lambda settle: [Entry(stage=END, check=check, slot=row, settle=settle)])

    async def finished(self, run: Run) -> None:
        """Record a result; returns only when it is committed. Raises ResultLostError where it never will be.

        While the database is in trouble it waits in memory, within bounds; let nothing urgent depend on the return.
        A result for a slot that has ended otherwise is not kept: one slot, one end. ``status().refused`` counts those.
        """
        self._starts.drop(run.check.name, run.scheduled_at)
        await self._write(partial(self._entries_of, run))

    def keep(
        self,
        run: Run,
        *,
        lost: Callable[[Run, Exception], None],
        unsent: Sequence[Unsent] = (),
        settled: Callable[[], None] | None = None,
    ) -> None:
        """Record a result as ``finished`` does, and wait for nothing; where it is lost, ``lost`` is called.

        What is told of it is in the same commit, so that after a crash both are known or neither is. Where anything
        is told, ``settled`` is called once the result is stored or, in trouble, will not be so soon.
        """
        self._starts.drop(run.check.name, run.scheduled_at)
        settle = partial(self._tell_end, partial(lost, run), settled if unsent else None)
        try:
            self._writer.submit(partial(_prepared, partial(self._entries_of, run, unsent=unsent), settle))
        except ResultLostError as error:
            lost(run, error)
            if settled is not None:
                settled()

    async def revise(
        self,
        run_id: str,
        judgement: Judgement,
        *,
        why: str,
        at: dt.datetime,
        source: VerdictSource,
        author: str = "",
    ) -> bool:
        """Add a verdict on a stored run; earlier ones stay. Say whether it is now the one in force.

        It is, unless a person has spoken and this is none. Raises HistoryError where the run is not known.
        """
        revision = verdicts.Revision(
            run_id=run_id, judgement=judgement, at=at, source=source, reason=why, author=author
        )
        return await self._perform(lambda connection: verdicts.revise(connection, revision, self._bodies))

    async def deployed(self, deployment: Deployment) -> bool:
        """Record a deployment; say whether it is new. Raises HistoryError while the database is in trouble."""
        return await self._perform(lambda connection: deployments.add(connection, deployment))

    def notified(self, receiver: str, number: str) -> None:
        """Forget a notification that has ended; waits for nothing, and where it fails the receiver gets it twice."""
        errand = Errand(act=lambda connection: outbox.remove(connection, receiver, number), settle=_no_answer)
        with contextlib.suppress(ResultLostError):
            self._writer.submit(lambda: [errand])

    async def reap(self, now: dt.datetime, *, grace: dt.timedelta = dt.timedelta()) -> tuple[Slot, ...]:
        """Close open slots of the past and return them: started ones are lost, planned ones were missed.

        At the start of the program no run is under way, so no ``grace`` is due. Later, let it be longer than any run.
        """
        return await self._perform(lambda connection: retention.close_open_slots(connection, now - grace))

    async def retain(self, now: dt.datetime) -> Retained:
        """Remove what has been kept long enough, a little at a time, and artifacts over their quota."""
        slots = await self._remove_slots(now - self._storage.keep_runs)
        evidence = await self._remove_evidence(now - self._storage.keep_evidence)
        await self._perform(lambda connection: deployments.remove(connection, now - self._storage.keep_runs))
        await self._perform(lambda connection: outbox.remove_before(connection, now - _UNSENT_AGE))
        await self._perform(retention.remove_unused_names)
        while await self._perform(retention.give_back_space):
            pass
        orphans = await self._remove_orphans(now)
        swept = await asyncio.to_thread(self.artifacts.keep_within, self._storage.artifact_quota_bytes)
        await asyncio.to_thread(self._opened.ballast.settle)
        return Retained(
            slots=slots,
            evidence=evidence,
            orphans=orphans,
            artifact_runs=swept.runs,
            artifact_bytes=swept.left_bytes,
        )

    async def backup(self, to: Path) -> None:
        """Write a consistent copy of the database to a new file, while everything goes on."""
        await asyncio.to_thread(self._copy, to)

    def status(self) -> HistoryStatus:
        """Return how history fares; from memory, without waiting."""
        return self._writer.status(quarantined=self._opened.quarantined, checked=self._opened.checked)

    async def _remove_slots(self, before: dt.datetime) -> int:
        count = 0
        while True:
            removed = await self._perform(lambda connection: retention.remove_slots(connection, before))
            if not removed.slots:
                return count
            count += removed.slots
            if removed.run_ids:
                await asyncio.to_thread(self.artifacts.remove, removed.run_ids)

    async def _remove_evidence(self, before: dt.datetime) -> int:
        count = 0
        while True:
            removed = await self._perform(lambda connection: retention.remove_evidence(connection, before))
            if not removed.evidence:
                return count
            count += removed.evidence

    async def _remove_orphans(self, now: dt.datetime) -> int:
        old = await asyncio.to_thread(self.artifacts.untouched_since, (now - _ORPHAN_AGE).timestamp())
        if not old:
            return 0
        strangers = await self._perform(lambda connection: retention.unknown_runs(connection, list(old)))
        await asyncio.to_thread(self.artifacts.remove, strangers)
        return len(strangers)

    async def _write(self, prepare: _Prepare) -> None:
        future: asyncio.Future[None] = self._loop.create_future()

        def settle(error: Exception | None) -> None:
            self._settle(future, None, error)

        self._writer.submit(partial(_prepared, prepare, settle), soon=True)
        await future

    async def _perform(self, act: Callable[[sa.Connection], T]) -> T:
        self._starts.release()
        future: asyncio.Future[T] = self._loop.create_future()
        errand = Errand(act=act, settle=lambda answer, error: self._settle(future, answer, error))
        self._writer.submit(lambda: [errand], soon=True)
        return await future

    def _entries_of(self, run: Run, settle: _Settle, *, unsent: Sequence[Unsent] = ()) -> Sequence[Entry]:
        with contextlib.suppress(OSError):
            self.artifacts.seal(run.run_id)
        entry = self._rows_of.entry(run, settle)
        entry.notifications = tuple(map(outbox.row_of, unsent))
        entry.size += sum(len(each.body) for each in unsent)
        return (entry,)

    def _hand_in_starts(self, starts: Iterable[Start]) -> None:
        rows = [(start.check, start.row()) for start in starts]
        # One that cannot be handed in is counted by the writer; the result will tell of the run.
        with contextlib.suppress(ResultLostError):
            self._writer.submit(
                lambda: [Entry(stage=START, check=check, slot=row, settle=_ignore) for check, row in rows]
            )

    def _tell_end(
        self, lost: Callable[[Exception], None], settled: Callable[[], None] | None, error: Exception | None
    ) -> None:
        # The loop may be gone when the program is torn down; then nobody listens any more.
        with contextlib.suppress(RuntimeError):
            if error is not None:
                self._loop.call_soon_threadsafe(lost, error)
            if settled is not None:
                self._loop.call_soon_threadsafe(settled)

    def _settle(self, future: asyncio.Future[Any], answer: Any, error: Exception | None) -> None:
        """Pass an answer to the event loop; waking it once for a whole batch is what keeps this cheap."""
        self._settled.append((future, answer, error))
        if self._delivery_due:
            return
        self._delivery_due = True
        # The loop may be gone when the program is torn down; then nobody waits any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._delivery_due = False
        while self._settled:
            future, answer, error = self._settled.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)

    def _copy(self, to: Path) -> None:
        if self._opened.database.path is None:
            msg = "a PostgreSQL database is backed up with pg_dump"
            raise HistoryError(msg)
        if to.exists():
            msg = f"{to} exists: name a new file"
            raise HistoryError(msg)
        part = to.with_name(f".{to.name}.part")
        part.unlink(missing_ok=True)
        try:
            with self._opened.database.copying().connect() as connection:
                connection.exec_driver_sql("VACUUM INTO ?", (str(part),))
            part.chmod(0o600)
            part.replace(to)
        except (DBAPIError, OSError, sqlite3.Error) as error:
            part.unlink(missing_ok=True)
            msg = f"the backup could not be written to {to}: {getattr(error, 'orig', None) or error}"
            raise HistoryError(msg) from error

    def _close_all(self) -> None:
        # Readers go first, so that the connection that writes is the last one and the only one that ever checkpoints.
        self._close_reading()
        self._writer.stop()
        self._opened.lock.release()


def _prepared(prepare: _Prepare, settle: _Settle) -> Sequence[Entry]:
    try:
        return prepare(settle)
    except Exception as error:  # noqa: BLE001 - one result that cannot be encoded must not end the writer
        _LOG.exception("a result cannot be written down")
        settle(ResultLostError(f"the result cannot be written down: {type(error).__name__}"))
        return ()


def _no_answer(_answer: None, _error: Exception | None) -> None:
    """Leave it: what is not forgotten is sent once more after the next start, under the same id."""


def _ignore(_error: Exception | None) -> None:
    """Leave it to the last entry of a group to speak for all."""
