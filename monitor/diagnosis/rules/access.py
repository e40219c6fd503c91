"""Refusals that concern the monitor rather than customers."""

from __future__ import annotations

import re
from dataclasses import replace

from monitor.diagnosis.compared import is_comparable, own_changed, turned
from monitor.diagnosis.edges import edge_named
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.rules.second_account import told_by_second_account
from monitor.diagnosis.trials import looks, passed
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.diagnosis import Culprit, CulpritKind
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Validity
from monitor.domain.secret import Secret

_UNAUTHORIZED = 401
_FORBIDDEN = 403
_TOO_MANY = 429
LOCKED = 423
AS_ORDINARY = "an ordinary browser's request is answered"
BY_OUR_NAME = "the monitor's own name"
"""How a look is made that differs from an ordinary browser's in nothing but what it calls itself."""
_BAD_REQUEST = 400
_UNPAID = 402
_IDENTITY = "identity"
_DATA = frozenset({"xhr", "fetch"})
_FILES = frozenset({"script", "stylesheet"})
_DECORATION = frozenset({"image", "font", "media", "ping", "beacon", "prefetch"})
_SIGN_IN = re.compile(r"log-?_? ?[io]n|sign-?_? ?[io]n|auth|session|token|password|credential", re.IGNORECASE)
_REFUSALS = frozenset({_UNAUTHORIZED, _FORBIDDEN, 406})


def refused_as_robot(incident: Incident) -> Finding | None:
    """R14: a rate limit or a bot challenge; further tests would make it worse."""
    for exchange in incident.needed:
        guard = guard_of(exchange)
        if guard is not None:
            culprit = Culprit(kind=CulpritKind.VENDOR, name=_name(incident, exchange, guard), host=exchange.host)
            words = f"{culprit.name} challenged the monitor as a robot"
            return refusal(incident, exchange, Detail.TP_ACCESS, words, culprit)
        if exchange.status == _TOO_MANY:
            owner = incident.owner(exchange)
            detail = Detail.OWN_ACCESS if owner.party is Party.OWN else Detail.TP_ACCESS
            words = f"a rate limit of {owner.title} is used up, so nothing further was asked"
            limited = refusal(incident, exchange, detail, words, incident.culprit(owner))
            # Customers may share the limit, as those of one key do; only a look from elsewhere would tell.
            elsewhere = [e for e in looks(incident, ExperimentKind.VANTAGE, exchange.host) if passed(e)]
            return limited if elsewhere else replace(limited, validity=Validity.VALID)
    return None


def _name(incident: Incident, exchange: Exchange, guard: str) -> str:
    """Return the guard as the user calls it, where it is an edge of the user's list."""
    headers = dict(exchange.headers)
    return incident.context.owners.edge_in(f"{headers.get('server', '')} {headers.get('via', '')}") or guard


def guard_of(exchange: Exchange) -> str | None:
    """Return the guard that challenged us as a robot, where the answer says so itself."""
    headers = dict(exchange.headers)
    if headers.get("cf-mitigated", "").lower() == "challenge":
        return "Cloudflare"
    if "x-datadome" in headers and exchange.status == _FORBIDDEN:
        return "DataDome"
    if headers.get("x-amzn-waf-action", "").lower() in ("challenge", "captcha"):
        return "AWS WAF"
    return None


def refused_as_client(incident: Incident) -> Finding | None:
    """R14: the same request is answered where it looks like an ordinary browser's, so a guard refuses the monitor."""
    for exchange in incident.needed:
        asked = [e for e in looks(incident, ExperimentKind.CLIENT, exchange.host) if e.by != BY_OUR_NAME]
        if exchange.status not in _REFUSALS or not asked or not all(_is_answered(look) for look in asked):
            continue
        if any(passed(look) for look in _by_our_name(incident, exchange)):
            # Looks carry no session: what is answered by our own name too was not refused for the name's sake.
            continue
        owner = incident.owner(exchange)
        edge = edge_named(exchange, incident.context.owners)
        if owner.party is Party.OWN and edge is not None:
            return whose_guard(incident, exchange, edge, AS_ORDINARY)
        detail = Detail.OWN_ACCESS if owner.party is Party.OWN else Detail.TP_ACCESS
        words = f"an ordinary browser's request is answered, so a guard of {owner.title} refuses the monitor"
        finding = refusal(incident, exchange, detail, words, incident.culprit(owner))
        return replace(finding, families=frozenset({Family.CODES, Family.ELSEWHERE}))
    return None


def _by_our_name(incident: Incident, exchange: Exchange) -> list[Experiment]:
    """Return the looks that called themselves as the run did, without its session; our own socket is no browser."""
    named = [e for e in looks(incident, ExperimentKind.CLIENT, exchange.host) if e.by == BY_OUR_NAME]
    again = looks(incident, ExperimentKind.REPROBE, exchange.host) if exchange.resource == "http" else ()
    return [*named, *again]


def _is_answered(look: Experiment) -> bool:
    """Say whether a look was answered where it asked, and not led to a sign-in or a page that says no."""
    first, last = look.exchanges[0], look.exchanges[-1]
    return passed(look) and not first.redirected_from and parts_of(first.url).path == parts_of(last.url).path


def whose_guard(incident: Incident, exchange: Exchange, edge: str, seen: str) -> Finding:
    """Return that a guard refuses the monitor at an edge, which does not say whose rule it is."""
    words = f"{seen}; whether a rule at {edge} or our own refuses the monitor"
    return Finding(
        detail=Detail.UND_SHARED_RESPONSIBILITY,
        confidence=Confidence.NONE,
        validity=Validity.MONITOR_SPECIFIC,
        because=f"{incident.scene} {happening(exchange)}: {words}, its answer does not say.",
        evidence=(happening(exchange),),
        exchanges=(exchange.id,),
        alternatives=(
            alternative(Detail.TP_ACCESS, f"{edge} may take the monitor for a robot"),
            alternative(Detail.OWN_ACCESS, "our own guard may"),
        ),
    )


def refusal(incident: Incident, exchange: Exchange, detail: Detail, words: str, culprit: Culprit) -> Finding:
    """Return that a guard refuses the monitor, and says nothing of customers."""
    return Finding(
        detail=detail,
        validity=Validity.MONITOR_SPECIFIC,
        because=f"{incident.scene} {happening(exchange)}: {words}; let the monitor pass, or run it less often.",
        culprit=culprit,
        evidence=(happening(exchange),),
        exchanges=(exchange.id,),
    )


def refused_account(incident: Incident) -> Finding | None:
    """R12: a refused sign-in may be ours or everybody's; a second account tells, and without one it stays open."""
    refused = next((x for x in incident.needed if x.status in (_UNAUTHORIZED, _FORBIDDEN)), None)
    if refused is None:
        return _arrangement_refused(incident)
    own = incident.owner(refused).party is Party.OWN
    if own and refused.status == _FORBIDDEN and _refuses_everybody(incident, refused):
        return _closed(incident, refused)
    if not own and incident.owner(refused).category != _IDENTITY:
        return _refused_to_all(incident, refused) or _refused_by_vendor(incident, refused)
    told = told_by_second_account(incident, refused)
    if told is not None:
        return told
    if is_sign_in(incident, refused):
        return signed_in_nowhere(incident, refused)
    unknown = refused.status == _UNAUTHORIZED
    account = unknown or not own or _has_account(incident)
    return Finding(
        detail=Detail.UND_MONITOR_CONFIG if unknown else Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(refused)}; {_advice(unknown=unknown, account=account)}.",
        evidence=(happening(refused),),
        exchanges=(refused.id,),
        alternatives=(
            alternative(Detail.OWN_ACCESS if own else Detail.TP_ACCESS, "a guard may refuse the monitor"),
            alternative(Detail.UND_MONITOR_CONFIG, "the monitor's account may have expired or lack permission")
            if account
            else alternative(Detail.OWN_CONTENT, "a session that is not kept is refused in the same way"),
        ),
    )


def _advice(*, unknown: bool, account: bool) -> str:
    if unknown:
        return (
            "a second account would tell (`second_account` of the check, or by hand): if it is let in, the monitor's "
            "account has to be renewed"
        )
    if account:
        return (
            "try another client and another account by hand, to tell a guard that refuses the monitor from one that "
            "refuses everybody"
        )
    return (
        "try another client by hand: if it is refused too, look whether the cookies of the session still reach the "
        "customer, and if not, at the guard that refuses the monitor"
    )


def _has_account(incident: Incident) -> bool:
    check = incident.context.check
    return bool(check.second_account) or any(isinstance(value, Secret) for _, value in check.values)


def refused_without_account(incident: Incident) -> Finding | None:
    """R12: where the journey signs in nowhere, an own answer of 401 to our own code is no account of the monitor's."""
    refused = next((x for x in incident.needed if x.status in (_UNAUTHORIZED, _FORBIDDEN)), None)
    if refused is None or incident.owner(refused).party is not Party.OWN or not _without_account(incident, refused):
        return None
    return _demands_account(incident, refused)


def _without_account(incident: Incident, refused: Exchange) -> bool:
    """Say whether the page's own code was refused what it was given in the last good run, with no account in play."""
    step = incident.step
    names = (step.name, step.title, step.capability or "") if step else ()
    # Whoever takes payments hands out tokens too.
    owners = ((x, incident.owner(x)) for x in incident.exchanges if x.method == "POST")
    posted = (parts_of(x.url).path for x, o in owners if o.party is Party.OWN or o.category == _IDENTITY)
    if _has_account(incident) or any(_SIGN_IN.search(words) for words in (*names, *posted, parts_of(refused.url).path)):
        return False
    # A guard answers 403 with a page of its own; the application answers its own code with data.
    stated = refused.status == _UNAUTHORIZED or "json" in refused.mime_type
    by_edge = edge_named(refused, incident.context.owners) is not None
    return stated and not by_edge and refused.resource in _DATA and turned(incident, refused)


def _demands_account(incident: Incident, refused: Exchange) -> Finding:
    owner = incident.owner(refused)
    words = "it was answered in the last good run, and the journey signs in nowhere"
    return Finding(
        detail=Detail.OWN_HTTP_STATUS,
        families=frozenset({Family.CODES}),
        because=f"{incident.scene} {happening(refused)}; {words}, so it is no account of ours ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(happening(refused), words),
        exchanges=(refused.id,),
        alternatives=(alternative(Detail.OWN_ACCESS, "a guard may refuse the monitor"),),
    )


def _refused_by_vendor(incident: Incident, refused: Exchange) -> Finding:
    """A vendor that does not take what we send: it may have withdrawn our key, or we may send a wrong one."""
    owner = incident.owner(refused)
    what = {
        _UNPAID: "did not book a payment or we did not pay",
        _BAD_REQUEST: "forgot what was registered for us, such as the address to return to, or the page asks otherwise",
    }
    whether = what.get(refused.status or 0, "turned our key or account down or the page sends a wrong one")
    return Finding(
        detail=Detail.UND_SHARED_RESPONSIBILITY,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(refused)}; whether {owner.title} {whether}, its answer does not say: "
        "compare it with the vendor's console.",
        evidence=(happening(refused), owner.because),
        exchanges=(refused.id,),
        alternatives=(
            alternative(Detail.TP_ACCESS, f"{owner.name} may refuse a key that is right"),
            alternative(Detail.UND_MONITOR_CONFIG, "the key that the target is set up with may have expired"),
        ),
    )


def _refused_to_all(incident: Incident, refused: Exchange) -> Finding | None:
    """A file that was given to anybody who asked, without a key, and is now refused to the same request."""
    keyed = bool(parts_of(refused.url).query) or refused.resource not in _FILES
    asked = looks(incident, ExperimentKind.CLIENT, refused.host)
    if keyed or not turned(incident, refused) or not asked or any(passed(look) for look in asked):
        return None
    owner = incident.owner(refused)
    words = "the same file was given without a key in the last good run, and an ordinary browser is refused too"
    return Finding(
        detail=Detail.TP_ACCESS,
        families=frozenset({Family.CODES, Family.COMPARISON}),
        because=f"{incident.scene} {happening(refused)}; {words} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(happening(refused), words, owner.because),
        exchanges=(refused.id,),
        alternatives=(alternative(Detail.UND_SHARED_RESPONSIBILITY, "if the vendor gives it to paying sites only"),),
    )


def _arrangement_refused(incident: Incident) -> Finding | None:
    """A vendor that wants to be paid, or an identity provider that does not take the page's request for a sign-in."""
    for exchange in incident.needed:
        owner = incident.owner(exchange)
        asked = exchange.status == _BAD_REQUEST and owner.category == _IDENTITY and exchange.resource == "document"
        if owner.party is Party.THIRD_PARTY and (exchange.status == _UNPAID or asked):
            return _refused_by_vendor(incident, exchange)
    return None


def signed_in_nowhere(incident: Incident, refused: Exchange) -> Finding:
    """Return that the account of the monitor alone is likely to be refused, so that the run says nothing."""
    known = is_comparable(incident)
    why = "its account is probably locked" if refused.status == LOCKED else "its password has probably expired"
    unchanged = " and is what it was in the last good run" if known else ""
    words = f"everything else was answered{unchanged}"
    return Finding(
        detail=Detail.UND_MONITOR_CONFIG,
        confidence=Confidence.NONE,
        validity=Validity.INVALID,
        because=f"{incident.scene} {happening(refused)} to the monitor's account, while {words}: {why}. "
        "A second account would tell (`second_account` of the check, or by hand): if that is refused "
        "too, nobody can sign in.",
        evidence=(happening(refused), words),
        exchanges=(refused.id,),
        alternatives=(
            alternative(Detail.OWN_HTTP_STATUS, "the sign-in may refuse everybody"),
            alternative(Detail.OWN_ACCESS, "a guard may refuse the monitor"),
        ),
    )


def is_sign_in(incident: Incident, refused: Exchange) -> bool:
    """Say whether the very request that signs the monitor in was refused, and nothing else went wrong or changed."""
    if refused.status not in (_UNAUTHORIZED, LOCKED) or not signs_in(incident, refused):
        return False
    answered = any(x.status is not None and x.status < _UNAUTHORIZED for x in incident.exchanges)
    failed = [x for x in (*incident.needed, *incident.suspects) if x.resource not in _DECORATION]
    others = [x for x in failed if x.id != refused.id and not incident.owner(x).beside]
    return answered and not others and not incident.evidence.page_errors and not own_changed(incident, beside=refused)


def signs_in(incident: Incident, refused: Exchange) -> bool:
    """Say whether a request hands over the account, as far as its step and its path tell."""
    step = incident.step
    names = (step.name, step.title, step.capability or "") if step else ()
    return refused.method == "POST" and any(_SIGN_IN.search(words) for words in (*names, parts_of(refused.url).path))


def _refuses_everybody(incident: Incident, refused: Exchange) -> bool:
    """Say whether a page that needs no account refuses an ordinary browser too."""
    first = incident.step is not None and incident.attempt.steps[:1] == (incident.step,)
    asked = looks(incident, ExperimentKind.CLIENT, refused.host)
    alike = [look for look in asked if look.exchanges[-1].status == _FORBIDDEN]
    return first and refused.resource in ("document", "http") and bool(alike) and len(alike) == len(asked)


def _closed(incident: Incident, refused: Exchange) -> Finding:
    owner = incident.owner(refused)
    words = "an ordinary browser's request is refused too"
    return Finding(
        detail=Detail.OWN_HTTP_STATUS,
        because=f"{incident.scene} {happening(refused)}; {words}, and it belongs to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(happening(refused), words),
        exchanges=(refused.id,),
        alternatives=(alternative(Detail.OWN_ACCESS, "if only this place is refused"),),
    )


ROBOT = (Rule(id="R14", decide=refused_as_robot), Rule(id="R14", decide=refused_as_client))
ACCOUNT_RULE = "R12"
ACCOUNT = (
    Rule(id=ACCOUNT_RULE, decide=refused_without_account),
    Rule(id=ACCOUNT_RULE, decide=refused_account),
)
