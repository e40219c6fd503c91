"""Starts each check at its slots, and sees to it that every slot is written down before and closed after."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.domain.check import Check, MaintenanceWindow
from monitor.domain.clock import Clock
from monitor.domain.outcome import SlotReason, SlotState
from monitor.domain.run import Slot
from monitor.scheduling.agenda import Agenda, Due, Planned
from monitor.scheduling.lateness import Lateness, LatenessCounts
from monitor.scheduling.ledger import Ledger, SlotBook
from monitor.scheduling.maintenance import Maintenance
from monitor.scheduling.steady import SteadyScheduler, Whenever
from monitor.scheduling.timeline import Timeline
from monitor.scheduling.timetable import datetime_of

_log = logging.getLogger(__name__)

_START = "start what is due"
_PLAN = "plan ahead"
_WATCH = "watch the clock"
_STALLED = 5.0
_BATCH = dt.timedelta(milliseconds=250)
# Slots so many milliseconds apart start together: waking costs more than starting, and nobody sees the difference.
_TOGETHER = 4


class Starter(Protocol):
    """Carries out the run of a slot."""

    async def __call__(self, due: Due) -> None:
        """Return when the run is over and its slot is closed; until then the check's next slots overlap."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerStatus:
    """How scheduling fares.

    Attributes:
        turned: Seconds since the scheduler last looked at its agenda.
        recorded: Seconds since the slot book last answered, or 0 where nothing waits for it.
        closed: Slots that brought no result, by state and reason.
        clock_step: Seconds by which the wall clock was last set.
        clock_stepped: Seconds of all such steps together, forward and back alike.
        faults: Errors of the scheduler itself and of what it calls.
        failing: Runs in a row, up to the latest, that could not be carried out because of such an error.
        unrecorded_gaps: Gaps so long that only their last hour was written down.
    """

    checks: int
    running: int
    next_due: dt.datetime | None
    turned: float
    recorded: float
    started: int
    closed: tuple[tuple[SlotState, SlotReason | None, int], ...]
    lateness: LatenessCounts
    clock_steps: int
    clock_step: float
    clock_stepped: float
    faults: int
    failing: int
    unrecorded_gaps: int

    @property
    def healthy(self) -> bool:
        """Say whether slots are planned and started just now."""
        return self.turned < _STALLED and self.recorded < _STALLED


class Scheduler:
    """Yields the slots of all checks: planned ahead, started on time, or closed with a reason."""

    def __init__(self, *, start: Starter, book: SlotBook, clock: Clock, agenda: Agenda | None = None) -> None:
        """Prepare to call ``start`` for each due slot and ``book`` for each slot to be written."""
        self._start = start
        self._clock = clock
        self._timeline = Timeline(clock)
        self._agenda = Agenda() if agenda is None else agenda
        self._ledger = Ledger(book, clock, extend=self._extend, admit=self._admit)
        self._jobs = SteadyScheduler(self._timeline.datetime)
        self._running: dict[asyncio.Task[None], Due] = {}
        self._lateness = Lateness()
        self._closed: Counter[tuple[SlotState, SlotReason | None]] = Counter()
        self._started = 0
        self._turned = clock.elapsed()
        self._timer: asyncio.TimerHandle | None = None
        self._clock_steps = 0
        self._clock_step = 0.0
        self._clock_stepped = 0.0
        self._faults = 0
        self._failing = 0

    def replace(self, checks: Iterable[Check], maintenance: Sequence[MaintenanceWindow] = ()) -> None:
        """Swap the set of checks; those whose schedule stays keep their phase and what is planned for them.

        Raises ScheduleError, and changes nothing, where a schedule or a window cannot be understood.
        """
        windows = Maintenance(maintenance)
        self._close(self._agenda.replace(checks, windows, now=self._timeline.now()))
        self._ledger.refill()

    def run(self) -> None:
        """Begin to plan and to start; returns at once."""
        self._ledger.run()
        self._jobs.follow(_WATCH, self._watch, Whenever(lambda: None))
        unplanned = Whenever(lambda: _moment(self._agenda.next_extension()), pause=_BATCH)
        self._jobs.follow(_PLAN, self._ledger.refill, unplanned)
        self._jobs.follow(_START, self._start_due, Whenever(lambda: None))
        self._jobs.start()

    def wake(self) -> None:
        """Look at the clock and the agenda now rather than when the timer says so."""
        for job in (_WATCH, _PLAN, _START):
            self._jobs.advance(job, self._timeline.datetime())
        self._jobs.wakeup()

    async def close(self, grace: float) -> tuple[Slot, ...]:
        """Start nothing more, give running slots ``grace`` seconds to end, and return those that did not.

        Slots that lie ahead stay planned, so that the next process takes them up.
        """
        if self._jobs.running:
            self._jobs.shutdown(wait=False)
        self._disarm()
        await self._ledger.close()
        if self._running:
            await asyncio.wait(self._running, timeout=grace)
        cut_short = dict(self._running)
        for task in cut_short:
            task.cancel()
        await asyncio.gather(*cut_short, return_exceptions=True)
        return tuple(due.slot for due in cut_short.values())

    def under_maintenance(self) -> frozenset[str]:
        """Return the names of the checks that a maintenance window covers just now."""
        return self._agenda.maintained(int(self._timeline.now()))

    def status(self) -> SchedulerStatus:
        """Return how scheduling fares."""
        return SchedulerStatus(
            checks=len(self._agenda),
            running=len(self._running),
            next_due=_moment(self._agenda.next_due()),
            turned=self._clock.elapsed() - self._turned,
            recorded=self._ledger.waiting(),
            started=self._started,
            closed=tuple((state, reason, count) for (state, reason), count in self._closed.items()),
            lateness=self._lateness.counts(),
            clock_steps=self._clock_steps,
            clock_step=self._clock_step,
            clock_stepped=self._clock_stepped,
            faults=self._faults + self._ledger.faults + self._jobs.faults,
            failing=self._failing,
            unrecorded_gaps=self._agenda.unrecorded,
        )

    def _watch(self) -> None:
        # Whoever stops this job from running is noticed by the age of its last turn.
        self._turned = self._clock.elapsed()
        step = self._timeline.compare()
        if step is None:
            return
        self._clock_steps += 1
        self._clock_step = step.seconds
        self._clock_stepped += abs(step.seconds)
        _log.warning("clock stepped", extra={"seconds": round(step.seconds, 3)})
        self._close(self._agenda.step(step))
        # What the jobs wait for was reckoned before the step.
        for job in (_PLAN, _START):
            self._jobs.advance(job, self._timeline.datetime())

    def _extend(self) -> tuple[Planned, ...]:
        return self._agenda.extend(self._timeline.now())

    def _admit(self, written: Iterable[Planned]) -> None:
        self._close(self._agenda.admit(written))
        self._arm()

    def _arm(self) -> None:
        """See to it that the next slot is started at its moment.

        The job looks after this each second, so that a timer that is lost is missed for no longer. A turn of
        APScheduler for each start would cost more than the start.
        """
        self._disarm()
        due = self._agenda.next_due()
        if due is not None and self._jobs.running:
            ahead = due - self._timeline.now()
            wait = max(ahead, _TOGETHER) / 1_000 if ahead > 0 else 0.0
            self._timer = asyncio.get_running_loop().call_later(wait, self._start_on_time)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start_on_time(self) -> None:
        try:
            self._start_due()
        except Exception:  # noqa: BLE001 - the job starts within a second what this could not
            self._faults += 1
            _log.exception("due slots could not be started")

    def _start_due(self) -> None:
        decisions = self._agenda.take(self._timeline.now())
        self._close(decisions.closed)
        for lag in decisions.lags:
            self._lateness.add(lag / 1_000)
        for due in decisions.starts:
            self._running[asyncio.create_task(self._carry_out(due))] = due
        self._started += len(decisions.starts)
        self._arm()

    async def _carry_out(self, due: Due) -> None:
        try:
            await self._start(due)
        except Exception:  # noqa: BLE001 - whatever it was, the check's next slot is started
            self._faults += 1
            self._failing += 1
            _log.exception("a run could not be carried out", extra={"check": due.check.name})
        else:
            self._failing = 0
        finally:
            self._running.pop(_this_task())
            self._agenda.ended(due)

    def _close(self, slots: Iterable[Slot]) -> None:
        slots = tuple(slots)
        self._closed.update((slot.state, slot.reason) for slot in slots)
        self._ledger.close_slots(slots)


def _this_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _moment(moment: int | None) -> dt.datetime | None:
    return None if moment is None else datetime_of(moment)
