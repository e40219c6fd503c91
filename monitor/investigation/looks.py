"""Which single looks a case calls for. Each is one request that changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.diagnosis.names_asked import AUTHORITATIVE, UNCHECKED, is_usual, way_of
from monitor.diagnosis.rules.access import BY_OUR_NAME, guard_of
from monitor.diagnosis.rules.guards import SEVERAL_NAMES
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import ExperimentKind
from monitor.domain.failure import Failure, Phase
from monitor.domain.outcome import Outcome
from monitor.domain.profile import Asking
from monitor.investigation.experiments import Look
from monitor.investigation.situation import Situation

ORDINARY_CLIENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
)
SYSTEM_RESOLVER = "system"
MORE_PROBES = 4
_HOSTS = 3
_SAFE = frozenset({"GET", "HEAD"})
_REFUSED = frozenset({401, 403})
_TOO_MANY = 429
_ACTING = frozenset({"document", "xhr", "fetch"})
_DECLARED = "http"
_BEFORE_HTTP = frozenset({Phase.RESOLVE, Phase.CONNECT, Phase.TLS})
_NAMES = frozenset({Mechanism.NAME, Mechanism.RESOLVER})
_WHERE = _NAMES | {Mechanism.REFUSED, Mechanism.PATH, Mechanism.UNREACHABLE, Mechanism.TLS}
# What guards answer beside 401 and 403; an error of 500, 502 or 504 is nobody's choice.
_BY_GUARDS = frozenset({400, 404, 405, 406, 410, 418, 503})
_HUNG_UP = frozenset({Mechanism.BROKEN_OFF, Mechanism.PROTOCOL})
_ORDINARY = "ordinary browser"
_HEADLESS = re.compile(r"Chromium headless shell (\d+)")
_MASK = "•••"
_WEB = {"ws": "http", "wss": "https"}
_CONNECTION = "only whether the host can be reached: the request itself must not be sent again"


def looks_for(situation: Situation) -> tuple[Look, ...]:
    """Return the looks that are called for and were not made yet, as many as the budget allows."""
    found = [*controls(situation), *_at_hosts(situation)]
    made = {(each.kind, each.subject, way_of(each.by)) for each in situation.evidence.experiments}
    wanted = [look for look in found if (look.kind, look.subject, look.by) not in made]
    more = (*_more_probes(situation), *_by_both_names(situation))
    return tuple((*wanted, *more)[: max(0, situation.left.requests)])


def controls(situation: Situation) -> Iterator[Look]:
    """Yield a look at each control, on the very way that the run took."""
    for url in situation.ownership.controls:
        yield Look(kind=ExperimentKind.CONTROL, subject=url, url=url, profile=situation.check.profile)


def probes(situation: Situation) -> Iterator[Look]:
    """Yield a second look at what failed, from a socket of our own, once for each host."""
    guarded = guarded_hosts(situation)
    for exchange in _in_question(situation):
        if exchange.host not in guarded:
            yield _probe(situation, exchange)


def guarded_hosts(situation: Situation) -> frozenset[str]:
    """Return hosts that set a rate limit or a challenge: they are left alone."""
    looked_at = (x for each in situation.evidence.experiments for x in each.exchanges)
    exchanges = (*situation.evidence.exchanges, *looked_at)
    return frozenset(x.host for x in exchanges if x.status == _TOO_MANY or guard_of(x) is not None)


def _at_hosts(situation: Situation) -> Iterator[Look]:
    yield from _as_ordinary_client(situation)
    yield from probes(situation)
    guarded = guarded_hosts(situation)
    for exchange in _in_question(situation):
        if exchange.host not in guarded:
            yield from _resolvers(situation, exchange)
            yield from _origins(situation, exchange)
            yield from _tenants(situation, exchange)
            yield from _other_ways(situation, exchange)


def _in_question(situation: Situation) -> tuple[Exchange, ...]:
    """Return one failed exchange for each of the few hosts on which it may hang, what the step needed first."""
    case = situation.case
    beside = {host.host for host in case.hosts if host.beside}
    found: dict[str, Exchange] = {}
    slow = () if case.needed else _slow_answers(situation)
    for exchange in (*case.needed, *slow, *([] if case.needed else case.suspects)):
        if exchange.host and exchange.host not in beside:
            found.setdefault(exchange.host, exchange)
    return tuple(found.values())[:_HOSTS]


def _slow_answers(situation: Situation) -> tuple[Exchange, ...]:
    """Return for each host whose slowness is suspected the request that took longest in the step in question."""
    until, found = situation.until, []
    for host in situation.slow:
        asked = [x for x in situation.evidence.exchanges if x.host == host and x.method in _SAFE and not x.from_cache]
        inside = [x for x in asked if x.step in ("", until)] or asked
        found += [max(inside, key=lambda x: x.timings.total)] if inside else []
    return tuple(found)


def _probe(situation: Situation, exchange: Exchange, note: str = "") -> Look:
    url, only_reach = _address(situation, exchange)
    return Look(
        kind=ExperimentKind.REPROBE,
        subject=exchange.host,
        url=url,
        profile=situation.check.profile,
        method="GET" if only_reach else exchange.method,
        note=_CONNECTION if only_reach else note,
        connection_only=only_reach,
    )


def _address(situation: Situation, exchange: Exchange) -> tuple[str, bool]:
    """Return what to ask, and whether that says no more than that the host can be reached."""
    parts = urlsplit(exchange.url)
    scheme = _WEB.get(parts.scheme, parts.scheme)
    if scheme == parts.scheme and _may_be_sent_again(situation, exchange):
        return urlunsplit(parts._replace(fragment="")), False
    return urlunsplit((scheme, parts.netloc, "/", "", "")), True


def _may_be_sent_again(situation: Situation, exchange: Exchange) -> bool:
    """Say whether a request asks only: a return from a payment is a GET as well, and may pay by its address alone."""
    if exchange.method not in _SAFE or _MASK in exchange.url:
        return False
    acts = exchange.resource == _DECLARED or (exchange.resource in _ACTING and bool(urlsplit(exchange.url).query))
    if acts and exchange.step in situation.with_effects:
        return False
    return not _follows_a_post(situation, exchange)


def _follows_a_post(situation: Situation, exchange: Exchange) -> bool:
    """Say whether a request was led here from one that changes something; its address may be good for once only."""
    by_id = {x.id: x for x in situation.evidence.exchanges}
    before = by_id.get(exchange.redirected_from or "")
    while before is not None:
        if before.method not in _SAFE:
            return True
        before = by_id.get(before.redirected_from or "")
    return False


def _more_probes(situation: Situation) -> Iterator[Look]:
    """Yield more of the same where the first one passed, to tell what comes and goes from what is over."""
    made = situation.done(ExperimentKind.REPROBE)
    for exchange in _in_question(situation):
        of_host = [each for each in made if each.subject == exchange.host and not each.of_run]
        first_passed = len(of_host) == 1 and of_host[0].outcome is Outcome.PASSED
        if first_passed and _tells_more(situation, exchange):
            yield from (_probe(situation, exchange) for _ in range(MORE_PROBES))


def _tells_more(situation: Situation, exchange: Exchange) -> bool:
    """Say whether asking again and again may tell what comes and goes: not where the very request cannot be asked."""
    if not situation.case.needed or exchange.host in guarded_hosts(situation):
        return False
    _, only_reach = _address(situation, exchange)
    return not only_reach or exchange.failed_phase in _BEFORE_HTTP


def _resolvers(situation: Situation, exchange: Exchange) -> Iterator[Look]:
    """Yield the question to each resolver, the client's own first, where the name or what it leads to is in doubt."""
    profile, settings = situation.check.profile, situation.settings
    overridden = {one.host for one in (*profile.hosts, *situation.check.target.hosts)}
    mechanism = mechanism_of(exchange)
    if exchange.host in overridden or mechanism not in _WHERE or profile.proxy is not None:
        return
    if mechanism not in _NAMES and not settings.resolvers:
        return
    look = replace(_probe(situation, exchange), kind=ExperimentKind.RESOLVER)
    yield replace(look, by=profile.resolver or SYSTEM_RESOLVER)
    for address in settings.resolvers:
        if address != profile.resolver:
            yield replace(look, by=address, resolver=address)
    control = next((one for one in settings.resolvers if one != profile.resolver), "")
    yield replace(look, by=AUTHORITATIVE, resolver=control, asking=Asking.AUTHORITY)
    yield from _unchecked(situation, look)


def _unchecked(situation: Situation, look: Look) -> Iterator[Look]:
    """Yield the question without a check of signatures to each resolver that answered SERVFAIL to the usual one."""
    ours = situation.check.profile.resolver or SYSTEM_RESOLVER
    for each in situation.done(ExperimentKind.RESOLVER):
        by = each.by
        failed = bool(each.exchanges) and each.exchanges[-1].failure is Failure.DNS_SERVER_FAILURE
        if each.subject == look.subject and failed and is_usual(by):
            yield replace(
                look, by=f"{by}{UNCHECKED}", resolver="" if by == ours else by, asking=Asking.UNCHECKED, note=""
            )


def explaining(looks: tuple[Look, ...]) -> tuple[Look, ...]:
    """Return those looks that are worth their cost though it is settled whose failure it is.

    They say why, or whether customers meet it at all.
    """
    return tuple(look for look in looks if look.asking is Asking.UNCHECKED or look.kind is ExperimentKind.CLIENT)


def _origins(situation: Situation, exchange: Exchange) -> Iterator[Look]:
    """Yield the question to the origin itself, past the edge."""
    for origin in situation.ownership.origins:
        if origin.host == exchange.host:
            look = _probe(situation, exchange)
            yield replace(look, kind=ExperimentKind.ORIGIN, by=origin.address, address=origin.address)


def _tenants(situation: Situation, exchange: Exchange) -> Iterator[Look]:
    """Yield a look at another customer of the vendor that serves an own name."""
    for hosted in situation.ownership.hosted:
        if hosted.host == exchange.host and hosted.control:
            yield Look(
                kind=ExperimentKind.TENANT,
                subject=exchange.host,
                by=hosted.control,
                url=hosted.control,
                profile=situation.check.profile,
            )


def _other_ways(situation: Situation, exchange: Exchange) -> Iterator[Look]:
    """Yield the same question from other places, and past the client's proxy."""
    look, profile = _probe(situation, exchange), situation.check.profile
    for vantage in situation.settings.vantages:
        yield replace(
            look,
            kind=ExperimentKind.VANTAGE,
            by=vantage.name,
            profile=replace(profile, proxy=vantage.proxy, resolver=None),
        )
    if profile.proxy is not None:
        yield replace(look, kind=ExperimentKind.DIRECT, by="direct", profile=replace(profile, proxy=None))


def _as_ordinary_client(situation: Situation) -> Iterator[Look]:
    """Yield one look as an ordinary browser at what refused us, and did not say why."""
    case, guarded = situation.case, guarded_hosts(situation)
    for exchange in case.needed or case.suspects:
        refused = exchange.status in _REFUSED or _may_be_a_guard(case.needed, exchange)
        if refused and exchange.host not in guarded and _may_be_sent_again(situation, exchange):
            yield _as(situation, exchange, ORDINARY_CLIENT, _ORDINARY)
            return


def _as(situation: Situation, exchange: Exchange, name: str, by: str) -> Look:
    return replace(_probe(situation, exchange), kind=ExperimentKind.CLIENT, user_agent=name, by=by)


def _may_be_a_guard(needed: tuple[Exchange, ...], exchange: Exchange) -> bool:
    """Say whether the host was reached and turned the request down, with an error or by hanging up: guards do both."""
    if exchange not in needed or exchange.pending:
        return False
    hung_up = mechanism_of(exchange) in _HUNG_UP and exchange.failed_phase not in _BEFORE_HTTP
    return hung_up or exchange.status in _BY_GUARDS


def _by_both_names(situation: Situation) -> Iterator[Look]:
    """Yield the same request by our own name and as an ordinary browser, several times, where that one was answered.

    What was refused plainly is asked once by the name of the browser, to tell a guard from a session that is missing.
    """
    made = situation.done(ExperimentKind.CLIENT)
    name = _own_name(situation)
    if len(made) != 1 or made[0].outcome is not Outcome.PASSED or name is None:
        return
    for exchange in situation.case.needed:
        if exchange.host in guarded_hosts(situation) or exchange.host != made[0].subject:
            continue
        if exchange.status in _REFUSED:
            if name:
                yield _as(situation, exchange, name, BY_OUR_NAME)
            return
        if _may_be_a_guard(situation.case.needed, exchange):
            for _ in range(SEVERAL_NAMES):
                yield _as(situation, exchange, name, BY_OUR_NAME)
                yield _as(situation, exchange, ORDINARY_CLIENT, _ORDINARY)
            return


def _own_name(situation: Situation) -> str | None:
    """Return what the run called itself, ``None`` where that is not known; our own socket calls itself so anyway."""
    if situation.check.profile.user_agent is not None:
        return situation.check.profile.user_agent
    if not any(x.resource != "http" for x in situation.evidence.exchanges):
        return ""
    version = _HEADLESS.search(situation.evidence.engine)
    return ORDINARY_CLIENT.replace("Chrome/156", f"HeadlessChrome/{version[1]}") if version else None
