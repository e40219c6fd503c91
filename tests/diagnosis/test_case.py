from __future__ import annotations

import pytest

from monitor.diagnosis.case import case_of
from monitor.domain.evidence import Comparison, PageError, ScriptTime, VantageHealth
from monitor.domain.exchange import Initiator
from monitor.domain.outcome import StepOutcome
from monitor.domain.reference import Difference, DifferenceKind
from tests.diagnosis.incidents import ADS, API, CDN, PAY, SHOP, a_step, failed, page, passed, request


def test_a_case_names_the_step_and_what_it_needed(court):
    case = case_of(failed(page(), request(PAY, status=503)), court.context)
    assert case.step.name == "pay"
    assert [x.host for x in case.needed] == ["pay.payments.example"]
    assert case.hosts[0].host == "pay.payments.example"
    assert case.repeatable
    assert not case.settled


def test_the_most_suspicious_host_comes_first_and_the_rest_keep_their_place(court):
    evidence = failed(
        page(),
        request(CDN, resource="script"),
        request(ADS, resource="script", initiator=Initiator(kind="script", url=CDN)),
        page_errors=(PageError(message="boom", frames=(ADS,)),),
    )
    case = case_of(evidence, court.context)
    assert [host.host for host in case.vendors] == ["ads.adverts.example", "cdn.libraries.example"]
    assert case.vendors[0].beside
    assert case.vendors[0].loaded_by == "cdn.libraries.example"
    assert [host.host for host in case.own] == ["www.shop.example"]


def test_what_changed_and_what_kept_the_thread_busy_are_told_by_host(court):
    difference = Difference(kind=DifferenceKind.CONTENT, url=CDN, host="cdn.libraries.example")
    evidence = failed(
        page(),
        request(CDN, resource="script"),
        compared=Comparison(run_id="r", age=60.0, differences=(difference,)),
        scripts=(ScriptTime(url=CDN, seconds=1.5, step="pay"), ScriptTime(url=CDN, seconds=9.0, step="open")),
    )
    (vendor,) = case_of(evidence, court.context).vendors
    assert (vendor.changed, vendor.seconds) == (("/lib.js",), 1.5)


@pytest.mark.parametrize("when", ["before", "in the step itself"])
def test_a_journey_with_an_effect_up_to_the_failure_is_not_made_again(court, when):
    evidence = failed(page(status=500))
    step = evidence.last.steps[0]
    order = a_step(name="order", outcome=StepOutcome.PASSED, effects=True)
    steps = (order, step) if when == "before" else (a_step(effects=True, error=step.error),)
    again = failed(page(status=500), attempt={"steps": steps})
    assert not case_of(again, court.context).repeatable


def test_an_effect_after_the_failure_does_not_matter(court):
    step = failed(page()).last.steps[0]
    later = a_step(name="order", outcome=StepOutcome.NOT_REACHED, effects=True)
    assert case_of(failed(page(status=500), attempt={"steps": (step, later)}), court.context).repeatable


@pytest.mark.parametrize("guard", [{"status": 429}, {"status": 403, "headers": (("cf-mitigated", "challenge"),)}])
def test_a_guard_that_answered_ends_all_asking(court, guard):
    case = case_of(failed(page(**guard)), court.context)
    assert case.guarded
    assert not case.repeatable


def test_the_edge_that_answered_is_told(court):
    assert case_of(failed(page(status=503, headers=(("server", "EdgeCDN/2"),))), court.context).edge == "edgecdn"
    assert case_of(failed(page(status=503, headers=(("cf-ray", "1"),))), court.context).edge == "cloudflare"
    assert case_of(failed(page(status=503)), court.context).edge == ""


def test_there_is_nothing_to_find_out_of_a_run_that_passed_or_of_a_sick_monitor(court):
    assert case_of(passed(page()), court.context).settled
    assert case_of(failed(page(), vantage=VantageHealth(browser_alive=False)), court.context).settled


def test_an_api_of_ours_counts_as_own(court):
    assert {host.host for host in case_of(failed(page(SHOP), request(API)), court.context).own} == {
        "www.shop.example",
        "api.shop.example",
    }
