"""Evidence that looks like proof and is none: what stands on it may not be said, or not as sure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.cause import Confidence
from monitor.domain.exchange import Initiator
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.reference import DifferenceKind
from tests.diagnosis.incidents import (
    API,
    OWNERSHIP,
    SHOP,
    Court,
    compared,
    controls,
    difference,
    failed,
    look,
    page,
    request,
)

WWW = "www.shop.example"

# R06: what an edge leaves on every answer that passes it.


def passed_on(**headers: str) -> object:
    marks = {
        "server": "cloudflare",
        "cf-ray": "8a",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return page(status=503, headers=tuple(marks.items()))


OWN_WORDS = {"proxy_status": "envoy; error=proxy_internal_error", "via": "1.1 cloudflare"}


@pytest.mark.parametrize("edges", [(), ("cloudflare",)], ids=["the edge is not configured", "the edge is configured"])
def test_what_our_own_proxy_says_of_itself_is_not_the_edges_that_passes_it_on(names, edges):
    behind = Court(names, replace(OWNERSHIP, edges=edges))
    again = look(Kind.REPROBE, WWW, url=SHOP, status=503)
    diagnosis = behind.judge(failed(passed_on(**OWN_WORDS), experiments=(*controls(), again))).diagnosis
    assert diagnosis.detail.value == "und.insufficient"
    assert "whether envoy is our own proxy or an edge provider is not stated" in diagnosis.because


@pytest.mark.parametrize("edges", [(), ("cloudflare",)], ids=["the edge is not configured", "the edge is configured"])
def test_what_an_edge_says_of_itself_by_its_own_name_is_the_edges(names, edges):
    behind = Court(names, replace(OWNERSHIP, edges=edges))
    for said in ({"proxy_status": "Cloudflare-Proxy; error=proxy_internal_error"}, {"cf_error_type": "1003"}):
        diagnosis = behind.judge(failed(passed_on(**said), experiments=controls())).diagnosis
        assert (diagnosis.detail.value, diagnosis.culprit.name) == ("tp.edge", "cloudflare")


# R08: an address of a vendor to which our own side led.

SESSION = "https://pay.payments.example/session/undefined"
LEADS = page(f"{SHOP}pay", id="leads", status=302)
NEW = compared(difference(DifferenceKind.NEW, SESSION, resource="document", after="404"))
WAS_WELL = compared(difference(DifferenceKind.STATUS, SESSION, resource="document", before="200", after="404"))


def led_to(status: int, *between, last: str = "leads", **values):
    there = page(SESSION, redirected_from=last, status=status, **values.pop("page", {}))
    again = look(Kind.REPROBE, "pay.payments.example", url=SESSION, status=status)
    return failed(LEADS, *between, there, experiments=(*controls(), again), **values)


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_an_address_of_a_vendor_that_our_own_side_led_to_may_be_wrong(court, status):
    diagnosis = court.judge(led_to(status)).diagnosis
    assert diagnosis.detail.value == "und.shared_responsibility"
    assert "our own side led to this address" in diagnosis.because
    assert [each.detail.value for each in diagnosis.alternatives] == ["tp.http_status", "own.content"]


def test_a_vendor_that_only_moves_what_it_was_asked_for_has_not_chosen_the_address(court):
    moved = page("http://pay.payments.example/session/undefined", id="moved", redirected_from="leads", status=301)
    assert court.detail(led_to(404, moved, last="moved")) == "und.shared_responsibility"


def test_a_page_of_a_vendor_that_our_own_link_leads_to_only_now_may_be_wrong(court):
    link = Initiator(kind="parser", url=SHOP)
    linked = failed(page(), page(SESSION, status=404, initiator=link), compared=NEW)
    assert court.detail(linked) == "und.shared_responsibility"
    assert court.detail(replace(linked, compared=WAS_WELL)) == "tp.http_status"


@pytest.mark.parametrize(
    ("evidence", "confidence"),
    [
        pytest.param(led_to(404, compared=WAS_WELL), Confidence.CONFIRMED, id="it was answered well before"),
        pytest.param(led_to(500), Confidence.CONFIRMED, id="the vendor errs"),
    ],
)
def test_what_a_vendor_answered_well_before_or_calls_its_own_error_stays_the_vendors(court, evidence, confidence):
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("tp.http_status", confidence)


def test_that_a_request_is_found_fault_with_again_and_elsewhere_proves_nothing_unless_it_was_well_before(court):
    looks = tuple(look(kind, API, by="ny", url=API, status=404) for kind in (Kind.REPROBE, Kind.VANTAGE))
    evidence = failed(request(API, status=404), error={"exchange": API}, experiments=(*controls(), *looks))
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("own.http_status", Confidence.PROBABLE)
    before = compared(difference(DifferenceKind.STATUS, API, before="200", after="404"))
    assert court.judge(replace(evidence, compared=before)).diagnosis.confidence is Confidence.CONFIRMED
