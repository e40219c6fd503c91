"""Notifications of a monitor: over a restart, under maintenance, and counted."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.receivers import NotificationSettings
from monitor.config.settings import Settings, StorageSettings
from monitor.domain.check import MaintenanceWindow
from monitor.domain.journey import JourneyOutline, ProbeKind
from monitor.history import History, WriterLimits
from monitor.publishing.metrics import Metrics
from monitor.service.notifying import Notifying
from tests.builders import A_MOMENT, a_check
from tests.history.runs import CHECK, a_failed_run, a_passed_run, at
from tests.publishing.notifying.receivers import Hook

JOURNEYS = (JourneyOutline(name="browse", title="Browse the shop", probe=ProbeKind.HTTP, steps=()),)


class StillClock:
    def now(self) -> dt.datetime:
        return A_MOMENT + dt.timedelta(minutes=30)

    def elapsed(self) -> float:
        return 0.0


class Shift:
    """One life of a monitor's notifications: from a start to its end."""

    def __init__(self, settings: Settings, history: History) -> None:
        self.settings = settings
        self.metrics = Metrics(clock=StillClock(), location="here", version="0")
        self.notifying = Notifying(settings, history, clock=StillClock(), metrics=self.metrics, incidents=lambda: ())

    async def begin(self) -> None:
        await self.notifying.configure(self.settings, self.settings.checks, JOURNEYS)
        await self.notifying.restore()

    async def end(self) -> str:
        await self.notifying.close(20)
        return self.metrics.render("text/plain")[0].decode()


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
def shift(history: History, hook: Hook, tmp_path: Path) -> Callable[..., Shift]:
    def make(**values: object) -> Shift:
        settings = Settings(
            path=tmp_path / "monitor.yaml",
            location="here",
            journeys=tmp_path,
            checks=(a_check(),),
            storage=StorageSettings(directory=tmp_path / "data"),
            notifications=NotificationSettings(receivers=(hook.receiver(),)),
        )
        return Shift(replace(settings, **values), history)

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
        one.notifying.take(a_failed_run(minute))
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
