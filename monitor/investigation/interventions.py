"""Which journeys a case calls for, in the order in which they are likely to settle it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from posixpath import commonpath

from monitor.diagnosis.case import SeenHost
from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.diagnosis.trials import AGREEING
from monitor.domain.cause import Cause
from monitor.domain.evidence import StepErrorKind
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome
from monitor.domain.profile import ClientProfile
from monitor.investigation.experiments import Again
from monitor.investigation.situation import Situation
from monitor.investigation.suspects import (
    Suspect,
    can_be_spared,
    changed_answers,
    changed_paths,
    fell_short,
    hangs,
    has_moved_code,
    in_order,
    policy_hosts,
    suspects,
)

_HARD = frozenset({Mechanism.STATUS, Mechanism.REFUSED, Mechanism.TLS, Mechanism.PROTOCOL, Mechanism.POLICY})
_SINGLE = 3
_PAIR = 2
_WORK = 0.5
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
    tried = _tried(situation)
    profiles = {each.subject for each in situation.done(ExperimentKind.PROFILE)}
    found = _for_slow(situation) if situation.only_slow else _for_failed(situation)
    wanted: list[Again] = []
    for again in found:
        known = (again.kind, frozenset(again.hosts), again.path)
        if again.kind is ExperimentKind.PROFILE:
            if again.subject not in profiles:
                wanted.append(again)
        elif known not in tried and (again.kind, frozenset(again.hosts), "") not in tried:
            tried.append(known)
            wanted.append(again)
    return tuple(wanted)


def _tried(situation: Situation) -> list[tuple[ExperimentKind, frozenset[str], str]]:
    """Return what was tried already: with a result, without one twice, or with the page broken by what was blocked."""
    tried, fell = [], set()
    for each in situation.done(*_BY_HOSTS):
        known = (each.kind, frozenset(each.hosts), each.path)
        if fell_short(each) and each.kind is not ExperimentKind.BLOCK and known not in fell:
            fell.add(known)
        else:
            tried.append(known)
    return tried


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
    ordered = [host.host for host in in_order(situation) if host.host in left]
    if not ordered or (len(ordered) == 1 and left == smallest):
        return None
    # With one journey to spare beside the plain one the likeliest is asked alone; else halves are asked.
    few = situation.left.journeys <= _PAIR
    half = ordered[:1] if few or len(ordered) == 1 else ordered[: len(ordered) // 2]
    return _block(situation, tuple(half))


def jointly(situation: Situation) -> Again | None:
    """Return the last good answers of all needed hosts at once, where those of each party alone did not help."""
    needed = _replayable_needed(situation)
    if len({host.owner.name for host in needed}) < _PAIR:
        return None
    alone = {each.hosts for each in situation.done(ExperimentKind.REPLAY) if each.outcome is Outcome.FAILED}
    again = _replay(situation, tuple(host.host for host in needed))
    tried = {frozenset(hosts) for hosts in alone}
    if not all((host,) in alone for host in again.hosts) or frozenset(again.hosts) in tried:
        return None
    return again


def _for_failed(situation: Situation) -> Iterator[Again]:
    """Yield interventions in the order of the decision table that the planner documents."""
    other = _other_profile(situation)
    hard = any(mechanism_of(x) in _HARD for x in situation.case.needed)
    if other is not None and not hard:
        yield other
    if not situation.in_browser:
        yield from _answers(situation)
        return
    for name in policy_hosts(situation):
        yield _replay(situation, (name,))
    if situation.case.needed and not hangs(situation):
        yield from _needed(situation)
    # What was still open may have been kept open by code that held the page.
    if _on_page(situation) and all(x.pending for x in situation.case.needed):
        yield from _on_suspicion(situation)


def _answers(situation: Situation) -> Iterator[Again]:
    """Yield each answer of an HTTP journey that changed as it last was, then all of a host where several did."""
    changed = changed_answers(situation)
    for host, path in changed[:_SINGLE]:
        yield _replay(situation, (host,), path=path if path.strip("/") else "")
    hosts = [host for host, _ in changed]
    for host in dict.fromkeys(hosts):
        if hosts.count(host) > 1:
            yield _replay(situation, (host,))


def _on_page(situation: Situation) -> bool:
    error = situation.case.step.error if situation.case.step else None
    return error is not None and error.kind in _PAGE


def _needed(situation: Situation) -> Iterator[Again]:
    """Yield for each host that failed its last good answers, and those of all of them together."""
    for host in _replayable_needed(situation):
        yield _replay(situation, (host.host,))
    both = jointly(situation)
    if both is not None:
        yield both


def _replayable_needed(situation: Situation) -> list[SeenHost]:
    """Return the few hosts of which something that failed and was needed can be replayed."""
    kept = {x.host for x in situation.case.needed if situation.replayable_at(x.url)}
    return [host for host in situation.case.hosts if host.host in kept][:_SINGLE]


def _on_suspicion(situation: Situation) -> Iterator[Again]:
    """Yield the likeliest suspect first, then what is strongly suspected, then what merely differs."""
    suspected = suspects(situation)[:_SINGLE]
    for number, suspect in enumerate(suspected):
        if number == 0 or suspect.strong:
            yield from _alone(situation, suspect, first=number == 0)
    yield from _together(situation)
    for suspect in suspected[1:]:
        if not suspect.strong:
            yield from _alone(situation, suspect)


def _alone(situation: Situation, suspect: Suspect, *, first: bool = False) -> Iterator[Again]:
    """Yield the page without a suspect, and with what it last sent; what is missed by the page is not taken away."""
    host = suspect.host
    if not host.foreign:
        yield from _own(situation, host)
        return
    replayable = situation.replayable(host.host)
    spared = can_be_spared(situation, host)
    if spared and not (suspect.missed and replayable):
        yield _block(situation, (host.host,))
    if replayable and (first or suspect.missed or not spared):
        yield _replay(situation, (host.host,))


def _own(situation: Situation, host: SeenHost) -> Iterator[Again]:
    """Yield our own host as it last was: only what changed, so that the resource is named; all of it where much did."""
    if has_moved_code(situation, host.host):
        # The page asks for its code where it was then, so that both have to come from then.
        if situation.replayable(host.host):
            yield _replay(situation, (host.host,))
        return
    paths = changed_paths(situation, host.host)
    if not paths:
        return
    # The beginning of all paths that changed; the root stands for all of the host.
    part = paths[0] if len(paths) == 1 else f"{commonpath(paths)}/"
    narrow = part if part.strip("/") else paths[0] if len(paths) > 1 else ""
    if narrow.strip("/"):
        yield _replay(situation, (host.host,), path=narrow)
    if len(paths) > 1 or not narrow.strip("/"):
        yield _replay(situation, (host.host,))


def _together(situation: Situation) -> Iterator[Again]:
    """Yield all vendors that the journey can do without, then all vendors as they were, then ourselves as we were."""
    ordered = [host for host in in_order(situation) if host.code or host.data]
    spare = tuple(host.host for host in ordered if can_be_spared(situation, host))
    if spare:
        yield _block(situation, spare)
        broke = {frozenset(each.hosts) for each in situation.done(ExperimentKind.BLOCK) if fell_short(each)}
        if len(spare) > 1 and frozenset(spare) in broke:
            yield _block(situation, spare[: len(spare) // 2])
    for group in (situation.case.vendors, situation.case.own):
        hosts = tuple(host.host for host in group if situation.replayable(host.host))
        if hosts:
            yield _replay(situation, hosts)


def _for_slow(situation: Situation) -> Iterator[Again]:
    """Yield the page without the slowness of each suspect, the likeliest first."""
    other = _other_profile(situation)
    hosts = {host.host: host for host in situation.case.hosts}
    if situation.in_browser:
        for host in (hosts[name] for name in situation.slow if name in hosts):
            spared = host.foreign and not host.owner.critical
            # The work of a script is not taken away by answering it at once.
            worked = spared and host.seconds >= _WORK
            replayed = not worked and situation.replayable_at(_slowest(situation, host.host))
            if replayed or spared:
                archive = _archive(situation) if replayed else ""
                yield _again(situation, ExperimentKind.COUNTERFACTUAL, (host.host,), archive=archive)
    if other is not None:
        yield other


def _slowest(situation: Situation, host: str) -> str:
    """Return the URL at a host that took longest in the step: where that was not kept, nothing takes its time away."""
    asked = [x for x in situation.evidence.exchanges if x.host == host and not x.from_cache]
    inside = [x for x in asked if x.step in ("", situation.until)] or asked
    return max(inside, key=lambda x: x.timings.total).url if inside else ""


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


def _block(situation: Situation, hosts: tuple[str, ...]) -> Again:
    return _again(situation, ExperimentKind.BLOCK, hosts)


def _replay(situation: Situation, hosts: tuple[str, ...], *, path: str = "") -> Again:
    again = _again(situation, ExperimentKind.REPLAY, hosts, archive=_archive(situation))
    return replace(again, path=path)


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


def once_more(situation: Situation) -> Again | None:
    """Return the change that helped, to be made again, where too few journeys speak for it to rule out chance."""
    tried = situation.done(*_BY_HOSTS)
    helped = [each for each in (*tried, *situation.done(ExperimentKind.PROFILE)) if was_helpful(each)]
    failed = [e for e in (*tried, *situation.done(ExperimentKind.RERUN)) if e.outcome is Outcome.FAILED]
    if not helped or len(helped) + len(failed) >= AGREEING:
        return None
    smallest = min(helped, key=lambda each: len(each.hosts))
    if smallest.kind is ExperimentKind.PROFILE:
        return _other_profile(situation) if _is_the_clients(situation) else None
    if smallest.kind is ExperimentKind.COUNTERFACTUAL:
        return next((again for again in _for_slow(situation) if again.hosts == smallest.hosts), None)
    if smallest.kind is ExperimentKind.BLOCK:
        return _block(situation, smallest.hosts)
    return _replay(situation, smallest.hosts, path=smallest.path)


def _is_the_clients(situation: Situation) -> bool:
    diagnosis = situation.case.judgement.diagnosis
    return diagnosis is not None and diagnosis.cause is Cause.CLIENT_ENVIRONMENT


def was_helpful(experiment: Experiment) -> bool:
    """Say whether a changed journey passed, so that an unchanged one has to follow."""
    changed = experiment.kind in {*_BY_HOSTS, ExperimentKind.PROFILE}
    return changed and experiment.outcome is Outcome.PASSED
