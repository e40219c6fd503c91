"""Journeys that fail by one party at the same time, each by itself: a kind of evidence that no single run has. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.diagnosis.corroboration import OF_THE_WAY
from monitor.diagnosis.wording import listed
from monitor.domain.cause import Cause, Confidence
from monitor.domain.outcome import Validity
from monitor.domain.run import Judgement
from monitor.investigation.open_episode import OpenEpisode

_SERVERS_SIDE = frozenset({Cause.OWN_INFRASTRUCTURE, Cause.THIRD_PARTY})


def is_independent(one: OpenEpisode, other: OpenEpisode) -> bool:
    """Say whether two episodes saw a party fail each by itself: other journeys, at other targets or other requests."""
    if one.journey == other.journey:
        return False
    apart = bool(one.failed_at) and bool(other.failed_at) and not one.failed_at & other.failed_at
    return one.target != other.target or apart


def surer(episode: OpenEpisode, others: Sequence[OpenEpisode]) -> Judgement | None:
    """Return the verdict that ``others``, who blame the same party, make sure; nothing where they do not.

    None of them makes sure what the way from here may feign, nor counts where we or the controls were unwell.
    """
    diagnosis = episode.diagnosis
    if diagnosis is None or diagnosis.confidence is not Confidence.PROBABLE:
        return None
    if diagnosis.cause not in _SERVERS_SIDE or diagnosis.detail in OF_THE_WAY:
        return None
    others = [one for one in others if _is_well(one)]
    if not others or not _is_well(episode):
        return None
    why = why_surer(episode, others)
    found = replace(
        diagnosis,
        confidence=Confidence.CONFIRMED,
        because=f"{diagnosis.because.removesuffix('.')}; {why[:1].lower()}{why[1:]}.",
        evidence=(*diagnosis.evidence, f"several journeys: {why[:1].lower()}{why[1:]}"),
    )
    return replace(episode.judgement, diagnosis=found)


def why_surer(episode: OpenEpisode, others: Sequence[OpenEpisode]) -> str:
    """Return the reason as a sentence without its full stop."""
    culprit = episode.diagnosis.culprit if episode.diagnosis is not None else None
    own = episode.diagnosis is not None and episode.diagnosis.cause is Cause.OWN_INFRASTRUCTURE
    name = (culprit.host if own and culprit.host else culprit.name) if culprit is not None else "one party"
    journeys = listed(sorted({episode.journey, *(one.journey for one in others if _is_well(one))}))
    return f"The journeys {journeys} fail by {name} at the same time, each by itself"


def _is_well(episode: OpenEpisode) -> bool:
    return episode.judgement.validity is Validity.VALID and episode.controls_failed == 0
