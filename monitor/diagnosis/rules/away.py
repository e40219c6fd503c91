"""R11: a vendor's script that opens a page of somebody else's where the customer was."""

from __future__ import annotations

from monitor.diagnosis.compared import code_changed, differences, is_comparable
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.trials import made, passed
from monitor.diagnosis.wording import where
from monitor.domain.cause import Detail, Party
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import ExperimentKind
from monitor.domain.reference import DifferenceKind


def led_away(incident: Incident) -> Finding | None:
    """R11: the browser stands at a stranger's page, and a vendor's script led it there, as it did not before."""
    if incident.needed or not is_comparable(incident) or code_changed(incident, Party.OWN):
        return None
    lasts = any(not passed(e) for e in made(incident, ExperimentKind.RERUN))
    pages = [x for x in incident.exchanges if x.resource == "document"]
    last = max(pages, key=lambda x: x.timings.started, default=None)
    owner = _opener(incident, last) if last is not None and lasts else None
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


def _opener(incident: Incident, page: Exchange) -> Owner | None:
    """Return the vendor whose script opened a page in the failing step."""
    source = page.initiator
    if source is None or source.kind != "script" or incident.step is None or page.step not in ("", incident.step.name):
        return None
    url = next((url for url in (*source.frames[:1], source.url) if url), "")
    owner = incident.context.owners.owner_of(url) if url else None
    return owner if owner is not None and owner.party is Party.THIRD_PARTY else None


def _is_there(incident: Incident, page: Exchange) -> bool:
    """Say whether the step saw the browser at that page: advertisers open strangers' pages in frames all the time."""
    error = incident.step.error if incident.step else None
    return error is not None and f"//{page.host}" in f"{error.message} {error.detail}"


def _is_strange(incident: Incident, page: Exchange) -> bool:
    """Say whether the host of a page is not ours, and was not asked at all in the last good run."""
    mine = [each.kind for each in differences(incident) if each.host == page.host]
    asked = sum(x.host == page.host for x in incident.exchanges)
    new = len(mine) == asked and all(kind is DifferenceKind.NEW for kind in mine)
    return new and incident.owner(page).party is Party.THIRD_PARTY


RULES = (Rule(id="R11", decide=led_away),)
