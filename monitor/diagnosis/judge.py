"""From evidence to judgement: the rules in the order of what outranks what."""

from __future__ import annotations

import logging
from dataclasses import replace

from monitor.diagnosis.collateral import collateral_of
from monitor.diagnosis.context import Context
from monitor.diagnosis.corroboration import corroborated
from monitor.diagnosis.dependencies import incident_of, with_needs
from monitor.diagnosis.deployed import with_deployments
from monitor.diagnosis.incident import Finding, Incident, Rule, alternative, environment
from monitor.diagnosis.mechanisms import detail_for, mechanism_of
from monitor.diagnosis.rules import (
    access,
    client,
    controls,
    guards,
    interventions,
    needed,
    page,
    policy,
    refused_by_page,
    resolution,
    segments,
    sent,
    sign_in,
    standstill,
    statements,
    upstream,
    validity,
)
from monitor.diagnosis.rules import environment as surroundings
from monitor.diagnosis.rules.repetition import not_reproduced
from monitor.diagnosis.slowness import LATE, is_over_budget, slow, time_by_party
from monitor.diagnosis.told import of_late
from monitor.diagnosis.trials import came_and_went
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Alternative, Diagnosis
from monitor.domain.evidence import EVIDENCE_SCHEMA, Evidence
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement

RULESET = "2026.8"

RULES: tuple[Rule, ...] = (
    *validity.RULES,
    *access.ROBOT,
    *guards.RULES,
    *controls.RULES,
    *statements.RULES[:1],
    *upstream.RULES,
    *sign_in.RULES,
    *statements.RULES[1:],
    *segments.ORIGIN,
    *surroundings.RULES[:1],
    *segments.PROXY,
    *surroundings.RULES[1:2],
    *resolution.RULES,
    *surroundings.RULES[2:],
    *segments.TENANT,
    *segments.PLACES,
    *resolution.MISLED,
    *segments.SILENT_EDGE,
    *client.PROFILE,
    *access.ACCOUNT,
    *sent.RULES,
    *policy.RULES,
    *refused_by_page.RULES,
    *interventions.RULES,
    *client.BUSY,
    *standstill.RULES,
    *needed.RULES,
    *LATE,
    *page.RULES,
)
_LOGGER = logging.getLogger(__name__)
_NOTHING = "R17"
_SLOW = "R18"
_STARVED = "S0"
_GONE = "R15"
_BY_A_CHANGE = frozenset({"R13", "R20"})
_TOP = 2
_WORDS = 160


def can_judge(evidence: Evidence) -> str | None:
    """Return why evidence cannot be judged, in one sentence, or ``None`` where it can; older evidence always can."""
    if evidence.schema <= EVIDENCE_SCHEMA:
        return None
    return (
        f"This evidence has shape {evidence.schema}, and these rules know shapes up to {EVIDENCE_SCHEMA}: "
        "judge it with a newer version of the monitor."
    )


def judge(evidence: Evidence, context: Context) -> Judgement:
    """Say how a run ended, whether it counts, and, where it did not pass, whose failure it is. Never raises."""
    try:
        return _judge(evidence, context)
    except Exception:
        _LOGGER.exception("the rules failed", extra={"check": context.check.name})
        return _no_judgement("The rules failed on what was seen, which is a fault of the monitor.")


def _judge(evidence: Evidence, context: Context) -> Judgement:
    unknown = can_judge(evidence)
    if unknown is not None:
        return _no_judgement(unknown)
    if not evidence.attempts:
        return _no_judgement("The worker returned no attempt, so we did not look.")
    incident = incident_of(evidence, context)
    timings = time_by_party(incident)
    good = evidence.last.outcome in (Outcome.PASSED, Outcome.DEGRADED) and evidence.last.prober_fault is None
    if not good:
        return _failed(with_needs(incident), timings)
    collateral = collateral_of(incident, passed=True)
    if not is_over_budget(incident):
        return Judgement(outcome=Outcome.PASSED, validity=Validity.VALID, collateral=collateral, timings=timings)
    finding, rule = _slow(incident)
    return Judgement(
        outcome=Outcome.DEGRADED if finding.validity is Validity.VALID else Outcome.INCONCLUSIVE,
        validity=finding.validity,
        diagnosis=_diagnosis(finding, rule),
        collateral=collateral,
        timings=timings,
    )


def _slow(incident: Incident) -> tuple[Finding, str]:
    starved = validity.vantage_starved(incident)
    if starved is not None:
        return starved, _STARVED
    finding = with_deployments(incident, slow(incident))
    crowded = validity.vantage_crowded(incident) if finding.detail is Detail.UND_INSUFFICIENT else None
    return (finding, _SLOW) if crowded is None else (crowded, _STARVED)


def _failed(incident: Incident, timings: tuple[tuple[str, float], ...]) -> Judgement:
    finding, rule = _first(incident)
    once = not_reproduced(incident, finding)
    finding, rule = (once, _GONE) if once is not None else (corroborated(incident, finding), rule)
    finding = with_deployments(incident, finding)
    if rule == _GONE or finding.detail.cause is Cause.UNDETERMINED:
        also = (f" It comes and goes: {words}." for words in of_late(incident))
        finding = replace(finding, because="".join((finding.because, *also)))
    return Judgement(
        outcome=Outcome.FAILED if finding.validity is Validity.VALID else Outcome.INCONCLUSIVE,
        validity=finding.validity,
        diagnosis=_diagnosis(finding, rule),
        collateral=collateral_of(incident, passed=False),
        timings=timings,
    )


def _first(incident: Incident) -> tuple[Finding, str]:
    aside: Finding | None = None
    for rule in RULES:
        finding = rule.decide(incident)
        if finding is None:
            continue
        if rule.id in _BY_A_CHANGE and came_and_went(incident) and finding.detail.cause is not Cause.UNDETERMINED:
            aside = aside or finding
            continue
        return _beside(finding, aside), rule.id
    return _beside(_insufficient(incident), aside), _NOTHING


def _beside(finding: Finding, aside: Finding | None) -> Finding:
    """Return an open finding with what only a change has shown, of a check that comes and goes, for a candidate."""
    if aside is None or finding.detail.cause is not Cause.UNDETERMINED:
        return finding
    whose = f"{aside.culprit.name}, " if aside.culprit else ""
    candidate = alternative(aside.detail, f"{whose}if it did not come and go by itself")
    return replace(finding, alternatives=(candidate, *finding.alternatives)[:_TOP])


def _insufficient(incident: Incident) -> Finding:
    """R17: nothing matched, so nobody is blamed; the best candidates are named as such."""
    error = incident.step.error if incident.step else None
    candidates = tuple(_candidates(incident))
    seen = tuple(happening(x) for x in incident.suspects[:_TOP])
    rest = f"; seen beside it: {'; '.join(seen)}" if seen else ""
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {_what_failed(error.message if error else '')}{rest}. Nothing shows whose it is.",
        evidence=seen,
        exchanges=tuple(x.id for x in incident.suspects[:_TOP]),
        alternatives=candidates,
    )


def _what_failed(message: str) -> str:
    if not message.strip():
        return "something failed"
    first = message.strip().splitlines()[0].rstrip(".")
    return f"it failed: {first if len(first) <= _WORDS else first[:_WORDS] + '…'}"


def _candidates(incident: Incident) -> list[Alternative]:
    found: dict[Detail, Alternative] = {}
    for exchange in incident.suspects:
        detail = detail_for(incident.owner(exchange).party, mechanism_of(exchange), exchange)
        if detail is not None and detail not in found:
            found[detail] = alternative(detail, happening(exchange))
    for detail in (Detail.OWN_CONTENT, Detail.UND_SCRIPT_OR_APP_CHANGE):
        found.setdefault(detail, alternative(detail))
    return list(found.values())[:_TOP]


def _diagnosis(finding: Finding, rule: str) -> Diagnosis:
    return Diagnosis(
        cause=finding.detail.cause,
        detail=finding.detail,
        confidence=Confidence.NONE if finding.detail.cause is Cause.UNDETERMINED else finding.confidence,
        rule=rule,
        ruleset=RULESET,
        because=finding.because,
        culprit=finding.culprit,
        evidence=finding.evidence,
        exchanges=finding.exchanges,
        alternatives=finding.alternatives,
    )


def _no_judgement(why: str) -> Judgement:
    finding = Finding(
        detail=Detail.CLIENT_PROBER,
        validity=Validity.INVALID,
        because=f"{why} This says nothing about the site.",
        culprit=environment("the monitor"),
    )
    return Judgement(outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID, diagnosis=_diagnosis(finding, "R01"))
