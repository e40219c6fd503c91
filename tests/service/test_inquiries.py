from __future__ import annotations

import asyncio

import pytest

from monitor.domain.clock import SystemClock
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement, Run
from monitor.service.inquiries import Inquiries
from tests.builders import a_check, a_run


def an_ended_run(run_id: str, *, outcome: Outcome = Outcome.FAILED, check: str = "browse@shop/desktop") -> Run:
    judgement = Judgement(outcome=outcome, validity=Validity.VALID)
    return a_run(run_id=run_id, check=a_check(name=check), judgement=judgement)


class SlowLooks:
    """Looks that end when they are told to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = asyncio.Event()

    async def investigate(self, run: Run) -> Run:
        self.begun.append(run.run_id)
        await self.may_end.wait()
        return run

    def known(self, run: Run) -> Run:
        return run


@pytest.fixture
def looks() -> SlowLooks:
    return SlowLooks()


@pytest.fixture
def finished() -> list[str]:
    return []


@pytest.fixture
def inquiries(looks, finished):
    return Inquiries(looks, lambda run: finished.append(run.run_id), clock=SystemClock(), took=lambda _: None)


async def all_done(inquiries: Inquiries) -> None:
    await asyncio.gather(*tuple(inquiries._tasks))


async def test_a_run_that_passed_is_handed_on_at_once(inquiries, finished):
    inquiries.take(an_ended_run("run-1", outcome=Outcome.PASSED))
    assert finished == ["run-1"]


async def test_results_of_one_check_keep_their_order_and_other_checks_do_not_wait(inquiries, looks, finished):
    inquiries.take(an_ended_run("run-1"))
    inquiries.take(an_ended_run("run-2", outcome=Outcome.PASSED))
    inquiries.take(an_ended_run("run-3", outcome=Outcome.PASSED, check="pay@shop/desktop"))
    assert finished == ["run-3"]
    looks.may_end.set()
    await all_done(inquiries)
    assert finished == ["run-3", "run-1", "run-2"]
    assert looks.begun == ["run-1"]
    assert not inquiries._tasks


async def test_at_the_end_runs_are_handed_on_with_what_is_known(inquiries, looks, finished):
    inquiries.take(an_ended_run("run-1"))
    inquiries.take(an_ended_run("run-2"))
    await asyncio.sleep(0)
    await inquiries.close()
    assert finished == ["run-1", "run-2"]
    inquiries.take(an_ended_run("run-3"))
    assert finished == ["run-1", "run-2", "run-3"]


async def test_a_check_that_fails_faster_than_it_can_be_looked_into_is_told_as_it_is(inquiries, looks, finished):
    for number in range(6):
        inquiries.take(an_ended_run(f"run-{number}"))
    looks.may_end.set()
    await all_done(inquiries)
    assert finished == [f"run-{number}" for number in range(6)]
    assert looks.begun == ["run-0", "run-1", "run-2"]
