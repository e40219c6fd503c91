"""A page that asks its back end again and again and is never told what it waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

from monitor.diagnosis.critical_path import BETWEEN
from monitor.diagnosis.incident import Finding, Incident
from monitor.diagnosis.spans import Piece
from monitor.diagnosis.wording import where
from monitor.domain.cause import Detail, Party
from monitor.domain.diagnosis import Culprit, CulpritKind
from monitor.domain.exchange import Exchange

_OFTEN = 3
_HALF = 0.5
_CALLS = frozenset({"xhr", "fetch"})
_ERROR_STATUS = 400


def asked_in_vain(incident: Incident, pieces: Sequence[Piece]) -> Finding | None:
    """R18: the step's time went into pauses between equal questions to our back end, all answered, none as hoped.

    Such a step is not slow: the answer that the page waits for never came, and who gives it is known.
    """
    paused = sum(piece.seconds for piece in pieces if piece.phase == BETWEEN)
    if not pieces or paused < _HALF * sum(piece.seconds for piece in pieces):
        return None
    step = incident.step.name if incident.step else ""
    asked = [x for x in incident.exchanges if x.step == step and x.resource in _CALLS]
    counts = Counter(map(_question, asked))
    question, times = counts.most_common(1)[0] if counts else (("", "", ""), 0)
    same = [x for x in asked if _question(x) == question]
    if times < _OFTEN or not all(map(_is_answered, same[:-1])):
        return None
    owner = incident.owner(same[0])
    if owner.party is not Party.OWN:
        return None
    capability = incident.step.capability if incident.step else None
    team = incident.context.owners.team_of(capability)
    return Finding(
        detail=Detail.OWN_CONTENT,
        because=f"{incident.scene} the page asked {where(same[0])} {times} times and was answered each time, "
        f"but never with what it waits for; it belongs to {owner.title}.",
        culprit=Culprit(kind=CulpritKind.TEAM, name=team, host=owner.host) if team else owner.culprit,
        evidence=(f"{where(same[0])} was asked {times} times in this step", owner.because),
        exchanges=tuple(x.id for x in same[:_OFTEN]),
    )


def _question(exchange: Exchange) -> tuple[str, str, str]:
    parts = urlsplit(exchange.url)
    return exchange.method, exchange.host, parts.path


def _is_answered(exchange: Exchange) -> bool:
    return exchange.failure is None and exchange.status is not None and exchange.status < _ERROR_STATUS
