"""The page of a run shows what was tried, what differs, what is usual, and every verdict."""

from __future__ import annotations

from dataclasses import replace

import httpx

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Alternative, Diagnosis
from monitor.domain.evidence import Comparison
from monitor.domain.exchange import DnsFacts
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.reference import Baseline, Difference, DifferenceKind, Lately, Part, StepBaseline
from monitor.domain.run import Judgement, Run
from monitor.history import VerdictSource
from tests.builders import A_MOMENT, an_exchange
from tests.web.test_app import HOSTILE, a_failed_run


def experiments() -> tuple[Experiment, ...]:
    return (
        Experiment(
            kind=ExperimentKind.CONTROL,
            subject="https://control.example.org/",
            outcome=Outcome.PASSED,
            duration=0.1,
            requests=1,
            exchanges=(an_exchange(host="control.example.org", status=204, reason="No Content"),),
        ),
        Experiment(
            kind=ExperimentKind.RESOLVER,
            subject="pay.example.net",
            by="192.0.2.53",
            outcome=Outcome.FAILED,
            duration=0.2,
            requests=1,
            exchanges=(
                an_exchange(
                    status=None,
                    failure=Failure.DNS_NAME_NOT_RESOLVED,
                    dns=DnsFacts(rcode="NXDOMAIN", errors=("15 Blocked: by policy",)),
                ),
            ),
        ),
        Experiment(
            kind=ExperimentKind.REPLAY,
            subject="pay.example.net",
            hosts=("pay.example.net",),
            path="/js/",
            outcome=Outcome.PASSED,
            duration=2.5,
            step_seconds=1.25,
            missed=3,
            requests=14,
        ),
        Experiment(
            kind=ExperimentKind.RERUN,
            subject="",
            outcome=Outcome.FAILED,
            duration=4.0,
            failed_step="pay",
            error=f"pay answered {HOSTILE}",
            of_run="bad-0",
        ),
        Experiment(
            kind=ExperimentKind.BLOCK,
            subject="ads",
            hosts=("ads.example.org",),
            outcome=Outcome.INCONCLUSIVE,
            duration=0.0,
            note="not made: the budget was used up",
        ),
    )


def an_investigated_run() -> Run:
    run = a_failed_run()
    differences = (
        Difference(
            kind=DifferenceKind.CONTENT,
            url="https://pay.example.net/js/v1.js",
            host="pay.example.net",
            resource="script",
            before="2048:" + "a" * 64,
            after="0:" + "b" * 64,
        ),
        Difference(
            kind=DifferenceKind.HEADER,
            url="https://www.shop.example/",
            host="www.shop.example",
            header="content-security-policy",
            before="default-src *",
            after=HOSTILE,
        ),
    )
    evidence = replace(
        run.evidence,
        experiments=experiments(),
        compared=Comparison(run_id="good-1", age=7300.0, differences=differences),
        baseline=Baseline(
            runs=40,
            steps=(
                StepBaseline(step="pay", runs=40, median=0.6, deviation=0.05, parts=((Part.THIRD_PARTY, 0.4),)),
                StepBaseline(step="", runs=40, median=0.9, deviation=0.1),
            ),
        ),
        lately=Lately(runs=48, failed=5, returns=4),
    )
    other = Alternative(cause=Cause.OWN_INFRASTRUCTURE, detail=Detail.OWN_POLICY, because="the policy changed too")
    diagnosis = replace(run.judgement.diagnosis, alternatives=(other,))
    return replace(run, evidence=evidence, judgement=replace(run.judgement, diagnosis=diagnosis))


async def test_what_was_tried_stands_in_its_order_with_what_came_of_it(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(an_investigated_run())
    page = (await client.get("/runs/bad-1")).text
    shown = (
        "1 more journey and 2 single requests",
        "a control that has nothing to do with the site: https://control.example.org/",
        "204 No Content",
        "the name pay.example.net, asked of the resolver 192.0.2.53",
        "dns.name_not_resolved, NXDOMAIN, 15 Blocked: by policy",
        "pay.example.net/js/ answered as in the last good run",
        "got past the step, which took 1.25 s",
        "3 requests could not be answered from the last good run",
        "the journey again, unchanged",
        'made for run <a href="/runs/bad-0">',
        "the journey with ads.example.org blocked",
        "not made: the budget was used up",
    )
    places = [page.index(words) for words in shown]
    assert places == sorted(places)
    assert HOSTILE not in page


async def test_the_comparison_names_the_good_run_and_each_difference(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(an_investigated_run())
    page = (await client.get("/runs/bad-1")).text
    assert '<a href="/runs/good-1">good-1</a>, 2 h older' in page
    assert "2 KiB, aaaaaaaaaaaa" in page
    assert "0 B, bbbbbbbbbbbb" in page
    assert "content-security-policy" in page


async def test_what_is_usual_stands_beside_what_it_took(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(an_investigated_run())
    page = (await client.get("/runs/bad-1")).text
    assert "600 ms" in page
    assert "1.50 s" in page
    assert "third party 400 ms" in page
    assert "Of the last 48 runs of the check in the day before 5 failed; it was well again 4 times." in page


async def test_a_run_that_nobody_investigated_shows_none_of_it(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    page = (await client.get("/runs/bad-1")).text
    for heading in ("What was tried", "Compared with", "Beside what is usual", "Every verdict there was"):
        assert heading not in page


async def test_every_verdict_is_shown_and_how_to_add_one(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(an_investigated_run())
    page = (await client.get("/runs/bad-1")).text
    assert "faultline explain bad-1 --confirm" in page
    assert "the policy changed too" in page
    corrected = Diagnosis(
        cause=Cause.OWN_INFRASTRUCTURE,
        detail=Detail.OWN_POLICY,
        confidence=Confidence.CONFIRMED,
        rule="person",
        because=f"we tightened the policy {HOSTILE}",
    )
    judgement = Judgement(outcome=Outcome.FAILED, validity=Validity.VALID, diagnosis=corrected)
    await parts.history.revise("bad-1", judgement, why="", at=A_MOMENT, source=VerdictSource.PERSON, author="ada")
    page = (await client.get("/runs/bad-1")).text
    assert "Every verdict there was" in page
    assert page.count("in force</strong>") == 1
    assert "a person, in place of the rules" in page
    assert HOSTILE not in page
