"""Moments of an investigation of the shop, in few words."""

from __future__ import annotations

from typing import Any

from monitor.config.settings import InvestigationSettings
from monitor.diagnosis.case import case_of
from monitor.diagnosis.context import context_for
from monitor.diagnosis.names import load_names
from monitor.domain.evidence import Evidence, StepErrorKind
from monitor.domain.exchange import Initiator
from monitor.domain.journey import JourneyOutline, ProbeKind, StepOutline
from monitor.domain.ownership import Ownership
from monitor.domain.reference import Answer, Reference
from monitor.investigation.budget import Left
from monitor.investigation.experiments import Again, Batch, Look
from monitor.investigation.planner import next_batch
from monitor.investigation.situation import Situation
from tests.builders import A_MOMENT, a_check, a_profile, a_target
from tests.diagnosis.incidents import OWNERSHIP, SHOP, failed, page, request

NAMES = load_names()
DEFAULTS = InvestigationSettings()
PLENTY = Left(journeys=3, requests=40, seconds=60.0)
TAGS = "https://tags.adverts.example/tags.js"


def an_outline(*, effects: str = "", probe: ProbeKind = ProbeKind.BROWSER) -> JourneyOutline:
    steps = tuple(StepOutline(name=name, title=name, effects=name == effects) for name in ("open", "pay", "thanks"))
    return JourneyOutline(name="buy", title="Buy", probe=probe, steps=steps)


def an_archive(*urls: str) -> Reference:
    """The last good run, of which the answers at these URLs can be replayed."""
    answers = tuple(Answer(url=url, host=url.split("/")[2], replayable=True) for url in urls)
    return Reference(run_id="good", taken_at=A_MOMENT, answers=answers, archive="/archive")


def a_situation(
    evidence: Evidence,
    *,
    ownership: Ownership = OWNERSHIP,
    profile: dict[str, Any] | None = None,
    outline: JourneyOutline | None = None,
    settings: InvestigationSettings = DEFAULTS,
    **values: Any,
) -> Situation:
    check = a_check(journey="buy", target=a_target(base_url=SHOP), profile=a_profile(**(profile or {})))
    return Situation(
        **{
            "case": case_of(evidence, context_for(check, ownership, NAMES)),
            "evidence": evidence,
            "check": check,
            "outline": outline or an_outline(),
            "ownership": ownership,
            "settings": settings,
            "left": PLENTY,
            **values,
        }
    )


def a_broken_page(*scripts: str, **values: Any) -> Evidence:
    """The page came and so did the scripts of vendors, but what the step waited for was not there."""
    code = (request(url, resource="script", initiator=Initiator(kind="parser")) for url in scripts)
    return failed(page(), *code, **{"kind": StepErrorKind.EXPECTATION, **values})


def looks(batch: Batch | None) -> list[tuple[str, str, str]]:
    return [(look.kind.value, look.subject, look.by) for look in (batch.looks if batch else ())]


def the_look(batch: Batch | None, kind: str) -> Look:
    assert batch is not None
    return next(look for look in batch.looks if look.kind == kind)


def the_journey(situation: Situation) -> Again | None:
    batch = next_batch(situation)
    return batch.again if batch else None
