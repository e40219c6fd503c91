"""R07: a page's own policy keeps its code from data; browsers report no request for it, only a line of the console."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.diagnosis.compared import differences, is_comparable
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.names import parts_of
from monitor.domain.cause import Detail, Party
from monitor.domain.evidence import StepErrorKind
from monitor.domain.reference import Difference, DifferenceKind

_LATE = frozenset({StepErrorKind.EXPECTATION, StepErrorKind.TIMEOUT, StepErrorKind.DEADLINE})
_REFUSED = re.compile(r"'((?:https?|wss?)://[^']+)'.{0,40} violates the following Content Security Policy directive")
_POLICY = "content-security-policy"


def refused_by_page(incident: Incident) -> Finding | None:
    """R07: what the last good run got is refused by a policy that our own page only has since then."""
    untold = incident.kind in _LATE and not incident.needed and incident.replayed is None and incident.blocked is None
    if not untold or not is_comparable(incident):
        return None
    page = next((each for each in differences(incident) if _is_policy_of_ours(incident, each)), None)
    missed = {_place(each.url) for each in differences(incident) if each.kind is DifferenceKind.MISSING}
    refused = next((url for url in _refused(incident) if _place(url) in missed and _matters(incident, url)), None)
    if page is None or refused is None:
        return None
    owner = incident.context.owners.owner_of(page.url)
    host, path = _place(refused)
    words = f"the page's code was kept from {host}{path} by the page's content-security-policy"
    since = "which changed since the last good run"
    return Finding(
        detail=Detail.OWN_POLICY,
        families=frozenset({Family.CODES, Family.COMPARISON}),
        because=f"{incident.scene} {words}, {since} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(words, f"our page's content-security-policy {since.removeprefix('which ')}"),
        exchanges=tuple(x.id for x in incident.exchanges if x.url == page.url)[:1],
        alternatives=(alternative(Detail.OWN_SCRIPT, "our own code may ask what it should not"),),
    )


def _is_policy_of_ours(incident: Incident, difference: Difference) -> bool:
    own = incident.context.owners.owner_of(difference.url).party is Party.OWN
    return own and difference.resource == "document" and difference.header == _POLICY


def _refused(incident: Incident) -> Iterable[str]:
    for line in incident.evidence.console:
        found = _REFUSED.search(line.text)
        if found is not None:
            yield found[1]


def _matters(incident: Incident, url: str) -> bool:
    owner = incident.context.owners.owner_of(url)
    return owner.party is Party.OWN or owner.critical


def _place(url: str) -> tuple[str, str]:
    return parts_of(url).hostname or "", parts_of(url).path


RULES = (Rule(id="R07", decide=refused_by_page),)
