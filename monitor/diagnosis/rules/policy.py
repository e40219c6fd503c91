"""Browser policies: the cause is whoever set the policy, which only a comparison with the last good run proves."""

from __future__ import annotations

from monitor.diagnosis.incident import Finding, Incident, Rule, alternative
from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure

_CONTENT = frozenset({Failure.POLICY_SRI, Failure.POLICY_MIME})


def policy_blocked(incident: Incident) -> Finding | None:
    """R07: blame ourselves where both sides are own; where a vendor is on one side, name both and decide nothing."""
    blocked = next((x for x in incident.needed if mechanism_of(x) is Mechanism.POLICY), None)
    if blocked is None:
        return None
    if blocked.failure is Failure.POLICY_ADDRESS:
        return Finding(
            detail=Detail.UND_MONITOR_CONFIG,
            confidence=Confidence.NONE,
            because=f"{incident.scene} {happening(blocked)}; allow private addresses for this target, or correct the "
            "name's address.",
            exchanges=(blocked.id,),
            alternatives=(alternative(Detail.OWN_DNS, "the name may have a wrong address"),),
        )
    owner = incident.owner(blocked)
    if owner.party is Party.OWN or _asked_for_by_own(incident, blocked):
        return Finding(
            detail=Detail.OWN_POLICY,
            because=f"{incident.scene} {happening(blocked)}: an own page or answer carries the policy.",
            culprit=incident.culprit(owner) if owner.party is Party.OWN else None,
            evidence=(happening(blocked),),
            exchanges=(blocked.id,),
        )
    theirs = Detail.TP_CONTENT if blocked.failure in _CONTENT else Detail.TP_POLICY
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(blocked)}; whether our policy or the answer of {owner.name} changed, "
        "a comparison with the last good run would tell.",
        evidence=(happening(blocked),),
        exchanges=(blocked.id,),
        alternatives=(
            alternative(theirs, f"{owner.name} may have changed its answer"),
            alternative(Detail.OWN_POLICY, "our page may have changed its policy"),
        ),
    )


def _asked_for_by_own(incident: Incident, blocked: Exchange) -> bool:
    """A secure page that asks for something over plain HTTP did so in its own markup or script."""
    if blocked.failure is not Failure.POLICY_MIXED_CONTENT or blocked.initiator is None:
        return False
    sources = [url for url in (*blocked.initiator.frames, blocked.initiator.url) if url]
    owners = incident.context.owners
    return bool(sources) and all(owners.owner_of(url).party is Party.OWN for url in sources)


RULES = (Rule(id="R07", decide=policy_blocked),)
