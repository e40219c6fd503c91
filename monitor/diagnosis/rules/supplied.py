"""R09: code that fails on what somebody else sent: of all that a page was made of, just one vendor's part differs."""

from __future__ import annotations

from monitor.diagnosis.compared import code_changed, differences, is_comparable, own_changed
from monitor.diagnosis.incident import Family, Finding, Incident, alternative
from monitor.diagnosis.mechanisms import is_defect, is_hollow
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.trials import made, passed
from monitor.domain.cause import Detail, Party
from monitor.domain.evidence import PageError
from monitor.domain.experiment import ExperimentKind
from monitor.domain.reference import Difference, DifferenceKind

CODE = frozenset({"script", "stylesheet"})
DATA = frozenset({"xhr", "fetch"})
_OTHERWISE = (DifferenceKind.CONTENT, DifferenceKind.STATUS)


def failed_on_what_was_sent(incident: Incident, error: PageError) -> Finding | None:
    """Our code threw and is what it was, as are our pages and data; only what one vendor sends is not."""
    owners = incident.context.owners
    if not is_comparable(incident) or own_changed(incident) or others_defect(incident):
        return None
    if any(owners.owner_of(url).party is not Party.OWN for url in error.frames):
        return None
    supplied = _supplied(incident)
    hosts = {each.host for each in supplied}
    if len(hosts) != 1:
        return None
    owner = owners.owner_of(supplied[0].url)
    if owner.party is Party.OWN or was_acquitted(incident, owner):
        return None
    harmed = owner.beside and any(each.resource in CODE for each in supplied)
    what = "data" if all(each.resource in DATA for each in supplied) else "code"
    who = "our own code" if error.frames else "the page"
    words = (
        f'{who} threw "{error.message}", and since the last good run nothing of ours but the {what} of {owner.host} '
        "changed"
    )
    return Finding(
        detail=Detail.TP_SCRIPT if harmed else Detail.TP_CONTENT,
        families=frozenset({Family.CODES, Family.COMPARISON}),
        because=f"{incident.scene} {words} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=tuple(x.id for x in incident.exchanges if x.id == supplied[0].exchange)[:1],
        alternatives=(alternative(Detail.OWN_SCRIPT, "our own code may not take what it should"),),
    )


def sole_supplier(incident: Incident) -> Owner | None:
    """Return the one vendor whose data or code is not what it was, where everything of ours is."""
    if not is_comparable(incident) or own_changed(incident):
        return None
    owners = {(one := incident.context.owners.owner_of(each.url)).host: one for each in _supplied(incident)}
    sole = next(iter(owners.values())) if len(owners) == 1 else None
    foreign = sole is not None and sole.party is Party.THIRD_PARTY and not sole.beside
    return sole if sole is not None and foreign and not was_acquitted(incident, sole) else None


def others_changed(incident: Incident) -> bool:
    """Say whether our pages and code are what they were in the last good run, and something of a vendor is not."""
    owner_of = incident.context.owners.owner_of
    foreign = any(owner_of(each.url).party is Party.THIRD_PARTY for each in _supplied(incident))
    return is_comparable(incident) and not own_changed(incident) and foreign


def others_defect(incident: Incident) -> bool:
    """Say whether code or data failed that may be missed by whoever threw."""
    return any(
        (is_defect(x) or is_hollow(x)) and x.resource in CODE | DATA and not incident.owner(x).beside
        for x in incident.exchanges
    )


def _supplied(incident: Incident) -> tuple[Difference, ...]:
    """Return code of vendors and data of anybody that is answered otherwise than in the last good run."""
    data = [each for each in differences(incident) if each.resource in DATA and each.kind in _OTHERWISE]
    return (*data, *code_changed(incident, Party.THIRD_PARTY))


def was_acquitted(incident: Incident, owner: Owner) -> bool:
    """Say whether the step failed all the same with what the vendor last sent, or without what nobody needs."""
    kinds = (ExperimentKind.REPLAY, *((ExperimentKind.BLOCK,) if owner.beside else ()))
    return any(owner.host in e.hosts and not passed(e) and not e.missed for e in made(incident, *kinds))
