"""Deployments laid beside runs that did not pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.settings import Settings, StorageSettings
from monitor.domain.clock import SystemClock
from monitor.domain.deployment import Deployment
from monitor.domain.outcome import Outcome
from monitor.domain.run import Run
from monitor.history import History
from monitor.service.deploying import Deployments
from tests.builders import A_MOMENT, a_run
from tests.history.runs import a_failed_run, a_passed_run

MINUTE = dt.timedelta(minutes=1)


class NoLooks:
    async def investigate(self, run: Run) -> Run:
        return run

    def known(self, run: Run) -> Run:
        return run


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    history = await History.open(StorageSettings(directory=tmp_path / "data"), clock=SystemClock())
    yield history
    await history.close()


@pytest.fixture
def stated() -> list[tuple[str, str, dt.datetime]]:
    return []


@pytest.fixture
def deployments(history: History, stated) -> Deployments:
    return Deployments(history, NoLooks(), stated=lambda *each: stated.append(each))


def a_deployment(minutes: float, **values: object) -> Deployment:
    return Deployment(**{"service": "shop-api", "version": "1", "at": A_MOMENT + minutes * MINUTE, **values})


async def versions_beside(deployments: Deployments, run: Run) -> list[str]:
    found = await deployments.investigate(run)
    return [one.version for one in found.evidence.deployments]


async def test_a_bad_run_gets_what_was_deployed_in_the_two_hours_before(deployments: Deployments):
    for minutes, version in ((-130, "old"), (-110, "1"), (-5, "2"), (0, "3"), (1, "later")):
        await deployments.add(a_deployment(minutes, version=version))
    await deployments.add(a_deployment(-1, version="elsewhere", target="other"))
    run = a_failed_run(0)
    assert await versions_beside(deployments, run) == ["3", "2", "1"]
    found = await deployments.investigate(run)
    assert found.evidence.failing_since == A_MOMENT


async def test_within_an_episode_its_first_failure_counts_also_after_a_restart(deployments: Deployments, history):
    await deployments.add(a_deployment(-10))
    await history.finished(a_passed_run(-2))
    await history.finished(a_failed_run(0))
    await deployments.add(a_deployment(3, version="amid"))
    found = await deployments.investigate(a_failed_run(5))
    assert [one.version for one in found.evidence.deployments] == ["1"]
    assert found.evidence.failing_since == A_MOMENT


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.INCONCLUSIVE])
async def test_a_run_that_says_nothing_bad_is_left_as_it_is(deployments: Deployments, outcome: Outcome):
    await deployments.add(a_deployment(-1))
    run = a_run(judgement=replace(a_run().judgement, outcome=outcome))
    assert await deployments.investigate(run) is run


async def test_where_nothing_was_ever_deployed_history_is_not_asked(deployments: Deployments, history, monkeypatch):
    monkeypatch.setattr(history, "bad_since", None)
    run = a_failed_run(0)
    assert await deployments.investigate(run) is run


async def test_a_history_that_cannot_be_read_costs_the_deployments_and_not_the_run(
    deployments: Deployments, history, caplog
):
    await deployments.add(a_deployment(-1))
    history._reading.dispose()
    (history._database.path).rename(history._database.path.with_suffix(".gone"))
    run = a_failed_run(0)
    assert await deployments.investigate(run) is run
    assert "what was deployed is not known" in caplog.text


async def test_after_a_start_the_latest_of_each_service_is_stated_and_the_file_followed(
    deployments: Deployments, history, stated, tmp_path: Path
):
    await history.deployed(a_deployment(-2))
    await history.deployed(a_deployment(-1, version="2"))
    settings = Settings(
        path=tmp_path / "monitor.yaml",
        location="here",
        journeys=tmp_path,
        checks=(),
        storage=StorageSettings(directory=tmp_path / "data"),
        events_file=tmp_path / "absent.jsonl",
    )
    await deployments.start(settings, clock=SystemClock(), targets=frozenset)
    assert stated == [("shop-api", "2", A_MOMENT - MINUTE)]
    await deployments.close()
