from __future__ import annotations

import asyncio
import datetime as dt

from monitor.domain.evidence import ProberFault
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.execution.progress import Interruption, effects_begun, partial_evidence
from monitor.execution.run import execute
from monitor.execution.wire import Codec
from monitor.probes.session import ExpectationFailed
from tests.builders import A_MOMENT
from tests.execution.driven import DrivenProbe, a_journey, a_step, a_task
from tests.virtual_time import VirtualClock

KILLED = Interruption(fault=ProberFault.WORKER_KILLED, text="the worker was killed at the deadline of 30 s")


async def passes(handle):
    await asyncio.sleep(0)


async def test_the_steps_before_a_kill_are_kept_with_their_times():
    killed = asyncio.Event()

    async def hangs(handle):
        killed.set()
        await asyncio.sleep(3600)

    names = ("one", "two", "three")
    steps = [a_step(passes, name=name, budget=dt.timedelta(seconds=2)) for name in names]
    steps += [a_step(hangs, name="four", effects=True), a_step(passes, name="five"), a_step(passes, name="six")]
    told = []
    journey = a_journey(*steps)
    run = asyncio.create_task(execute(a_task(), journey, DrivenProbe(), clock=VirtualClock(), progress=told.append))
    await killed.wait()
    run.cancel()
    evidence = partial_evidence(
        journey.steps, told, KILLED, started_at=A_MOMENT, duration=12.5, engine="driven 1.0", worker="w1"
    )
    (attempt,) = evidence.attempts
    assert attempt.outcome is Outcome.INCONCLUSIVE
    assert attempt.prober_fault is ProberFault.WORKER_KILLED
    assert [step.outcome for step in attempt.steps] == [
        *[StepOutcome.PASSED] * 3,
        StepOutcome.INCONCLUSIVE,
        *[StepOutcome.NOT_REACHED] * 2,
    ]
    assert all(step.duration >= 0 and step.budget == 2 for step in attempt.steps[:3])
    cut = attempt.steps[3]
    assert abs(cut.started + cut.duration - 12.5) < 0.001
    assert "killed" in cut.error.message
    assert effects_begun(journey.steps, told)
    assert not effects_begun(journey.steps, told[:6])
    await asyncio.gather(run, return_exceptions=True)


async def test_an_attempt_that_ended_before_the_kill_keeps_its_failure():
    attempts = []
    killed = asyncio.Event()

    async def shaky(handle):
        attempts.append(1)
        if len(attempts) == 1:
            msg = "no"
            raise ExpectationFailed(msg)
        killed.set()
        await asyncio.sleep(3600)

    told = []
    journey = a_journey(a_step(shaky), a_step(passes))
    task = a_task(attempts=2)
    run = asyncio.create_task(execute(task, journey, DrivenProbe(), clock=VirtualClock(), progress=told.append))
    await killed.wait()
    run.cancel()
    evidence = partial_evidence(journey.steps, told, KILLED, started_at=A_MOMENT, duration=30.0)
    assert [attempt.outcome for attempt in evidence.attempts] == [Outcome.FAILED, Outcome.INCONCLUSIVE]
    assert evidence.attempts[0].steps[0].error.message == "no"
    await asyncio.gather(run, return_exceptions=True)


def test_a_worker_that_told_nothing_leaves_a_run_in_which_nothing_was_reached():
    journey = a_journey(a_step(passes))
    evidence = partial_evidence(journey.steps, (), KILLED, started_at=A_MOMENT, duration=1.0)
    assert [step.outcome for step in evidence.last.steps] == [StepOutcome.NOT_REACHED]
    assert evidence.last.outcome is Outcome.INCONCLUSIVE


async def test_progress_and_evidence_survive_the_wire():
    told = []
    journey = a_journey(a_step(passes))
    evidence = await execute(a_task(), journey, DrivenProbe(), clock=VirtualClock(), progress=told.append)
    codec = Codec()
    assert codec.decode(codec.encode(evidence), type(evidence)) == evidence
    assert [codec.decode(codec.encode(one), type(one)) for one in told] == told
