"""How a check fared before a run, from what history keeps."""

from __future__ import annotations

import datetime as dt

import pytest

from monitor.config.settings import StorageSettings
from monitor.domain.clock import SystemClock
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.reference import Lately
from monitor.domain.run import Judgement, Run
from monitor.history import History
from monitor.investigation.lately import fared_before
from tests.builders import A_MOMENT, a_check, a_run, an_attempt, an_evidence

WAYS = {
    "p": (Outcome.PASSED, Validity.VALID, 1),
    "d": (Outcome.DEGRADED, Validity.VALID, 1),
    "f": (Outcome.FAILED, Validity.VALID, 2),
    "r": (Outcome.PASSED, Validity.VALID, 2),
    "i": (Outcome.INCONCLUSIVE, Validity.INVALID, 1),
    "m": (Outcome.INCONCLUSIVE, Validity.MONITOR_SPECIFIC, 1),
}
"""Runs by a letter: passed, degraded, failed twice over, recovered, inconclusive, met by the monitor alone."""


@pytest.fixture
async def history(tmp_path):
    history = await History.open(StorageSettings(directory=tmp_path), clock=SystemClock())
    yield history
    await history.close()


def a_run_that(way: str, number: int, **values) -> Run:
    outcome, validity, attempts = WAYS[way]
    moment = A_MOMENT + dt.timedelta(minutes=number)
    ended = [Outcome.FAILED] * (attempts - 1) + [outcome]
    made = tuple(an_attempt(number=place, outcome=each) for place, each in enumerate(ended, start=1))
    return a_run(
        run_id=f"run-{number}-{values.get('location', '')}{values.get('check', a_check()).name}",
        scheduled_at=moment,
        evidence=an_evidence(started_at=moment, attempts=made),
        judgement=Judgement(outcome=outcome, validity=validity),
        **values,
    )


@pytest.mark.parametrize(
    ("ways", "failed", "returns"),
    [
        ("", 0, 0),
        ("ppppp", 0, 0),
        ("ppfff", 3, 0),
        ("fffpp", 3, 1),
        ("pfpfdfp", 3, 3),
        ("prprp", 0, 2),
        ("pfr", 1, 1),
        ("pfipmf", 2, 1),
    ],
)
async def test_a_failure_after_which_the_check_was_well_again_counts_once(history, ways, failed, returns):
    for number, way in enumerate(ways):
        await history.finished(a_run_that(way, number))
    before = await fared_before(history, a_run_that("f", len(ways)))
    counted = sum(way not in "im" for way in ways)
    assert before == Lately(runs=counted, failed=failed, returns=returns)


async def test_only_the_check_itself_at_its_place_in_the_day_before_counts(history):
    other = a_check(name="browse@shop/phone")
    for number in range(60):
        await history.finished(a_run_that("f" if number % 2 else "p", number))
        await history.finished(a_run_that("f", number, check=other))
        await history.finished(a_run_that("f", number, location="elsewhere"))
    assert await fared_before(history, a_run_that("f", 20)) == Lately(runs=20, failed=10, returns=9)
    assert (await fared_before(history, a_run_that("f", 60))).runs == 50
    assert (await fared_before(history, a_run_that("f", 24 * 60 + 50))).runs == 10
    assert (await fared_before(history, a_run_that("f", 48 * 60))).runs == 0
