"""What is kept of a run comes back as it was, and nothing of the vocabulary is forgotten."""

from __future__ import annotations

import zlib
from dataclasses import fields, replace

import pytest

from monitor.domain.evidence import (
    Artifact,
    Attempt,
    Evidence,
    ProberFault,
    StepError,
    StepErrorKind,
    StepResult,
    Truncation,
    VantageHealth,
    Vitals,
)
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.run import Judgement
from monitor.execution.wire import Codec, WireError
from monitor.history import body
from monitor.history.body import BodyCodec
from tests.builders import a_run, an_attempt, an_evidence, an_exchange
from tests.history.runs import a_failed_run

LEFT_OUT = {"exchanges", "console", "page_errors", "websockets", "events", "scripts", "compared", "baseline"}
LEFT_OUT |= {"lately", "deployments", "failing_since"}


def a_rich_evidence() -> Evidence:
    step = StepResult(
        name="pay",
        title="Pay",
        outcome=StepOutcome.FAILED,
        started=0.5,
        duration=1.5,
        capability="payments",
        budget=1.0,
        effects=True,
        error=StepError(kind=StepErrorKind.TIMEOUT, message="waited for the receipt", exchange="7"),
    )
    return an_evidence(
        attempts=(
            an_attempt(
                outcome=Outcome.FAILED, steps=(step,), prober_fault=ProberFault.STARVED, prober_fault_text="slow"
            ),
            an_attempt(number=2, steps=(replace(step, outcome=StepOutcome.PASSED, error=None),)),
        ),
        vitals=Vitals(largest_contentful_paint=1.2, long_tasks=3),
        vantage=VantageHealth(loop_lag_p50=0.01, disk_free_bytes=10**12, browser_alive=True),
        experiments=(
            Experiment(kind=ExperimentKind.REPLAY, subject="pay.example.net", outcome=Outcome.PASSED, duration=2.0),
        ),
        artifacts=(Artifact(kind="screenshot", name="pay.png", size=10),),
        truncated=(Truncation(what="console", kept=10, seen=100),),
        engine="chromium",
        worker="browser-1",
    )


def test_lean_evidence_is_all_but_what_fills_a_disk():
    run = a_run(evidence=replace(a_rich_evidence(), exchanges=(an_exchange(),)))
    kept = BodyCodec().read(BodyCodec().lean(run))
    assert kept.evidence == a_rich_evidence()
    assert kept.judgement == run.judgement


def test_everything_is_everything():
    run = a_failed_run(0)
    kept = BodyCodec().read(BodyCodec().full(run))
    assert (kept.evidence, kept.judgement) == (run.evidence, run.judgement)


@pytest.mark.parametrize(
    ("stored", "whole"),
    [(body._LeanStep, StepResult), (body._LeanAttempt, Attempt), (body._LeanVantage, VantageHealth)],
)
def test_a_new_field_of_the_vocabulary_is_not_forgotten(stored, whole):
    assert set(stored._fields) == {field.name for field in fields(whole)}


def test_a_new_field_of_evidence_or_judgement_is_kept_or_left_out_knowingly():
    known = {field.name for field in fields(Evidence)} | {field.name for field in fields(Judgement)}
    assert set(body._Lean._fields) == known - LEFT_OUT - {"collateral"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x63new", "a newer one wrote it"),
        (b"", "does not know"),
        (b"\x02garbage", "damaged"),
        (b"\x01\x90", "not a _Lean"),
        (b"\x02" + zlib.compress(b"\x80"), "not a Body"),
    ],
)
def test_bytes_that_hold_nothing_of_ours_are_refused(data, words):
    with pytest.raises(WireError, match=words):
        BodyCodec().read(data)


def test_evidence_that_a_newer_program_wrote_in_a_form_of_its_own_is_said_to_be_newer():
    newer = {"evidence": {"schema": 99, "attempts": "in another form"}, "judgement": {}}
    with pytest.raises(WireError, match=r"version 99, and this program knows versions up to \d+"):
        BodyCodec().read(b"\x02" + zlib.compress(Codec().encode(newer)))
