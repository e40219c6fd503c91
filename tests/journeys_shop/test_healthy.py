from __future__ import annotations

import pytest

from monitor.domain.outcome import Outcome, StepOutcome
from monitor.journeys.catalogue import catalogue
from tests.journeys_shop.conftest import CHECKS

BUDGETED = {StepOutcome.PASSED, StepOutcome.DEGRADED}


# In a process of its own, as it is meant to be: one of tests may be too large for what a file may use.


async def test_every_file_of_the_folder_holds_one_journey():
    found = await catalogue(CHECKS)
    assert found.problems == ()
    assert sorted(journey.name for journey in found.journeys) == ["api", "checkout", "login", "order", "search"]


async def test_only_what_changes_the_world_is_marked_so():
    found = await catalogue(CHECKS)
    changing = {(journey.name, step.name) for journey in found.journeys for step in journey.steps if step.effects}
    assert changing == {("checkout", "pay"), ("order", "place-order")}


@pytest.mark.parametrize("name", ["api", "order"])
async def test_a_program_succeeds_at_the_healthy_shop(walk, name):
    await succeeds(walk, name)


@pytest.mark.browser
@pytest.mark.parametrize("name", ["checkout", "login", "search"])
async def test_a_customer_succeeds_at_the_healthy_shop(walk, name):
    await succeeds(walk, name)


async def succeeds(walk, name):
    evidence = await walk(name)
    (attempt,) = evidence.attempts
    assert [step.error for step in attempt.steps if step.outcome not in BUDGETED] == []
    # On a machine that is busy with other tests a budget may be missed; nothing else may.
    assert attempt.outcome in (Outcome.PASSED, Outcome.DEGRADED)
    assert attempt.prober_fault is None
