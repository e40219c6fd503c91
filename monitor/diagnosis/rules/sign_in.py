"""Rank 3: an identity provider that sends the customer back says by a code of OAuth 2.0 why (RFC 6749, 4.1.2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs

from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.wording import where
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.exchange import Exchange

_ITS_OWN = frozenset({"server_error", "temporarily_unavailable"})
_OF_THE_REQUEST = frozenset(
    {"invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "invalid_client"}
)


def sent_back_with_an_error(incident: Incident) -> Finding | None:
    """R24: the provider calls the failure its own, or finds fault with what the page asked; then nobody is named."""
    for asked, back, code in _answers(incident):
        owner = incident.owner(asked)
        words = f'{where(asked)} sent the customer back to {where(back)} with the error "{code}"'
        if code in _ITS_OWN:
            return Finding(
                detail=Detail.TP_HTTP_STATUS,
                families=frozenset({Family.STATEMENT}),
                because=f"{incident.scene} {words}, which says that the provider failed ({owner.title}).",
                culprit=incident.culprit(owner),
                evidence=(words, owner.because),
                exchanges=(asked.id,),
            )
        return Finding(
            detail=Detail.UND_SHARED_RESPONSIBILITY,
            confidence=Confidence.NONE,
            because=f"{incident.scene} {words}: compare what the page asks with what is registered at {owner.name}.",
            evidence=(words, owner.because),
            exchanges=(asked.id,),
            alternatives=(
                alternative(Detail.OWN_CONTENT, "our page may ask for a sign-in wrongly"),
                alternative(Detail.TP_ACCESS, f"{owner.name} may not know us as it should"),
            ),
        )
    return None


def _answers(incident: Incident) -> Iterator[tuple[Exchange, Exchange, str]]:
    """Yield who sent the browser from a vendor to a page of ours with a code of an error, in the failing step."""
    by_id = {x.id: x for x in incident.exchanges}
    for back in incident.exchanges:
        asked = by_id.get(back.redirected_from or "")
        here = incident.step is None or back.step in ("", incident.step.name)
        if asked is None or not here or back.resource not in ("document", "http"):
            continue
        foreign = incident.owner(asked).party is Party.THIRD_PARTY and incident.owner(back).party is Party.OWN
        code = parse_qs(parts_of(back.url).query).get("error", [""])[0]
        if foreign and code in _ITS_OWN | _OF_THE_REQUEST:
            yield asked, back, code


RULES = (Rule(id="R24", decide=sent_back_with_an_error),)
