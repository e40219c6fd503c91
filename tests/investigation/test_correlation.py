from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement, Run
from monitor.investigation.correlation import Correlator, Scope
from monitor.investigation.open_episode import episode_of
from tests.builders import A_MOMENT, a_check, a_run, a_target, an_evidence, an_exchange

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
    journey: str = "buy",
    at: str = "",
    validity: Validity = Validity.VALID,
) -> Run:
    outcome = Outcome.PASSED if detail is None else Outcome.FAILED
    found = detail and Diagnosis(
        cause=detail.cause,
        detail=detail,
        confidence=confidence,
        rule="R08",
        because="It failed.",
        culprit=culprit,
        exchanges=("x1",) if at else (),
    )
    moment = A_MOMENT + dt.timedelta(minutes=minute)
    failing = (an_exchange(id="x1", url=f"https://{at}", host=at.partition("/")[0], status=500),) if at else ()
    seen = () if controls is None else tuple(a_control(number, controls) for number in range(3))
    return a_run(
        run_id=f"{check}-{minute}",
        check=a_check(name=check, journey=journey, target=a_target(name=target)),
        evidence=an_evidence(started_at=moment, experiments=seen, exchanges=failing),
        judgement=Judgement(outcome=outcome, validity=validity, diagnosis=found),
    )


def a_control(number: int, outcome: Outcome) -> Experiment:
    return Experiment(kind=ExperimentKind.CONTROL, subject=f"https://{number}.example/", outcome=outcome, duration=0.1)


def own(host: str) -> Culprit:
    return Culprit(kind=CulpritKind.TEAM, name="team", host=host)


def everything_fails(correlator: Correlator, *, controls: Outcome | None, answered: bool = False):
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
                at=f"{target}.example/" if answered else "",
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


def test_hosts_that_answered_were_reached_whatever_became_of_the_controls(correlator):
    assert everything_fails(correlator, controls=Outcome.FAILED, answered=True) == []
    assert Scope.PLACE not in {incident.scope for incident in correlator.open_incidents()}


def test_a_control_that_answered_with_an_error_was_reached(correlator):
    refused = replace(a_control(0, Outcome.FAILED), exchanges=(an_exchange(status=403),))
    run = an_ended_run("buy", detail=Detail.OWN_CONNECT)
    seen = episode_of(replace(run, evidence=replace(run.evidence, experiments=(refused,))), since=A_MOMENT)
    assert (seen.controls_passed, seen.controls_failed) == (0, 0)


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


BUY = {"check": "buy@shop/desktop", "journey": "buy", "at": "pay.example/charge"}
REFUND = {"check": "refund@shop/desktop", "journey": "refund", "at": "pay.example/refund"}
FAILING = {"detail": Detail.TP_HTTP_STATUS, "culprit": PAY, "controls": Outcome.PASSED}


def both(correlator: Correlator, first: dict, second: dict):
    return [*correlator.note(an_ended_run(**FAILING | first)), *correlator.note(an_ended_run(**FAILING | second))]


def test_journeys_that_fail_by_one_vendor_each_by_itself_make_it_sure(correlator):
    revised = both(correlator, BUY, {**REFUND, "minute": 5})
    assert [each.run_id for each in revised] == ["buy@shop/desktop-0", "refund@shop/desktop-5"]
    for each in revised:
        assert each.judgement.diagnosis.confidence is Confidence.CONFIRMED
        assert each.judgement.diagnosis.detail is Detail.TP_HTTP_STATUS
        assert each.why == ("The journeys buy and refund fail by Example Pay at the same time, each by itself.")
        assert each.judgement.diagnosis.because.startswith("It failed; the journeys buy and refund fail by Example Pay")
        assert each.judgement.diagnosis.evidence[-1].startswith("several journeys: ")


def test_the_next_run_of_an_episode_is_made_sure_too_and_the_other_one_only_once(correlator):
    both(correlator, BUY, REFUND)
    revised = correlator.note(an_ended_run(**FAILING | {**BUY, "minute": 5}))
    assert [each.run_id for each in revised] == ["buy@shop/desktop-5"]


def test_two_targets_will_do_for_one_request(correlator):
    assert len(both(correlator, BUY, {**REFUND, "at": BUY["at"], "target": "bank"})) == 2


def test_one_own_host_that_fails_several_journeys_is_made_sure_by_its_name(correlator):
    own_api = {"detail": Detail.OWN_HTTP_STATUS, "culprit": own("api.example")}
    revised = both(correlator, {**BUY, **own_api, "at": "api.example/a"}, {**REFUND, **own_api, "at": "api.example/b"})
    assert {each.judgement.diagnosis.confidence for each in revised} == {Confidence.CONFIRMED}
    assert "fail by api.example at the same time" in revised[0].why


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({**REFUND, "journey": "buy"}, id="the same journey as another client"),
        pytest.param({**REFUND, "at": BUY["at"]}, id="the same request at the same target"),
        pytest.param({**REFUND, "at": ""}, id="nobody knows which request"),
        pytest.param({**REFUND, "culprit": Culprit(kind=CulpritKind.VENDOR, name="Maps")}, id="another vendor"),
        pytest.param({**REFUND, "minute": 31}, id="at another time"),
        pytest.param({**REFUND, "controls": Outcome.FAILED}, id="the controls failed with it"),
        pytest.param({**REFUND, "validity": Validity.MONITOR_SPECIFIC}, id="true of the monitor alone"),
        pytest.param({**REFUND, "confidence": Confidence.NONE}, id="nobody is blamed"),
    ],
)
def test_what_is_not_seen_twice_independently_makes_nothing_sure(correlator, other):
    assert both(correlator, BUY, other) == []


def test_a_check_that_passed_again_makes_nobody_sure(correlator):
    correlator.note(an_ended_run(**FAILING | BUY))
    correlator.note(an_ended_run(BUY["check"], journey="buy", minute=5))
    assert correlator.note(an_ended_run(**FAILING | {**REFUND, "minute": 6})) == ()


@pytest.mark.parametrize("detail", [Detail.TP_CONNECT, Detail.TP_DNS, Detail.TP_TLS, Detail.CLIENT_BROWSER])
def test_what_the_way_from_here_may_feign_is_not_made_sure_from_here(correlator, detail):
    assert both(correlator, {**BUY, "detail": detail}, {**REFUND, "detail": detail}) == []


def test_what_is_sure_already_helps_the_other_and_stays_as_it_is(correlator):
    revised = both(correlator, {**BUY, "confidence": Confidence.CONFIRMED}, REFUND)
    assert [each.run_id for each in revised] == ["refund@shop/desktop-0"]
