"""Whose fault an answer over HTTP is that came with success and was not what it was."""

from __future__ import annotations

import pytest

from monitor.diagnosis.names import load_names
from monitor.domain.cause import Confidence, Detail
from monitor.domain.evidence import Evidence, StepErrorKind
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.reference import DifferenceKind
from tests.diagnosis.incidents import API, Court, compared, difference, failed, proven, request

HOST = "api.shop.example"
MENDED = proven(Kind.REPLAY, HOST, path="/order")
OTHER_TYPE = {
    "kind": DifferenceKind.HEADER,
    "header": "content-type",
    "before": "application/json",
    "after": "text/html",
}
SHRUNK = {"kind": DifferenceKind.CONTENT, "before": "300:a", "after": "20:b"}
CHANGED = {"kind": DifferenceKind.CONTENT, "before": "300:a", "after": "290:b"}


@pytest.fixture
def court() -> Court:
    return Court(load_names())


def answered(change: dict, message: str = "count: expected 2, saw 1") -> Evidence:
    kind = change["kind"]
    differs = difference(
        kind, API, resource="http", **{name: value for name, value in change.items() if name != "kind"}
    )
    return failed(
        request(API, resource="http", body_bytes=20),
        kind=StepErrorKind.EXPECTATION,
        error={"message": message},
        compared=compared(differs),
        experiments=MENDED,
    )


@pytest.mark.parametrize("change", [OTHER_TYPE, SHRUNK])
def test_an_own_answer_of_another_type_or_with_little_left_in_it_is_broken(court, change):
    diagnosis = court.judge(answered(change)).diagnosis
    assert diagnosis is not None
    assert (diagnosis.detail, diagnosis.confidence) == (Detail.OWN_CONTENT, Confidence.CONFIRMED)
    assert "/order" in diagnosis.because


def test_an_own_answer_that_is_no_json_any_more_is_broken(court):
    assert court.detail(answered(CHANGED, "expected JSON, saw application/json: '<p>'")) == "own.content"


def test_an_own_answer_that_merely_says_something_else_may_be_meant(court):
    assert court.detail(answered(CHANGED)) == "und.script_or_app_change"


def test_a_sign_in_that_is_refused_is_not_taken_for_a_page_that_changed(court):
    refused = request("https://www.shop.example/login", resource="http", method="POST", status=401)
    evidence = failed(
        request("https://www.shop.example/", resource="http"),
        refused,
        kind=StepErrorKind.EXPECTATION,
        compared=compared(
            difference(DifferenceKind.STATUS, refused.url, resource="http", before="200", after="401"),
            difference(DifferenceKind.ADDRESS, "https://www.shop.example/", resource="http", before="a", after="b"),
        ),
    )
    assert court.detail(evidence) == "und.monitor_config"
