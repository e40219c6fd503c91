"""How one finished run becomes numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter

from prometheus_client.samples import Exemplar

from monitor.diagnosis.mechanisms import is_defect
from monitor.diagnosis.owners import Owner
from monitor.domain.cause import Cause, Party
from monitor.domain.exchange import Exchange
from monitor.domain.failure import FailureClass, Phase
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.run import Run
from monitor.publishing import catalogue
from monitor.publishing.tables import Tables
from monitor.publishing.vendors import VendorList

Place = tuple[str, str, str, str]

CAUSES = tuple(Cause)
_PHASES = tuple(phase.value for phase in Phase)
_SECONDS_OF = attrgetter(*_PHASES)
_GOOD = frozenset({Outcome.PASSED, Outcome.DEGRADED})
_GOOD_STEPS = frozenset({StepOutcome.PASSED, StepOutcome.DEGRADED})
_ERROR_STATUS = 400
_VITALS = (
    (catalogue.LCP, "largest_contentful_paint"),
    (catalogue.FCP, "first_contentful_paint"),
    (catalogue.TTFB, "time_to_first_byte"),
    (catalogue.INP, "interaction_to_next_paint"),
    (catalogue.CLS, "cumulative_layout_shift"),
)


def identity(run: Run) -> Place:
    """Return the label values that tell this run's series from all others."""
    check = run.check
    return check.journey, check.target.name, check.profile.name, run.location


def ended_at(run: Run) -> float:
    """Return the moment at which a run ended, in seconds since 1970."""
    return run.started_at.timestamp() + run.duration


def count_outcome(tables: Tables, run: Run, place: Place, ended: float) -> None:
    """Count the run itself: every finished one exactly once, in one of the outcomes."""
    tables.value(catalogue.LAST_RUN).at(*place).set(ended)
    if run.outcome is Outcome.INCONCLUSIVE:
        tables.value(catalogue.INCONCLUSIVE).at(*place).add()
        return
    tables.value(catalogue.RUNS).at(*place).add()
    if run.outcome in _GOOD:
        tables.value(catalogue.LAST_SUCCESS).at(*place).set(ended)
    else:
        _count_failure(tables, run, place, ended)


def _count_failure(tables: Tables, run: Run, place: Place, ended: float) -> None:
    diagnosis = run.judgement.diagnosis
    cause = diagnosis.cause if diagnosis else Cause.UNDETERMINED
    failures = tables.value(catalogue.FAILURES).at(*place, cause.value)
    failures.add()
    failures.mark(Exemplar({"run_id": run.run_id}, 1.0, ended))
    if tables.full and diagnosis is not None:
        tables.value(catalogue.FAILURE_DETAILS).at(*place, diagnosis.detail.value).add()


def count_experience(tables: Tables, run: Run, place: Place, ended: float) -> None:
    """Count what customers felt: durations, steps, phases and Web Vitals."""
    if run.outcome is Outcome.DEGRADED:
        tables.value(catalogue.DEGRADED).at(*place).add()
    if run.outcome in _GOOD:
        if run.evidence.recovered:
            tables.value(catalogue.RECOVERED).at(*place).add()
        exemplar = Exemplar({"run_id": run.run_id}, run.duration, ended)
        tables.spread(catalogue.DURATION).at(*place).observe(run.duration, exemplar)
    if run.outcome is not Outcome.INCONCLUSIVE:
        _count_steps(tables, run, place)
        _count_phases(tables, run, place)
        _count_vitals(tables, run, place, ended)
    for collateral in run.judgement.collateral:
        tables.value(catalogue.COLLATERAL).at(*place, collateral.cause.value).add(collateral.count)


def _count_steps(tables: Tables, run: Run, place: Place) -> None:
    diagnosis = run.judgement.diagnosis
    cause = diagnosis.cause if diagnosis else Cause.UNDETERMINED
    for step in run.evidence.last.steps:
        if step.outcome in _GOOD_STEPS:
            tables.spread(catalogue.STEP_DURATION).at(*place, step.name).observe(step.duration)
        elif step.outcome is StepOutcome.FAILED:
            tables.value(catalogue.STEP_FAILURES).at(*place, step.name, cause.value).add()


def _count_phases(tables: Tables, run: Run, place: Place) -> None:
    durations = tables.spread(catalogue.PHASES)
    for exchange in _timed(run):
        for phase, seconds in zip(_PHASES, _SECONDS_OF(exchange.timings), strict=True):
            if seconds is not None:
                durations.at(*place, phase).observe(seconds)


def _timed(run: Run) -> Iterable[Exchange]:
    number = run.evidence.last.number
    exchanges = [x for x in run.evidence.exchanges if x.attempt == number and x.failure is None and not x.pending]
    requests = [x for x in exchanges if x.resource == "http"]
    return requests or [x for x in exchanges if x.resource == "document"][:1]


def _count_vitals(tables: Tables, run: Run, place: Place, ended: float) -> None:
    vitals = run.evidence.vitals
    if vitals is None:
        return
    for family, name in _VITALS:
        value = getattr(vitals, name)
        if value is not None:
            tables.spread(family).at(*place).observe(value, Exemplar({"run_id": run.run_id}, value, ended))


def count_vendors(tables: Tables, run: Run, owner_at: Callable[[str, str], Owner], vendors: VendorList) -> None:
    """Count requests to third parties, whether or not they mattered."""
    for exchange in run.evidence.exchanges:
        if exchange.intervention:
            continue
        owner = owner_at(exchange.host, exchange.url)
        if owner.party is not Party.THIRD_PARTY:
            continue
        name = vendors.label(owner.name if owner.named else None)
        tables.value(catalogue.VENDOR_REQUESTS).at(name, run.location).add()
        if is_defect(exchange) and not exchange.pending:
            reason = _reason(exchange)
            tables.value(catalogue.VENDOR_FAILURES).at(name, run.location, run.check.journey, reason.value).add()


def _reason(exchange: Exchange) -> FailureClass:
    if exchange.status is not None and exchange.status >= _ERROR_STATUS:
        return FailureClass.HTTP
    return exchange.failure.family if exchange.failure else FailureClass.UNKNOWN


def note_certificates(tables: Tables, run: Run, hosts: frozenset[str]) -> None:
    """State when certificates of configured hosts expire: the first of the chain, because it ends the others' use."""
    for exchange in run.evidence.exchanges:
        if exchange.tls is None or exchange.host not in hosts:
            continue
        ends = [certificate.not_after for certificate in exchange.tls.chain if certificate.not_after is not None]
        if ends:
            tables.value(catalogue.CERTIFICATE).at(exchange.host).set(min(ends).timestamp())


def count_ourselves(tables: Tables, run: Run) -> None:
    """Count what was wrong with us, and what we cut short."""
    for attempt in run.evidence.attempts:
        if attempt.prober_fault is not None:
            tables.value(catalogue.PROBER_FAULTS).at(attempt.prober_fault.value).add()
    for what in {truncation.what for truncation in run.evidence.truncated}:
        tables.value(catalogue.TRUNCATIONS).at(what).add()
