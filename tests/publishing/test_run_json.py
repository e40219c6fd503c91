from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import jsonschema
import pytest

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.deployment import Deployment
from monitor.domain.diagnosis import Alternative, Collateral, Culprit, CulpritKind, Diagnosis
from monitor.domain.evidence import Artifact, StepError, StepErrorKind, StepResult, Truncation
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.run import Judgement
from monitor.domain.secret import Redactor, Secret
from monitor.publishing.run_json import moment, to_json
from tests.builders import A_MOMENT, a_run, an_attempt, an_evidence

SCHEMA = json.loads(Path("tests/contracts/run.schema.json").read_text(encoding="utf-8"))
GOLDEN = Path("tests/contracts/run.json")


def a_telling_run(message: str = "no confirmation"):
    steps = (
        StepResult(name="open", title="Open", outcome=StepOutcome.PASSED, duration=1.1),
        StepResult(
            name="pay",
            title="Pay",
            outcome=StepOutcome.FAILED,
            duration=2.1,
            capability="payments",
            error=StepError(kind=StepErrorKind.TIMEOUT, message=message),
        ),
        StepResult(name="confirm", title="Confirm", outcome=StepOutcome.NOT_REACHED),
    )
    evidence = an_evidence(
        duration=3.2,
        attempts=(an_attempt(outcome=Outcome.FAILED, steps=steps),),
        experiments=(
            Experiment(kind=ExperimentKind.REPLAY, subject="pay.example.net", outcome=Outcome.PASSED, duration=2.8),
        ),
        deployments=(
            Deployment(
                service="shop-api",
                version="4.2.1",
                at=A_MOMENT - dt.timedelta(minutes=12),
                target="shop",
                url="https://ci.example.org/4.2.1",
            ),
            Deployment(service="shop-api", version="4.2.2", at=A_MOMENT + dt.timedelta(minutes=1)),
        ),
        failing_since=A_MOMENT,
        artifacts=(Artifact(kind="screenshot", name="pay.png", size=10),),
        truncated=(Truncation(what="console", kept=200, seen=431),),
    )
    diagnosis = Diagnosis(
        cause=Cause.THIRD_PARTY,
        detail=Detail.TP_CONTENT,
        confidence=Confidence.CONFIRMED,
        rule="R08",
        ruleset="2026.1",
        because="The payment provider sent an empty script.",
        culprit=Culprit(kind=CulpritKind.VENDOR, name="Example Pay", host="pay.example.net"),
        evidence=("pay.example.net answered 200 with nothing",),
        alternatives=(Alternative(cause=Cause.OWN_INFRASTRUCTURE, detail=Detail.OWN_SCRIPT),),
    )
    judgement = Judgement(
        outcome=Outcome.FAILED,
        validity=Validity.VALID,
        diagnosis=diagnosis,
        collateral=(Collateral(cause=Cause.THIRD_PARTY, host="ads.example.org", failure=Failure.TCP_REFUSED),),
        timings=(("own_infrastructure", 1.1), ("third_party", 1.8), ("client_environment", 0.3)),
    )
    return a_run(evidence=evidence, judgement=judgement)


def test_a_run_is_printed_as_the_committed_example_shows():
    assert to_json(a_telling_run()) == json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "run",
    [
        a_run(),
        a_telling_run(),
        a_run(
            evidence=an_evidence(attempts=()),
            judgement=Judgement(outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID),
        ),
    ],
    ids=["passed", "failed", "without an attempt"],
)
def test_every_run_fits_the_schema(run):
    jsonschema.validate(json.loads(json.dumps(to_json(run))), SCHEMA)


def test_a_run_is_one_line():
    assert "\n" not in json.dumps(to_json(a_telling_run(message="two\nlines\x1b[31m")))


def test_moments_are_told_in_utc():
    berlin = dt.timezone(dt.timedelta(hours=1))
    assert moment(A_MOMENT.astimezone(berlin)) == "2026-03-02T10:00:00.000Z"


def test_a_secret_is_masked_wherever_it_stands():
    redactor = Redactor((Secret("password", "hunter2hunter2"),))
    printed = json.dumps(to_json(a_telling_run(message="typed hunter2hunter2"), redactor))
    assert "hunter2" not in printed
    assert "typed \\u2022\\u2022\\u2022" in printed
