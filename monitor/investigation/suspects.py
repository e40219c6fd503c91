"""On whom a broken page may be put, the likeliest first, by what is known before anything is changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.diagnosis.as_ever import without_usual_troubles
from monitor.diagnosis.case import SeenHost
from monitor.diagnosis.mechanisms import Mechanism, is_hollow, mechanism_of
from monitor.diagnosis.names import parts_of
from monitor.domain.evidence import StepErrorKind
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome
from monitor.domain.reference import Difference, DifferenceKind
from monitor.investigation.situation import Situation

CODE = frozenset({"script", "stylesheet"})
_DATA = frozenset({"xhr", "fetch"})
_PAGES = frozenset({"document", "http"})
_OTHERWISE = frozenset({DifferenceKind.CONTENT, DifferenceKind.STATUS, DifferenceKind.HEADER})
_POLICIES = frozenset(
    {"content-security-policy", "access-control-allow-origin", "cross-origin-resource-policy", "x-frame-options"}
)
# What pages are built on and with; without it they break for another reason than the one that is looked for.
_FOUNDATIONS = frozenset({"cdn", "hosting", "payment", "identity", "captcha", "flags"})
_LATE = frozenset({StepErrorKind.TIMEOUT, StepErrorKind.EXPECTATION, StepErrorKind.DEADLINE})
_REFUSED = frozenset({401, 403, 407, 429, 451})
_SEVERAL = 2
_BUSY = 0.5
_EVERYBODY = 3

_NOTHING, _PAGE, _SOME_DATA, _SOME_CODE, _BAD_DATA, _POLICY = range(6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A host on which it may be put.

    Attributes:
        strong: Whether more speaks against it than that it differs from the last good run in what often does.
        missed: Whether it is likelier that the page misses what it should send than that what it sends does harm.
    """

    host: SeenHost
    strong: bool
    missed: bool


def suspects(situation: Situation) -> tuple[Suspect, ...]:
    """Return whose code threw or is in the way, hangs, kept the page busy, or differs from last time, in this order."""
    ranks, last = _ranks(situation), _answered_last(situation)
    found: list[tuple[tuple[float, ...], Suspect]] = []
    for host in situation.case.hosts:
        grounds = _grounds(situation, host, ranks.get(host.host, _NOTHING), is_last=host.host == last)
        if any(grounds):
            strong = any(grounds[:-2]) or (ranks.get(host.host, _NOTHING) >= _SOME_CODE and not host.beside)
            found.append((grounds, Suspect(host=host, strong=strong, missed=_is_missed(situation, host))))
    found.sort(key=lambda one: one[0], reverse=True)
    return tuple(suspect for _, suspect in found)


def in_order(situation: Situation) -> tuple[SeenHost, ...]:
    """Return every host that was used, the most suspicious first."""
    first = [suspect.host for suspect in suspects(situation)]
    rest = [host for host in situation.case.hosts if host not in first]
    if _is_late(situation):
        # A script begins to work when it came, so what came last is what the page was at.
        came = _scripts_came(situation)
        rest.sort(key=lambda host: came.get(host.host, -1.0), reverse=True)
    return (*first, *rest)


def can_be_spared(situation: Situation, host: SeenHost) -> bool:
    """Say whether the journey may do without a host, as far as is known: no foundation, and not missed when blocked."""
    broke = {
        each.hosts[0] for each in situation.done(ExperimentKind.BLOCK) if fell_short(each) and len(each.hosts) == 1
    }
    needed = host.needed or host.owner.critical or host.owner.category in _FOUNDATIONS
    return host.foreign and not needed and host.host not in broke


def fell_short(experiment: Experiment) -> bool:
    """Say whether a journey did not come as far as the step that is investigated."""
    return experiment.outcome is Outcome.INCONCLUSIVE and bool(experiment.failed_step)


def changed_paths(situation: Situation, host: str) -> tuple[str, ...]:
    """Return the paths of a host whose answers differ and can be replayed."""
    differences = [each for each in _differences(situation) if each.host == host]
    urls = [each.url for each in differences if _rank(situation, each) and situation.replayable_at(each.url)]
    return tuple(dict.fromkeys(parts_of(url).path or "/" for url in urls))


def changed_answers(situation: Situation) -> tuple[tuple[str, str], ...]:
    """Return host and path of what an HTTP journey of several requests was answered otherwise, the last asked first.

    Only what can be replayed; who refuses us is not told by an answer from before.
    """
    attempt = situation.evidence.last.number
    requests = [x for x in situation.evidence.exchanges if x.attempt == attempt]
    answered = {x.id: x for x in requests if x.status is not None and x.status not in _REFUSED}
    if len(requests) < _SEVERAL:
        return ()
    found = [
        answered[each.exchange]
        for each in _differences(situation)
        if each.kind in _OTHERWISE and each.exchange in answered and situation.replayable_at(each.url)
    ]
    found.sort(key=lambda x: x.timings.started, reverse=True)
    return tuple(dict.fromkeys((x.host, parts_of(x.url).path or "/") for x in found))


def has_moved_code(situation: Situation, host: str) -> bool:
    """Say whether a host has code at other addresses than in the last good run, as after a deployment."""
    moved = [each for each in _differences(situation) if each.host == host and each.kind not in _OTHERWISE]
    return any(each.resource in CODE for each in moved)


def policy_hosts(situation: Situation) -> tuple[str, ...]:
    """Return the hosts that changed a policy, where a policy forbade a request and the one before was kept."""
    changed = [each for each in _differences(situation) if _rank(situation, each) == _POLICY]
    return tuple(dict.fromkeys(each.host for each in changed if situation.replayable_at(each.url)))


def hangs(situation: Situation) -> bool:
    """Say whether so much was still open at the failure, of ours and of others alike, that the page itself hung."""
    if not _is_late(situation):
        return False
    attempt = situation.evidence.last.number
    hosts = {x.host for x in situation.evidence.exchanges if x.pending and x.attempt == attempt}
    sides = {host.foreign for host in situation.case.hosts if host.host in hosts}
    return len(hosts) >= _EVERYBODY and len(sides) > 1


def _grounds(situation: Situation, host: SeenHost, rank: int, *, is_last: bool) -> tuple[float, ...]:
    """Return what speaks against a host, the gravest first; all zero where nothing does."""
    pending = host.pending and host.foreign and not hangs(situation)
    busy = max(_seconds(situation, host), _BUSY if host.foreign and host.host in situation.slow else 0.0)
    failed = host.failed and host.code and host.foreign and not host.beside and not hangs(situation)
    return (
        # What throws because of it threw second.
        float(_is_hollow(situation, host, CODE)),
        float(_in_the_way(situation, host) and (host.foreign or rank > _NOTHING)),
        float(rank == _POLICY),
        float(is_last),
        float(pending),
        busy if busy >= _BUSY else 0.0,
        float(failed),
        float(rank - (host.beside and rank == _SOME_CODE)),
        # Of several that differ alike, the one that carries no other trade than to run beside the page comes last.
        float(rank > _NOTHING and not host.beside),
    )


def _seconds(situation: Situation, host: SeenHost) -> float:
    """Return the main-thread work of a host's scripts in the step, in the run or when the journey was made again."""
    times = (
        sum(script.seconds for script in each.scripts if parts_of(script.url).hostname == host.host)
        for each in situation.evidence.experiments
    )
    return max(host.seconds, *times, 0.0)


def _in_the_way(situation: Situation, host: SeenHost) -> bool:
    """Say whether a host's code threw or made what was in the way, in the run or when the journey was made again."""
    stacks = (url for each in situation.evidence.experiments for url in each.intercepted_stack)
    return host.on_stack or any(parts_of(url).hostname == host.host for url in stacks)


def _is_hollow(situation: Situation, host: SeenHost, resources: frozenset[str]) -> bool:
    """Say whether a host answered with success and nothing."""
    exchanges = (x for x in situation.evidence.exchanges if x.host == host.host and x.resource in resources)
    return not host.beside and any(is_hollow(x) for x in exchanges)


def _is_missed(situation: Situation, host: SeenHost) -> bool:
    hollow = _is_hollow(situation, host, CODE | _DATA)
    own = {one.host for one in situation.case.own}
    errors = without_usual_troubles(situation.evidence).page_errors
    throws = any(parts_of(each.frames[0]).hostname in own for each in errors if each.frames)
    failed = host.failed and not host.pending
    return hollow or failed or (throws and not _in_the_way(situation, host)) or not can_be_spared(situation, host)


def _differences(situation: Situation) -> tuple[Difference, ...]:
    compared = situation.evidence.compared
    if compared is None:
        return ()
    # Another client may well be sent something else.
    own = not compared.profile
    return tuple(each for each in compared.differences if own or each.kind is DifferenceKind.STATUS)


def _ranks(situation: Situation) -> Mapping[str, int]:
    """Return for each host how much its most telling difference from the last good run tells."""
    ranks: dict[str, int] = {}
    for each in _differences(situation):
        ranks[each.host] = max(ranks.get(each.host, _NOTHING), _rank(situation, each))
    beside = {host.host for host in situation.case.hosts if host.beside}
    return {host: rank for host, rank in ranks.items() if host not in beside or rank >= _SOME_CODE}


def _rank(situation: Situation, each: Difference) -> int:
    if each.kind is DifferenceKind.HEADER and each.header in _POLICIES and _is_forbidden(situation):
        return _POLICY
    # What was still open at the failure is not known to differ.
    if each.kind is DifferenceKind.MISSING or each.after == "pending":
        return _NOTHING
    if each.resource in CODE:
        return _SOME_CODE
    if each.kind not in _OTHERWISE:
        return _NOTHING
    if each.resource in _DATA:
        unusable = any("JSON" in error.message for error in without_usual_troubles(situation.evidence).page_errors)
        return _BAD_DATA if unusable else _SOME_DATA
    return _PAGE if each.resource in _PAGES else _NOTHING


def _is_forbidden(situation: Situation) -> bool:
    return any(mechanism_of(x) is Mechanism.POLICY for x in (*situation.case.needed, *situation.case.suspects))


def _answered_last(situation: Situation) -> str:
    """Return, for a page that hung, the vendor whose script came last before it did; else nobody."""
    if not hangs(situation):
        return ""
    came = _scripts_came(situation)
    spared = [host.host for host in situation.case.hosts if host.host in came and can_be_spared(situation, host)]
    return max(spared, key=lambda host: came[host], default="")


def _scripts_came(situation: Situation) -> Mapping[str, float]:
    """Return for each host when its last script had come."""
    came: dict[str, float] = {}
    for x in situation.evidence.exchanges:
        if x.resource == "script" and not x.pending and x.attempt == situation.evidence.last.number:
            came[x.host] = max(came.get(x.host, 0.0), x.timings.started + x.timings.total)
    return came


def _is_late(situation: Situation) -> bool:
    step = situation.case.step
    return step is not None and step.error is not None and step.error.kind in _LATE
