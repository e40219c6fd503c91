"""Whose code it was: what harms, what is missing, what was kept out, and what holds the page. Must and must not."""

from __future__ import annotations

import pytest

from monitor.domain.cause import Confidence, Detail
from monitor.domain.evidence import PageError, ScriptTime, StepErrorKind
from monitor.domain.exchange import Initiator
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.failure import Failure
from monitor.domain.reference import DifferenceKind
from tests.diagnosis.incidents import CDN, SHOP, again, compared, difference, failed, page, request

WWW = "www.shop.example"
MAIN = f"{SHOP}main.js"
LIBRARIES = "cdn.libraries.example"
CONTENT, HEADER, STATUS = DifferenceKind.CONTENT, DifferenceKind.HEADER, DifferenceKind.STATUS
ABSENT = StepErrorKind.EXPECTATION
PARSER = Initiator(kind="parser", url=SHOP)


def script(url: str, **values):
    return request(url, resource="script", initiator=PARSER, **values)


def throws(url: str, message: str = "Lib is not defined", step: str = "pay") -> PageError:
    return PageError(message=message, frames=(url,), step=step)


# A script that a policy of ours kept out.

CSP_CHANGED = difference(HEADER, SHOP, resource="document", header="content-security-policy", before="a", after="b")
KEPT_OUT = script(CDN, failure=Failure.POLICY_CSP)


def test_a_script_that_our_policy_kept_out_explains_the_name_that_is_missing(court):
    """Its last good answer cannot help: what the page keeps out stays out."""
    judgement = court.judge(
        failed(
            page(),
            script(MAIN),
            KEPT_OUT,
            kind=ABSENT,
            page_errors=(throws(MAIN),),
            compared=compared(CSP_CHANGED, difference(STATUS, CDN, before="200", after="policy.csp")),
            experiments=(again(Kind.REPLAY, LIBRARIES, well=False), again(Kind.RERUN, well=False)),
        )
    )
    assert (judgement.diagnosis.detail, judgement.diagnosis.rule) == (Detail.OWN_POLICY, "R07")


def test_a_policy_that_did_not_change_accuses_nobody(court):
    replay = again(Kind.REPLAY, LIBRARIES, well=False)
    evidence = failed(
        page(),
        script(MAIN),
        KEPT_OUT,
        kind=ABSENT,
        page_errors=(throws(MAIN),),
        compared=compared(),
        experiments=(replay,),
    )
    assert court.detail(evidence) == "und.insufficient"


def test_content_whose_last_good_answer_is_refused_as_well_is_not_what_changed(court):
    """The attribute of our page is at fault, or nobody: the vendor was cleared."""
    refused = script(CDN, failure=Failure.POLICY_SRI)
    other = difference(CONTENT, CDN, resource="script", before="900:a", after="900:b")
    evidence = failed(
        page(),
        script(MAIN),
        refused,
        kind=ABSENT,
        page_errors=(throws(MAIN),),
        compared=compared(other),
        experiments=(again(Kind.REPLAY, LIBRARIES, well=False),),
    )
    assert court.detail(evidence) == "und.insufficient"


# The last good answer of a vendor mends the step: harm or lack?

CHANGED = difference(CONTENT, CDN, resource="script", before="94:a", after="321:b")
MENDED = (again(Kind.REPLAY, LIBRARIES, well=True), again(Kind.RERUN, well=False))
LACK_OR_HARM = {
    "code that nobody misses did harm": ({}, (), "tp.script"),
    "without it the step passes": (
        {"page_errors": (throws(MAIN),)},
        (again(Kind.BLOCK, LIBRARIES, well=True),),
        "tp.script",
    ),
    "without it the step fails as well": ({}, (again(Kind.BLOCK, LIBRARIES, well=False),), "tp.content"),
    "our own code misses something from it": ({"page_errors": (throws(MAIN),)}, (), "tp.content"),
    "its own code throws": ({"page_errors": (throws(CDN, "x is null"),)}, (), "tp.script"),
    "it holds the page": ({"scripts": (ScriptTime(url=CDN, seconds=1.9, step="pay"),)}, (), "tp.slow"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in LACK_OR_HARM.items()])
def test_code_that_does_harm_is_told_from_code_that_is_missing(court, case):
    values, experiments, detail = case
    evidence = failed(
        page(),
        script(MAIN),
        script(CDN),
        kind=ABSENT,
        compared=compared(CHANGED),
        experiments=(*experiments, *MENDED),
        **values,
    )
    judgement = court.judge(evidence)
    assert judgement.diagnosis.detail.value == detail
    assert judgement.diagnosis.culprit.name == "Libraries"


# Our own script holds the page.

OWN_CHANGED = difference(CONTENT, MAIN, resource="script", before="900:a", after="901:b")
OWN_MENDED = (again(Kind.REPLAY, WWW, well=True), again(Kind.RERUN, well=False))


def test_an_own_script_that_holds_the_page_is_slow_and_no_change_of_the_page(court):
    busy = (ScriptTime(url=MAIN, seconds=1.8, step="pay"),)
    judgement = court.judge(
        failed(page(), script(MAIN), kind=ABSENT, scripts=busy, compared=compared(OWN_CHANGED), experiments=OWN_MENDED)
    )
    assert judgement.diagnosis.detail is Detail.OWN_SLOW_FRONTEND
    assert judgement.diagnosis.confidence is Confidence.CONFIRMED


def test_an_own_page_that_differs_and_is_idle_stays_a_change(court):
    idle = (ScriptTime(url=MAIN, seconds=0.3, step="pay"), ScriptTime(url=MAIN, seconds=9.0, step="browse"))
    evidence = failed(
        page(), script(MAIN), kind=ABSENT, scripts=idle, compared=compared(OWN_CHANGED), experiments=OWN_MENDED
    )
    assert court.detail(evidence) == "und.script_or_app_change"
