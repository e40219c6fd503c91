"""A run as ``faultline run --json`` prints it: the schema ``faultline.run/v1``."""

from __future__ import annotations

import datetime as dt
from typing import Any

from monitor.diagnosis.deployed import deployed_before
from monitor.domain.deployment import Deployment
from monitor.domain.diagnosis import Culprit, Diagnosis
from monitor.domain.evidence import StepResult
from monitor.domain.run import Run
from monitor.domain.secret import Redactor

SCHEMA = "faultline.run/v1"
_DIGITS = 6


def to_json(run: Run, redactor: Redactor | None = None) -> dict[str, Any]:
    """Return plain data ready for ``json.dumps``; with a redactor, every text in it is masked."""
    data = _run(run)
    return data if redactor is None else masked(data, redactor)


def _run(run: Run) -> dict[str, Any]:
    evidence, judgement = run.evidence, run.judgement
    steps = evidence.last.steps if evidence.attempts else ()
    return {
        "schema": SCHEMA,
        "run_id": run.run_id,
        "check": run.check.name,
        "journey": run.check.journey,
        "target": run.check.target.name,
        "location": run.location,
        "profile": run.check.profile.name,
        "scheduled_at": moment(run.scheduled_at),
        "started_at": moment(run.started_at),
        "duration_seconds": round(run.duration, _DIGITS),
        "outcome": run.outcome.value,
        "validity": judgement.validity.value,
        "recovered": bool(evidence.attempts) and evidence.recovered,
        "attempts": len(evidence.attempts),
        "steps": [_step(step) for step in steps],
        "diagnosis": _diagnosis(judgement.diagnosis) if judgement.diagnosis else None,
        "experiments": [
            {
                "name": experiment.kind.value,
                "subject": experiment.subject,
                "by": experiment.by,
                "outcome": experiment.outcome.value,
                "duration_seconds": round(experiment.duration, _DIGITS),
                "note": experiment.note,
            }
            for experiment in evidence.experiments
        ],
        "deployments": [_deployment(deployment) for deployment in deployed_before(evidence)],
        "collateral": [
            {
                "cause": collateral.cause.value,
                "host": collateral.host,
                "failure": collateral.failure.value,
                "vendor": collateral.vendor,
                "count": collateral.count,
            }
            for collateral in judgement.collateral
        ],
        "timings": {party: round(seconds, _DIGITS) for party, seconds in judgement.timings},
        "truncated": [{"what": cut.what, "kept": cut.kept, "seen": cut.seen} for cut in evidence.truncated],
        "artifacts": [artifact.name for artifact in evidence.artifacts],
    }


def _deployment(deployment: Deployment) -> dict[str, Any]:
    return {
        "service": deployment.service,
        "version": deployment.version,
        "at": moment(deployment.at),
        "target": deployment.target,
        "url": deployment.url,
    }


def _step(step: StepResult) -> dict[str, Any]:
    return {
        "name": step.name,
        "outcome": step.outcome.value,
        "duration_seconds": round(step.duration, _DIGITS),
        "capability": step.capability,
        "error": step.error.message if step.error else None,
    }


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "cause": diagnosis.cause.value,
        "detail": diagnosis.detail.value,
        "confidence": diagnosis.confidence.value,
        "rule": diagnosis.rule,
        "ruleset": diagnosis.ruleset,
        "culprit": _culprit(diagnosis.culprit) if diagnosis.culprit else None,
        "because": diagnosis.because,
        "evidence": list(diagnosis.evidence),
        "alternatives": [
            {"cause": other.cause.value, "detail": other.detail.value, "because": other.because}
            for other in diagnosis.alternatives
        ],
    }


def _culprit(culprit: Culprit) -> dict[str, Any]:
    return {"kind": culprit.kind.value, "name": culprit.name, "host": culprit.host}


def moment(value: dt.datetime) -> str:
    """Return a moment in UTC with milliseconds, as RFC 3339 writes it."""
    return value.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def masked(value: Any, redactor: Redactor) -> Any:
    """Return plain data with every secret in its texts masked."""
    match value:
        case str():
            return redactor.mask(value)
        case dict():
            return {key: masked(item, redactor) for key, item in value.items()}
        case list():
            return [masked(item, redactor) for item in value]
        case _:
            return value
