"""Browser policies: the cause is whoever changed the policy or what it is about since the last good run."""

from __future__ import annotations

import re

from monitor.diagnosis.compared import changed, differences, is_comparable, is_new
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.diagnosis.scripts import asked_by_own
from monitor.diagnosis.trials import was_cleared
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure
from monitor.domain.reference import Difference, DifferenceKind

_CONTENT = frozenset({Failure.POLICY_SRI, Failure.POLICY_MIME})
_OF_THE_PAGE = frozenset({Failure.POLICY_CSP, Failure.POLICY_MIXED_CONTENT})
_PAGE_HEADERS = frozenset({"content-security-policy", "cross-origin-embedder-policy", "cross-origin-opener-policy"})
_THEIR_HEADERS = frozenset(
    {
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "cross-origin-resource-policy",
        "x-frame-options",
        "content-security-policy",
        "content-type",
        "x-content-type-options",
    }
)
_NONCE = re.compile(r"'nonce-[^']*'")


def policy_blocked(incident: Incident) -> Finding | None:
    """R07: whoever changed the policy or the content since the last good run; both sides own: ourselves."""
    blocked = next((x for x in incident.needed if mechanism_of(x) is Mechanism.POLICY), None)
    if blocked is None:
        return None
    if blocked.failure is Failure.POLICY_ADDRESS:
        return _forbidden_address(incident, blocked)
    owner = incident.owner(blocked)
    over_http = blocked.failure is Failure.POLICY_MIXED_CONTENT and asked_by_own(incident, blocked)
    if owner.party is Party.OWN or over_http:
        by_page = blocked.failure in _OF_THE_PAGE or owner.party is not Party.OWN
        setter = incident.context.owners.owner_of(incident.context.check.target.base_url) if by_page else owner
        whose = (
            "our page asks for it so" if blocked.failure is Failure.POLICY_MIXED_CONTENT else "the policy is our own"
        )
        return Finding(
            detail=Detail.OWN_POLICY,
            because=f"{incident.scene} {happening(blocked)}; {whose} ({setter.title}).",
            culprit=incident.culprit(setter),
            evidence=(happening(blocked),),
            exchanges=(blocked.id,),
        )
    return _by_replay(incident, blocked) or _by_comparison(incident, blocked) or _open(incident, blocked)


def _forbidden_address(incident: Incident, blocked: Exchange) -> Finding:
    return Finding(
        detail=Detail.UND_MONITOR_CONFIG,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(blocked)}; allow private addresses for this target, or correct the "
        "name's address.",
        exchanges=(blocked.id,),
        alternatives=(alternative(Detail.OWN_DNS, "the name may have a wrong address"),),
    )


def _by_replay(incident: Incident, blocked: Exchange) -> Finding | None:
    """Whose last good answer made the step pass is who changed."""
    if incident.replayed is None:
        return None
    owner_of = incident.context.owners.owner_of
    parties = {owner_of(host).party for host in incident.replayed.hosts}
    if parties == {Party.OWN}:
        return _ours(incident, blocked, "our page or its policy is not what it was in the last good run")
    if parties == {Party.THIRD_PARTY}:
        return _theirs(incident, blocked, "its answer is not what it was in the last good run")
    return None


def _by_comparison(incident: Incident, blocked: Exchange) -> Finding | None:
    """Compare both sides with the last good run: the page that sets or demands, and the answer that has to fit."""
    if not is_comparable(incident):
        return None
    ours = _our_change(incident, blocked)
    theirs = _their_change(incident, blocked)
    if ours and theirs:
        return Finding(
            detail=Detail.UND_SHARED_RESPONSIBILITY,
            confidence=Confidence.NONE,
            because=f"{incident.scene} {happening(blocked)}; since the last good run {ours}, and {theirs}.",
            evidence=(happening(blocked), ours, theirs),
            exchanges=(blocked.id,),
            alternatives=(alternative(Detail.OWN_POLICY, ours), alternative(_their_detail(blocked), theirs)),
        )
    if ours:
        return _ours(incident, blocked, f"since the last good run {ours}")
    return _theirs(incident, blocked, f"since the last good run {theirs}") if theirs else None


def _our_change(incident: Incident, blocked: Exchange) -> str:
    """Return what changed on our side that bears on this policy; empty where nothing did, or where nobody can see."""
    page = [each for each in differences(incident) if _is_own_page(incident, each)]
    if blocked.failure in _OF_THE_PAGE or blocked.failure in (Failure.POLICY_CORP, Failure.POLICY_FRAME):
        header = next((each for each in page if each.header in _PAGE_HEADERS and _really(each)), None)
        if header is not None:
            return f"our page's {header.header} changed"
    # Only where the vendor's content was seen is it known that our page alone differs.
    seen = blocked.failure is Failure.POLICY_SRI and blocked.body_sha256 is not None
    if seen and any(each.kind is DifferenceKind.CONTENT for each in page):
        return "our page, which holds the integrity attribute, changed"
    if blocked.failure is Failure.POLICY_CORS and is_new(incident, blocked):
        return "our page began to ask this address"
    return ""


def _their_change(incident: Incident, blocked: Exchange) -> str:
    """Return what changed on the side of the answer."""
    if blocked.failure in _OF_THE_PAGE:
        return _new_address(incident, blocked)
    if was_cleared(incident, blocked.host):
        return ""
    header = next((e for e in changed(incident, blocked) if e.header in _THEIR_HEADERS and _really(e)), None)
    if header is not None:
        return f"{blocked.host} changed its {header.header}"
    if blocked.failure in _CONTENT and any(e.kind is DifferenceKind.CONTENT for e in changed(incident, blocked)):
        return f"{blocked.host} sends other content"
    missing = "missingalloworiginheader" in (blocked.cors_error or "").lower()
    if blocked.failure is Failure.POLICY_CORS and missing and not is_new(incident, blocked):
        return f"{blocked.host} no longer allows the page's origin"
    return ""


def _new_address(incident: Incident, blocked: Exchange) -> str:
    """A policy of ours that did not change may meet a vendor's script that asks for something new."""
    source = blocked.initiator.url if blocked.initiator and blocked.initiator.kind == "script" else ""
    by_vendor = bool(source) and incident.context.owners.owner_of(source).party is Party.THIRD_PARTY
    return f"a vendor's script began to ask {blocked.host}" if by_vendor and is_new(incident, blocked) else ""


def _is_own_page(incident: Incident, difference: Difference) -> bool:
    own = incident.context.owners.owner_of(difference.url).party is Party.OWN
    return own and difference.resource == "document"


def _really(difference: Difference) -> bool:
    """Leave out nonces, which differ in every answer."""
    return _NONCE.sub("", difference.before) != _NONCE.sub("", difference.after)


def _their_detail(blocked: Exchange) -> Detail:
    if blocked.failure is Failure.POLICY_CSP:
        return Detail.TP_SCRIPT
    return Detail.TP_CONTENT if blocked.failure in _CONTENT else Detail.TP_POLICY


def _ours(incident: Incident, blocked: Exchange, words: str) -> Finding:
    page = incident.context.owners.owner_of(incident.context.check.target.base_url)
    return Finding(
        detail=Detail.OWN_POLICY,
        families=_families(incident),
        because=f"{incident.scene} {happening(blocked)}; {words} ({page.title}).",
        culprit=incident.culprit(page),
        evidence=(happening(blocked), words),
        exchanges=(blocked.id,),
        alternatives=(alternative(_their_detail(blocked), f"if {blocked.host} changed its answer too"),),
    )


def _theirs(incident: Incident, blocked: Exchange, words: str) -> Finding:
    owner = incident.owner(blocked)
    return Finding(
        detail=_their_detail(blocked),
        families=_families(incident),
        because=f"{incident.scene} {happening(blocked)}; {words} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(happening(blocked), words, owner.because),
        exchanges=(blocked.id,),
        alternatives=(alternative(Detail.OWN_POLICY, "if our page changed too"),),
    )


def _families(incident: Incident) -> frozenset[Family]:
    compared = is_comparable(incident) and incident.replayed is None
    return frozenset({Family.CODES, Family.COMPARISON} if compared else {Family.CODES})


def _open(incident: Incident, blocked: Exchange) -> Finding:
    owner = incident.owner(blocked)
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(blocked)}; whether our policy or the answer of {owner.name} changed, "
        "a comparison with the last good run would tell.",
        evidence=(happening(blocked),),
        exchanges=(blocked.id,),
        alternatives=(
            alternative(_their_detail(blocked), f"{owner.name} may have changed its answer"),
            alternative(Detail.OWN_POLICY, "our page may have changed its policy"),
        ),
    )


RULES = (Rule(id="R07", decide=policy_blocked),)
