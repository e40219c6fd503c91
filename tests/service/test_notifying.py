"""Notifications of a monitor: over a restart, under maintenance, and counted."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from monitor.config.receivers import NotificationSettings
from monitor.config.settings import Settings, StorageSettings
from monitor.domain.check import MaintenanceWindow
from monitor.domain.journey import JourneyOutline, ProbeKind
from monitor.domain.run import Run
from monitor.history import History, Unsent, WriterLimits
from monitor.publishing.metrics import Metrics
from monitor.service.notifying import Notifying
from tests.builders import A_MOMENT, a_check
from tests.history.runs import CHECK, a_failed_run, a_passed_run, at
from tests.publishing.notifying.receivers import Hook

JOURNEYS = (JourneyOutline(name="browse", title="Browse the shop", probe=ProbeKind.HTTP, steps=()),)


class StillClock:
    def __init__(self, minutes: float = 30) -> None:
        self.minutes = minutes

    def now(self) -> dt.datetime:
        return A_MOMENT + dt.timedelta(minutes=self.minutes)

    def elapsed(self) -> float:
        return 0.0


class Shift:
    """One life of a monitor's notifications: from a start to its end."""

    def __init__(self, settings: Settings, history: History, minutes: float = 30) -> None:
        self.settings = settings
        self.history = history
        clock = StillClock(minutes)
        self.metrics = Metrics(clock=clock, location="here", version="0")
        self.notifying = Notifying(settings, history, clock=clock, metrics=self.metrics, incidents=lambda: ())

    async def begin(self) -> None:
        await self.notifying.configure(self.settings, self.settings.checks, JOURNEYS)
        await self.notifying.restore()

    def take(self, *runs: Run) -> None:
        """Take in finished runs and store them with what is told of them."""
        for run in runs:
            unsent = self.notifying.take(run)
            self.history.keep(run, lost=lost, unsent=unsent, settled=partial(self.notifying.tell, unsent))

    async def end(self, grace: float = 20) -> str:
        await self.notifying.close(grace)
        return self.metrics.render("text/plain")[0].decode()


def lost(run: Run, error: Exception) -> None:
    """No result may be lost here."""
    raise AssertionError(run.run_id) from error


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    limits = WriterLimits(window=0.002, gather=0.005)
    history = await History.open(StorageSettings(directory=tmp_path / "data"), clock=StillClock(), limits=limits)
    yield history
    await history.close()


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def settings(hook: Hook, tmp_path: Path) -> Settings:
    return Settings(
        path=tmp_path / "monitor.yaml",
        location="here",
        journeys=tmp_path,
        checks=(a_check(),),
        storage=StorageSettings(directory=tmp_path / "data"),
        notifications=NotificationSettings(receivers=(hook.receiver(),)),
    )


@pytest.fixture
def shift(history: History, settings: Settings) -> Callable[..., Shift]:
    def make(minutes: float = 30, **values: object) -> Shift:
        return Shift(replace(settings, **values), history, minutes)

    return make


async def test_over_a_restart_nothing_is_told_twice_and_the_end_is_told(shift, history: History, hook: Hook):
    first = shift()
    await first.begin()
    for minute in range(4):
        run = a_failed_run(minute)
        await history.finished(run)
        first.notifying.take(run)
    scraped = await first.end()
    assert 'faultline_notifications_total{receiver="oncall"} 1' in scraped
    assert 'faultline_notification_failures_total{receiver="oncall"} 0' in scraped
    second = shift()
    await second.begin()
    second.notifying.take(a_failed_run(4))
    for minute in range(5, 9):
        second.notifying.take(a_passed_run(minute))
    await second.end()
    failing, resolved = hook.bodies
    assert (failing["status"], failing["group"], failing["run_id"]) == ("failing", f"check:{CHECK}", "run-browse-2")
    assert (resolved["status"], resolved["since"]) == ("resolved", "2026-03-02T10:00:00.000Z")
    assert resolved["cause"] == "third_party"


async def test_a_receiver_that_gives_up_is_counted(shift, hook: Hook):
    hook.answers = [404]
    one = shift()
    await one.begin()
    for minute in range(3):
        one.notifying.take(a_failed_run(minute))
    assert 'faultline_notification_failures_total{receiver="oncall"} 1' in await one.end()


async def test_the_run_that_a_message_leads_to_is_stored_when_the_message_goes_out(
    settings, tmp_path, hook: Hook, monkeypatch
):
    monkeypatch.setattr("monitor.service.notifying._PATIENCE", 60.0)
    limits = WriterLimits(gather=0.3)
    history = await History.open(settings.storage, clock=StillClock(), limits=limits)
    one = Shift(settings, history)
    await one.begin()
    stored_then: list[bool] = []
    tell = one.notifying.tell

    def telling(unsent: Iterable[Unsent]) -> None:
        stored_then.append(in_database(tmp_path / "data", "run-browse-2"))
        tell(unsent)

    one.notifying.tell = telling  # type: ignore[method-assign]
    one.take(*(a_failed_run(minute) for minute in range(3)))
    await asyncio.to_thread(hook.arrived.acquire)
    await one.end()
    await history.close()
    assert stored_then == [True]
    assert [body["run_id"] for body in hook.bodies] == ["run-browse-2"]


def in_database(directory: Path, run_id: str) -> bool:
    with contextlib.closing(sqlite3.connect(directory / "history.db")) as connection:
        return bool(connection.execute("SELECT count(*) FROM slots WHERE run_id = ?", (run_id,)).fetchone()[0])


async def test_a_message_goes_out_even_if_nothing_is_heard_of_its_run(shift, hook: Hook, monkeypatch):
    monkeypatch.setattr("monitor.service.notifying._PATIENCE", 0.05)
    one = shift()
    await one.begin()
    for minute in range(3):
        one.notifying.take(a_failed_run(minute))
    await asyncio.to_thread(hook.arrived.acquire)
    await one.end()
    assert [body["run_id"] for body in hook.bodies] == ["run-browse-2"]


async def test_runs_within_a_window_of_maintenance_are_not_told(shift, hook: Hook):
    window = MaintenanceWindow(name="night", start=at(0), end=at(10))
    one = shift(maintenance=(window,))
    await one.begin()
    for minute in range(9):
        one.notifying.take(a_failed_run(minute))
    await one.end()
    assert hook.requests == []


async def test_a_hanging_receiver_keeps_no_run_waiting(shift, hook: Hook):
    hook.release.clear()
    one = shift()
    await one.begin()
    for minute in range(1000):
        one.take(a_failed_run(minute))
    await asyncio.to_thread(hook.arrived.acquire)
    hook.release.set()
    await one.end()
    assert len(hook.requests) == 1


async def test_what_breaks_inside_harms_no_run(shift, hook: Hook, monkeypatch, caplog):
    one = shift()
    await one.begin()
    monkeypatch.setattr(one.notifying._announcer, "take", None)
    one.notifying.take(a_failed_run(0))
    assert "nobody was told" in caplog.text
    await one.end()


async def test_what_was_not_told_when_the_process_was_killed_is_told_by_the_next_one(settings, tmp_path, hook: Hook):
    hook.release.clear()
    command = [sys.executable, "-m", "tests.service.telling_process", str(tmp_path / "data"), hook.url]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"stored\n"
    await asyncio.to_thread(hook.arrived.acquire)
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    hook.release.set()
    history = await History.open(settings.storage, clock=StillClock())
    second = Shift(settings, history)
    await second.begin()
    second.take(a_failed_run(3))
    scraped = await second.end()
    await history.close()
    assert 'faultline_notifications_total{receiver="oncall"} 1' in scraped
    cut_short, told = hook.bodies
    assert told == cut_short
    assert (told["status"], told["run_id"]) == ("failing", "run-browse-2")
    assert {headers["idempotency-key"] for _, headers, _ in hook.requests} == {told["id"]}


async def test_what_waits_at_the_end_is_sent_after_the_next_start_and_then_forgotten(shift, history, hook: Hook):
    first = shift()
    await first.begin()
    hook.answers = [503]
    first.take(*(a_failed_run(minute) for minute in range(3)))
    await asyncio.to_thread(hook.arrived.acquire)
    assert 'faultline_notifications_total{receiver="oncall"} 0' in await first.end(grace=0)
    await stored(history)
    second = shift()
    await second.begin()
    assert 'faultline_notifications_total{receiver="oncall"} 1' in await second.end()
    assert len({body["id"] for body in hook.bodies}) == 1
    await stored(history)
    assert await history.unsent() == ()
    third = shift()
    await third.begin()
    await third.end()
    assert len(hook.requests) == 2


async def test_of_what_was_over_before_it_could_be_told_only_the_end_is_told(shift, history, hook: Hook):
    hook.answers = [503]
    first = shift()
    await first.begin()
    first.take(*(a_failed_run(minute) for minute in range(3)), *(a_passed_run(minute) for minute in range(3, 6)))
    await asyncio.to_thread(hook.arrived.acquire)
    await first.end(grace=0)
    await stored(history)
    second = shift()
    await second.begin()
    await second.end()
    assert [body["status"] for body in hook.bodies] == ["failing", "resolved"]
    await stored(history)
    assert await history.unsent() == ()


async def test_a_start_that_waited_for_hours_is_told_anew_if_the_check_still_fails(shift, history, hook: Hook):
    hook.answers = [503]
    first = shift()
    await first.begin()
    first.take(*(a_failed_run(minute) for minute in range(3)))
    await asyncio.to_thread(hook.arrived.acquire)
    await first.end(grace=0)
    await stored(history)
    second = shift(minutes=180)
    await second.begin()
    assert len(hook.requests) == 1
    second.take(a_failed_run(180), a_failed_run(181))
    scraped = await second.end()
    assert 'faultline_notification_failures_total{receiver="oncall"} 1' in scraped
    stale, anew = hook.bodies
    assert (anew["status"], anew["run_id"], anew["since"]) == ("failing", "run-browse-180", "2026-03-02T10:00:00.000Z")
    assert anew["id"] != stale["id"]


async def test_what_waits_for_a_receiver_that_is_no_more_is_forgotten(shift, history, hook: Hook):
    hook.answers = [503]
    first = shift()
    await first.begin()
    first.take(*(a_failed_run(minute) for minute in range(3)))
    await asyncio.to_thread(hook.arrived.acquire)
    await first.end(grace=0)
    await stored(history)
    second = shift(notifications=NotificationSettings(receivers=(hook.receiver("other"),)))
    await second.begin()
    scraped = await second.end()
    assert "oncall" not in scraped
    assert len(hook.requests) == 1
    await stored(history)
    assert await history.unsent() == ()


async def stored(history: History) -> None:
    """Wait until everything that was handed in is in the database."""
    await history.reap(at(-60))
