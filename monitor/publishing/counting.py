"""How one finished run becomes numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from prometheus_client.samples import Exemplar

from monitor.domain.cause import Cause, Confidence
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Phase
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.run import Run
from monitor.domain.trace_context import trace_context_of
from monitor.publishing import of_checks, of_ourselves
from monitor.publishing.culprits import CulpritLabel
from monitor.publishing.ratings import rating_of
from monitor.publishing.tables import Tables

Place = tuple[str, str, str, str]

CAUSES = tuple(Cause)
_PHASES = tuple(phase.value for phase in Phase)
_SECONDS_OF = attrgetter(*_PHASES)
_GOOD = frozenset({Outcome.PASSED, Outcome.DEGRADED})
_GOOD_STEPS = frozenset({StepOutcome.PASSED, StepOutcome.DEGRADED})
_VITALS = (
    (of_checks.LCP, "largest_contentful_paint"),
    (of_checks.FCP, "first_contentful_paint"),
    (of_checks.TTFB, "time_to_first_byte"),
    (of_checks.INP, "interaction_to_next_paint"),
    (of_checks.CLS, "cumulative_layout_shift"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What all numbers of one run share.

    Attributes:
        place: The label values that tell this run's series from all others.
        ended: When the run ended, in seconds since 1970.
        ids: The labels of exemplars, which lead from a number to its run and its trace.
    """

    place: Place
    ended: float
    ids: dict[str, str]

    def exemplar(self, value: float) -> Exemplar:
        """Return the mark that the run leaves at a number."""
        return Exemplar(self.ids, value, self.ended)


def told_of(run: Run) -> Told:
    """Return what all numbers of a run share."""
    check = run.check
    return Told(
        place=(check.journey, check.target.name, check.profile.name, run.location),
        ended=round(run.started_at.timestamp() + run.duration, 3),
        ids={"run_id": run.run_id, "trace_id": trace_context_of(run.run_id).trace_id},
    )


def count_outcome(tables: Tables, run: Run, told: Told, culprit: CulpritLabel) -> None:
    """Count the run itself: every finished one exactly once, in one of the outcomes."""
    tables.value(of_checks.LAST_RUN).at(*told.place).set(told.ended)
    if run.outcome is Outcome.INCONCLUSIVE:
        tables.value(of_checks.INCONCLUSIVE).at(*told.place).add()
        return
    tables.value(of_checks.RUNS).at(*told.place).add()
    if run.outcome in _GOOD:
        tables.value(of_checks.LAST_SUCCESS).at(*told.place).set(told.ended)
    else:
        _count_failure(tables, run, told, culprit)


def _count_failure(tables: Tables, run: Run, told: Told, culprit: CulpritLabel) -> None:
    diagnosis = run.judgement.diagnosis
    cause = diagnosis.cause if diagnosis else Cause.UNDETERMINED
    confidence = diagnosis.confidence if diagnosis else Confidence.NONE
    tables.value(of_ourselves.DIAGNOSES).at(cause.value, confidence.value).add()
    counted = [tables.value(of_checks.FAILURES).at(*told.place, cause.value)]
    if tables.more:
        counted.append(tables.value(of_checks.CULPRITS).at(*told.place, cause.value, *culprit))
        if diagnosis is not None:
            counted.append(tables.value(of_checks.FAILURE_DETAILS).at(*told.place, diagnosis.detail.value))
    for failures in counted:
        failures.add()
        failures.mark(told.exemplar(1.0))


def count_experience(tables: Tables, run: Run, told: Told, threshold: float | None) -> None:
    """Count what customers felt; ``threshold`` is the time in seconds up to which they are satisfied."""
    if run.outcome is Outcome.DEGRADED:
        tables.value(of_checks.DEGRADED).at(*told.place).add()
    if run.outcome in _GOOD:
        if run.evidence.recovered:
            tables.value(of_checks.RECOVERED).at(*told.place).add()
        tables.spread(of_checks.DURATION).at(*told.place).observe(run.duration, told.exemplar(run.duration))
    rating = rating_of(run, threshold)
    if rating is not None:
        tables.value(of_checks.EXPERIENCE).at(*told.place, rating.value).add()
    if run.outcome is not Outcome.INCONCLUSIVE:
        _count_failed_steps(tables, run, told)
    for collateral in run.judgement.collateral:
        tables.value(of_checks.COLLATERAL).at(*told.place, collateral.cause.value).add(collateral.count)


def _count_failed_steps(tables: Tables, run: Run, told: Told) -> None:
    diagnosis = run.judgement.diagnosis
    cause = diagnosis.cause if diagnosis else Cause.UNDETERMINED
    for step in run.evidence.last.steps:
        if step.outcome is StepOutcome.FAILED:
            failures = tables.value(of_checks.STEP_FAILURES).at(*told.place, step.name, cause.value)
            failures.add()
            failures.mark(told.exemplar(1.0))


def count_details(tables: Tables, run: Run, told: Told) -> None:
    """Count where the time of a run went: steps, phases and Web Vitals."""
    if run.outcome is Outcome.INCONCLUSIVE:
        return
    for step in run.evidence.last.steps:
        if step.outcome in _GOOD_STEPS:
            tables.spread(of_checks.STEP_DURATION).at(*told.place, step.name).observe(step.duration)
    _count_phases(tables, run, told.place)
    _count_vitals(tables, run, told)


def _count_phases(tables: Tables, run: Run, place: Place) -> None:
    durations = tables.spread(of_checks.PHASES)
    for exchange in _timed(run):
        for phase, seconds in zip(_PHASES, _SECONDS_OF(exchange.timings), strict=True):
            if seconds is not None:
                durations.at(*place, phase).observe(seconds)


def _timed(run: Run) -> Iterable[Exchange]:
    number = run.evidence.last.number
    exchanges = [x for x in run.evidence.exchanges if x.attempt == number and x.failure is None and not x.pending]
    requests = [x for x in exchanges if x.resource == "http"]
    return requests or [x for x in exchanges if x.resource == "document"][:1]


def _count_vitals(tables: Tables, run: Run, told: Told) -> None:
    vitals = run.evidence.vitals
    if vitals is None:
        return
    for family, name in _VITALS:
        value = getattr(vitals, name)
        if value is not None:
            tables.spread(family).at(*told.place).observe(value, told.exemplar(value))
