"""Whatever a run may look like, the judgement keeps its promises."""

from __future__ import annotations

from dataclasses import fields
from random import Random

import pytest

from monitor.diagnosis import judge as judging
from monitor.diagnosis.case import case_of
from monitor.domain.cause import Cause, Confidence
from monitor.domain.evidence import (
    Comparison,
    PageError,
    ProberFault,
    ScriptTime,
    StepError,
    StepErrorKind,
    VantageHealth,
    WebSocketFacts,
)
from monitor.domain.exchange import DnsFacts, Initiator, Timings
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure, Phase
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.reference import Difference, DifferenceKind
from tests.builders import an_attempt, an_evidence
from tests.diagnosis.incidents import ADS, API, CDN, PAY, SHOP, a_step, complaints, request

HOSTS = ["www.shop.example", "pay.payments.example", "cdn.libraries.example", "", "[::1]", "nowhere"]
URLS = [SHOP, API, PAY, ADS, CDN, "", "http://[broken", "https://support.shop.example/x", "https://127.0.0.1/"]
RESOURCES = ["document", "script", "stylesheet", "xhr", "fetch", "image", "http", "ping", ""]
STATUSES = [None, 200, 204, 302, 401, 403, 404, 407, 429, 451, 500, 503, 511, 522]
HEADERS = [
    (),
    (("proxy-status", "edgecdn; error=proxy_internal_error, b; error=nonsense"),),
    (("cf-error-type", "1000"), ("server", "cloudflare")),
    (("cf-error-type", "?"), ("link", '<http://[x>; rel="blocked-by"'), ("date", "never")),
]


def some_experiment(chance: Random) -> Experiment:
    kind = chance.choice(list(ExperimentKind))
    end = request(
        chance.choice(URLS),
        id=chance.choice(["look", "0"]),
        resource="http",
        status=chance.choice(STATUSES),
        failure=chance.choice([None, None, *Failure]),
        headers=chance.choice(HEADERS),
        address=chance.choice([None, "192.0.2.1"]),
        dns=chance.choice([None, DnsFacts(rcode="SERVFAIL", errors=("6 bogus", "17 filtered", "?", ""))]),
    )
    return Experiment(
        kind=kind,
        subject=chance.choice([*HOSTS, *URLS]),
        by=chance.choice(["", "system", "192.0.2.53"]),
        outcome=chance.choice(list(Outcome)),
        duration=chance.random(),
        started=chance.random(),
        note=chance.choice(["", "it broke"]),
        hosts=tuple(chance.sample(HOSTS, chance.randrange(3))),
        path=chance.choice(["", "/lib"]),
        exchanges=(end,) if chance.random() < 0.8 else (),
        failed_step=chance.choice(["", "pay"]),
        missed=chance.choice([0, 1]),
    )


def some_difference(chance: Random) -> Difference:
    url = chance.choice(URLS)
    return Difference(
        kind=chance.choice(list(DifferenceKind)),
        url=url,
        host=chance.choice(HOSTS),
        resource=chance.choice(RESOURCES),
        exchange=chance.choice(["", "0", "3"]),
        before=chance.choice(["", "900:a", "200", ":", "x"]),
        after=chance.choice(["", "9:b", "302", "pending"]),
        header=chance.choice(["", "content-security-policy"]),
    )


def some_evidence(seed: int):
    chance = Random(seed)

    def maybe(values):
        return chance.choice([None, *values])

    exchanges = tuple(
        request(
            chance.choice(URLS),
            id=str(number),
            resource=chance.choice(RESOURCES),
            status=chance.choice(STATUSES),
            failure=maybe(Failure) if chance.random() < 0.5 else None,
            failed_phase=maybe(Phase),
            pending=chance.random() < 0.2,
            intervention=chance.random() < 0.1,
            attempt=chance.choice([1, 2]),
            step=chance.choice(["", "open", "pay"]),
            headers=chance.choice(HEADERS),
            body_bytes=maybe([0, 10]),
            redirected_from=maybe([str(chance.randrange(8))]),
            initiator=maybe([Initiator(kind="parser", url=SHOP), Initiator(kind="script", frames=(CDN,))]),
            timings=Timings(started=chance.random(), total=chance.choice([0.0, chance.random() * 5]), wait=0.1),
        )
        for number in range(chance.randrange(8))
    )
    error = StepError(
        kind=chance.choice(list(StepErrorKind)),
        message=chance.choice(["", "Page.goto: Timeout", "x\ny"]),
        exchange=maybe(["0", "3", "nowhere"]),
        awaited=chance.choice(["", SHOP, "**/x", "/order", "//button", "[", "text=Pay"]),
        intercepted_by=chance.choice(["", "<div>", f'<iframe src="{CDN}">']),
        intercepted_stack=chance.choice([(), (CDN, SHOP), (SHOP,), ("",)]),
    )
    outcome = chance.choice(list(Outcome))
    step = a_step(outcome=chance.choice(list(StepOutcome)), error=maybe([error]), budget=maybe([0.5]))
    attempts = tuple(
        an_attempt(
            number=number,
            outcome=outcome,
            steps=(step,) if chance.random() < 0.9 else (),
            prober_fault=maybe(ProberFault) if chance.random() < 0.2 else None,
        )
        for number in range(1, chance.choice([1, 2]) + 1)
    )
    investigated = chance.random() < 0.7
    experiments = tuple(some_experiment(chance) for _ in range(chance.randrange(8))) if investigated else ()
    differences = tuple(some_difference(chance) for _ in range(chance.randrange(4)))
    health = {each.name: maybe([0, 0.01, 50.0]) for each in fields(VantageHealth)}
    return an_evidence(
        attempts=attempts,
        exchanges=exchanges,
        vantage=VantageHealth(**health) if chance.random() < 0.2 else VantageHealth(),
        page_errors=(PageError(message="boom", frames=(chance.choice(URLS),)),) if chance.random() < 0.2 else (),
        scripts=(ScriptTime(url=chance.choice(URLS), seconds=chance.random() * 4),),
        experiments=experiments,
        compared=Comparison(run_id="good", age=1.0, differences=differences) if investigated else None,
        websockets=(WebSocketFacts(url="wss://x", host="x", error="1006"),) if chance.random() < 0.1 else (),
    )


@pytest.mark.parametrize("block", range(20))
def test_the_judgement_keeps_its_promises(court, block, caplog):
    for seed in range(block * 100, (block + 1) * 100):
        evidence = some_evidence(seed)
        judgement = court.judge(evidence)
        assert not complaints(caplog), seed
        invalid = judgement.validity is not Validity.VALID
        assert invalid == (judgement.outcome is Outcome.INCONCLUSIVE), seed
        assert (judgement.diagnosis is None) == (judgement.outcome is Outcome.PASSED), seed
        if evidence.last.prober_fault is not None:
            assert invalid, seed
        if judgement.diagnosis is not None:
            assert judgement.diagnosis.cause is judgement.diagnosis.detail.cause
            assert (judgement.diagnosis.confidence is Confidence.NONE) == (
                judgement.diagnosis.cause is Cause.UNDETERMINED
            )
            known = {exchange.id for exchange in evidence.exchanges}
            assert set(judgement.diagnosis.exchanges) <= known, seed
            assert judgement.diagnosis.because.endswith("."), seed
            assert all(judgement.diagnosis.evidence), seed
        case_of(evidence, court.context)
        if judgement.validity is Validity.INVALID:
            assert judgement.diagnosis.cause in (Cause.CLIENT_ENVIRONMENT, Cause.UNDETERMINED), seed


def test_rules_that_fail_are_the_monitors_fault(court, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(judging, "incident_of", broken)
    judgement = court.judge(an_evidence())
    assert (judgement.outcome, judgement.validity) == (Outcome.INCONCLUSIVE, Validity.INVALID)
    assert "rules failed" in judgement.diagnosis.because
    assert complaints(caplog)
