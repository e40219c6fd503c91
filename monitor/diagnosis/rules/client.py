"""Rank 4: the same journey as another client; and a page that was too busy to be used."""

from __future__ import annotations

from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative, environment
from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.diagnosis.scripts import busy_hosts, chain_of
from monitor.diagnosis.trials import gone, passed, reference_profile, reruns
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.evidence import StepErrorKind
from monitor.domain.profile import ClientProfile

_LATE = frozenset({StepErrorKind.TIMEOUT, StepErrorKind.DEADLINE, StepErrorKind.EXPECTATION})
_SHARE = 0.70
_GREW = 1.5


def only_this_client(incident: Incident) -> Finding | None:
    """R13: the reference profile passes while this one failed again, and what this one lacks explains it."""
    reference = reference_profile(incident)
    if reference is None or not passed(reference) or gone(incident) or _someone_was_at_fault(incident):
        return None
    profile = incident.context.check.profile
    limit = _limit_of(profile)
    if limit is None or _busy(incident) is not None:
        return None
    detail, part = limit
    again = any(not passed(rerun) for rerun in reruns(incident))
    words = f"the profile {reference.subject} passes" + (", and this one failed again" if again else "")
    if detail is not Detail.CLIENT_BROWSER and _grew(incident) is not False:
        return _slow_or_heavy(incident, detail, words)
    return Finding(
        detail=detail,
        confidence=Confidence.CONFIRMED if again else Confidence.PROBABLE,
        families=frozenset({Family.ELSEWHERE}),
        because=f"{incident.scene} {_what(incident)}; {words}, so {part} is what keeps it from working.",
        culprit=environment(part),
        evidence=(_what(incident), words),
    )


def _someone_was_at_fault(incident: Incident) -> bool:
    """Say whether something failed that no client can cause: being late or being blocked is a client's own."""
    harmless = (Mechanism.SILENT, Mechanism.PATH, Mechanism.BLOCKED, Mechanism.NOTHING)
    return any(mechanism_of(x) not in harmless for x in incident.needed)


def _limit_of(profile: ClientProfile) -> tuple[Detail, str] | None:
    if not profile.javascript:
        return Detail.CLIENT_BROWSER, "a browser without JavaScript"
    if not profile.third_party_storage:
        return Detail.CLIENT_BROWSER, "a browser that keeps no storage of other sites"
    if not profile.supported:
        return Detail.CLIENT_BROWSER, "a client that is not supported"
    if profile.network is not None:
        return Detail.CLIENT_SLOW_LINK, f"the client's slow line ({profile.network.name})"
    if profile.cpu_slowdown > 1:
        return Detail.CLIENT_DEVICE, "the client's slow processor"
    return None


def _grew(incident: Incident) -> bool | None:
    """Say whether the site sends more than it used to; ``None`` where nobody knows what it used to send."""
    baseline = incident.evidence.baseline
    usual = baseline.of(incident.step.name) if baseline and incident.step else None
    if usual is None or usual.requests is None:
        return None
    mine = [x for x in incident.exchanges if incident.step and x.step == incident.step.name]
    received = sum(x.transfer_bytes or 0 for x in mine)
    heavier = usual.received is not None and received > _GREW * usual.received
    return heavier or len(mine) > _GREW * usual.requests


def _slow_or_heavy(incident: Incident, detail: Detail, words: str) -> Finding:
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {_what(incident)}; {words}, yet whether the site became heavier is not ruled out.",
        evidence=(_what(incident), words),
        alternatives=(
            alternative(detail, "if the site sends what it always sent"),
            alternative(Detail.OWN_SLOW_DELIVERY, "if it sends more than before"),
        ),
    )


def page_too_busy(incident: Incident) -> Finding | None:
    """R19: scripts of one party held the page's only thread for most of the step that ran out of time."""
    busy = _busy(incident)
    if busy is None:
        return None
    host, seconds, share = busy
    owner = incident.context.owners.owner_of(host)
    via = chain_of(incident, host)
    loaded = f", loaded by {' and '.join(via)}," if via else ""
    words = f"scripts of {host}{loaded} kept the page busy for {seconds:.1f} s, {100 * share:.0f} % of the step"
    return Finding(
        detail=Detail.OWN_SLOW_FRONTEND if owner.party is Party.OWN else Detail.TP_SLOW,
        because=f"{incident.scene} {words}; they belong to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        alternatives=(alternative(Detail.CLIENT_DEVICE, "if the same scripts take less time on another machine"),),
    )


def _busy(incident: Incident) -> tuple[str, float, float] | None:
    """Return the host whose party took most of the step on the main thread, its seconds and its share."""
    duration = incident.step.duration if incident.step else 0.0
    if incident.kind not in _LATE or duration <= 0 or _someone_was_at_fault(incident):
        return None
    hosts = busy_hosts(incident)
    owner_of = incident.context.owners.owner_of
    own = sum(seconds for host, seconds in hosts if owner_of(host).party is Party.OWN)
    for host, seconds in hosts:
        total = own if owner_of(host).party is Party.OWN else seconds
        if total >= _SHARE * duration:
            return host, total, min(1.0, total / duration)
    return None


def _what(incident: Incident) -> str:
    error = incident.step.error if incident.step else None
    lines = error.message.strip().splitlines() if error else []
    return f"it failed ({lines[0].rstrip('.')[:120]})" if lines else "it failed"


PROFILE = (Rule(id="R13", decide=only_this_client),)
BUSY = (Rule(id="R19", decide=page_too_busy),)
