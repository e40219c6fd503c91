"""What was deployed shortly before a check began to fail: history, which never decides and only stands beside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

from monitor.diagnosis.incident import Finding, Incident
from monitor.domain.cause import Cause, Party
from monitor.domain.deployment import Deployment
from monitor.domain.evidence import Evidence

LATELY = dt.timedelta(hours=2)
_MOST_LISTED = 5
_MINUTE, _HOUR = 60, 3600


def with_deployments(incident: Incident, finding: Finding) -> Finding:
    """Return a finding of own infrastructure with the deployments before it; any other finding as it is.

    The sentence names the newest deployment of a service that has to do with what failed. Confidence does not change.
    """
    if finding.detail.cause is not Cause.OWN_INFRASTRUCTURE:
        return finding
    before = [one for one in deployed_before(incident.evidence) if _is_ours(incident, one)]
    if not before:
        return finding
    listed = tuple(sentence(one, incident.evidence) for one in before[:_MOST_LISTED])
    finding = replace(finding, evidence=tuple(dict.fromkeys((*finding.evidence, *listed))))
    services = frozenset(_services(incident))
    # Where nobody said which services the failing hosts belong to, each of them may be meant.
    related = [one for one in before if not services or one.service.lower() in services]
    if not related:
        return finding
    words = sentence(related[0], incident.evidence)
    return replace(finding, because=f"{finding.because.removesuffix('.')}; {words}.")


def deployed_before(evidence: Evidence) -> tuple[Deployment, ...]:
    """Return the deployments of the last two hours before the first failure, the newest first; none after it."""
    first = evidence.failing_since
    if first is None:
        return ()
    found = (one for one in evidence.deployments if first - LATELY <= one.at <= first)
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def sentence(deployment: Deployment, evidence: Evidence) -> str:
    """Return when a service was deployed, as it reads on after a semicolon."""
    first = evidence.failing_since or evidence.started_at
    seconds = (first - deployment.at).total_seconds()
    return f"{deployment.service} {deployment.version} was deployed {_span(seconds)} before the first failure"


def _span(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    minutes = int(seconds // _MINUTE)
    return f"{minutes} min" if seconds < _HOUR else f"{minutes // 60} h {minutes % 60} min"


def _is_ours(incident: Incident, deployment: Deployment) -> bool:
    context = incident.context
    concerned = deployment.target in ("", context.check.target.name)
    return concerned and not context.owners.names_vendor(deployment.service)


def _services(incident: Incident) -> Iterator[str]:
    """Return the services that answer for what failed, as the check and the owners name them."""
    owners = incident.context.owners
    if incident.context.check.service:
        yield incident.context.check.service.lower()
    capability = incident.step.capability if incident.step else None
    failed = [exchange.url for exchange in incident.needed if incident.owner(exchange).party is Party.OWN]
    for service in owners.services_of(failed, capability):
        yield service.lower()
