"""One attempt: a fresh session, the steps in their order, and what was seen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from monitor.domain.assignment import Assignment
from monitor.domain.evidence import Attempt, ProberFault, StepResult, Truncation
from monitor.domain.journey import Journey, ProbeKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.secret import Redactor
from monitor.execution.allowance import Allowance
from monitor.execution.containment import Overdue, Raised, Returned, limit, settle
from monitor.execution.progress import Progress, not_reached
from monitor.execution.walk import Fault, Walk
from monitor.probes.session import Observations, Probe, ProberError, Session

T = TypeVar("T")

_PING_SECONDS = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Undertaking:
    """All that the attempts of one run share.

    Attributes:
        values: What steps may ask for by name beside what earlier steps returned.
    """

    assignment: Assignment
    journey: Journey
    probe: Probe
    allowance: Allowance
    redactor: Redactor
    values: Mapping[str, object]
    report: Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One attempt with what its session saw.

    Attributes:
        effects_begun: Whether a step that changes something in the world was begun.
        alive: The last answer to the liveness ping.
    """

    attempt: Attempt
    seen: Observations = field(default_factory=Observations)
    effects_begun: bool = False
    alive: bool | None = None


async def make_attempt(run: Undertaking, number: int) -> Made:
    """Make one attempt, whatever happens, within what is left of the run's time.

    That a fresh session opens is the liveness test before the first step; each failure is followed by a ping.
    """
    started = run.allowance.now()
    session = await _open(run, number)
    if isinstance(session, Fault):
        return Made(attempt=_unopened(run, number, started, session))
    walk = Walk(
        run.journey,
        session,
        number,
        allowance=run.allowance,
        redactor=run.redactor,
        report=run.report,
        until=run.assignment.until,
    )
    try:
        await walk.go(run.values)
    except asyncio.CancelledError:
        await _finish(run, session, failed=True)
        raise
    alive = True if walk.good else await ping(run.probe, run.allowance)
    if not alive:
        walk.doubt(dead(run.probe.kind, f"when step '{walk.results[-1].name}' failed"))
    if not walk.good and alive:
        await _complete(run, session, walk)
        await _keep_failure(run, session, walk)
    seen = await _finish(run, session, failed=not walk.good)
    return Made(attempt=_walked(run, number, walk), seen=seen, effects_begun=walk.effects_begun, alive=alive)


async def ping(probe: Probe, allowance: Allowance) -> bool:
    """Ask the probe whether it could look at all just now; no answer is a no."""
    answer = await limit(probe.alive, seconds=min(_PING_SECONDS, allowance.for_closing(0.6, least=1.5)))
    return isinstance(answer, Returned) and answer.value


def dead(kind: ProbeKind, when: str) -> Fault:
    """Return the fault of a probe that did not answer its liveness ping."""
    match kind:
        case ProbeKind.BROWSER:
            return Fault(kind=ProberFault.BROWSER_FROZEN, text=f"the browser did not answer the liveness ping {when}")
        case ProbeKind.HTTP:
            return Fault(kind=ProberFault.INTERNAL, text=f"the HTTP probe did not answer the liveness ping {when}")


async def _open(run: Undertaking, number: int) -> Session | Fault:
    allowance = run.allowance
    opened = await _bounded(
        run,
        lambda: run.probe.open(run.assignment, number, started=allowance.started),
        seconds=allowance.left_for_steps,
    )
    match opened:
        case Returned(value=session):
            return session
        case Raised(error=ProberError() as error):
            return Fault(kind=error.fault, text=run.redactor.mask(str(error)))
        case Raised(error=error):
            text = run.redactor.mask(f"the session could not be opened: {type(error).__name__}: {error}")
            return Fault(kind=ProberFault.INTERNAL, text=text)
        case Overdue():
            if await ping(run.probe, allowance):
                return Fault(kind=ProberFault.STARVED, text="the session was not open when the time for steps was over")
            return dead(run.probe.kind, "and no session could be opened")


async def _complete(run: Undertaking, session: Session, walk: Walk) -> None:
    error = walk.results[-1].error
    if error is not None and walk.fault is None:
        completed = await limit(lambda: session.complete(error), seconds=run.allowance.for_closing(0.4))
        if isinstance(completed, Returned):
            walk.complete(completed.value)


async def _keep_failure(run: Undertaking, session: Session, walk: Walk) -> None:
    step = walk.failed_step
    if step is not None:
        await limit(
            lambda: session.keep_failure(step.name, sensitive=step.sensitive),
            seconds=run.allowance.for_closing(0.5),
        )


async def _finish(run: Undertaking, session: Session, *, failed: bool) -> Observations:
    ended = await _bounded(
        run,
        lambda: session.finish(failed=failed),
        seconds=lambda: run.allowance.for_closing(0.8, least=0.5),
    )
    if isinstance(ended, Returned):
        return ended.value
    # Nothing is known of what was seen, which must not look as if nothing had happened.
    return Observations(truncated=(Truncation(what="observations", kept=0, seen=1),))


async def _bounded(
    run: Undertaking, start: Callable[[], Awaitable[T]], *, seconds: Callable[[], float]
) -> Returned[T] | Raised | Overdue:
    match run.probe.kind:
        case ProbeKind.HTTP:
            # A client is opened and closed without waiting for anything.
            return await settle(start)
        case ProbeKind.BROWSER:
            return await limit(start, seconds=seconds())


def _unopened(run: Undertaking, number: int, started: float, fault: Fault) -> Attempt:
    return Attempt(
        number=number,
        outcome=Outcome.INCONCLUSIVE,
        started=started,
        duration=run.allowance.now() - started,
        steps=tuple(not_reached(step) for step in run.journey.steps),
        prober_fault=fault.kind,
        prober_fault_text=fault.text,
    )


def _walked(run: Undertaking, number: int, walk: Walk) -> Attempt:
    budget = run.assignment.check.budget or run.journey.budget
    duration = walk.duration
    over = budget is not None and duration > budget.total_seconds()
    return Attempt(
        number=number,
        outcome=_outcome(walk.results, fault=walk.fault, over_budget=over),
        started=walk.started,
        duration=duration,
        steps=(*walk.results, *map(not_reached, run.journey.steps[len(walk.results) :])),
        prober_fault=walk.fault.kind if walk.fault else None,
        prober_fault_text=walk.fault.text if walk.fault else "",
    )


def _outcome(results: list[StepResult], *, fault: Fault | None, over_budget: bool) -> Outcome:
    outcomes = [result.outcome for result in results]
    if fault is not None or StepOutcome.INCONCLUSIVE in outcomes:
        return Outcome.INCONCLUSIVE
    if StepOutcome.FAILED in outcomes:
        return Outcome.FAILED
    if over_budget or StepOutcome.DEGRADED in outcomes:
        return Outcome.DEGRADED
    return Outcome.PASSED
