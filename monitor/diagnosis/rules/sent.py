"""R12: what the monitor sent is turned down as such, so that its account or its test data may be at fault."""

from __future__ import annotations

from monitor.diagnosis.incident import Finding, Incident, Rule, alternative
from monitor.diagnosis.mechanisms import Mechanism, detail_for
from monitor.diagnosis.rules.access import ACCOUNT_RULE, LOCKED, is_sign_in, signed_in_nowhere, signs_in
from monitor.diagnosis.rules.second_account import told_by_second_account
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Confidence, Detail

_SAFE = frozenset({"GET", "HEAD"})
# Such an answer speaks of what was sent, and of the state in which it found the thing that it was sent to.
_DATA = frozenset({402, 409, 410, 412, LOCKED})
_MALFORMED = frozenset({400, 422})


def refused_for_what_was_sent(incident: Incident) -> Finding | None:
    """R12: what the monitor sent was turned down as such: its account may be locked, its test data used up.

    A status of that kind says that another request would be taken, which only one with other data can show.
    """
    if incident.replayed is not None or incident.blocked is not None:
        return None
    refused = next((x for x in incident.needed if x.method not in _SAFE and x.status in _DATA | _MALFORMED), None)
    if refused is None:
        return None
    signing = signs_in(incident, refused)
    told = told_by_second_account(incident, refused) if signing else None
    if told is not None:
        return told
    if refused.status == LOCKED and is_sign_in(incident, refused):
        return signed_in_nowhere(incident, refused)
    if refused.status in _MALFORMED and not signing:
        return None
    theirs = detail_for(incident.owner(refused).party, Mechanism.STATUS) or Detail.UND_INSUFFICIENT
    data = "its account may be locked, or its password wrong" if signing else "its test data may be used up"
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(refused)} to what the monitor sent; whether only the monitor is refused "
        f"({data}) or every customer is, the same by hand with other data would tell.",
        evidence=(happening(refused),),
        exchanges=(refused.id,),
        alternatives=(alternative(Detail.UND_MONITOR_CONFIG, data), alternative(theirs, "everybody may be refused")),
    )


RULES = (Rule(id=ACCOUNT_RULE, decide=refused_for_what_was_sent),)
