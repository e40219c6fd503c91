"""What the page of a run shows beside the run itself: what was tried, what differs, what is usual, what was said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.diagnosis.names_asked import asked_in_words
from monitor.diagnosis.told import fared
from monitor.domain.cause import Cause
from monitor.domain.evidence import Evidence
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import StepOutcome
from monitor.domain.reference import Difference, DifferenceKind, StepBaseline
from monitor.history.values import PastVerdict
from monitor.web import words

# Beyond this many rows a page helps nobody; the rest is in the JSON.
MOST_DIFFERENCES = 60

_TRIED = {
    ExperimentKind.CONTROL: "a control that has nothing to do with the site: {subject}",
    ExperimentKind.RESOLVER: "the name {subject}, asked of {by}",
    ExperimentKind.REPROBE: "the request again, without a browser: {subject}",
    ExperimentKind.ORIGIN: "straight to the origin {by}, past the edge: {subject}",
    ExperimentKind.TENANT: "another customer of the same vendor: {subject}",
    ExperimentKind.VANTAGE: "the request from {by}: {subject}",
    ExperimentKind.DIRECT: "the request without the proxy: {subject}",
    ExperimentKind.CLIENT: "the request as an ordinary browser: {subject}",
    ExperimentKind.RERUN: "the journey again, unchanged",
    ExperimentKind.BLOCK: "the journey with {hosts} blocked",
    ExperimentKind.REPLAY: "the journey with {hosts} answered as in the last good run",
    ExperimentKind.PROFILE: "the journey with the client profile {subject}",
    ExperimentKind.COUNTERFACTUAL: "the journey with {hosts} answered at once",
    ExperimentKind.ACCOUNT: "the journey with {subject}",
}
_DIFFERS = {
    DifferenceKind.CONTENT: "other content",
    DifferenceKind.STATUS: "other status",
    DifferenceKind.HEADER: "other header",
    DifferenceKind.MISSING: "not asked for any more",
    DifferenceKind.NEW: "not asked for before",
    DifferenceKind.ADDRESS: "host at another address",
    DifferenceKind.ISSUER: "certificate of another issuer",
}
_SOURCES = {"rules": "the rules", "correlation": "correlation with other runs", "rejudged": "newer rules"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRow:
    """One experiment: what was tried, how it ended, and what a person should know of it."""

    number: int
    kind: str
    tried: str
    outcome: str
    found: str
    notes: tuple[str, ...]
    of_run: str
    duration: float
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """One difference from the last good run."""

    what: str
    url: str
    resource: str
    header: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """With which good run this one was compared, and how it differs."""

    run_id: str
    age: str
    rows: tuple[DifferenceRow, ...]
    hidden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualRow:
    """What a step took, beside what it usually takes."""

    step: str
    took: float
    median: float
    deviation: float
    runs: int
    excess: float
    parts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """One verdict of the history."""

    at: dt.datetime
    source: str
    author: str
    cause: Cause | None
    detail: str
    outcome: str
    confidence: str
    culprit: str
    because: str
    reason: str
    in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationView:
    """All of it."""

    experiments: tuple[ExperimentRow, ...]
    requests: int
    journeys: int
    compared: Compared | None
    usual: tuple[UsualRow, ...]
    before: str
    verdicts: tuple[VerdictRow, ...]
    by_person: bool


def investigation_view(evidence: Evidence, verdicts: Sequence[PastVerdict]) -> InvestigationView:
    """Arrange what an investigation found and what was said of a run."""
    tried = evidence.experiments
    return InvestigationView(
        experiments=tuple(_experiment(number, one) for number, one in enumerate(tried, start=1)),
        requests=sum(one.requests for one in tried if one.kind.is_look and not one.of_run),
        # What was refused, as when the budget was used up, took no time.
        journeys=sum(1 for one in tried if not one.kind.is_look and not one.of_run and one.duration > 0),
        compared=_compared(evidence),
        usual=tuple(_usual(evidence)),
        before=fared(evidence.lately) if evidence.lately else "",
        verdicts=tuple(_verdict(verdict) for verdict in verdicts),
        by_person=any(verdict.current and verdict.source.value == "person" for verdict in verdicts),
    )


def _experiment(number: int, one: Experiment) -> ExperimentRow:
    hosts = ", ".join(one.hosts) + one.path if one.hosts else one.subject
    notes = [one.note] if one.note else []
    if one.missed:
        notes.append(f"{one.missed} requests could not be answered from the last good run")
    return ExperimentRow(
        number=number,
        kind=one.kind.value,
        tried=_TRIED[one.kind].format(subject=one.subject, by=_by(one), hosts=hosts),
        outcome=one.outcome.value,
        found=_look(one.exchanges) if one.kind.is_look else _journey(one),
        notes=tuple(notes),
        of_run=one.of_run,
        duration=one.duration,
        requests=one.requests,
    )


def _look(exchanges: Sequence[Exchange]) -> str:
    if not exchanges:
        return ""
    last = exchanges[-1]
    parts = []
    if last.failure is not None:
        parts.append(last.failure.value)
    if last.status is not None:
        parts.append(f"{last.status} {last.reason}".rstrip())
    if last.dns is not None:
        parts += [part for part in (last.dns.rcode, ", ".join(last.dns.addresses), *last.dns.errors) if part]
    elif last.address:
        parts.append(last.address)
    several = f"{len(exchanges)} times, the last: " if len(exchanges) > 1 else ""
    return several + ", ".join(parts) if parts else ""


def _journey(one: Experiment) -> str:
    if one.failed_step:
        return f"stopped at {one.failed_step}{f': {one.error}' if one.error else ''}"
    if one.step_seconds is not None:
        return f"got past the step, which took {words.seconds(one.step_seconds)}"
    return ""


def _compared(evidence: Evidence) -> Compared | None:
    found = evidence.compared
    if found is None:
        return None
    shown = found.differences[:MOST_DIFFERENCES]
    return Compared(
        run_id=found.run_id,
        age=words.span(found.age),
        rows=tuple(map(_difference, shown)),
        hidden=len(found.differences) - len(shown),
    )


def _difference(one: Difference) -> DifferenceRow:
    content = one.kind is DifferenceKind.CONTENT
    return DifferenceRow(
        what=_DIFFERS[one.kind],
        url=one.url,
        resource=one.resource,
        header=one.header,
        before=_content(one.before) if content else one.before,
        after=_content(one.after) if content else one.after,
    )


def _content(text: str) -> str:
    """Write ``size:hash`` for a person: the size, and as much of the hash as tells two apart."""
    size, colon, digest = text.partition(":")
    return f"{words.size(int(size))}, {digest[:12]}" if colon and size.isdecimal() else text[:12]


def _usual(evidence: Evidence) -> Sequence[UsualRow]:
    baseline = evidence.baseline
    if baseline is None or not evidence.attempts:
        return ()
    rows = []
    for step in evidence.last.steps:
        usual = baseline.of(step.name)
        if usual is not None and step.outcome is not StepOutcome.NOT_REACHED:
            rows.append(_usual_row(step.title, step.duration, usual))
    whole = baseline.of("")
    if whole is not None:
        rows.append(_usual_row("The whole journey", evidence.last.duration, whole))
    return rows


def _usual_row(title: str, took: float, usual: StepBaseline) -> UsualRow:
    parts = [f"{part.value.replace('_', ' ')} {words.seconds(spent)}" for part, spent in usual.parts if spent > 0]
    return UsualRow(
        step=title,
        took=took,
        median=usual.median,
        deviation=usual.deviation,
        runs=usual.runs,
        excess=took - usual.median,
        parts=", ".join(parts),
    )


def _verdict(verdict: PastVerdict) -> VerdictRow:
    diagnosis = verdict.judgement.diagnosis
    source = verdict.source.value
    return VerdictRow(
        at=verdict.at,
        source=_SOURCES.get(source, "a person"),
        author=verdict.author,
        cause=diagnosis.cause if diagnosis else None,
        detail=diagnosis.detail.value if diagnosis else "",
        outcome=verdict.judgement.outcome.value,
        confidence=words.confidence_word(diagnosis.confidence) if diagnosis else "",
        culprit=diagnosis.culprit.name if diagnosis and diagnosis.culprit else "",
        because=diagnosis.because if diagnosis else "",
        reason=verdict.reason,
        in_force=verdict.current,
    )


def _by(one: Experiment) -> str:
    by = one.by or "unknown"
    return asked_in_words(by) if one.kind is ExperimentKind.RESOLVER else by
