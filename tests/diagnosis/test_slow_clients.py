"""A client that was always slow, and what is known of others: when its line is to blame, and when nobody is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from monitor.domain.cause import Confidence, Detail
from monitor.domain.evidence import Comparison
from monitor.domain.exchange import Timings
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.profile import Network
from monitor.domain.reference import Baseline, DifferenceKind, StepBaseline
from tests.diagnosis.incidents import (
    ADS,
    API,
    CDN,
    SHOP,
    Court,
    again,
    compared,
    controls,
    difference,
    failed,
    page,
    request,
)

CONTENT, NEW, STATUS = DifferenceKind.CONTENT, DifferenceKind.NEW, DifferenceKind.STATUS
LINE = Network(name="slow", latency=dt.timedelta(seconds=1.5), download_bits_per_second=400_000)
REFERENCE = again(Kind.PROFILE, well=True, subject="desktop", step_requests=12, step_received=9_000)
STILL = again(Kind.RERUN, well=False)
TRIED = (*controls(), REFERENCE, STILL)


def came(url: str, total: float = 1.55, size: int = 900, **values):
    return request(url, transfer_bytes=size, timings=Timings(started=0.1, total=total), **values)


CRAWLING = (page(transfer_bytes=1800, timings=Timings(total=1.6)), came(CDN), came(ADS), came(API))


@pytest.fixture
def slow(names) -> Court:
    return Court(names, network=LINE)


def test_a_line_that_explains_each_request_is_to_blame_though_nothing_is_known_of_better_days(slow):
    diagnosis = slow.judge(failed(*CRAWLING, experiments=TRIED)).diagnosis
    assert (diagnosis.detail, diagnosis.confidence) == (Detail.CLIENT_SLOW_LINK, Confidence.PROBABLE)
    assert diagnosis.alternatives[0].detail is Detail.OWN_SLOW_DELIVERY


NOT_THE_LINE = {
    "much was sent": (page(transfer_bytes=900_000, timings=Timings(total=1.6)), *CRAWLING[1:]),
    "requests took longer than the line does": (CRAWLING[0], came(CDN, 9.0), came(ADS, 9.0), came(API, 9.0)),
    "requests were quicker than the line": (CRAWLING[0], came(CDN, 0.1), came(ADS, 0.1), came(API, 0.1)),
    "only our own hosts were asked": (CRAWLING[0], came(API)),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in NOT_THE_LINE.items()])
def test_a_line_that_does_not_explain_it_is_not_to_blame(slow, case):
    assert slow.detail(failed(*case, experiments=TRIED)) == "und.insufficient"


def test_a_slow_line_is_not_to_blame_before_another_client_passed(slow):
    passed_too = again(Kind.RERUN, well=True)
    assert slow.detail(failed(*CRAWLING, experiments=(*controls(), STILL))) != "client.slow_link"
    assert slow.detail(failed(*CRAWLING, experiments=(*controls(), REFERENCE, passed_too))) == "und.not_reproduced"
    assert slow.detail(failed(page(), request(API, status=500), experiments=TRIED)) == "own.http_status"


def usual(received: float, profile: str = "desktop") -> Baseline:
    step = StepBaseline(step="pay", runs=20, median=0.7, deviation=0.1, requests=12, received=received)
    return Baseline(runs=20, steps=(step,), profile=profile)


@pytest.mark.parametrize(
    ("received", "detail"), [(9_000, "client.slow_link"), (5_000, "und.insufficient"), (8_000, "client.slow_link")]
)
def test_what_another_client_is_sent_tells_whether_the_site_grew(slow, received, detail):
    evidence = failed(*CRAWLING, baseline=usual(received), experiments=TRIED)
    assert slow.detail(evidence) == detail


GREW = {
    "nothing": ((), "client.slow_link"),
    "a page that doubled": ((difference(CONTENT, SHOP, before="100:a", after="1700:b"),), "und.insufficient"),
    "a large script that was not there": ((difference(NEW, CDN), difference(NEW, API)), "und.insufficient"),
    "a page that is smaller": ((difference(CONTENT, SHOP, before="9000:a", after="1700:b"),), "client.slow_link"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in GREW.items()])
def test_what_came_in_the_last_good_run_tells_whether_the_site_grew(slow, case):
    differences, detail = case
    assert slow.detail(failed(*CRAWLING, compared=compared(*differences), experiments=TRIED)) == detail


def test_the_seconds_of_another_client_are_not_what_is_usual(court):
    late = page(timings=Timings(total=1.9))
    assert "more than usual" in court.judge(failed(late, baseline=usual(9_000, profile=""))).diagnosis.because
    assert "more than usual" not in court.judge(failed(late, baseline=usual(9_000))).diagnosis.because


def test_what_another_client_was_sent_accuses_nobody(court):
    """A phone gets other code than a desktop: that is no change."""
    changed = compared(difference(CONTENT, CDN, resource="script", before="900:a", after="910:b"))
    evidence = failed(page(), request(CDN, resource="script"), compared=changed, experiments=(STILL,))
    assert court.detail(evidence) == "tp.script"
    theirs = Comparison(run_id="other", age=1.0, differences=changed.differences, profile="desktop")
    assert court.detail(replace(evidence, compared=theirs)) == "und.script_or_app_change"
