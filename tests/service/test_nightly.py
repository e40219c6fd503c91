"""Drills are made when their time comes, one at a time, and what is new in them is said aloud."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.settings import DrillPlan, Settings, StorageSettings
from monitor.domain.check import Schedule
from monitor.investigation.drill import Dependency, DrillError, DrillReport, Finding, Supplier
from monitor.investigation.drill_reports import DrillReports
from monitor.service.nightly import Nightly
from tests.builders import A_MOMENT, a_check

NAME = "browse@shop/desktop"


class HandClock:
    def __init__(self) -> None:
        self.moment = A_MOMENT

    def now(self) -> dt.datetime:
        return self.moment

    def elapsed(self) -> float:
        return self.moment.timestamp()


def a_report(dependency: Dependency) -> DrillReport:
    supplier = Supplier(name="Example Pay", hosts=("pay.example",), steps=("pay",), requests=1)
    finding = Finding(supplier=supplier, dependency=dependency, why="without it the journey stops at 'pay'", trials=())
    return DrillReport(
        check=NAME, at=A_MOMENT, steps=("pay",), until="", delay=10.0, clean_seconds=1.0, findings=(finding,)
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        path=tmp_path / "monitor.yaml",
        location="here",
        journeys=tmp_path,
        checks=(a_check(),),
        drills=(DrillPlan(check=NAME, schedule=Schedule(cron="0 12 * * *")),),
        storage=StorageSettings(directory=tmp_path),
    )


def nightly(settings: Settings, drill, clock: HandClock | None = None) -> Nightly:
    reports = DrillReports(settings.storage.directory)
    return Nightly(lambda: settings, drill=drill, reports=reports, clock=clock or HandClock(), look=0.001)


async def nothing(_check) -> DrillReport:
    raise AssertionError


def test_a_drill_falls_due_once(settings):
    watch = nightly(settings, nothing)
    noon = A_MOMENT.replace(hour=12)
    second = dt.timedelta(seconds=1)
    assert watch.due(A_MOMENT, noon - second) == ()
    assert watch.due(noon - second, noon) == (NAME,)
    assert watch.due(noon, noon + 60 * second) == ()


async def test_a_new_single_point_of_failure_is_a_warning(settings, caplog):
    found = iter((Dependency.SURVIVES, Dependency.HARD))

    async def drill(_check) -> DrillReport:
        return a_report(next(found))

    caplog.set_level(logging.WARNING)
    watch = nightly(settings, drill)
    await watch.make(NAME)
    assert caplog.records == []
    await watch.make(NAME)
    (record,) = caplog.records
    assert (record.check, record.third_party, record.getMessage()) == (
        NAME,
        "Example Pay",
        "a check has a new single point of failure",
    )


@pytest.mark.parametrize("error", [DrillError("the journey does not pass by itself"), OSError("full"), ValueError("x")])
async def test_a_drill_that_cannot_be_made_is_said_and_changes_nothing(settings, caplog, error):
    async def drill(_check) -> DrillReport:
        raise error

    await nightly(settings, drill).make(NAME)
    assert len(caplog.records) == 1
    assert DrillReports(settings.storage.directory).last(NAME) is None


async def test_a_check_that_does_not_run_is_not_drilled(settings, caplog):
    await nightly(replace(settings, checks=()), nothing).make(NAME)
    assert caplog.records[0].reason == "the check does not run"


async def test_the_watch_makes_what_is_due_and_stops_in_the_middle_of_it(settings):
    clock, begun = HandClock(), asyncio.Event()

    async def drill(_check) -> DrillReport:
        begun.set()
        return await asyncio.get_running_loop().create_future()

    watch = nightly(settings, drill, clock)
    watch.start()
    await asyncio.sleep(0)
    clock.moment = A_MOMENT.replace(hour=12)
    async with asyncio.timeout(10):
        await begun.wait()
        await watch.close()
