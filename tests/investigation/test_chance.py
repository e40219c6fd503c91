"""How often a page that fails by chance, whatever is left out of it, is laid to a vendor as certain."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from monitor.domain.assignment import Assignment
from monitor.domain.cause import Cause, Confidence
from monitor.domain.evidence import Evidence
from monitor.domain.reference import Answer, DifferenceKind, Reference
from tests.builders import A_MOMENT, an_attempt, an_evidence
from tests.diagnosis.incidents import ADS, CDN, compared, difference
from tests.investigation.situations import TAGS, a_broken_page
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


async def is_laid_to_a_vendor_as_certain(seed: int, failing: float) -> bool:
    chance, world = random.Random(seed), World()

    def journey(_: Assignment) -> Evidence:
        if chance.random() < failing:
            return a_broken_page(*SCRIPTS)
        return an_evidence(attempts=(an_attempt(steps=GOOD_STEPS),))

    world.journey = journey
    investigator = an_investigator(world, HandClock(), good={CHECKS[0].name: a_good_run()})
    run = await investigator.investigate(a_judged_run(a_page_with_a_vendor_that_differs()))
    assert world.journeys, "nothing was tried"
    found = run.judgement.diagnosis
    assert found is not None
    return found.cause is Cause.THIRD_PARTY and found.confidence is Confidence.CONFIRMED


@pytest.mark.parametrize("failing", [0.3, 0.5, 0.7])
def test_what_fails_by_chance_is_seldom_laid_to_a_vendor_as_certain(failing):
    certain = sum(asyncio.run(is_laid_to_a_vendor_as_certain(seed, failing)) for seed in range(INVESTIGATIONS))
    print(f"{certain} of {INVESTIGATIONS} where {failing:.0%} of visits fail")
    assert certain <= 0.2 * INVESTIGATIONS
