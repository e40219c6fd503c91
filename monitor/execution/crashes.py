"""Pages that crash: once is ours, as often as we look at the same step is the page's own doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.domain.evidence import StepErrorKind, StepResult
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.execution.attempt import Made

#: So many crashes in a row at one step are no accident of ours any more.
PAGE_CRASHES = 3


def crashed_step(made: Made) -> str | None:
    """Return the step at which the page crashed in this attempt, or ``None``."""
    for step in made.attempt.steps:
        if step.error is not None and step.error.kind is StepErrorKind.PAGE_CRASHED:
            return step.name
    return None


def crashes_of_the_page(made: Sequence[Made]) -> list[Made]:
    """Return the attempts, the last of them failed where the page crashed at one step every time."""
    steps = [crashed_step(one) for one in made[-PAGE_CRASHES:]]
    if len(steps) < PAGE_CRASHES or steps[0] is None or len(set(steps)) > 1:
        return list(made)
    last = made[-1].attempt
    failed = replace(
        last,
        outcome=Outcome.FAILED,
        steps=tuple(_failed(step) for step in last.steps),
        prober_fault=None,
        prober_fault_text="",
    )
    return [*made[:-1], replace(made[-1], attempt=failed)]


def _failed(step: StepResult) -> StepResult:
    return replace(step, outcome=StepOutcome.FAILED) if step.outcome is StepOutcome.INCONCLUSIVE else step
