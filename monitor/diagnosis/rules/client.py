"""Rank 4: the same journey as another client; and a page that was too busy to be used."""

from __future__ import annotations

from statistics import median

from monitor.diagnosis.compared import size_of
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative, environment
from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.diagnosis.scripts import busy_hosts, by_host, chain_of
from monitor.diagnosis.trials import (
    comes_and_goes,
    fails_as_this_client_alone,
    gone,
    made,
    passed,
    reference_profile,
    reruns,
)
from monitor.diagnosis.wording import complaint
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.evidence import StepErrorKind
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.profile import ClientProfile
from monitor.domain.reference import DifferenceKind, StepBaseline

_LATE = frozenset({StepErrorKind.TIMEOUT, StepErrorKind.DEADLINE, StepErrorKind.EXPECTATION})
_SHARE = 0.70
_GREW = 1.5
_SEVERAL = 3
_BITS = 8
_ROUNDS = 2.5
_LITTLE = 0.3


def only_this_client(incident: Incident) -> Finding | None:
    """R13: the reference profile passes while this one failed again, and what this one lacks explains it."""
    reference = reference_profile(incident)
    if reference is None or not passed(reference) or _someone_was_at_fault(incident):
        return None
    if gone(incident) or comes_and_goes(incident):
        return None
    profile = incident.context.check.profile
    limit = _limit_of(profile)
    if limit is None or _busy(incident) is not None:
        return None
    detail, part = limit
    again = bool(reruns(incident))
    words = f"the profile {reference.subject} passes" + (", and this one failed again" if again else "")
    known = detail is Detail.CLIENT_BROWSER
    if not known:
        grew = _grew(incident, reference)
        if grew or (grew is None and not _is_the_line_alone(incident)):
            return _slow_or_heavy(incident, detail, words)
        known = grew is not None
        words += "; no more was sent than usual" if known else "; each request took what this line takes"
    return Finding(
        detail=detail,
        confidence=Confidence.CONFIRMED if known and fails_as_this_client_alone(incident) else Confidence.PROBABLE,
        families=frozenset({Family.ELSEWHERE}),
        because=f"{incident.scene} {complaint(incident)}; {words}, so {part} is what keeps it from working.",
        culprit=environment(part),
        evidence=(complaint(incident), words),
        alternatives=() if known else (alternative(Detail.OWN_SLOW_DELIVERY, "if it sends more than before"),),
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


def _grew(incident: Incident, reference: Experiment) -> bool | None:
    """Say whether the site sends more than it used to; ``None`` where nobody knows what it used to send."""
    usual = _usual(incident)
    if usual is not None and usual.requests is not None:
        # Another client's usual figures compare with what that client was sent now.
        other = incident.evidence.baseline is not None and incident.evidence.baseline.profile
        requests, received = (reference.step_requests, reference.step_received) if other else _sent(incident)
        heavier = usual.received is not None and received > _GREW * usual.received
        return heavier or requests > _GREW * usual.requests
    if incident.evidence.compared is not None:
        return _sends_more(incident)
    return None


def _usual(incident: Incident) -> StepBaseline | None:
    baseline = incident.evidence.baseline
    return baseline.of(incident.step.name) if baseline and incident.step else None


def _sent(incident: Incident) -> tuple[int, int]:
    mine = [x for x in incident.exchanges if incident.step and x.step == incident.step.name]
    return len(mine), sum(x.transfer_bytes or x.body_bytes or 0 for x in mine)


def _sends_more(incident: Incident) -> bool:
    """Say whether pages and code came that are much larger than in the last good run, or that it did not know."""
    compared = incident.evidence.compared
    received = {x.id: x.transfer_bytes or 0 for x in incident.exchanges}
    more = 0
    for each in compared.differences if compared else ():
        if each.kind is DifferenceKind.NEW:
            more += received.get(each.exchange, 0)
        elif each.kind is DifferenceKind.CONTENT:
            more += max(0, (size_of(each.after) or 0) - (size_of(each.before) or 0))
    return more > (1 - 1 / _GREW) * sum(received.values())


def _is_the_line_alone(incident: Incident) -> bool:
    """Say whether requests to unrelated hosts each took what the profile's line takes, and little was sent in all.

    Then no site of that many requests would be quick on it; a site that became heavy shows by its bytes.
    """
    line, step = incident.context.check.profile.network, incident.step
    came = [x for x in incident.exchanges if not x.pending and x.failure is None and x.transfer_bytes]
    domains = {incident.context.owners.domain_of(x.host) for x in came}
    if line is None or step is None or len(domains) < _SEVERAL:
        return False
    rate = line.download_bits_per_second or 0
    received = _BITS * sum(x.transfer_bytes or 0 for x in came) / rate if rate else 0.0
    slowest = median(x.timings.total for x in came)
    by_the_line = line.latency.total_seconds() <= slowest <= _ROUNDS * line.latency.total_seconds()
    return by_the_line and received <= _LITTLE * (step.started + step.duration)


def _slow_or_heavy(incident: Incident, detail: Detail, words: str) -> Finding:
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {complaint(incident)}; {words}, yet the site may have become heavier.",
        evidence=(complaint(incident), words),
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
    host, seconds, share, when = busy
    owner = incident.context.owners.owner_of(host)
    via = chain_of(incident, host)
    loaded = f", loaded by {' and '.join(via)}," if via else ""
    words = f"scripts of {host}{loaded} kept the page busy for {seconds:.1f} s, {100 * share:.0f} % of the step{when}"
    return Finding(
        detail=Detail.OWN_SLOW_FRONTEND if owner.party is Party.OWN else Detail.TP_SLOW,
        because=f"{incident.scene} {words}; they belong to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        alternatives=(alternative(Detail.CLIENT_DEVICE, "if the same scripts take less time on another machine"),),
    )


def _busy(incident: Incident) -> tuple[str, float, float, str] | None:
    """Return the host whose party took most of the step on the main thread, its seconds, its share, and when.

    A browser tells of a frame when it has ended: one that holds the page to the end may only be seen when the journey
    fails again.
    """
    duration = incident.step.duration if incident.step else 0.0
    if incident.kind not in _LATE or duration <= 0 or _someone_was_at_fault(incident):
        return None
    found = _held_by(incident, busy_hosts(incident), duration)
    if found is not None:
        return (*found, "")
    for each in made(incident, ExperimentKind.RERUN, ExperimentKind.PROFILE):
        again = _held_by(incident, by_host(each.scripts), each.step_seconds or 0.0)
        if again is not None and not passed(each):
            return (*again, ", when the journey was made again and failed there too")
    return None


def _held_by(
    incident: Incident, hosts: tuple[tuple[str, float], ...], duration: float
) -> tuple[str, float, float] | None:
    owner_of = incident.context.owners.owner_of
    own = sum(seconds for host, seconds in hosts if owner_of(host).party is Party.OWN)
    for host, seconds in hosts:
        total = own if owner_of(host).party is Party.OWN else seconds
        if duration > 0 and total >= _SHARE * duration:
            return host, total, min(1.0, total / duration)
    return None


PROFILE = (Rule(id="R13", decide=only_this_client),)
BUSY = (Rule(id="R19", decide=page_too_busy),)
