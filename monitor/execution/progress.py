"""What a worker tells while a run is under way, and the evidence that can be made of it when the worker is gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.domain.evidence import Attempt, Evidence, ProberFault, StepError, StepErrorKind, StepResult, VantageHealth
from monitor.domain.journey import Step, StepOutline
from monitor.domain.outcome import Outcome, StepOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step has begun, or, with a ``result``, has ended.

    Attributes:
        started: Seconds from the start of the run to the start of the step.
    """

    attempt: int
    step: str
    started: float
    result: StepResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """Why a run has no evidence of its own: what befell the worker, in words a person can act on."""

    fault: ProberFault
    text: str


def partial_evidence(
    steps: Sequence[Step | StepOutline],
    progress: Sequence[Progress],
    interruption: Interruption,
    *,
    started_at: dt.datetime,
    duration: float,
    engine: str = "",
    worker: str = "",
) -> Evidence:
    """Build the evidence of a run whose worker did not live to give any: inconclusive, with every step that was done.

    ``progress`` is all that the worker told, oldest first; ``duration`` ends when the worker was found dead or killed.
    """
    numbers = sorted({told.attempt for told in progress}) or [1]
    earlier = [_ended(number, steps, progress) for number in numbers[:-1]]
    last = _interrupted(numbers[-1], steps, progress, interruption, duration)
    return Evidence(
        started_at=started_at,
        duration=duration,
        attempts=(*earlier, last),
        vantage=VantageHealth(),
        engine=engine,
        worker=worker,
    )


def effects_begun(steps: Sequence[Step | StepOutline], progress: Sequence[Progress]) -> bool:
    """Say whether a step that changes something in the world has begun, so that nobody may repeat the run unasked."""
    effects = {step.name for step in steps if step.effects}
    return any(told.step in effects for told in progress)


def not_reached(step: Step | StepOutline) -> StepResult:
    """Return the result of a step that an earlier failure kept from starting."""
    return StepResult(
        name=step.name,
        title=step.title,
        outcome=StepOutcome.NOT_REACHED,
        capability=step.capability,
        budget=seconds(step.budget),
        effects=step.effects,
    )


def seconds(duration: dt.timedelta | None) -> float | None:
    """Return a duration in seconds."""
    return None if duration is None else duration.total_seconds()


def _ended(number: int, steps: Sequence[Step | StepOutline], progress: Sequence[Progress]) -> Attempt:
    results = _results(number, progress)
    walked = tuple(results.get(step.name) or not_reached(step) for step in steps)
    outcomes = {result.outcome for result in walked}
    failed = StepOutcome.FAILED in outcomes
    return _attempt(number, Outcome.FAILED if failed else Outcome.INCONCLUSIVE, walked)


def _interrupted(
    number: int,
    steps: Sequence[Step | StepOutline],
    progress: Sequence[Progress],
    interruption: Interruption,
    duration: float,
) -> Attempt:
    results = _results(number, progress)
    running = {told.step: told.started for told in progress if told.attempt == number and told.step not in results}
    walked = tuple(
        results.get(step.name)
        or (_cut_short(step, running[step.name], interruption, duration) if step.name in running else not_reached(step))
        for step in steps
    )
    started = min((result.started for result in walked if result.outcome is not StepOutcome.NOT_REACHED), default=0.0)
    return Attempt(
        number=number,
        outcome=Outcome.INCONCLUSIVE,
        started=started,
        duration=max(0.0, duration - started),
        steps=walked,
        prober_fault=interruption.fault,
        prober_fault_text=interruption.text,
    )


def _cut_short(step: Step | StepOutline, started: float, interruption: Interruption, duration: float) -> StepResult:
    return StepResult(
        name=step.name,
        title=step.title,
        outcome=StepOutcome.INCONCLUSIVE,
        started=started,
        duration=max(0.0, duration - started),
        capability=step.capability,
        budget=seconds(step.budget),
        effects=step.effects,
        error=StepError(kind=StepErrorKind.PROBER, message=interruption.text),
    )


def _results(number: int, progress: Sequence[Progress]) -> dict[str, StepResult]:
    return {told.step: told.result for told in progress if told.attempt == number and told.result is not None}


def _attempt(number: int, outcome: Outcome, walked: tuple[StepResult, ...]) -> Attempt:
    reached = [result for result in walked if result.outcome is not StepOutcome.NOT_REACHED]
    started = min((result.started for result in reached), default=0.0)
    ended = max((result.started + result.duration for result in reached), default=started)
    return Attempt(number=number, outcome=outcome, started=started, duration=ended - started, steps=walked)
