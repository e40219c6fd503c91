"""Reads what happened: short, time-limited, in threads, on connections that can do nothing else."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from monitor.config.settings import StorageSettings
from monitor.domain.cause import Cause
from monitor.domain.clock import Clock
from monitor.domain.deployment import Deployment
from monitor.domain.outcome import Outcome, SlotState
from monitor.domain.run import Slot
from monitor.execution.wire import WireError
from monitor.history import deployments, outbox, questions, verdicts
from monitor.history.body import BodyCodec
from monitor.history.database import READ_LIMIT, Database
from monitor.history.migrate import revision_of
from monitor.history.moments import moment_of
from monitor.history.schema import CHECKS, REVISION
from monitor.history.values import (
    CheckState,
    Coverage,
    Ending,
    FieldAccuracy,
    GroupBy,
    HistoryError,
    PastVerdict,
    RunFilter,
    RunSummary,
    Share,
    StoredRun,
)

T = TypeVar("T")

_CONCLUSIVE = frozenset({Outcome.PASSED, Outcome.DEGRADED, Outcome.FAILED})
_GOOD = frozenset({Outcome.PASSED, Outcome.DEGRADED})
# Up to so many checks are asked one by one.
_MOST_APART = 20


class Reader:
    """What happened, for whoever asks; needs no lock, so that it also works beside a running instance."""

    def __init__(self, database: Database, *, clock: Clock, limit: float = READ_LIMIT) -> None:
        """Read from a database that is there; each read may take ``limit`` seconds."""
        self._database = database
        self._clock = clock
        self._limit = limit
        self._reading = database.reading(limit)
        self._readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="history-reader")
        self._bodies = BodyCodec()

    @classmethod
    async def beside(cls, storage: StorageSettings, *, clock: Clock) -> Self:
        """Open for reading only. Raises HistoryError where there is no history yet, or one of another schema."""
        reader = cls(cls.require(storage), clock=clock)
        found = await reader._ask(revision_of)
        if found != REVISION:
            await reader.close()
            older = "; the monitor brings it up to date when it starts" if (found or "") < REVISION else ""
            msg = f"the database has schema {found or 'none'}, and this program reads schema {REVISION}{older}"
            raise HistoryError(msg)
        return reader

    @staticmethod
    def require(storage: StorageSettings) -> Database:
        """Return where history is. Raises HistoryError where there is none yet, naming the folder."""
        database = Database(storage)
        if database.path is not None and not database.path.exists():
            msg = (
                f"{storage.directory} holds no history: nothing has been recorded there yet; "
                "give the folder of the running monitor with --data or FAULTLINE_DATA"
            )
            raise HistoryError(msg)
        return database

    async def close(self) -> None:
        """Let go of the connections."""
        await asyncio.to_thread(self._close_reading)

    async def recent(self, check: str, limit: int = 50) -> tuple[RunSummary, ...]:
        """Return the newest runs of a check, newest first."""
        return await self.runs(RunFilter(check=check, limit=limit))

    async def runs(self, wanted: RunFilter) -> tuple[RunSummary, ...]:
        """Return the newest runs that the filter lets through, newest first."""
        bound = questions.checks_bound(wanted)
        numbers = [] if bound is None else [row.check_id for row in await self._rows(bound)]
        if bound is not None and not numbers:
            return ()
        if not 1 <= len(numbers) <= _MOST_APART:
            rows = await self._rows(questions.runs_where(wanted))
        else:
            # Of each check its newest runs stand side by side in an index, which those of several do not.
            found = [row for each in numbers for row in await self._rows(questions.runs_where(wanted, each))]
            rows = sorted(found, key=lambda row: (-row.scheduled_at, row.check_id))[: wanted.limit]
        return tuple(map(questions.summary_of, rows))

    async def endings(self, wanted: RunFilter) -> tuple[Ending, ...]:
        """Return how the newest runs ended that the filter lets through, newest first."""
        return tuple(map(questions.ending_of, await self._rows(questions.endings_where(wanted))))

    async def run(self, run_id: str) -> StoredRun | None:
        """Return a run with its evidence and judgement, or ``None`` where it is not known."""
        rows = await self._rows(questions.one_run(run_id))
        if not rows:
            return None
        return await asyncio.to_thread(self._stored, rows[0])

    async def with_evidence(self, since: dt.datetime, *, check: str | None = None, limit: int) -> tuple[str, ...]:
        """Return the ids of the newest runs since a moment of which everything is kept, newest first."""
        return tuple(row.run_id for row in await self._rows(questions.runs_with_evidence(check, since, limit)))

    async def verdicts(self, run_id: str) -> tuple[PastVerdict, ...]:
        """Return every verdict on a run, the first one first; nothing where the run is not known."""
        return await self._ask(lambda connection: verdicts.past(connection, run_id, self._bodies))

    async def deployments(self, since: dt.datetime, until: dt.datetime, *, limit: int = 50) -> tuple[Deployment, ...]:
        """Return the newest deployments of a span, both ends included, newest first."""
        rows = await self._rows(deployments.between(since, until, limit))
        return tuple(map(deployments.deployment_of, rows))

    async def latest_deployments(self, limit: int) -> tuple[Deployment, ...]:
        """Return the latest deployment of each service, newest first, of at most so many services."""
        return tuple(map(deployments.deployment_of, await self._rows(deployments.latest(limit))))

    async def unsent(self) -> tuple[outbox.Unsent, ...]:
        """Return the notifications that their receivers may not have got yet, the oldest first."""
        return tuple(map(outbox.unsent_of, await self._rows(outbox.waiting())))

    async def bad_since(self, check: str) -> dt.datetime | None:
        """Return the start of the first run that failed or was slow since the last one that passed, if there is one."""
        (row,) = await self._rows(questions.first_bad(check))
        return None if row.started_at is None else moment_of(row.started_at)

    async def field_accuracy(self, since: dt.datetime) -> FieldAccuracy:
        """Return how often the rules were right, of the runs that people have judged since a moment."""
        return verdicts.accuracy_of(await self._rows(verdicts.judged_by_people(since)))

    async def latest(self, *, since: dt.datetime | None = None) -> tuple[CheckState, ...]:
        """Return the latest of each check, by name; counts runs from ``since`` on where that is given."""
        runs = {run.check: run for run in map(questions.summary_of, await self._rows(questions.latest_runs()))}
        slots = {slot.check: slot for slot in map(questions.slot_of, await self._rows(questions.latest_slots()))}
        counts: dict[str, list[tuple[Outcome, int]]] = defaultdict(list)
        if since is not None:
            for check, outcome, count in await self._rows(questions.outcome_counts(since)):
                counts[check].append((Outcome(outcome), count))
        return tuple(
            CheckState(check=name, slot=slots.get(name), run=runs.get(name), counts=tuple(sorted(counts[name])))
            for name in sorted(runs.keys() | slots.keys())
        )

    async def latest_with(self, outcomes: Collection[Outcome], since: dt.datetime) -> Mapping[str, RunSummary]:
        """Return the newest run of each check that ended in one of these ways, by name, from ``since`` on."""
        rows = await self._rows(questions.latest_runs(outcomes, since))
        return {run.check: run for run in map(questions.summary_of, rows)}

    async def slots(self, check: str, since: dt.datetime) -> tuple[Slot, ...]:
        """Return the slots of a check from ``since`` on, oldest first."""
        return tuple(map(questions.slot_of, await self._rows(questions.slots_of(check, since))))

    async def coverage(
        self,
        check: str | None,
        since: dt.datetime,
        until: dt.datetime | None = None,
    ) -> Coverage:
        """Return how much of what was planned (of all checks where none is named) brought a conclusive result."""
        rows = await self._rows(questions.state_counts(check, since, until or self._clock.now()))
        states: Counter[SlotState] = Counter()
        outcomes: Counter[Outcome] = Counter()
        for state, outcome, count in rows:
            states[SlotState(state)] += count
            if outcome is not None:
                outcomes[Outcome(outcome)] += count
        return Coverage(
            planned=states.total(),
            conclusive=sum(outcomes[outcome] for outcome in _CONCLUSIVE),
            good=sum(outcomes[outcome] for outcome in _GOOD),
            states=tuple(sorted(states.items())),
        )

    async def causes(
        self,
        since: dt.datetime,
        group_by: GroupBy = GroupBy.CAUSE,
        *,
        check: str | None = None,
    ) -> tuple[Share, ...]:
        """Return how many runs failed since a moment, by group, the largest first."""
        rows = await self._rows(questions.failures_by(group_by, since, check))
        names: dict[int, str] = {}
        if group_by is GroupBy.CHECK:
            names = {row.id: row.name for row in await self._rows(sa.select(CHECKS.c.id, CHECKS.c.name))}
        runs: Counter[tuple[str, Cause]] = Counter()
        for row in rows:
            runs[questions.key_of(group_by, row.key, names), Cause(row.cause)] += row.runs
        shares = (Share(key=key, cause=cause, runs=count) for (key, cause), count in runs.items())
        return tuple(sorted(shares, key=lambda share: (-share.runs, share.key)))

    def _stored(self, row: sa.Row[*tuple[Any, ...]]) -> StoredRun:
        lean = row.everything is None
        try:
            body = self._bodies.read(row.lean if lean else row.everything)
            revised = None if row.verdict is None else self._bodies.read_verdict(row.verdict)
        except WireError as error:
            msg = f"what is stored of run {row.run_id} cannot be read: {error}"
            raise HistoryError(msg) from error
        return StoredRun(
            summary=questions.summary_of(row),
            evidence=body.evidence,
            judgement=revised or body.judgement,
            lean=lean,
        )

    async def _rows(self, query: sa.Select[Any]) -> list[sa.Row[*tuple[Any, ...]]]:
        return await self._ask(lambda connection: list(connection.execute(query).all()))

    async def _ask(self, question: Callable[[sa.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._answer, question)

    def _answer(self, question: Callable[[sa.Connection], T]) -> T:
        try:
            with self._reading.connect() as connection:
                return question(connection)
        except DBAPIError as error:
            words = str(error.orig)
            if "interrupted" in words or "statement timeout" in words:
                words = f"the question took longer than {self._limit:g} s; ask about a shorter time"
            msg = f"history cannot be read: {words}"
            raise HistoryError(msg) from error

    def _start_afresh(self, _folder: Path) -> None:
        """Let go of connections to a database that was put aside."""
        self._reading.dispose()

    def _close_reading(self) -> None:
        self._readers.shutdown(wait=True)
        self._reading.dispose()
