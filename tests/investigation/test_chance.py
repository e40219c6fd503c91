"""How often a page that fails by chance, whatever is changed, is laid to a vendor or to the client as certain."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from monitor.diagnosis.context import contexts_for
from monitor.diagnosis.judge import judge
from monitor.domain.assignment import Assignment
from monitor.domain.cause import Cause, Confidence
from monitor.domain.diagnosis import Diagnosis
from monitor.domain.evidence import Evidence
from monitor.domain.reference import Answer, DifferenceKind, Lately, Reference
from tests.builders import A_MOMENT, a_profile, a_run, an_attempt, an_evidence
from tests.diagnosis.incidents import ADS, CDN, OWNERSHIP, compared, difference
from tests.investigation.situations import NAMES, TAGS, a_broken_page
from tests.investigation.test_investigator import CHECKS, GOOD_STEPS, HandClock, World, a_judged_run, an_investigator

INVESTIGATIONS = 100
SCRIPTS = (ADS, CDN, TAGS)


def a_page_with_a_vendor_that_differs() -> Evidence:
    page = a_broken_page(*SCRIPTS)
    exchanges = tuple(
        replace(x, body_sha256="b" if x.url == TAGS else "a", body_bytes=110) if x.resource == "script" else x
        for x in page.exchanges
    )
    changed = difference(DifferenceKind.CONTENT, TAGS, resource="script", before="100:a", after="120:b")
    return replace(page, exchanges=exchanges, compared=compared(changed))


def a_good_run() -> Reference:
    answers = tuple(
        Answer(url=url, host=url.split("/")[2], resource="script", status=200, sha256="a", size=100, replayable=True)
        for url in SCRIPTS
    )
    return Reference(run_id="good", taken_at=A_MOMENT, archive="/archive", answers=answers)


def by_chance(seed: int, failing: float) -> World:
    chance, world = random.Random(seed), World()

    def journey(_: Assignment) -> Evidence:
        if chance.random() < failing:
            return a_broken_page(*SCRIPTS)
        return an_evidence(attempts=(an_attempt(steps=GOOD_STEPS),))

    world.journey = journey
    return world


async def found_of_vendors(world: World, before: Lately | None) -> Diagnosis | None:
    investigator = an_investigator(world, HandClock(), good={CHECKS[0].name: a_good_run()}, before=before)
    run = await investigator.investigate(a_judged_run(a_page_with_a_vendor_that_differs()))
    return run.judgement.diagnosis


async def found_of_an_old_client(world: World, before: Lately | None) -> Diagnosis | None:
    old = replace(CHECKS[0], name="buy@shop/old", profile=a_profile(name="old", supported=False))
    checks = (old, CHECKS[0])
    evidence = a_broken_page(*SCRIPTS)
    judgement = judge(evidence, contexts_for(checks, OWNERSHIP, NAMES)[old.name])
    investigator = an_investigator(world, HandClock(), checks=checks, before=before)
    run = await investigator.investigate(a_run(check=old, evidence=evidence, judgement=judgement))
    return run.judgement.diagnosis


def blamed(find, failing: float, investigations: int, before: Lately | None = None) -> list[Confidence]:
    """Return how sure it was wherever somebody was named."""
    found = []
    for seed in range(investigations):
        world = by_chance(seed, failing)
        diagnosis = asyncio.run(find(world, before))
        assert world.journeys, "nothing was tried"
        assert diagnosis is not None
        if diagnosis.cause is not Cause.UNDETERMINED:
            found.append(diagnosis.confidence)
    return found


FIND = [pytest.param(found_of_vendors, id="vendor"), pytest.param(found_of_an_old_client, id="client")]


@pytest.mark.parametrize("failing", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("find", FIND)
def test_what_fails_by_chance_is_seldom_laid_to_anybody_as_certain(find, failing):
    found = blamed(find, failing, INVESTIGATIONS)
    certain = found.count(Confidence.CONFIRMED)
    print(f"{certain} of {INVESTIGATIONS} certain, {len(found)} named, where {failing:.0%} of visits fail")
    assert certain <= 0.2 * INVESTIGATIONS


@pytest.mark.parametrize("find", FIND)
def test_what_is_known_to_come_and_go_is_laid_to_nobody_for_a_change_that_helped(find):
    """Some ten of these investigations would name somebody if nothing were known of earlier runs."""
    assert blamed(find, 0.5, 35, Lately(runs=50, failed=20, returns=12)) == []
