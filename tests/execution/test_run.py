from __future__ import annotations

import asyncio
import datetime as dt
import sys
from dataclasses import replace

import pytest

from monitor.domain.evidence import ProberFault, StepError, StepErrorKind, VantageHealth
from monitor.domain.journey import ProbeKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.secret import Secret
from monitor.execution.run import execute
from monitor.probes.session import ExpectationFailed, Observations, ProberError
from tests.builders import an_exchange
from tests.execution.driven import DrivenProbe, DrivenSession, a_journey, a_step, a_task
from tests.virtual_time import VirtualClock


async def passes(handle):
    return None


async def fails(handle):
    msg = "expected 'Thank you', saw 'Sorry'"
    raise ExpectationFailed(msg)


async def carry_out(journey, probe=None, task=None, **values):
    return await execute(task or a_task(), journey, probe or DrivenProbe(), clock=VirtualClock(), **values)


def now():
    return asyncio.get_running_loop().time()


def outcomes(attempt):
    return [step.outcome for step in attempt.steps]


async def test_steps_are_performed_in_order_in_one_fresh_session():
    probe = DrivenProbe()
    steps = (a_step(passes, name="one"), a_step(passes, name="two"))
    evidence = await carry_out(a_journey(*steps), probe)
    assert probe.told == ["open 1", "begin one", "begin two", "finish passed"]
    assert evidence.last.outcome is Outcome.PASSED
    assert outcomes(evidence.last) == [StepOutcome.PASSED, StepOutcome.PASSED]
    assert evidence.engine == "driven 1.0"


async def test_a_step_is_given_what_it_asks_for_by_name():
    async def place_order(handle):
        return 42

    async def pay(handle, *, place_order, email, password):
        return (place_order, email, password.reveal())

    seen = []

    async def confirm(handle, *, pay):
        seen.append((handle, pay))

    journey = a_journey(a_step(place_order), a_step(pay), a_step(confirm), parameters=("email", "password"))
    task = a_task(values=(("email", "a@example.org"), ("password", Secret("pw", "hunter22"))))
    evidence = await carry_out(journey, task=task)
    assert evidence.last.outcome is Outcome.PASSED
    assert seen == [("handle", (42, "a@example.org", "hunter22"))]


async def test_a_parameter_that_the_check_does_not_give_is_our_fault():
    evidence = await carry_out(a_journey(a_step(passes), parameters=("email",)))
    assert evidence.last.outcome is Outcome.INCONCLUSIVE
    assert evidence.last.prober_fault is ProberFault.SECRET_MISSING
    assert "email" in evidence.last.prober_fault_text


async def test_steps_after_a_failure_are_not_reached_and_the_failure_is_kept():
    probe = DrivenProbe()
    steps = (a_step(passes), a_step(fails, sensitive=True), a_step(passes, name="after", capability="mail"))
    evidence = await carry_out(a_journey(*steps), probe)
    assert evidence.last.outcome is Outcome.FAILED
    assert outcomes(evidence.last) == [StepOutcome.PASSED, StepOutcome.FAILED, StepOutcome.NOT_REACHED]
    assert evidence.last.steps[1].error.message == "expected 'Thank you', saw 'Sorry'"
    assert evidence.last.steps[2].capability == "mail"
    assert probe.told[-3:] == ["ping", "keep fails (sensitive)", "finish failed"]


async def test_a_second_attempt_is_recorded_beside_the_first():
    tries = []

    async def shaky(handle):
        tries.append(1)
        if len(tries) == 1:
            msg = "no"
            raise ExpectationFailed(msg)

    exchanges = iter([an_exchange(id="1"), an_exchange(id="2")])
    probe = DrivenProbe(session=lambda told: DrivenSession(told, seen=Observations(exchanges=(next(exchanges),))))
    evidence = await carry_out(a_journey(a_step(shaky)), probe, a_task(attempts=2))
    assert [attempt.outcome for attempt in evidence.attempts] == [Outcome.FAILED, Outcome.PASSED]
    assert [attempt.number for attempt in evidence.attempts] == [1, 2]
    assert evidence.attempts[1].started >= evidence.attempts[0].started + evidence.attempts[0].duration
    assert evidence.recovered
    assert [exchange.id for exchange in evidence.exchanges] == ["1", "2"]


async def test_attempts_end_at_their_limit():
    evidence = await carry_out(a_journey(a_step(fails)), task=a_task(attempts=3))
    assert len(evidence.attempts) == 3
    assert evidence.last.outcome is Outcome.FAILED


async def test_an_effect_once_begun_is_never_repeated():
    orders = []

    async def place_order(handle):
        orders.append(1)
        msg = "no confirmation"
        raise ExpectationFailed(msg)

    evidence = await carry_out(a_journey(a_step(passes), a_step(place_order, effects=True)), task=a_task(attempts=3))
    assert len(evidence.attempts) == len(orders) == 1


async def test_a_failure_before_the_step_with_effects_may_be_tried_again():
    evidence = await carry_out(a_journey(a_step(fails), a_step(passes, effects=True)), task=a_task(attempts=2))
    assert len(evidence.attempts) == 2


async def test_there_is_no_second_attempt_when_there_is_no_time_for_a_fair_one():
    async def slow(handle):
        await asyncio.sleep(1.2)
        msg = "no"
        raise ExpectationFailed(msg)

    evidence = await carry_out(a_journey(a_step(slow)), task=a_task(2, attempts=5))
    assert len(evidence.attempts) == 1


@pytest.mark.parametrize(
    "budgets",
    [{"step": 0.01}, {"journey": 0.01}, {"check": 0.01}],
    ids=["the step's", "the journey's", "the check's"],
)
async def test_a_passed_run_over_a_budget_is_degraded(budgets):
    async def slow(handle):
        await asyncio.sleep(0.05)

    def budget(of):
        return dt.timedelta(seconds=budgets[of]) if of in budgets else None

    journey = a_journey(a_step(slow, budget=budget("step")), budget=budget("journey"))
    evidence = await carry_out(journey, task=a_task(budget=budget("check")))
    assert evidence.last.outcome is Outcome.DEGRADED
    assert (evidence.last.steps[0].outcome is StepOutcome.DEGRADED) == ("step" in budgets)


async def test_a_step_that_hangs_is_ended_in_time_for_the_evidence():
    async def hangs(handle):
        await asyncio.sleep(3600)

    probe = DrivenProbe()
    began = now()
    evidence = await carry_out(a_journey(a_step(hangs), a_step(passes)), probe, a_task(1.5, attempts=2))
    assert now() - began <= 1.5
    assert evidence.last.outcome is Outcome.FAILED
    assert evidence.last.steps[0].error.kind is StepErrorKind.DEADLINE
    assert evidence.last.steps[0].error.awaited == "the page"
    assert outcomes(evidence.last)[1] is StepOutcome.NOT_REACHED
    assert probe.told[-3:] == ["ping", "keep hangs", "finish failed"]


async def test_declarative_steps_share_one_deadline_and_the_one_under_way_is_told_of():
    async def hangs(handle):
        await asyncio.sleep(3600)

    told = []
    journey = a_journey(
        a_step(passes), a_step(hangs), a_step(passes, name="never"), probe=ProbeKind.HTTP, declarative=True
    )
    probe = DrivenProbe(kind=ProbeKind.HTTP)
    began = now()
    evidence = await carry_out(journey, probe, a_task(1.5, attempts=2), progress=told.append)
    assert now() - began <= 1.5
    assert outcomes(evidence.last) == [StepOutcome.PASSED, StepOutcome.FAILED, StepOutcome.NOT_REACHED]
    assert evidence.last.steps[1].error.kind is StepErrorKind.DEADLINE
    assert evidence.last.steps[1].duration > 0.5
    assert [(each.step, each.result is not None) for each in told] == [
        ("passes", False), ("passes", True), ("hangs", False), ("hangs", True),
    ]  # fmt: skip
    assert probe.told[-3:] == ["ping", "keep hangs", "finish failed"]


async def test_a_timeout_that_a_declarative_step_raises_is_its_own():
    async def times_out(handle):
        raise TimeoutError

    journey = a_journey(a_step(times_out), probe=ProbeKind.HTTP, declarative=True)
    evidence = await carry_out(journey, DrivenProbe(kind=ProbeKind.HTTP))
    assert evidence.last.steps[0].error.kind is StepErrorKind.TIMEOUT


async def test_a_cancelled_caller_cancels_a_declarative_step_and_releases_the_session():
    begun = asyncio.Event()

    async def hangs(handle):
        begun.set()
        await asyncio.sleep(3600)

    probe = DrivenProbe(kind=ProbeKind.HTTP)
    journey = a_journey(a_step(hangs), probe=ProbeKind.HTTP, declarative=True)
    task = asyncio.create_task(carry_out(journey, probe))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert probe.told[-1] == "finish failed"


async def test_a_step_that_ignores_its_cancellation_is_left_behind_and_is_our_fault():
    release = asyncio.Event()

    async def stubborn(handle):
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    began = now()
    evidence = await carry_out(a_journey(a_step(stubborn)), task=a_task(1.5))
    release.set()
    assert now() - began <= 1.5 + 0.5
    assert evidence.last.outcome is Outcome.INCONCLUSIVE
    assert evidence.last.prober_fault is ProberFault.SCRIPT
    assert "CancelledError" in evidence.last.prober_fault_text
    await asyncio.sleep(0)


async def test_one_run_that_ignores_cancellation_does_not_delay_another():
    release = asyncio.Event()

    async def stubborn(handle):
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    first = asyncio.create_task(carry_out(a_journey(a_step(stubborn)), task=a_task(1.5)))
    durations = [(await carry_out(a_journey(a_step(passes)))).duration for _ in range(20)]
    assert max(durations) < 1
    assert (await first).last.outcome is Outcome.INCONCLUSIVE
    release.set()
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    "error", [SystemExit(0), KeyboardInterrupt(), asyncio.CancelledError(), NameError("oops"), RecursionError()]
)
async def test_what_journey_code_raises_on_its_own_is_our_fault_and_goes_no_further(error):
    async def breaks(handle):
        raise error

    evidence = await carry_out(a_journey(a_step(breaks), a_step(passes)), task=a_task(attempts=2))
    assert len(evidence.attempts) == 1
    assert evidence.last.outcome is Outcome.INCONCLUSIVE
    assert evidence.last.prober_fault is ProberFault.SCRIPT
    assert type(error).__name__ in evidence.last.prober_fault_text
    assert outcomes(evidence.last) == [StepOutcome.INCONCLUSIVE, StepOutcome.NOT_REACHED]


async def test_journey_code_that_exits_the_process_does_not_end_it():
    async def exits(handle):
        sys.exit(1)

    evidence = await carry_out(a_journey(a_step(exits)))
    assert evidence.last.prober_fault is ProberFault.SCRIPT


async def test_a_timeout_of_a_frozen_browser_is_our_fault_and_not_a_slow_site():
    async def times_out(handle):
        msg = "Timeout 5000ms exceeded"
        raise TimeoutError(msg)

    probe = DrivenProbe(alive_answers=[False, False])
    evidence = await carry_out(a_journey(a_step(passes), a_step(times_out)), probe)
    assert evidence.last.outcome is Outcome.INCONCLUSIVE
    assert evidence.last.prober_fault is ProberFault.BROWSER_FROZEN
    assert outcomes(evidence.last) == [StepOutcome.PASSED, StepOutcome.INCONCLUSIVE]
    assert "Timeout 5000ms" in evidence.last.steps[1].error.detail
    assert evidence.vantage.browser_alive is False
    assert len(evidence.attempts) == 2


async def test_a_browser_that_is_dead_before_the_first_step_gets_one_more_try():
    frozen = ProberError(ProberFault.BROWSER_FROZEN, "Chromium did not open a page")
    probe = DrivenProbe(opening_faults=[frozen])
    evidence = await carry_out(a_journey(a_step(passes)), probe)
    assert [attempt.prober_fault for attempt in evidence.attempts] == [ProberFault.BROWSER_FROZEN, None]
    assert evidence.last.outcome is Outcome.PASSED
    assert evidence.recovered


async def test_a_crash_that_the_session_recognises_is_our_fault():
    def explain(error):
        raise ProberError(ProberFault.BROWSER_CRASHED, "the page crashed")

    async def crashes(handle):
        msg = "Target crashed"
        raise RuntimeError(msg)

    probe = DrivenProbe(session=lambda told: DrivenSession(told, explains=explain))
    evidence = await carry_out(a_journey(a_step(crashes)), probe)
    assert [attempt.prober_fault for attempt in evidence.attempts] == [ProberFault.BROWSER_CRASHED] * 2
    assert evidence.last.outcome is Outcome.INCONCLUSIVE


async def test_a_prober_fault_does_not_use_up_the_second_look_at_a_failing_site():
    probe = DrivenProbe(opening_faults=[ProberError(ProberFault.BROWSER_CRASHED, "gone")])
    evidence = await carry_out(a_journey(a_step(fails)), probe, a_task(attempts=2))
    assert [attempt.outcome for attempt in evidence.attempts] == [
        Outcome.INCONCLUSIVE,
        Outcome.FAILED,
        Outcome.FAILED,
    ]


async def test_a_missing_browser_is_not_tried_twice():
    fault = ProberError(ProberFault.BROWSER_MISSING, "/usr/bin/chromium is not there")
    evidence = await carry_out(a_journey(a_step(passes)), DrivenProbe(opening_faults=[fault]), a_task(attempts=3))
    (attempt,) = evidence.attempts
    assert attempt.prober_fault is ProberFault.BROWSER_MISSING
    assert outcomes(attempt) == [StepOutcome.NOT_REACHED]


async def test_a_session_that_never_opens_is_our_fault_and_ends_in_time():
    async def forever():
        await asyncio.sleep(3600)

    began = now()
    probe = DrivenProbe(opens=forever, alive_answers=[False])
    evidence = await carry_out(a_journey(a_step(passes)), probe, a_task(1.2))
    assert now() - began <= 1.2
    assert evidence.last.prober_fault is ProberFault.BROWSER_FROZEN


async def test_a_teardown_that_hangs_keeps_the_outcome_and_says_what_was_lost():
    probe = DrivenProbe(session=lambda told: DrivenSession(told, hangs_at_the_end=True))
    began = now()
    evidence = await carry_out(a_journey(a_step(passes)), probe, a_task(1.2))
    assert now() - began <= 1.2
    assert evidence.last.outcome is Outcome.PASSED
    assert [cut.what for cut in evidence.truncated] == ["observations"]


async def test_an_assertion_whose_time_is_unbounded_is_our_fault():
    async def matches(handle):
        raise ProberError(ProberFault.ASSERTION_TIMEOUT, "matching could take too long")

    evidence = await carry_out(a_journey(a_step(matches)))
    assert evidence.last.prober_fault is ProberFault.ASSERTION_TIMEOUT
    assert evidence.last.steps[0].error.kind is StepErrorKind.PROBER


async def test_a_secret_in_what_was_seen_is_masked():
    async def echoes(handle, *, password):
        msg = f"expected 'hello', saw '{password.reveal()}'"
        raise ExpectationFailed(msg)

    journey = a_journey(a_step(echoes), parameters=("password",))
    evidence = await carry_out(journey, task=a_task(values=(("password", Secret("pw", "hunter22")),)))
    assert evidence.last.outcome is Outcome.FAILED
    assert "hunter22" not in repr(evidence)


async def test_our_own_health_is_part_of_the_evidence():
    class Window:
        def close(self, *, browser_alive=None):
            return VantageHealth(cpu_pressure=3.0, browser_alive=browser_alive)

    class Vantage:
        def window(self):
            return Window()

    evidence = await carry_out(a_journey(a_step(passes)), vantage=Vantage())
    assert evidence.vantage == VantageHealth(cpu_pressure=3.0, browser_alive=True)
    evidence = await carry_out(a_journey(a_step(passes)), DrivenProbe(kind=ProbeKind.HTTP), vantage=Vantage())
    assert evidence.vantage.browser_alive is None


async def test_a_defect_of_a_session_is_our_fault():
    def explain(error):
        msg = "defect"
        raise ValueError(msg)

    probe = DrivenProbe(session=lambda told: DrivenSession(told, explains=explain))
    evidence = await carry_out(a_journey(a_step(fails)), probe)
    assert evidence.last.prober_fault is ProberFault.INTERNAL


async def test_a_listener_that_is_gone_does_not_cost_the_run():
    def gone(told):
        raise BrokenPipeError

    evidence = await carry_out(a_journey(a_step(passes)), progress=gone)
    assert evidence.last.outcome is Outcome.PASSED


async def test_a_cancelled_caller_cancels_the_step_and_releases_the_session():
    entered = asyncio.Event()

    async def hangs(handle):
        entered.set()
        await asyncio.sleep(3600)

    probe = DrivenProbe()
    task = asyncio.create_task(carry_out(a_journey(a_step(hangs)), probe))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert probe.told[-1] == "finish failed"


def a_probe_whose_page_crashes(times):
    crashes = iter([True] * times)

    def explain(error):
        return StepError(kind=StepErrorKind.PAGE_CRASHED, message="Target crashed")

    async def looks(handle):
        if next(crashes, False):
            msg = "Target crashed"
            raise RuntimeError(msg)

    return DrivenProbe(session=lambda told: DrivenSession(told, explains=explain)), a_journey(a_step(looks))


async def test_a_page_that_crashes_once_is_our_fault_and_is_looked_at_again():
    probe, journey = a_probe_whose_page_crashes(1)
    evidence = await carry_out(journey, probe)
    assert [attempt.prober_fault for attempt in evidence.attempts] == [ProberFault.BROWSER_CRASHED, None]
    assert evidence.last.outcome is Outcome.PASSED


async def test_a_page_that_crashes_every_time_at_one_step_is_a_failure_of_the_page():
    probe, journey = a_probe_whose_page_crashes(5)
    evidence = await carry_out(journey, probe)
    assert [attempt.outcome for attempt in evidence.attempts] == [
        Outcome.INCONCLUSIVE,
        Outcome.INCONCLUSIVE,
        Outcome.FAILED,
    ]
    assert evidence.last.prober_fault is None
    assert evidence.last.steps[0].outcome is StepOutcome.FAILED
    assert evidence.last.steps[0].error.kind is StepErrorKind.PAGE_CRASHED


async def test_a_run_may_end_after_a_step_and_has_passed_then():
    probe = DrivenProbe()
    steps = (a_step(passes, name="one"), a_step(passes, name="two"), a_step(fails, name="three", effects=True))
    evidence = await carry_out(a_journey(*steps), probe, replace(a_task(attempts=2), until="two"))
    assert evidence.last.outcome is Outcome.PASSED
    assert outcomes(evidence.last) == [StepOutcome.PASSED, StepOutcome.PASSED, StepOutcome.NOT_REACHED]
    assert probe.told == ["open 1", "begin one", "begin two", "finish passed"]
    assert len(evidence.attempts) == 1


async def test_a_run_that_is_to_end_after_a_step_fails_where_an_earlier_one_does():
    steps = (a_step(fails, name="one"), a_step(passes, name="two"), a_step(passes, name="three"))
    evidence = await carry_out(a_journey(*steps), task=replace(a_task(), until="two"))
    assert evidence.last.outcome is Outcome.FAILED
    assert outcomes(evidence.last) == [StepOutcome.FAILED, StepOutcome.NOT_REACHED, StepOutcome.NOT_REACHED]
