from __future__ import annotations

import asyncio
import datetime as dt
import logging

import pytest

from monitor.domain.check import Schedule
from monitor.domain.clock import SystemClock
from monitor.domain.outcome import SlotReason, SlotState
from monitor.scheduling.agenda import Agenda, Due
from monitor.scheduling.scheduler import Scheduler
from monitor.scheduling.timetable import ScheduleError
from tests.builders import a_check


def some_checks(count: int, *, seconds: float):
    schedule = Schedule(interval=dt.timedelta(seconds=seconds))
    return [a_check(name=f"check-{n}@shop/desktop", schedule=schedule) for n in range(count)]


class Runs:
    """Notes which slots were started, and holds their runs open while ``hold`` is set."""

    def __init__(self) -> None:
        self.started: list[Due] = []
        self.arrived = asyncio.Condition()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, due: Due) -> None:
        self.started.append(due)
        async with self.arrived:
            self.arrived.notify_all()
        await self.go_on.wait()

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(20), self.arrived:
            await self.arrived.wait_for(lambda: len(self.started) >= count)


@pytest.fixture
async def runs() -> Runs:
    return Runs()


async def settle(scheduler: Scheduler) -> None:
    """Let the ledger write all that it has to."""
    for _ in range(20):
        await asyncio.sleep(0)
    assert scheduler.status().recorded == 0


async def test_each_slot_is_in_the_book_before_it_starts_and_starts_once(book, runs):
    scheduler = Scheduler(start=runs, book=book, clock=SystemClock())
    scheduler.replace(some_checks(20, seconds=1))
    scheduler.run()
    await runs.reach(60)
    await scheduler.close(1)
    keys = [(due.slot.check, due.slot.scheduled_at) for due in runs.started]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= set(book.slots)
    status = scheduler.status()
    assert status.started == len(keys) == sum(status.lateness.counts)
    assert status.healthy


async def test_a_clock_set_back_an_hour_neither_silences_nor_doubles_anything(book, runs, clock, caplog):
    scheduler = Scheduler(start=runs, book=book, clock=clock)
    scheduler.replace(some_checks(10, seconds=10))
    scheduler.run()
    await settle(scheduler)
    await pass_minutes(scheduler, clock, 1)
    before = len(runs.started)
    clock.step(-3_600)
    with caplog.at_level(logging.WARNING, "monitor.scheduling"):
        await pass_minutes(scheduler, clock, 1)
    assert len(runs.started) - before == 60
    assert scheduler.status().clock_step == -3_600
    assert [record.message for record in caplog.records] == ["clock stepped"]
    await scheduler.close(0)


async def test_a_clock_set_forward_an_hour_is_made_good_for_once_at_most(book, runs, clock):
    scheduler = Scheduler(start=runs, book=book, clock=clock)
    scheduler.replace(some_checks(10, seconds=60))
    scheduler.run()
    await settle(scheduler)
    await pass_minutes(scheduler, clock, 2)
    before = len(runs.started)
    clock.step(3_600)
    await pass_minutes(scheduler, clock, 1)
    assert len(runs.started) - before == 10
    missed = [slot for slot in book.slots.values() if slot.reason is SlotReason.CLOCK_STEP]
    assert {slot.state for slot in missed} <= {SlotState.MISSED}
    assert len(missed) <= 20
    await scheduler.close(0)


async def test_after_a_standstill_each_check_runs_once_at_most_and_the_rest_is_missed(book, runs, clock):
    scheduler = Scheduler(start=runs, book=book, clock=clock)
    scheduler.replace(some_checks(10, seconds=60))
    scheduler.run()
    await settle(scheduler)
    clock.pass_time(300)
    scheduler.wake()
    await settle(scheduler)
    started = [due.check.name for due in runs.started]
    assert len(set(started)) == len(started)
    late = [slot for slot in book.slots.values() if slot.state is SlotState.MISSED]
    assert len(late) + len(started) == 50
    await scheduler.close(0)


async def test_a_run_that_is_not_over_makes_the_next_slot_overlap(book, runs, clock):
    scheduler = Scheduler(start=runs, book=book, clock=clock)
    scheduler.replace(some_checks(1, seconds=60))
    scheduler.run()
    await settle(scheduler)
    runs.go_on.clear()
    await pass_minutes(scheduler, clock, 3)
    assert len(runs.started) == 1
    assert [count for state, _, count in scheduler.status().closed if state is SlotState.SKIPPED] == [2]
    runs.go_on.set()
    await pass_minutes(scheduler, clock, 1)
    assert len(runs.started) == 2
    await scheduler.close(0)


async def test_no_slot_starts_while_the_book_cannot_be_written_and_none_is_lost(book, runs, clock):
    book.error = OSError("disk full")
    scheduler = Scheduler(start=runs, book=book, clock=clock)
    scheduler.replace(some_checks(5, seconds=60))
    scheduler.run()
    for _ in range(20):
        await asyncio.sleep(0)
    clock.pass_time(90)
    scheduler.wake()
    await settle_quickly(scheduler)
    assert not runs.started
    assert not scheduler.status().healthy
    assert scheduler.status().faults >= 1
    book.error = None
    await book.written(10)
    await pass_minutes(scheduler, clock, 1)
    assert len(book.slots) >= 10
    assert runs.started
    await scheduler.close(0)


async def test_a_run_that_raises_is_counted_and_the_check_goes_on(book, clock):
    started: list[Due] = []

    async def fail(due: Due) -> None:
        started.append(due)
        msg = "a fault of ours"
        raise RuntimeError(msg)

    scheduler = Scheduler(start=fail, book=book, clock=clock)
    scheduler.replace(some_checks(1, seconds=60))
    scheduler.run()
    await settle(scheduler)
    await pass_minutes(scheduler, clock, 2)
    assert len(started) == 2
    assert scheduler.status().faults == 2
    assert scheduler.status().failing == 2
    await scheduler.close(0)


async def test_an_agenda_that_raises_shows_and_scheduling_goes_on(book, runs, clock, caplog):
    class Faulty(Agenda):
        def take(self, now, *, limit=50):
            if self.faulty:
                msg = "a fault of ours"
                raise RuntimeError(msg)
            return super().take(now, limit=limit)

        faulty = True

    agenda = Faulty()
    scheduler = Scheduler(start=runs, book=book, clock=clock, agenda=agenda)
    scheduler.replace(some_checks(1, seconds=60))
    scheduler.run()
    await settle(scheduler)
    clock.pass_time(70)
    scheduler.wake()
    await settle(scheduler)
    assert 1 <= scheduler.status().faults <= 5
    assert "a fault of ours" in caplog.text
    agenda.faulty = False
    await pass_minutes(scheduler, clock, 1)
    assert runs.started
    await scheduler.close(0)


async def test_a_scheduler_that_stands_still_is_not_healthy(book, runs, clock):
    scheduler = Scheduler(start=runs, book=book, clock=clock)
    scheduler.run()
    assert scheduler.status().healthy
    clock.pass_time(30)
    assert not scheduler.status().healthy
    await scheduler.close(0)


async def test_runs_that_outlast_the_grace_are_handed_back_and_slots_ahead_stay_planned(book, runs, clock):
    scheduler = Scheduler(start=runs, book=book, clock=clock)
    scheduler.replace(some_checks(3, seconds=60))
    scheduler.run()
    await settle(scheduler)
    runs.go_on.clear()
    await pass_minutes(scheduler, clock, 1)
    cut_short = await scheduler.close(0.1)
    assert {slot.check for slot in cut_short} == {due.check.name for due in runs.started}
    ahead = [slot for slot in book.slots.values() if slot.scheduled_at > clock.now()]
    assert {slot.state for slot in ahead} == {SlotState.PLANNED}


async def test_runs_that_end_within_the_grace_are_waited_for(book, runs, clock):
    scheduler = Scheduler(start=runs, book=book, clock=clock)
    scheduler.replace(some_checks(3, seconds=60))
    scheduler.run()
    await settle(scheduler)
    runs.go_on.clear()
    await pass_minutes(scheduler, clock, 1)
    asyncio.get_running_loop().call_later(0.05, runs.go_on.set)
    assert await scheduler.close(10) == ()


async def test_a_thousand_reloads_leave_tasks_as_they_were(book, runs, clock):
    scheduler = Scheduler(start=runs, book=book, clock=clock)
    scheduler.replace(some_checks(50, seconds=60))
    scheduler.run()
    await settle(scheduler)
    tasks = len(asyncio.all_tasks())
    slots = len(book.slots)
    for _ in range(1_000):
        scheduler.replace(some_checks(50, seconds=60))
    await settle(scheduler)
    assert len(asyncio.all_tasks()) == tasks
    assert len(book.slots) == slots
    await pass_minutes(scheduler, clock, 1)
    assert len(runs.started) == 50
    await scheduler.close(0)


async def test_a_set_of_checks_that_cannot_be_scheduled_leaves_the_old_one(book, runs, clock):
    scheduler = Scheduler(start=runs, book=book, clock=clock)
    scheduler.replace(some_checks(2, seconds=60))
    with pytest.raises(ScheduleError):
        scheduler.replace([a_check(schedule=Schedule(cron="0 0 * * 8"))])
    assert scheduler.status().checks == 2


async def pass_minutes(scheduler: Scheduler, clock, minutes: int) -> None:
    for _ in range(minutes * 60):
        clock.pass_time(1)
        scheduler.wake()
        await settle_quickly(scheduler)


async def settle_quickly(scheduler: Scheduler) -> None:
    for _ in range(6):
        await asyncio.sleep(0)
