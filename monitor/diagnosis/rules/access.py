"""Refusals that concern the monitor rather than customers."""

from __future__ import annotations

from monitor.diagnosis.incident import Finding, Incident, Rule, alternative
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.diagnosis import Culprit, CulpritKind
from monitor.domain.exchange import Exchange
from monitor.domain.outcome import Validity

_UNAUTHORIZED = 401
_FORBIDDEN = 403
_TOO_MANY = 429


def refused_as_robot(incident: Incident) -> Finding | None:
    """R14: a rate limit or a bot challenge; customers do not see it, and further tests would make it worse."""
    for exchange in incident.needed:
        guard = guard_of(exchange)
        if guard is not None:
            culprit = Culprit(kind=CulpritKind.VENDOR, name=guard, host=exchange.host)
            return _refusal(incident, exchange, Detail.TP_ACCESS, f"{guard} challenged the monitor as a robot", culprit)
        if exchange.status == _TOO_MANY:
            owner = incident.owner(exchange)
            detail = Detail.OWN_ACCESS if owner.party is Party.OWN else Detail.TP_ACCESS
            words = f"the rate limit of {owner.title} refuses the monitor"
            return _refusal(incident, exchange, detail, words, incident.culprit(owner))
    return None


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


def _refusal(incident: Incident, exchange: Exchange, detail: Detail, words: str, culprit: Culprit) -> Finding:
    return Finding(
        detail=detail,
        validity=Validity.MONITOR_SPECIFIC,
        because=f"{incident.scene} {happening(exchange)}: {words}; let it pass, or run less often.",
        culprit=culprit,
        evidence=(happening(exchange),),
        exchanges=(exchange.id,),
    )


def refused_account(incident: Incident) -> Finding | None:
    """R12, without its second account: a refused login may be ours or everybody's, so it stays open."""
    refused = next((x for x in incident.needed if x.status in (_UNAUTHORIZED, _FORBIDDEN)), None)
    if refused is None:
        return None
    own = incident.owner(refused).party is Party.OWN
    detail = Detail.UND_MONITOR_CONFIG if refused.status == _UNAUTHORIZED else Detail.UND_INSUFFICIENT
    advice = (
        "try another account by hand: if it is let in, the monitor's account has to be renewed"
        if refused.status == _UNAUTHORIZED
        else "try another client and another account by hand, to tell a guard that refuses the monitor from one that "
        "refuses everybody"
    )
    return Finding(
        detail=detail,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(refused)}; {advice}.",
        evidence=(happening(refused),),
        exchanges=(refused.id,),
        alternatives=(
            alternative(Detail.OWN_ACCESS if own else Detail.TP_ACCESS, "a guard may refuse the monitor"),
            alternative(Detail.UND_MONITOR_CONFIG, "the monitor's account may have expired or lack permission"),
        ),
    )


RULES = (Rule(id="R14", decide=refused_as_robot), Rule(id="R12", decide=refused_account))
