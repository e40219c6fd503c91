"""Which journeys a case calls for, in the order in which they are likely to settle it."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.diagnosis.case import SeenHost
from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.domain.evidence import StepErrorKind
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome
from monitor.domain.profile import ClientProfile
from monitor.domain.reference import DifferenceKind
from monitor.investigation.experiments import Again
from monitor.investigation.situation import Situation

_CODE = frozenset({"script", "stylesheet"})
_HARD = frozenset({Mechanism.STATUS, Mechanism.REFUSED, Mechanism.TLS, Mechanism.PROTOCOL, Mechanism.POLICY})
_CHANGES = frozenset({DifferenceKind.CONTENT, DifferenceKind.STATUS, DifferenceKind.NEW, DifferenceKind.HEADER})
_SINGLE = 3
_BY_HOSTS = (ExperimentKind.BLOCK, ExperimentKind.REPLAY, ExperimentKind.COUNTERFACTUAL)
_PAGE = frozenset(
    {
        StepErrorKind.EXPECTATION,
        StepErrorKind.TIMEOUT,
        StepErrorKind.DEADLINE,
        StepErrorKind.INTERCEPTED,
        StepErrorKind.SCRIPT,
        StepErrorKind.AMBIGUOUS,
    }
)


def interventions(situation: Situation) -> tuple[Again, ...]:
    """Return what could be changed for one more journey and was not yet tried, the most telling first."""
    tried = [(each.kind, frozenset(each.hosts), each.path) for each in situation.done(*_BY_HOSTS)]
    profiles = {each.subject for each in situation.done(ExperimentKind.PROFILE)}
    found = _for_slow(situation) if situation.only_slow else _for_failed(situation)
    wanted: list[Again] = []
    for again in found:
        known = (again.kind, frozenset(again.hosts), again.path)
        if again.kind is ExperimentKind.PROFILE:
            if again.subject not in profiles:
                wanted.append(again)
        elif known not in tried:
            tried.append(known)
            wanted.append(again)
    return tuple(wanted)


def rerun(situation: Situation) -> Again:
    """Return the journey made again with nothing changed."""
    return Again(
        kind=ExperimentKind.RERUN,
        subject=situation.check.journey,
        until=situation.until,
        profile=situation.check.profile,
        only_slow=situation.only_slow,
    )


def narrower(situation: Situation) -> Again | None:
    """Return the next half to block, where blocking several vendors at once helped; ``None`` where one is left."""
    blocks = situation.done(ExperimentKind.BLOCK)
    passed = [frozenset(each.hosts) for each in blocks if each.outcome is Outcome.PASSED]
    if not passed:
        return None
    smallest = min(passed, key=len)
    acquitted = [
        frozenset(each.hosts) for each in blocks if each.outcome is Outcome.FAILED and frozenset(each.hosts) < smallest
    ]
    left = smallest.difference(*acquitted)
    ordered = [host.host for host in situation.case.hosts if host.host in left]
    if not ordered or (len(ordered) == 1 and left == smallest):
        return None
    # With one journey to spare beside the plain one the likeliest is asked alone; else halves are asked.
    few = situation.left.journeys <= _PAIR
    half = ordered[:1] if few or len(ordered) == 1 else ordered[: len(ordered) // 2]
    return _block(situation, tuple(half))


_PAIR = 2


def _for_failed(situation: Situation) -> Iterator[Again]:
    """Yield interventions in the order of the decision table that the planner documents."""
    other = _other_profile(situation)
    hard = any(mechanism_of(x) in _HARD for x in situation.case.needed)
    if other is not None and not hard:
        yield other
    if not situation.in_browser:
        return
    if situation.case.needed:
        yield from _stood_in(situation, [host for host in situation.case.hosts if host.needed][:_SINGLE])
    elif _on_page(situation):
        yield from _singly(situation)
        yield from _together(situation)


def _on_page(situation: Situation) -> bool:
    error = situation.case.step.error if situation.case.step else None
    return error is not None and error.kind in _PAGE


def _singly(situation: Situation) -> Iterator[Again]:
    """Yield the likeliest suspects one by one: whose code threw or is in the way, hangs, or differs from last time."""
    changed = _changed_code(situation)
    hosts = situation.case.hosts
    loud = [host for host in hosts if host.on_stack and (host.foreign or host.host in changed)]
    hanging = [host for host in hosts if host.pending and host.foreign]
    busy = [host for host in hosts if host.host in situation.slow and host.foreign]
    failed = [host for host in hosts if host.failed and host.code and host.foreign and not host.beside]
    differing = [host for host in hosts if host.host in changed]
    ordered = dict.fromkeys(
        host.host
        for host in (*sorted(loud, key=lambda one: one.host not in changed), *hanging, *busy, *failed, *differing)
    )
    by_name = {host.host: host for host in hosts}
    yield from _stood_in(situation, [by_name[name] for name in ordered][:_SINGLE])


def _together(situation: Situation) -> Iterator[Again]:
    """Yield all vendors that the journey can do without, then all vendors as they were, then ourselves as we were."""
    vendors = [host for host in situation.case.vendors if host.code or host.data]
    spare = tuple(host.host for host in vendors if not host.owner.critical)
    if spare:
        yield _block(situation, spare)
    for group in (situation.case.vendors, situation.case.own):
        hosts = tuple(host.host for host in group if situation.replayable(host.host))
        if hosts:
            yield _replay(situation, hosts)


def _stood_in(situation: Situation, hosts: list[SeenHost]) -> Iterator[Again]:
    """Yield for each host the last good answers in place of its own; where there are none, the page without it."""
    for host in hosts:
        if situation.replayable(host.host):
            yield _replay(situation, (host.host,))
        elif host.foreign and not host.owner.critical and not host.needed:
            yield _block(situation, (host.host,))


def _for_slow(situation: Situation) -> Iterator[Again]:
    """Yield the page without the slowness of each suspect, the likeliest first."""
    other = _other_profile(situation)
    hosts = {host.host: host for host in situation.case.hosts}
    if situation.in_browser:
        for name in situation.slow:
            host = hosts.get(name)
            replayed = situation.replayable(name)
            if host is not None and (replayed or (host.foreign and not host.owner.critical)):
                yield _again(
                    situation,
                    ExperimentKind.COUNTERFACTUAL,
                    (name,),
                    archive=_archive(situation) if replayed else "",
                )
    if other is not None:
        yield other


def _other_profile(situation: Situation) -> Again | None:
    """Return the journey as an ordinary client, where this client is an unusual one."""
    reference, profile = situation.reference_profile, situation.check.profile
    if reference is None or reference.name == profile.name or not is_unusual(profile, reference):
        return None
    return Again(
        kind=ExperimentKind.PROFILE,
        subject=reference.name,
        until=situation.until,
        profile=reference,
        only_slow=situation.only_slow,
    )


def is_unusual(profile: ClientProfile, reference: ClientProfile) -> bool:
    """Say whether a client has a limit that the reference has not, so that it may be the cause by itself."""
    limits = (
        profile.javascript < reference.javascript,
        profile.third_party_storage < reference.third_party_storage,
        profile.engine is not reference.engine,
        profile.cpu_slowdown > reference.cpu_slowdown,
        profile.network is not None and profile.network != reference.network,
        profile.supported < reference.supported,
        profile.user_agent is not None and profile.user_agent != reference.user_agent,
    )
    return any(limits)


def _changed_code(situation: Situation) -> frozenset[str]:
    compared = situation.evidence.compared
    differences = compared.differences if compared else ()
    return frozenset(each.host for each in differences if each.resource in _CODE and each.kind in _CHANGES)


def _block(situation: Situation, hosts: tuple[str, ...]) -> Again:
    return _again(situation, ExperimentKind.BLOCK, hosts)


def _replay(situation: Situation, hosts: tuple[str, ...]) -> Again:
    return _again(situation, ExperimentKind.REPLAY, hosts, archive=_archive(situation))


def _archive(situation: Situation) -> str:
    return situation.reference.archive if situation.reference else ""


def _again(situation: Situation, kind: ExperimentKind, hosts: tuple[str, ...], *, archive: str = "") -> Again:
    return Again(
        kind=kind,
        subject=hosts[0] if len(hosts) == 1 else f"{len(hosts)} hosts",
        until=situation.until,
        profile=situation.check.profile,
        hosts=hosts,
        archive=archive,
        only_slow=situation.only_slow,
    )


def was_helpful(experiment: Experiment) -> bool:
    """Say whether a changed journey passed, so that an unchanged one has to follow."""
    changed = experiment.kind in {*_BY_HOSTS, ExperimentKind.PROFILE}
    return changed and experiment.outcome is Outcome.PASSED
