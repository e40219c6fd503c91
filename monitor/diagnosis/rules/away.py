"""R11: a vendor's script that opens a page of somebody else's where the customer was."""

from __future__ import annotations

from monitor.diagnosis.compared import code_changed, differences, is_comparable
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.mechanisms import is_defect
from monitor.diagnosis.openers import is_led_astray, opener
from monitor.diagnosis.trials import made, passed
from monitor.diagnosis.wording import where
from monitor.domain.cause import Detail, Party
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import ExperimentKind
from monitor.domain.reference import DifferenceKind


def led_away(incident: Incident) -> Finding | None:
    """R11: the browser stands where it was led by a vendor's script, as it was not before.

    At a stranger's page, or at one that failed, whosever name that page has.
    """
    if incident.needed or not is_comparable(incident) or code_changed(incident, Party.OWN):
        return None
    lasts = any(not passed(e) for e in made(incident, ExperimentKind.RERUN))
    pages = [x for x in incident.exchanges if x.resource == "document"]
    last = max(pages, key=lambda x: x.timings.started, default=None)
    owner = opener(incident, last) if last is not None and lasts else None
    if last is None or owner is None or not _is_strange(incident, last) or not _is_there(incident, last):
        return None
    words = (
        f"a script of {owner.host} opened {where(last)}, as it did not in the last good run, and no page of ours since"
    )
    return Finding(
        detail=Detail.TP_SCRIPT,
        families=frozenset({Family.COMPARISON}),
        because=f"{incident.scene} {words} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=(last.id,),
        alternatives=(alternative(Detail.UND_SCRIPT_OR_APP_CHANGE, "it may belong there now"),),
    )


def _is_there(incident: Incident, page: Exchange) -> bool:
    """Say whether the step saw the browser at that page: advertisers open strangers' pages in frames all the time."""
    error = incident.step.error if incident.step else None
    return error is not None and f"//{page.host}" in f"{error.message} {error.detail}"


def _is_strange(incident: Incident, page: Exchange) -> bool:
    """Say whether a page was not asked for in the last good run, and is not one of ours that can be opened."""
    if is_defect(page) and is_led_astray(incident, page):
        return True
    mine = [each.kind for each in differences(incident) if each.host == page.host]
    asked = sum(x.host == page.host for x in incident.exchanges)
    new = len(mine) == asked and all(kind is DifferenceKind.NEW for kind in mine)
    return new and incident.owner(page).party is Party.THIRD_PARTY


RULES = (Rule(id="R11", decide=led_away),)
