"""R19: a page that took nothing in any more, although everybody it asked answers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.diagnosis.compared import changed, is_comparable
from monitor.diagnosis.dependencies import came_whole_again
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.mechanisms import is_half_taken
from monitor.diagnosis.trials import looks, made, passed, was_cleared, world_answers
from monitor.diagnosis.wording import listed
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.evidence import StepErrorKind
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import ExperimentKind
from monitor.domain.reference import DifferenceKind

_LATE = frozenset({StepErrorKind.TIMEOUT, StepErrorKind.DEADLINE, StepErrorKind.EXPECTATION})
_BEGUN = re.compile(r"performing (?:click|dblclick|tap) action")
_SEVERAL = 3
_HALF = 0.5
_OK = 200


def page_stood_still(incident: Incident) -> Finding | None:
    """R19: all that was open stood still at once while each host answers us, so something held the page's thread.

    Who held it is named only where one vendor's code alone can have: it had arrived, the page is what it was, and no
    experiment cleared it. Never ourselves: our hosts answered, and of our code nothing was measured.
    """
    waiting = _waiting(incident)
    if incident.kind not in _LATE or incident.needed or not waiting or not _all_answer(incident, waiting):
        return None
    asked = [host for host in dict.fromkeys(x.host for x in waiting) if looks(incident, ExperimentKind.REPROBE, host)]
    words = (
        f"the page stopped: {len(waiting)} requests stayed open together, though {listed(asked)} answered when asked "
        "directly, so a script held the page's only thread"
    )
    suspects = _suspects(incident)
    if len(suspects) == 1 and _is_sole(incident, suspects[0]):
        return _held_by(incident, suspects[0], words)
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {words}; blocking one vendor after the other would tell which.",
        evidence=(words,),
        exchanges=tuple(x.id for x in waiting[:2]),
        alternatives=(
            alternative(Detail.TP_SLOW, f"perhaps a script of {' or '.join(suspects[:3])}" if suspects else ""),
            alternative(Detail.OWN_SLOW_FRONTEND, "perhaps a script in our own page"),
        ),
    )


def stands_still(incident: Incident) -> bool:
    """Say whether the page took in nothing any more, though those whom it waited for answer when asked directly."""
    waiting = _waiting(incident)
    half = [x for x in _in_step(incident) if is_half_taken(x) and came_whole_again(incident, x)]
    return bool(half) or (bool(waiting) and _all_answer(incident, waiting))


def _waiting(incident: Incident) -> tuple[Exchange, ...]:
    """Return what was open when the step ended, where nothing at all had come in for half of the step.

    One host, or one provider's, may have been silent for a moment; several that have nothing to do with each other are
    silent together only on a line that is slow, which such a profile asks for.
    """
    step, line = incident.step, incident.context.check.profile.network
    mine = [x for x in _in_step(incident) if x.resource != "http"]
    waiting = tuple(x for x in mine if x.pending)
    if step is None or line is not None:
        return ()
    if len({incident.context.owners.domain_of(x.host) for x in waiting}) < _SEVERAL:
        return ()
    last = max((x.timings.started + x.timings.total for x in mine if not x.pending), default=step.started)
    return waiting if step.started + step.duration - last >= _HALF * step.duration else ()


def _all_answer(incident: Incident, waiting: tuple[Exchange, ...]) -> bool:
    """Say whether other sites answer, and every one of those hosts that was asked again, our own among them."""
    hosts = {x.host for x in waiting}
    asked = [e for host in hosts for e in looks(incident, ExperimentKind.REPROBE, host)]
    own = any(incident.owner(x).party is Party.OWN and looks(incident, ExperimentKind.REPROBE, x.host) for x in waiting)
    return own and world_answers(incident) and all(passed(e) for e in asked)


def _suspects(incident: Incident) -> list[str]:
    """Return the hosts whose scripts the page had taken in, those left out whose code is known to be what it was."""
    came = [x for x in _in_step(incident) if x.resource == "script" and x.status == _OK and not x.pending]
    return list(dict.fromkeys(x.host for x in came if not _is_known(incident, x)))


def _is_known(incident: Incident, exchange: Exchange) -> bool:
    same = not any(each.kind is DifferenceKind.CONTENT for each in changed(incident, exchange))
    return is_comparable(incident) and exchange.body_sha256 is not None and same


def _is_sole(incident: Incident, host: str) -> bool:
    """Say whether only this vendor's code can have held the page: that of the page itself is what it was."""
    pages = [x for x in _in_step(incident) if x.resource == "document"]
    lasts = any(not passed(e) for e in made(incident, ExperimentKind.RERUN))
    foreign = incident.context.owners.owner_of(host).party is Party.THIRD_PARTY
    known = bool(pages) and all(_is_known(incident, x) for x in pages)
    return foreign and known and lasts and not was_cleared(incident, host)


def _held_by(incident: Incident, host: str, words: str) -> Finding:
    owner = incident.context.owners.owner_of(host)
    why = f"of the code that had arrived, only that of {host} may differ from the last good run"
    return Finding(
        detail=Detail.TP_SLOW,
        families=frozenset({Family.COMPARISON}),
        because=f"{incident.scene} {words}; {why} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(words, why, owner.because),
        exchanges=tuple(x.id for x in _in_step(incident) if x.host == host and x.resource == "script")[:1],
        alternatives=(alternative(Detail.OWN_SLOW_FRONTEND, "perhaps a script in our own page"),),
    )


def _in_step(incident: Incident) -> Iterable[Exchange]:
    name = incident.step.name if incident.step else None
    return (x for x in incident.exchanges if name is None or x.step in ("", name))


def took_no_input(incident: Incident) -> bool:
    """Say whether what was to be clicked was there, the click was begun, and the page never took it in."""
    error = incident.step.error if incident.step else None
    lines = [line.strip(" -") for line in (error.detail if error else "").splitlines() if line.strip()]
    return bool(lines) and bool(_BEGUN.fullmatch(lines[-1]))


RULES = (Rule(id="R19", decide=page_stood_still),)
