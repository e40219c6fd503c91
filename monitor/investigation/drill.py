"""A lab for the user's own site: which third parties a journey cannot live without, which slow it, which it survives.

Each third party of the journey is blocked, delayed and emptied in turn. The journey is made up to the last step before
the first one that changes something in the world. Everything here is planning and judging; others make the runs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.diagnosis.owners import Owner, Owners
from monitor.domain.assignment import Intervention, InterventionKind
from monitor.domain.cause import Party
from monitor.domain.evidence import Evidence, StepResult
from monitor.domain.journey import JourneyOutline, ProbeKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.reading.suggestion import did_you_mean

KINDS = (InterventionKind.BLOCK, InterventionKind.DELAY, InterventionKind.EMPTY)
_LEAST_DELAY = 10.0
_BEYOND_BUDGET = 1.5
_NOTICEABLE = 1.0
_GOOD = frozenset({Outcome.PASSED, Outcome.DEGRADED})
_WORDS = 200


class DrillError(Exception):
    """A drill cannot be made; the message says why and what to do."""


class Dependency(StrEnum):
    """What a journey makes of a third party that is not as it should be.

    ``HARD``: without it the journey fails. ``BRITTLE``: it does without it, but not with a slow or an empty answer.
    ``SLOWS``: it gets through, noticeably later. ``SURVIVES``: it gets through. ``UNTRIED``: it gets through as far as
    the drill went, and a later step, which changes something, is likely to need it. ``UNKNOWN``: the trials do not
    tell.
    """

    HARD = "hard"
    BRITTLE = "brittle"
    SLOWS = "slows"
    SURVIVES = "survives"
    UNTRIED = "untried"
    UNKNOWN = "unknown"

    @property
    def is_single_point_of_failure(self) -> bool:
        """Say whether trouble at this third party alone can stop the journey."""
        return self in {Dependency.HARD, Dependency.BRITTLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """A third party of a journey: the hosts of one owner, and the steps during which they were asked.

    Attributes:
        critical: Whether the user or its trade says that journeys need it.
    """

    name: str
    hosts: tuple[str, ...]
    steps: tuple[str, ...]
    requests: int
    because: str = ""
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One thing to try on one third party."""

    supplier: Supplier
    kind: InterventionKind
    interventions: tuple[Intervention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What a trial came to.

    Attributes:
        outcome: ``inconclusive`` where it was not made, or where two tries did not agree.
        slower_by: Seconds more than the clean run took.
        over_budget: Steps that missed a budget which they kept in the clean run.
    """

    kind: InterventionKind
    outcome: Outcome
    duration: float = 0.0
    slower_by: float = 0.0
    failed_step: str = ""
    error: str = ""
    over_budget: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the trials on one third party amount to."""

    supplier: Supplier
    dependency: Dependency
    why: str
    trials: tuple[TrialResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillReport:
    """What a drill found.

    Attributes:
        steps: The steps that were made.
        until: The step with effects before which the drill stopped; empty where there is none.
        doubt: Why the findings may not be trusted: the journey did not pass any more without any change.
    """

    check: str
    at: dt.datetime
    steps: tuple[str, ...]
    until: str
    delay: float
    clean_seconds: float
    findings: tuple[Finding, ...] = ()
    doubt: str = ""

    @property
    def single_points(self) -> tuple[Finding, ...]:
        """Return the third parties whose trouble alone can stop the journey."""
        return tuple(one for one in self.findings if one.dependency.is_single_point_of_failure)


def steps_to_make(outline: JourneyOutline) -> tuple[tuple[str, ...], str]:
    """Return the steps that a drill may make, and the step with effects before which it stops.

    Raises DrillError where there is nothing to drill.
    """
    if outline.probe is not ProbeKind.BROWSER:
        msg = f"{outline.name} is an HTTP journey: it asks only what it names, so there are no third parties to drill"
        raise DrillError(msg)
    steps: list[str] = []
    for step in outline.steps:
        if step.effects:
            if steps:
                return tuple(steps), step.name
            msg = f"the first step of {outline.name}, '{step.name}', changes something; a drill repeats nothing like it"
            raise DrillError(msg)
        steps.append(step.name)
    return tuple(steps), ""


def delay_for(outline: JourneyOutline) -> float:
    """Return for how many seconds to delay: long enough that every budget of a step is missed by it."""
    budgets = [step.budget.total_seconds() for step in outline.steps if step.budget is not None]
    return max(_LEAST_DELAY, _BEYOND_BUDGET * max(budgets, default=0.0))


def check_clean(evidence: Evidence) -> None:
    """Raise DrillError where the journey does not pass by itself, so that nothing can be learned from it."""
    attempt = evidence.last
    if attempt.outcome in _GOOD and attempt.prober_fault is None:
        return
    step = _failed(attempt.steps)
    where = f" at '{step.name}': {_error(step)}" if step else ""
    msg = f"the journey does not pass by itself{where or ', which is our own fault'}; mend that first"
    raise DrillError(msg)


def suppliers_of(evidence: Evidence, owners: Owners) -> tuple[Supplier, ...]:
    """Return the third parties that a clean run touched, in the order in which it first did."""
    hosts: dict[str, dict[str, None]] = {}
    steps: dict[str, dict[str, None]] = {}
    requests: dict[str, int] = {}
    known: dict[str, Owner] = {}
    for exchange in evidence.exchanges:
        owner = owners.owner_of(exchange.url)
        if owner.party is not Party.THIRD_PARTY or not exchange.host or exchange.attempt != evidence.last.number:
            continue
        hosts.setdefault(owner.name, {})[exchange.host] = None
        steps.setdefault(owner.name, {})[exchange.step] = None
        requests[owner.name] = requests.get(owner.name, 0) + 1
        known.setdefault(owner.name, owner)
    return tuple(
        Supplier(
            name=name,
            hosts=tuple(hosts[name]),
            steps=tuple(step for step in steps[name] if step),
            requests=requests[name],
            because=known[name].because,
            critical=known[name].critical,
        )
        for name in hosts
    )


def chosen(suppliers: Sequence[Supplier], only: Iterable[str]) -> tuple[Supplier, ...]:
    """Return those that are meant by host or by name, all where none is. Raises DrillError for an unknown word."""
    wanted = tuple(only)
    if not wanted:
        return tuple(suppliers)
    known = [word for supplier in suppliers for word in (supplier.name, *supplier.hosts)]
    for word in wanted:
        if word not in known:
            hint = did_you_mean(word, known) or f"; it asks: {', '.join(known) or 'none'}"
            msg = f"the journey asks no third party '{word}' for anything{hint}"
            raise DrillError(msg)
    return tuple(one for one in suppliers if set(wanted) & {one.name, *one.hosts})


def trials_for(supplier: Supplier, delay: float) -> tuple[Trial, ...]:
    """Return what to try on a third party: all of its hosts are blocked, delayed, emptied."""
    return tuple(
        Trial(
            supplier=supplier,
            kind=kind,
            interventions=tuple(
                Intervention(kind=kind, host=host, seconds=delay if kind is InterventionKind.DELAY else 0.0)
                for host in supplier.hosts
            ),
        )
        for kind in KINDS
    )


def result_of(trial: Trial, evidence: Evidence, clean: Evidence) -> TrialResult:
    """Return what one run of a trial came to."""
    attempt = evidence.last
    if attempt.prober_fault is not None or attempt.outcome is Outcome.INCONCLUSIVE:
        fault = attempt.prober_fault.value if attempt.prober_fault else "inconclusive"
        return TrialResult(kind=trial.kind, outcome=Outcome.INCONCLUSIVE, note=f"our own fault: {fault}")
    step = _failed(attempt.steps)
    return TrialResult(
        kind=trial.kind,
        outcome=attempt.outcome,
        duration=attempt.duration,
        slower_by=max(0.0, attempt.duration - clean.last.duration),
        failed_step=step.name if step else "",
        error=_error(step) if step else "",
        over_budget=tuple(sorted(_over_budget(attempt.steps) - _over_budget(clean.last.steps))),
    )


def not_made(trial: Trial, reason: str) -> TrialResult:
    """Return the result of a trial that nobody carried out."""
    return TrialResult(kind=trial.kind, outcome=Outcome.INCONCLUSIVE, note=reason)


def agreed(first: TrialResult, second: TrialResult) -> TrialResult:
    """Return what two tries of a trial amount to, of which the first failed: only a failure that repeats is one."""
    if first.outcome is second.outcome:
        return second
    note = "failed once and not again; " + (second.note or "intermittent")
    return TrialResult(kind=first.kind, outcome=Outcome.INCONCLUSIVE, duration=second.duration, note=note)


def finding_of(supplier: Supplier, results: Sequence[TrialResult], delay: float, until: str = "") -> Finding:
    """Return what the trials on one third party amount to, in a drill that stopped before the step ``until``."""
    dependency, why = _verdict({result.kind: result for result in results}, delay)
    if dependency is Dependency.SURVIVES and until and supplier.critical:
        dependency = Dependency.UNTRIED
        why = (
            f"{why} as far as the drill went; whether '{until}' needs it was not tried, because that changes something"
        )
    return Finding(supplier=supplier, dependency=dependency, why=why, trials=tuple(results))


def _verdict(results: dict[InterventionKind, TrialResult], delay: float) -> tuple[Dependency, str]:
    failed = {kind: result for kind, result in results.items() if result.outcome is Outcome.FAILED}
    if InterventionKind.BLOCK in failed:
        return Dependency.HARD, f"without it the journey stops at '{failed[InterventionKind.BLOCK].failed_step}'"
    words = {
        InterventionKind.DELAY: f"when it answers {delay:g} s late",
        InterventionKind.EMPTY: "when it answers empty",
    }
    open_questions = [result for result in results.values() if result.outcome is Outcome.INCONCLUSIVE]
    if failed:
        ways = ", and ".join(f"{words[kind]} it stops at '{result.failed_step}'" for kind, result in failed.items())
        blocked = results[InterventionKind.BLOCK].outcome in _GOOD
        return Dependency.BRITTLE, f"the journey does without it, but {ways}" if blocked else ways
    if open_questions:
        kinds = ", ".join(result.kind.value for result in open_questions)
        return Dependency.UNKNOWN, f"the trials do not tell ({kinds}: {open_questions[0].note})"
    slowest = max(results.values(), key=lambda result: result.slower_by)
    # A budget that is missed by a hair, on a machine that was busy, is no effect of what was tried.
    over = next((one for one in results.values() if one.over_budget and one.slower_by >= _NOTICEABLE), None)
    if over is not None:
        return Dependency.SLOWS, f"{_word(over, words)} '{over.over_budget[0]}' misses its budget"
    if slowest.slower_by >= max(_NOTICEABLE, delay / 5):
        return Dependency.SLOWS, f"{_word(slowest, words)} the journey takes {slowest.slower_by:.1f} s longer"
    return Dependency.SURVIVES, "the journey does without it"


def _word(result: TrialResult, words: dict[InterventionKind, str]) -> str:
    return words.get(result.kind, "without it")


def _failed(steps: Iterable[StepResult]) -> StepResult | None:
    bad = {StepOutcome.FAILED, StepOutcome.INCONCLUSIVE}
    return next((step for step in steps if step.outcome in bad), None)


def _error(step: StepResult) -> str:
    message = step.error.message.strip().partition("\n")[0] if step.error else "no reason given"
    return message if len(message) <= _WORDS else message[: _WORDS - 1] + "…"


def _over_budget(steps: Iterable[StepResult]) -> set[str]:
    return {step.name for step in steps if step.budget is not None and step.duration > step.budget}
