from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter

import pytest

from monitor.domain.check import Check, MaintenanceWindow, Schedule
from monitor.domain.outcome import SlotReason, SlotState
from monitor.domain.run import Slot
from monitor.scheduling.agenda import Agenda, Due
from monitor.scheduling.maintenance import Maintenance
from monitor.scheduling.timeline import Timeline
from monitor.scheduling.timetable import ScheduleError
from tests.builders import A_MOMENT, a_check

MINUTE = dt.timedelta(minutes=1)


class Desk:
    """Works through an agenda by a clock that is moved by hand, and notes what became of every slot."""

    def __init__(self, clock, *, run_seconds: float = 1.0) -> None:
        self.clock = clock
        self.timeline = Timeline(clock)
        self.agenda = Agenda()
        self.run_seconds = run_seconds
        self.started: list[tuple[float, Due]] = []
        self.running: list[tuple[float, Due]] = []
        self.planned: Counter[tuple[str, dt.datetime]] = Counter()
        self.closed: list[Slot] = []

    def replace(self, *checks: Check, windows: tuple[MaintenanceWindow, ...] = ()) -> None:
        self.closed += self.agenda.replace(checks, Maintenance(windows), now=self.timeline.now())

    def go(self, seconds: float, *, pace: float = 0.5) -> None:
        for _ in range(round(seconds / pace)):
            self.turn()
            self.clock.pass_time(pace)
        self.turn()

    def turn(self) -> None:
        if (step := self.timeline.compare()) is not None:
            self.closed += self.agenda.step(step)
        while planned := self.agenda.extend(self.timeline.now()):
            # As the store does: a slot that was written down before is not written again, and does not run.
            fresh = [one for one in planned if (one.slot.check, one.slot.scheduled_at) not in self.planned]
            self.planned.update((one.slot.check, one.slot.scheduled_at) for one in fresh)
            self.closed += self.agenda.admit(fresh)
        self._end()
        while (decisions := self.agenda.take(self.timeline.now())).starts or decisions.closed:
            self.closed += decisions.closed
            self.started += [(self.clock.elapsed(), due) for due in decisions.starts]
            self.running += [(self.clock.elapsed() + self.run_seconds, due) for due in decisions.starts]

    def _end(self) -> None:
        over = [(end, due) for end, due in self.running if end <= self.clock.elapsed()]
        self.running = [entry for entry in self.running if entry not in over]
        for _, due in over:
            self.agenda.ended(due)

    def reasons(self) -> Counter[SlotReason | None]:
        return Counter(slot.reason for slot in self.closed)

    def gaps(self, check: str) -> list[float]:
        moments = [moment for moment, due in self.started if due.check.name == check]
        return [later - earlier for earlier, later in itertools.pairwise(moments)]

    def assert_each_slot_ended_once(self) -> None:
        assert set(self.planned.values()) <= {1}
        ended = Counter((due.slot.check, due.slot.scheduled_at) for _, due in self.started)
        ended.update((slot.check, slot.scheduled_at) for slot in self.closed)
        assert set(ended.values()) <= {1}
        now = self.timeline.datetime() - dt.timedelta(seconds=1)
        assert {key for key in self.planned if key[1] < now} <= set(ended)


@pytest.fixture
def desk(clock) -> Desk:
    return Desk(clock)


def some_checks(count: int, *, interval: dt.timedelta = MINUTE) -> list[Check]:
    return [a_check(name=f"check-{n}@shop/desktop", schedule=Schedule(interval=interval)) for n in range(count)]


def test_a_check_runs_once_an_interval_and_its_next_slot_is_always_written_down(desk):
    desk.replace(*some_checks(1))
    desk.go(600)
    assert len(desk.started) == 10
    assert set(desk.gaps("check-0@shop/desktop")) == {60.0}
    assert max(scheduled for _, scheduled in desk.planned) > desk.timeline.datetime()
    desk.assert_each_slot_ended_once()


def test_a_slot_far_ahead_is_written_down_at_once(desk):
    desk.replace(a_check(schedule=Schedule(cron="30 2 * * *", timezone="Europe/Berlin")))
    desk.turn()
    assert [scheduled for _, scheduled in desk.planned] == [dt.datetime(2026, 3, 3, 1, 30, tzinfo=dt.UTC)]


def test_a_disabled_check_has_no_slots(desk):
    desk.replace(a_check(enabled=False))
    desk.go(120)
    assert not desk.planned


def test_a_run_longer_than_the_interval_makes_the_next_slots_overlap_and_leaves_others_on_time(clock):
    desk = Desk(clock, run_seconds=150)
    quick, slow = some_checks(2, interval=MINUTE)
    desk.replace(quick, slow)
    desk.go(600)
    assert desk.reasons() == {SlotReason.OVERLAP: len(desk.closed)}
    assert {slot.state for slot in desk.closed} == {SlotState.SKIPPED}
    assert set(desk.gaps(slow.name)) == {180.0}
    desk.assert_each_slot_ended_once()


def test_slots_within_a_maintenance_window_are_skipped_for_the_checks_it_names(desk):
    window = MaintenanceWindow(name="move", start=A_MOMENT, end=A_MOMENT + 5 * MINUTE, checks=("check-0@*",))
    desk.replace(*some_checks(2), windows=(window,))
    desk.go(600)
    assert desk.reasons() == {SlotReason.MAINTENANCE: 5}
    assert Counter(due.check.name for _, due in desk.started) == {"check-0@shop/desktop": 5, "check-1@shop/desktop": 10}


def test_a_recurring_maintenance_window_comes_back(desk):
    window = MaintenanceWindow(name="nightly", cron=Schedule(cron="5 * * * *"), duration=2 * MINUTE)
    desk.replace(*some_checks(1), windows=(window,))
    desk.go(7_200)
    assert desk.reasons() == {SlotReason.MAINTENANCE: 4}


def test_a_clock_set_back_an_hour_delays_no_check(desk):
    checks = some_checks(50)
    desk.replace(*checks)
    desk.go(300)
    desk.clock.step(-3_600)
    desk.go(4_500)
    assert max(max(desk.gaps(check.name)) for check in checks) <= 60.5
    assert desk.reasons() == {SlotReason.CLOCK_STEP: len(desk.closed)}
    assert len(desk.closed) <= 2 * len(checks)
    desk.assert_each_slot_ended_once()


@pytest.mark.parametrize("seconds", [-7_207.3, -3_600, -1_815, -45, -2, 2, 45, 1_815, 3_600, 86_411.7])
def test_no_check_waits_more_than_one_interval_or_is_made_good_for_twice_however_the_clock_is_set(desk, seconds):
    checks = some_checks(30)
    desk.replace(*checks)
    desk.go(300)
    desk.clock.step(seconds)
    desk.go(300)
    for check in checks:
        gaps = desk.gaps(check.name)
        # A clock set back by less than an interval leaves the slots of the grid where they are.
        assert max(gaps) <= 60.5 + (-seconds if -60 < seconds < 0 else 0)
        assert len([gap for gap in gaps if gap < 59]) <= 1
    desk.assert_each_slot_ended_once()


def test_a_clock_set_twice_keeps_every_slot_apart(desk):
    desk.replace(*some_checks(20))
    desk.go(120)
    for seconds in (-3_600, -1_800, 900, -7_200, 10_000):
        desk.clock.step(seconds)
        desk.go(90)
    desk.go(3_600, pace=1.0)
    desk.assert_each_slot_ended_once()
    assert max(max(desk.gaps(f"check-{n}@shop/desktop")) for n in range(20)) <= 61


def test_a_clock_set_forward_invents_no_slots(desk):
    desk.replace(*some_checks(10))
    desk.go(300)
    planned = len(desk.planned)
    desk.clock.step(3_600)
    desk.go(60)
    assert len(desk.planned) - planned <= 3 * 10
    assert {slot.state for slot in desk.closed} == {SlotState.MISSED}
    assert desk.reasons() == {SlotReason.CLOCK_STEP: len(desk.closed)}


def test_a_daily_check_that_the_clock_jumped_over_runs_once(desk):
    desk.replace(a_check(schedule=Schedule(cron="10 10 * * *")))
    desk.go(300)
    desk.clock.step(3_600)
    desk.go(1_200)
    assert len(desk.started) == 1
    assert desk.reasons() == {SlotReason.CLOCK_STEP: 1}
    desk.assert_each_slot_ended_once()


def test_a_daily_check_is_left_alone_by_a_clock_set_back_a_little(desk):
    desk.replace(a_check(schedule=Schedule(cron="10 10 * * *")))
    desk.go(590)
    desk.clock.step(-30)
    desk.go(120)
    assert len(desk.started) == 1
    assert not desk.closed


def test_after_a_standstill_of_five_minutes_slots_are_missed_and_each_check_runs_once_at_most(desk):
    checks = some_checks(100)
    desk.replace(*checks)
    desk.go(120)
    before = len(desk.started)
    desk.clock.pass_time(300)
    desk.turn()
    at_once = Counter(due.check.name for _, due in desk.started[before:])
    assert set(at_once.values()) <= {1}
    assert desk.reasons() == {SlotReason.LATE: len(desk.closed)}
    assert len(desk.closed) + len(desk.started) - before == 5 * len(checks)
    desk.go(60)
    desk.assert_each_slot_ended_once()


def test_of_a_long_standstill_only_the_last_hour_is_written_down_and_that_is_counted(desk):
    desk.replace(*some_checks(1))
    desk.clock.pass_time(86_400)
    desk.turn()
    assert 59 <= len(desk.planned) <= 62
    assert desk.agenda.unrecorded == 1


def test_a_reload_keeps_phase_and_slots_of_checks_whose_schedule_stays(desk):
    first, second, third = some_checks(3)
    desk.replace(first, second)
    desk.go(30)
    planned = dict(desk.planned)
    desk.replace(first, third)
    desk.go(30)
    assert all(desk.planned[key] == 1 for key in planned)
    assert desk.reasons() == {SlotReason.REMOVED: 1}
    desk.go(600)
    assert set(desk.gaps(first.name)) == {60.0}
    desk.assert_each_slot_ended_once()


def test_a_run_in_flight_still_overlaps_after_its_check_was_reloaded(clock):
    desk = Desk(clock, run_seconds=90)
    (check,) = some_checks(1)
    desk.replace(check)
    desk.go(60)
    desk.replace(a_check(name=check.name, schedule=check.schedule, attempts=1))
    desk.go(60)
    assert SlotReason.OVERLAP in desk.reasons()


def test_a_thousand_reloads_leave_nothing_behind(desk):
    checks = some_checks(20)
    desk.replace(*checks)
    desk.go(60)
    sizes = (len(desk.agenda._queue), len(desk.agenda._unplanned))
    for turn in range(1_000):
        changing = a_check(schedule=Schedule(interval=dt.timedelta(seconds=30 + turn % 7)))
        desk.replace(*checks[: 10 + turn % 10], changing)
        desk.turn()
    desk.replace(*checks)
    desk.turn()
    assert (len(desk.agenda._queue), len(desk.agenda._unplanned)) <= (sizes[0] + 20, sizes[1] + 20)
    desk.assert_each_slot_ended_once()


def test_a_schedule_that_cannot_be_understood_changes_nothing(desk):
    desk.replace(*some_checks(2))
    with pytest.raises(ScheduleError):
        desk.replace(a_check(schedule=Schedule(cron="nonsense")))
    desk.go(60)
    assert len(desk.started) == 2


def test_slots_that_were_written_while_the_clock_was_set_are_closed(desk):
    desk.replace(*some_checks(5))
    desk.go(120)
    desk.clock.pass_time(55)
    late = desk.agenda.extend(desk.timeline.now())
    desk.planned.update((one.slot.check, one.slot.scheduled_at) for one in late)
    desk.clock.step(-3_600)
    desk.turn()
    desk.closed += desk.agenda.admit(late)
    desk.go(120)
    assert all(SlotReason.CLOCK_STEP is slot.reason for slot in desk.closed if slot.reason is not SlotReason.LATE)
    desk.assert_each_slot_ended_once()
