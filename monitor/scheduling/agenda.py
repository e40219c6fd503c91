"""The planning core: which slots to write down, which are due, and what becomes of the rest. No clock, no I/O."""

from __future__ import annotations

import bisect
import datetime as dt
import heapq
import itertools
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.domain.check import Check
from monitor.domain.outcome import SlotReason, SlotState
from monitor.domain.run import Slot
from monitor.scheduling.maintenance import Maintenance
from monitor.scheduling.timeline import ClockStep
from monitor.scheduling.timetable import Timetable, datetime_of, timetable_of

_HORIZON = 30_000
_TOLERANCE = 30_000
_LONGEST_GAP = 3_600_000
_SMALL_STEP = 60_000
_WORTHWHILE = 1_000


@dataclass(slots=True, eq=False)
class Course:
    """One check on its way through its timetable.

    Attributes:
        cursor: The last moment of the timetable that was planned.
        open: Moments of slots that are planned and neither started nor closed, in order.
        extra: A moment beside the timetable, at which a slot that the clock jumped over is made good.
        lived_until: Moments up to here have been planned before the wall clock was set back; to plan them again they
            are moved by ``shift`` milliseconds, because a slot is known by its check and its moment.
    """

    check: Check
    timetable: Timetable
    cursor: int
    open: deque[int] = field(default_factory=deque)
    extra: int | None = None
    lived_until: int = 0
    shift: int = 0
    running: int = 0
    dropped: bool = False

    def upcoming(self) -> int | None:
        """Return the moment of the slot that would be planned next."""
        return self._shifted(self.timetable.following(self.cursor))

    def advance(self) -> int | None:
        """Return the same moment, and move on to it."""
        following = self.timetable.following(self.cursor)
        if following is not None:
            self.cursor = following
        return self._shifted(following)

    def _shifted(self, moment: int | None) -> int | None:
        return moment + self.shift if moment is not None and moment <= self.lived_until else moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A slot to write down. ``shift`` tells whether the clock was set back before it was written."""

    slot: Slot
    moment: int
    course: Course = field(repr=False, compare=False)
    shift: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A slot to start now.

    Attributes:
        not_after: The moment after which it must not start any more.
    """

    check: Check
    slot: Slot
    not_after: dt.datetime
    course: Course = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What is to be done with the slots that are due: start some, close the others. ``lags`` are milliseconds."""

    starts: tuple[Due, ...] = ()
    closed: tuple[Slot, ...] = ()
    lags: tuple[float, ...] = ()


class Agenda:
    """All checks with their planned slots. Every moment is in milliseconds since 1970.

    What :meth:`extend` returns is to be written down and then handed to :meth:`admit`; only then can :meth:`take`
    return it.
    """

    def __init__(self, *, horizon: int = _HORIZON, tolerance: int = _TOLERANCE) -> None:
        """Begin empty; slots are planned ``horizon`` ahead and may start ``tolerance`` late."""
        self._horizon = horizon
        self._tolerance = tolerance
        self._maintenance = Maintenance()
        self._courses: dict[str, Course] = {}
        self._order = itertools.count()
        self._queue: list[tuple[int, int, Course]] = []
        self._unplanned: list[tuple[int, int, Course]] = []
        self.unrecorded = 0

    def __len__(self) -> int:
        """Return the number of checks."""
        return len(self._courses)

    def replace(self, checks: Iterable[Check], maintenance: Maintenance, *, now: float) -> tuple[Slot, ...]:
        """Swap the set of checks and return the slots to close. A check whose schedule stays keeps phase and slots.

        Raises ScheduleError, and changes nothing, where a schedule cannot be understood.
        """
        enabled = {check.name: check for check in checks if check.enabled}
        fresh = {name: timetable_of(name, check.schedule) for name, check in enabled.items() if self._is_new(check)}
        kept = {name: check for name, check in enabled.items() if name not in fresh}
        closed: list[Slot] = []
        for name in [name for name in self._courses if name not in kept]:
            closed += self._drop(self._courses.pop(name))
        for name, check in kept.items():
            self._courses[name].check = check
        for name, timetable in fresh.items():
            self._courses[name] = course = Course(enabled[name], timetable, int(now))
            self._remind(course)
        self._maintenance = maintenance
        self._forget_stale()
        return tuple(closed)

    def maintained(self, now: int) -> frozenset[str]:
        """Return the names of the checks that a maintenance window covers at a moment."""
        return self._maintenance.covered(self._courses, now)

    def extend(self, now: float, *, limit: int = 250) -> tuple[Planned, ...]:
        """Return up to ``limit`` slots to write down, the first due first, so that each check's next one always is."""
        planned: list[Planned] = []
        while self._unplanned and self._unplanned[0][0] <= now and len(planned) < limit:
            course = heapq.heappop(self._unplanned)[2]
            if not course.dropped and (moment := self._next_moment(course, now)) is not None:
                planned.append(_planned(course, moment))
                self._remind(course)
        return tuple(planned)

    def admit(self, written: Iterable[Planned]) -> tuple[Slot, ...]:
        """Let written slots become due when their time comes; return those that events have overtaken, to be closed."""
        closed: list[Slot] = []
        for planned in written:
            course = planned.course
            if course.dropped:
                closed.append(_closed(course.check.name, planned.moment, SlotReason.REMOVED))
            elif course.shift != planned.shift:
                closed.append(_closed(course.check.name, planned.moment, SlotReason.CLOCK_STEP))
            else:
                bisect.insort(course.open, planned.moment)
                heapq.heappush(self._queue, (planned.moment, next(self._order), course))
        return tuple(closed)

    def next_due(self) -> int | None:
        """Return the moment of the slot that is due first."""
        return self._queue[0][0] if self._queue else None

    def next_extension(self) -> int | None:
        """Return the moment at which :meth:`extend` next has something to do."""
        return self._unplanned[0][0] if self._unplanned else None

    def take(self, now: float, *, limit: int = 50) -> Decisions:
        """Take up to ``limit`` slots that are due and decide on each."""
        starts: list[Due] = []
        closed: list[Slot] = []
        lags: list[float] = []
        while self._queue and self._queue[0][0] <= now and len(starts) + len(closed) < limit:
            moment, _, course = heapq.heappop(self._queue)
            if course.dropped or not course.open or course.open[0] != moment:
                continue
            course.open.popleft()
            reason = self._hindrance(course, moment, now)
            if reason is None:
                course.running += 1
                lags.append(now - moment)
                starts.append(self._due(course, moment))
            else:
                closed.append(_closed(course.check.name, moment, reason))
        return Decisions(starts=tuple(starts), closed=tuple(closed), lags=tuple(lags))

    def ended(self, due: Due) -> None:
        """Note that the run of a slot is over, so that the check's next slot does not overlap."""
        due.course.running -= 1

    def step(self, step: ClockStep) -> tuple[Slot, ...]:
        """Plan again after the wall clock was set, and return the slots to close.

        No check with an interval waits longer for its next run than it would have without the step, and none runs more
        than once to make good for what was jumped over.
        """
        closed: list[Slot] = []
        for course in self._courses.values():
            jumped = self._jumped(course, step)
            closed += [_closed(course.check.name, moment, SlotReason.CLOCK_STEP) for moment in jumped]
            self._remind(course)
        self._forget_stale()
        return tuple(closed)

    def _is_new(self, check: Check) -> bool:
        course = self._courses.get(check.name)
        return course is None or course.check.schedule != check.schedule

    def _drop(self, course: Course) -> list[Slot]:
        course.dropped = True
        return [_closed(course.check.name, moment, SlotReason.REMOVED) for moment in course.open]

    def _next_moment(self, course: Course, now: float) -> int | None:
        if course.extra is not None:
            moment, course.extra = course.extra, None
            return moment
        earliest = int(now) - _LONGEST_GAP
        if course.cursor < earliest:
            self.unrecorded += 1
            course.cursor = earliest
        return course.advance()

    def _remind(self, course: Course) -> None:
        if course.extra is not None or course.upcoming() is not None:
            at = 0 if course.extra is not None else course.cursor - self._horizon
            heapq.heappush(self._unplanned, (at, next(self._order), course))

    def _hindrance(self, course: Course, moment: int, now: float) -> SlotReason | None:
        if now - moment > self._patience(course) or (course.open and course.open[0] <= now):
            return SlotReason.LATE
        if self._maintenance.covers(course.check.name, moment):
            return SlotReason.MAINTENANCE
        return SlotReason.OVERLAP if course.running else None

    def _due(self, course: Course, moment: int) -> Due:
        slot = Slot(check=course.check.name, scheduled_at=datetime_of(moment))
        not_after = datetime_of(moment + self._patience(course))
        return Due(check=course.check, slot=slot, not_after=not_after, course=course)

    def _patience(self, course: Course) -> int:
        return min(self._tolerance, course.timetable.interval or self._tolerance)

    def _jumped(self, course: Course, step: ClockStep) -> list[int]:
        first = course.open[0] if course.open else None
        jumped = _jumped_over(course, step) if step.after > step.before else _lived_again(course, step)
        course.open = deque(moment for moment in course.open if moment not in jumped)
        if first in jumped:
            usual = int(step.after + max(0.0, first - step.before))
            regular = course.open[0] if course.open else course.upcoming()
            evenly = course.timetable.interval is not None or step.after > step.before
            if evenly and (regular is None or usual + _WORTHWHILE < regular):
                course.extra = usual
        return sorted(jumped)

    def _forget_stale(self) -> None:
        """Rebuild the queues without what can never come of them, so that reloads and steps leave nothing behind."""
        self._queue = [entry for entry in self._queue if not entry[2].dropped and entry[0] in entry[2].open]
        heapq.heapify(self._queue)
        latest = {id(course): (at, order, course) for at, order, course in sorted(self._unplanned, key=_by_order)}
        self._unplanned = [entry for entry in latest.values() if not entry[2].dropped]
        heapq.heapify(self._unplanned)


def _by_order(entry: tuple[int, int, Course]) -> int:
    return entry[1]


def _jumped_over(course: Course, step: ClockStep) -> set[int]:
    course.cursor = max(course.cursor, int(step.after))
    return {moment for moment in course.open if moment <= step.after}


def _lived_again(course: Course, step: ClockStep) -> set[int]:
    back = step.before - step.after
    interval = course.timetable.interval
    short = course.open[0] - step.after <= interval if interval and course.open else back <= _SMALL_STEP
    if short:
        return set()
    course.lived_until = max(course.lived_until, course.cursor)
    course.shift += 1
    course.cursor = int(step.after)
    return set(course.open)


def _planned(course: Course, moment: int) -> Planned:
    slot = Slot(check=course.check.name, scheduled_at=datetime_of(moment))
    return Planned(slot=slot, moment=moment, course=course, shift=course.shift)


def _closed(check: str, moment: int, reason: SlotReason) -> Slot:
    missed = reason in {SlotReason.LATE, SlotReason.CLOCK_STEP}
    state = SlotState.MISSED if missed else SlotState.SKIPPED
    return Slot(check=check, scheduled_at=datetime_of(moment), state=state, reason=reason)
