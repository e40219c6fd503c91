from __future__ import annotations

import datetime as dt

import pytest

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement, Run
from monitor.investigation.correlation import Correlator, Scope
from tests.builders import A_MOMENT, a_check, a_run, a_target, an_evidence

PAY = Culprit(kind=CulpritKind.VENDOR, name="Example Pay", host="pay.example")


@pytest.fixture
def correlator() -> Correlator:
    return Correlator("fra-1")


def an_ended_run(
    check: str,
    *,
    minute: float = 0,
    target: str = "shop",
    detail: Detail | None = None,
    culprit: Culprit | None = None,
    confidence: Confidence = Confidence.PROBABLE,
    controls: Outcome | None = None,
) -> Run:
    outcome = Outcome.PASSED if detail is None else Outcome.FAILED
    found = detail and Diagnosis(
        cause=detail.cause, detail=detail, confidence=confidence, rule="R08", because="It failed.", culprit=culprit
    )
    moment = A_MOMENT + dt.timedelta(minutes=minute)
    seen = () if controls is None else tuple(a_control(number, controls) for number in range(3))
    return a_run(
        run_id=f"{check}-{minute}",
        check=a_check(name=check, target=a_target(name=target)),
        evidence=an_evidence(started_at=moment, experiments=seen),
        judgement=Judgement(outcome=outcome, validity=Validity.VALID, diagnosis=found),
    )


def a_control(number: int, outcome: Outcome) -> Experiment:
    return Experiment(kind=ExperimentKind.CONTROL, subject=f"https://{number}.example/", outcome=outcome, duration=0.1)


def own(host: str) -> Culprit:
    return Culprit(kind=CulpritKind.TEAM, name="team", host=host)


def everything_fails(correlator: Correlator, *, controls: Outcome | None):
    revised = []
    for number, target in enumerate(("shop", "bank", "news", "shop")):
        revised += correlator.note(
            an_ended_run(
                f"check-{number}",
                minute=number,
                target=target,
                detail=Detail.OWN_CONNECT,
                culprit=own(f"{target}.example"),
                controls=controls,
            )
        )
    return revised


def test_one_vendor_in_several_journeys_is_one_incident(correlator):
    for number in range(5):
        correlator.note(an_ended_run(f"check-{number}", minute=number, detail=Detail.TP_CONNECT, culprit=PAY))
    (incident,) = correlator.open_incidents()
    assert (incident.scope, incident.culprit) == (Scope.VENDOR, PAY)
    assert len(incident.episodes) == 5
    assert incident.since == A_MOMENT


def test_several_checks_that_fail_at_one_own_host_are_one_incident(correlator):
    for name, host in (("a", "api.example"), ("b", "api.example"), ("c", "www.example")):
        correlator.note(an_ended_run(name, detail=Detail.OWN_HTTP_STATUS, culprit=own(host)))
    assert [incident.episodes for incident in correlator.open_incidents()] == [("a", "b"), ("c",)]


def test_what_nobody_is_blamed_for_stands_alone(correlator):
    for name in ("a", "b"):
        correlator.note(an_ended_run(name, detail=Detail.UND_INSUFFICIENT, confidence=Confidence.NONE))
    assert [incident.episodes for incident in correlator.open_incidents()] == [("a",), ("b",)]


def test_an_incident_ends_with_the_pass_of_its_last_check(correlator):
    correlator.note(an_ended_run("a", detail=Detail.TP_CONNECT, culprit=PAY))
    correlator.note(an_ended_run("a", minute=1))
    assert correlator.open_incidents() == ()


def test_everything_failing_at_one_place_with_its_controls_is_the_place(correlator):
    revised = everything_fails(correlator, controls=Outcome.FAILED)
    assert {each.run_id for each in revised} == {"check-0-0", "check-1-1", "check-2-2", "check-3-3"}
    assert {each.judgement.diagnosis.detail for each in revised} == {Detail.CLIENT_NETWORK}
    assert all(each.judgement.diagnosis.alternatives[0].detail is Detail.OWN_CONNECT for each in revised)
    (incident,) = correlator.open_incidents()
    assert (incident.scope, incident.cause) == (Scope.PLACE, Cause.CLIENT_ENVIRONMENT)


@pytest.mark.parametrize("controls", [None, Outcome.PASSED])
def test_without_the_controls_it_is_only_noted(correlator, controls):
    assert everything_fails(correlator, controls=controls) == []
    (incident,) = correlator.open_incidents()
    assert (incident.scope, incident.cause) == (Scope.PLACE, Cause.UNDETERMINED)
    assert "controls do not show" in incident.note


def test_a_place_where_others_still_pass_is_not_at_fault(correlator):
    for number in range(4):
        correlator.note(an_ended_run(f"well-{number}"))
    assert everything_fails(correlator, controls=Outcome.FAILED) == []
    assert Scope.PLACE not in {incident.scope for incident in correlator.open_incidents()}


def test_one_target_that_is_down_is_not_the_place(correlator):
    for number in range(5):
        correlator.note(
            an_ended_run(
                f"check-{number}", detail=Detail.OWN_CONNECT, culprit=own("www.example"), controls=Outcome.FAILED
            )
        )
    (incident,) = correlator.open_incidents()
    assert incident.scope is Scope.HOST


def test_failures_that_began_hours_apart_are_not_the_place(correlator):
    for number, target in enumerate(("shop", "bank", "news")):
        correlator.note(
            an_ended_run(
                f"check-{number}",
                minute=number * 60,
                target=target,
                detail=Detail.OWN_CONNECT,
                culprit=own(f"{target}.example"),
            )
        )
    assert len(correlator.open_incidents()) == 3


def test_checks_that_are_no_more_are_forgotten(correlator):
    correlator.note(an_ended_run("a", detail=Detail.TP_CONNECT, culprit=PAY))
    correlator.retain(["b"])
    assert correlator.open_incidents() == ()
