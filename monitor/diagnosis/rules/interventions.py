"""Rank 2: the journey passed once something was answered from its last good answer, or was blocked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

from monitor.diagnosis.compared import differences, is_comparable, size_of
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.mechanisms import Mechanism, is_hollow, mechanism_of
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.rules.another_type import became_a_page
from monitor.diagnosis.rules.standstill import stands_still, took_no_input
from monitor.diagnosis.scripts import busy_seconds, chain_of, errors_in_force, stack_hosts
from monitor.diagnosis.trials import covers, host_of, made, passed
from monitor.diagnosis.wording import listed
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.diagnosis import Alternative
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.reference import Difference, DifferenceKind

_Differs: TypeAlias = tuple[Detail, str, Exchange | None]

_CODE = frozenset({"script", "stylesheet"})
_DATA = frozenset({"xhr", "fetch"})
_JSON = re.compile(r"\bJSON\b")
_POLICY_HEADERS = frozenset(
    {"access-control-allow-origin", "cross-origin-resource-policy", "x-frame-options", "content-security-policy"}
)
_FAMILIES = frozenset({Family.INTERVENTION})
_NO_JSON = "expected JSON"
_FRACTION = 0.3
_BUSY = 0.5
_WORDS = 120


def harmful_vendor(incident: Incident) -> Finding | None:
    """R20: without a host the step passes, so nobody needs it, and it did harm."""
    blocked = incident.blocked
    if blocked is None or (incident.replayed is not None and incident.needed):
        return None
    host = _deepest(incident, blocked)
    if host is None:
        return _nobody_in_particular(incident, blocked.hosts, Detail.TP_SCRIPT)
    owner = incident.context.owners.owner_of(host)
    detail, words = _harm(incident, host, owner)
    via = chain_of(incident, host)
    loaded = f", which {' and '.join(via)} loaded," if via else ""
    ours = _let_in(incident, host)
    return Finding(
        detail=detail,
        families=_FAMILIES,
        because=f"{incident.scene} {host}{loaded} {words} ({owner.title}){f'; {ours}' if ours else ''}.",
        culprit=incident.culprit(owner),
        evidence=(f"{host} {words}", owner.because, *([ours] if ours else [])),
        exchanges=tuple(x.id for x in incident.exchanges if x.host == host)[:1],
        alternatives=(*([alternative(Detail.OWN_CONTENT, ours)] if ours else []), *_others(blocked, host)),
    )


def _let_in(incident: Incident, host: str) -> str:
    """Say that a page of ours changed and asks for a host only since then: whoever let it in may take it out."""
    kinds = {each.kind for each in differences(incident) if each.host == host}
    pages = (d for d in differences(incident) if d.resource == "document" and d.kind is DifferenceKind.CONTENT)
    changed = any(incident.context.owners.owner_of(each.url).party is Party.OWN for each in pages)
    return "our own page changed and asks for it only since then" if kinds == {DifferenceKind.NEW} and changed else ""


def _deepest(incident: Incident, blocked: Experiment) -> str | None:
    """Return the host that did harm: of several that were blocked together, or loaded by it, the one that shows it."""
    hosts = list(blocked.hosts or (host_of(blocked.subject),))
    innocent = {host for each in made(incident, ExperimentKind.BLOCK) if not passed(each) for host in each.hosts}
    hosts = [host for host in hosts if host not in innocent] or hosts
    children = [h for h in _hosts(incident) if h not in hosts and set(chain_of(incident, h)) & set(hosts)]
    guilt = {host: _guilt(incident, host, child=host in children) for host in (*hosts, *children)}
    worst = max(guilt, key=lambda host: guilt[host])
    return worst if len(hosts) == 1 or any(guilt[worst]) else None


def _guilt(incident: Incident, host: str, *, child: bool) -> tuple[bool, float, bool, bool, bool]:
    pending = any(x.pending and x.resource in _CODE for x in incident.exchanges if x.host == host)
    new = any(each.kind is DifferenceKind.NEW for each in differences(incident) if each.host == host)
    changed = any(each.host == host for each in differences(incident))
    return host in stack_hosts(incident), busy_seconds(incident, host), pending, new, changed and not child


def _hosts(incident: Incident) -> Iterable[str]:
    return dict.fromkeys(x.host for x in incident.exchanges)


def _harm(incident: Incident, host: str, owner: Owner) -> tuple[Detail, str]:
    own = owner.party is Party.OWN
    hanging = [x for x in incident.exchanges if x.host == host and x.pending and x.resource in _CODE]
    if any(mechanism_of(x) is Mechanism.PATH for x in hanging):
        return (Detail.OWN_CONNECT if own else Detail.TP_CONNECT), "was not reached, and the page waited for it"
    if hanging:
        return (Detail.OWN_HTTP_STATUS if own else Detail.TP_SLOW), "never sent its script, and the page waited for it"
    seconds = _held(incident, host)
    if _is_busy(incident, seconds):
        return (Detail.OWN_SLOW_FRONTEND if own else Detail.TP_SLOW), _busy_words(seconds)
    if stands_still(incident):
        return (Detail.OWN_SLOW_FRONTEND if own else Detail.TP_SLOW), "held the page, which took in nothing any more"
    return (Detail.OWN_SCRIPT if own else Detail.TP_SCRIPT), "broke the page"


def _held(incident: Incident, host: str) -> float:
    """Return for how long a host's scripts held the page, in the run or when the journey failed again."""
    failed = (e for e in made(incident, ExperimentKind.RERUN) if not passed(e))
    again = (sum(s.seconds for s in e.scripts if parts_of(s.url).hostname == host) for e in failed)
    return max(busy_seconds(incident, host), *again, 0.0)


def _is_busy(incident: Incident, seconds: float) -> bool:
    duration = incident.step.duration if incident.step else 0.0
    return duration > 0 and seconds >= _BUSY * duration


def _busy_words(seconds: float) -> str:
    return f"kept the page busy for {seconds:.1f} s"


def _others(blocked: Experiment, host: str) -> tuple[Alternative, ...]:
    hosts = [other for other in blocked.hosts if other != host][:1]
    return tuple(alternative(Detail.TP_SCRIPT, f"{other} was blocked too") for other in hosts)


def _nobody_in_particular(incident: Incident, hosts: tuple[str, ...], detail: Detail) -> Finding:
    named = listed(hosts)
    return Finding(
        detail=detail,
        families=_FAMILIES,
        because=f"{incident.scene} one of {named} broke the page; which one is not known.",
        evidence=(f"one of {named} broke the page",),
    )


def replayed_resource(incident: Incident) -> Finding | None:
    """R20: the last good answer of a host that seemed well made the step pass, so what it sends now is wrong."""
    replayed = incident.replayed
    if replayed is None or incident.needed:
        return None
    hosts = replayed.hosts or (host_of(replayed.subject),)
    ranks = {host: _difference_rank(incident, host) for host in hosts}
    host = max(ranks, key=lambda each: ranks[each])
    foreign = all(incident.context.owners.owner_of(each).party is Party.THIRD_PARTY for each in hosts)
    if len(hosts) > 1 and foreign and not any(ranks[host]):
        return _nobody_in_particular(incident, hosts, Detail.TP_CONTENT)
    owner = incident.context.owners.owner_of(f"https://{host}{replayed.path}")
    if owner.party is Party.THIRD_PARTY and _is_what_it_was(incident, host, replayed):
        return _other_in_time_alone(incident, host, owner)
    differs = _what_differs(incident, host, owner, replayed)
    if differs is None:
        return _page_changed(incident, host)
    detail, words, exchange = differs
    return Finding(
        detail=detail,
        families=_FAMILIES,
        because=f"{incident.scene} {host}{replayed.path} {words}; it belongs to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(f"{host} {words}", owner.because),
        exchanges=(exchange.id,) if exchange is not None else (),
    )


def _is_what_it_was(incident: Incident, host: str, replayed: Experiment) -> bool:
    """Say whether all that a replay answered came well and is known, and nothing of it differs from the last good run.

    Scripts of the host that threw or held the page then did so by themselves, and speak for themselves.
    """
    touched = [x for x in incident.exchanges if covers(replayed, x) and x.host == host]
    known = all(x.body_sha256 is not None and x.failure is None and not x.pending for x in touched)
    alike = is_comparable(incident) and not any(each.host == host for each in differences(incident))
    return bool(touched) and known and alike and not any(_difference_rank(incident, host))


def _other_in_time_alone(incident: Incident, host: str, owner: Owner) -> Finding:
    """A replay answers at once: what it mends without another byte, a page may have lost by a race of its own."""
    words = f"with the last good answer of {host} given at once the step passes, and no difference in it was found"
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} it failed; {words}: when it comes may matter, and then either {owner.name} is too "
        "slow or the page too hasty.",
        evidence=(words, owner.because),
        alternatives=(
            alternative(Detail.TP_SLOW, f"{owner.name} may answer more slowly than it did"),
            alternative(Detail.OWN_SCRIPT, "our own code may not wait for what it needs"),
        ),
    )


def _page_changed(incident: Incident, host: str) -> Finding:
    """A page of ours that differs and is not broken may be a change that the journey does not know yet."""
    mine = [each for each in differences(incident) if each.host == host and each.kind is DifferenceKind.CONTENT]
    what = "script" if mine and all(each.resource == "script" for each in mine) else "page"
    words = f"{host} sends another {what} than in the last good run, and nothing in it is broken"
    return Finding(
        detail=Detail.UND_SCRIPT_OR_APP_CHANGE,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {words}; compare the page with the journey: one of them has to follow the other.",
        evidence=(words,),
        alternatives=(
            alternative(Detail.OWN_CONTENT, "the page may have lost what customers need"),
            alternative(Detail.OWN_SCRIPT, "our code may do something else than it should"),
        ),
    )


def _difference_rank(incident: Incident, host: str) -> tuple[bool, bool, bool, bool]:
    differing = [each for each in differences(incident) if each.host == host]
    hollow = any(is_hollow(x) for x in incident.exchanges if x.host == host)
    busy = _is_busy(incident, _held(incident, host))
    return busy, host in stack_hosts(incident), hollow, bool(differing)


def _what_differs(incident: Incident, host: str, owner: Owner, replayed: Experiment) -> _Differs | None:
    own = owner.party is Party.OWN
    touched = [x for x in incident.exchanges if covers(replayed, x) and x.host == host]
    hollow = next((x for x in touched if is_hollow(x)), None)
    if hollow is not None:
        return _content(own=own), f"answered 200 with nothing in {_path(hollow)}", hollow
    differing = [each for each in differences(incident) if each.host == host]
    head = _other_head(incident, touched, differing, own=own)
    if head is not None:
        return head
    data = _own_data(incident, touched, differing) if own else None
    if data is not None:
        return data
    stopped = _stopped(incident, host, own=own)
    if stopped is not None:
        return stopped
    return None if own else _vendor_differs(incident, host, differing)


def _stopped(incident: Incident, host: str, *, own: bool) -> _Differs | None:
    """Return that a host's scripts held the page, broke it, or stopped it at a click."""
    slow = Detail.OWN_SLOW_FRONTEND if own else Detail.TP_SLOW
    seconds = _held(incident, host)
    if _is_busy(incident, seconds):
        return slow, _busy_words(seconds), None
    if host in stack_hosts(incident):
        return (Detail.OWN_SCRIPT if own else Detail.TP_SCRIPT), _breaks(incident, host), None
    return (slow, "stopped the page, which never took the click", None) if took_no_input(incident) else None


def _other_head(
    incident: Incident, touched: list[Exchange], differing: list[Difference], *, own: bool
) -> _Differs | None:
    """Return what the headers alone tell: another policy, or a page where there was none."""
    header = next((each for each in differing if each.header in _POLICY_HEADERS), None)
    if header is not None:
        detail = Detail.OWN_POLICY if own else Detail.TP_POLICY
        return detail, f"changed its {header.header} header", _of(incident, header)
    page = became_a_page(incident, touched)
    return (_content(own=own), f"{page[1]} ({_path(page[0])})", page[0]) if page is not None else None


def _breaks(incident: Incident, host: str) -> str:
    thrown = (e.message for e in errors_in_force(incident) if e.frames and parts_of(e.frames[0]).hostname == host)
    message = next(thrown, "").partition("\n")[0][:_WORDS]
    return f'sends a script that breaks the page ("{message}")' if message else "sends a script that breaks the page"


def _broken_by_data(incident: Incident, touched: list[Exchange]) -> Exchange | None:
    """Return the data that was answered from the last good answer, where nothing but data was."""
    data = [x for x in touched if x.resource in _DATA]
    json = any(_JSON.search(error.message) for error in incident.evidence.page_errors)
    return data[-1] if data and (json or len(data) == len(touched)) else None


def _own_data(incident: Incident, touched: list[Exchange], differing: list[Difference]) -> _Differs | None:
    broken = _broken_by_data(incident, touched)
    if broken is not None:
        return Detail.OWN_CONTENT, f"sends data in {_path(broken)} that the page cannot use", broken
    unusable = _unusable(incident, touched, differing)
    if unusable is not None:
        return Detail.OWN_CONTENT, f"sends something in {_path(unusable)} that cannot be used as before", unusable
    return None


def _unusable(incident: Incident, touched: list[Exchange], differing: list[Difference]) -> Exchange | None:
    """Return the answer over HTTP that is of another type, a fraction of what it was, or no JSON any more."""
    error = incident.step.error if incident.step else None
    no_json = error is not None and _NO_JSON in error.message
    for exchange in touched:
        mine = [each for each in differing if each.exchange == exchange.id and exchange.resource == "http"]
        for each in mine:
            before, after = size_of(each.before), size_of(each.after)
            shrunk = before is not None and after is not None and after < _FRACTION * before
            if each.header == "content-type" or (each.kind is DifferenceKind.CONTENT and (no_json or shrunk)):
                return exchange
    return None


def _vendor_differs(incident: Incident, host: str, differing: list[Difference]) -> _Differs:
    """Tell code that did harm from something that is missing: nobody misses what can be left out."""
    changed = next((each for each in differing if each.kind is DifferenceKind.CONTENT), None)
    if changed is None:
        words = "answers otherwise than in the last good run"
        unseen = "fails the step with what it answers now, and not with its last good answer"
        return Detail.TP_CONTENT, words if differing else unseen, None
    where = parts_of(changed.url).path
    if changed.resource == "script" and not _is_missed(incident, host):
        return Detail.TP_SCRIPT, f"sends another script in {where} than in the last good run", _of(incident, changed)
    return Detail.TP_CONTENT, f"sends something else in {where} than in the last good run", _of(incident, changed)


def _is_missed(incident: Incident, host: str) -> bool:
    """Say whether the step needs what comes from a host: it fails without it, or code of ours threw for want of it."""
    if incident.blocked is not None and host in incident.blocked.hosts:
        return False
    needed = any(host in each.hosts and len(each.hosts) == 1 for each in _blocked_in_vain(incident))
    thrown = (each.frames[0] for each in errors_in_force(incident) if each.frames)
    return needed or any(incident.context.owners.owner_of(url).party is Party.OWN for url in thrown)


def _blocked_in_vain(incident: Incident) -> Iterable[Experiment]:
    return (each for each in made(incident, ExperimentKind.BLOCK) if not passed(each))


def _content(*, own: bool) -> Detail:
    return Detail.OWN_CONTENT if own else Detail.TP_CONTENT


def _of(incident: Incident, difference: Difference) -> Exchange | None:
    return next((x for x in incident.exchanges if x.id == difference.exchange), None)


def _path(exchange: Exchange) -> str:
    return parts_of(exchange.url).path or "/"


RULES = (Rule(id="R20", decide=harmful_vendor), Rule(id="R20", decide=replayed_resource))
