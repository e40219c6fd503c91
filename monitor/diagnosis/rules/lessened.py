"""R11: a page or its data that came with 200 and is a fraction of what it was, or not even of the same kind."""

from __future__ import annotations

from monitor.diagnosis.compared import differences, own_changed, size_of
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.rules.another_type import became_a_page
from monitor.diagnosis.rules.supplied import CODE, DATA, was_acquitted
from monitor.domain.cause import Detail, Party
from monitor.domain.evidence import StepErrorKind
from monitor.domain.reference import Difference, DifferenceKind

_ABSENT = frozenset({StepErrorKind.EXPECTATION, StepErrorKind.TIMEOUT})
_TELLING = DATA | {"document", "http"}
_OTHERWISE = frozenset({DifferenceKind.CONTENT, DifferenceKind.STATUS})
# Below this many bytes an answer says too little for its size to mean anything.
_WORTH = 400
# Unless it is the very answer in which the step missed something.
_WORTH_EXAMINED = 100
# Where it is the only thing that differs from the last good run, less is enough.
_LITTLE = 50
_FRACTION = 0.3


def lessened(incident: Incident) -> Finding | None:
    """R11: what came is a fraction of what it used to be, or markup in place of data, so something is missing in it.

    Of a vendor only where nothing of ours differs: its answer may have become another because it was asked otherwise.
    """
    if incident.kind not in _ABSENT or incident.needed:
        return None
    for each in differences(incident):
        owner = incident.context.owners.owner_of(each.url)
        own = owner.party is Party.OWN
        least = _LITTLE if not own else _WORTH_EXAMINED if _is_examined(incident, each) else _WORTH
        # Of our own hosts that is told before anybody's exceptions.
        told = _shrank(each, least=least) or (not own and _became_a_page(incident, each))
        if not told or not (own or _is_vendors_alone(incident, owner)):
            continue
        words = f"{each.host}{parts_of(each.url).path or '/'} answered {told}"
        return Finding(
            detail=Detail.OWN_CONTENT if own else Detail.TP_CONTENT,
            families=frozenset({Family.COMPARISON}),
            because=f"{incident.scene} {words}; it belongs to {owner.title}.",
            culprit=incident.culprit(owner),
            evidence=(words, owner.because),
            exchanges=(each.exchange,) if each.exchange in {x.id for x in incident.exchanges} else (),
            alternatives=(alternative(Detail.UND_SCRIPT_OR_APP_CHANGE, "the page may be smaller on purpose"),),
        )
    return None


def _shrank(each: Difference, *, least: int) -> str:
    before, after = size_of(each.before), size_of(each.after)
    if each.kind is not DifferenceKind.CONTENT or each.resource not in _TELLING or before is None or after is None:
        return ""
    small = before >= least and after <= _FRACTION * before
    return f"200 with {after} bytes, where the last good run got {before}" if small else ""


def _is_examined(incident: Incident, each: Difference) -> bool:
    error = incident.step.error if incident.step else None
    return error is not None and error.exchange is not None and error.exchange == each.exchange


def _became_a_page(incident: Incident, each: Difference) -> str:
    found = became_a_page(incident, [x for x in incident.exchanges if x.id == each.exchange])
    return found[1].removeprefix("answered ") if found is not None else ""


def _is_vendors_alone(incident: Incident, owner: Owner) -> bool:
    """Say whether only this vendor's answers differ from the last good run, and it is one that pages are built with."""
    answers = (e for e in differences(incident) if e.kind in _OTHERWISE and e.resource in _TELLING | CODE)
    others = any(each.host != owner.host for each in answers)
    return not (owner.beside or others or own_changed(incident) or was_acquitted(incident, owner))


RULES = (Rule(id="R11", decide=lessened),)
