"""R11: an own page leads to another one, in which nothing is left of what it was made of: maintenance, a stop sign."""

from __future__ import annotations

from monitor.diagnosis.compared import differences, is_comparable, is_new, turned
from monitor.diagnosis.incident import Finding, Incident, Rule, alternative
from monitor.diagnosis.rules.another_type import changed_content
from monitor.diagnosis.wording import where
from monitor.domain.cause import Detail, Party
from monitor.domain.evidence import StepErrorKind
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure
from monitor.domain.reference import DifferenceKind

_LATE = frozenset({StepErrorKind.EXPECTATION, StepErrorKind.TIMEOUT, StepErrorKind.DEADLINE})
_CODE = frozenset({"script", "stylesheet"})
_OK = 200


def replaced_page(incident: Incident) -> Finding | None:
    """R11: a redirect that is new ends at a page of ours that nobody saw before, and that asks for no code of ours."""
    if incident.kind not in _LATE or incident.needed or not is_comparable(incident):
        return None
    pages = [x for x in incident.exchanges if x.resource == "document" and incident.owner(x).party is Party.OWN]
    last = pages[-1] if pages else None
    first = next((x for x in pages if last is not None and last.redirected_from == x.id), None)
    if first is None or last is None or last.status != _OK:
        return None
    if not turned(incident, first) or not is_new(incident, last) or not _is_bare(incident, last):
        return None
    words = f"{where(first)} leads to {where(last)} now, which asks for none of the code that the page was made of"
    other = alternative(Detail.UND_SCRIPT_OR_APP_CHANGE, "the page may lead there on purpose")
    return changed_content(incident, (first, last), words, other)


def offered_page(incident: Incident) -> Finding | None:
    """R11: a page of ours is offered as a file to download, so the browser stays where it was."""
    if incident.kind not in _LATE or incident.needed or not is_comparable(incident):
        return None
    pages = [x for x in incident.exchanges if x.resource == "document" and incident.owner(x).party is Party.OWN]
    last = pages[-1] if pages else None
    if last is None or last.failure is not Failure.ABANDONED or not _was_offered(incident, last):
        return None
    if not _is_bare(incident, last):
        return None
    words = f"{where(last)} is offered as a file to download, where it was a page with code of ours"
    return changed_content(
        incident, (last,), words, alternative(Detail.UND_SCRIPT_OR_APP_CHANGE, "it may be meant as a file")
    )


def _was_offered(incident: Incident, page: Exchange) -> bool:
    offers = (each.text for each in incident.evidence.events if each.kind == "download" and each.step == page.step)
    return any(text.endswith(page.url) for text in offers)


def _is_bare(incident: Incident, page: Exchange) -> bool:
    """Say whether code of ours was asked for with the page before, and none is with this one."""
    owner_of = incident.context.owners.owner_of
    missing = (e for e in differences(incident) if e.kind is DifferenceKind.MISSING and e.resource in _CODE)
    code = (x for x in incident.exchanges if x.resource in _CODE and x.timings.started >= page.timings.started)
    return any(owner_of(e.url).party is Party.OWN for e in missing) and not any(
        incident.owner(x).party is Party.OWN for x in code
    )


RULES = (Rule(id="R11", decide=replaced_page), Rule(id="R11", decide=offered_page))
