"""Runs and slots of one check, a minute apart."""

from __future__ import annotations

import datetime as dt

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Collateral, Culprit, CulpritKind, Diagnosis
from monitor.domain.evidence import StepResult
from monitor.domain.exchange import Timings
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.run import Judgement, Slot
from tests.builders import A_MOMENT, a_check, a_run, an_attempt, an_evidence, an_exchange

CHECK = "browse@shop/desktop"
MINUTE = dt.timedelta(minutes=1)


def at(minutes: float) -> dt.datetime:
    return A_MOMENT + minutes * MINUTE


def a_slot(minutes: float, check: str = CHECK) -> Slot:
    return Slot(check=check, scheduled_at=at(minutes))


def a_failed_run(minutes: float = 0, *, detail=Detail.TP_CONTENT, check: str = CHECK, culprit="Example Pay", **values):
    diagnosis = Diagnosis(
        cause=detail.cause,
        detail=detail,
        confidence=Confidence.CONFIRMED,
        rule="R08",
        because="pay.example.net answers without its script.",
        culprit=Culprit(kind=CulpritKind.VENDOR, name=culprit, host="pay.example.net"),
        evidence=("the replay passed",),
    )
    steps = (StepResult(name="pay", title="Pay", outcome=StepOutcome.FAILED, duration=2.0),)
    exchanges = (
        an_exchange(id="1", timings=Timings(resolve=0.1, connect=0.2, wait=0.5, total=0.8)),
        an_exchange(
            id="2", host="pay.example.net", timings=Timings(wait=0.25, total=0.25), failure=Failure.TCP_REFUSED
        ),
    )
    return a_run(
        **{
            "run_id": f"run-{check.partition('@')[0]}-{minutes}",
            "check": a_check(name=check),
            "scheduled_at": at(minutes),
            "evidence": an_evidence(
                started_at=at(minutes),
                attempts=(an_attempt(outcome=Outcome.FAILED, steps=steps),),
                exchanges=exchanges,
            ),
            "judgement": Judgement(
                outcome=Outcome.FAILED,
                validity=Validity.VALID,
                diagnosis=diagnosis,
                collateral=(Collateral(cause=Cause.THIRD_PARTY, host="ads.example.org", failure=Failure.TCP_REFUSED),),
                timings=(("third_party", 0.25),),
            ),
            **values,
        },
    )


def a_passed_run(minutes: float = 0, check: str = CHECK, **values):
    return a_run(
        **{
            "run_id": f"run-{check.partition('@')[0]}-{minutes}",
            "check": a_check(name=check),
            "scheduled_at": at(minutes),
            "evidence": an_evidence(started_at=at(minutes), exchanges=(an_exchange(),)),
            **values,
        },
    )
