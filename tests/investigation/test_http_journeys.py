"""What is tried for a journey over HTTP of which nothing failed but what was said."""

from __future__ import annotations

import pytest

from monitor.domain.evidence import Evidence, StepErrorKind
from monitor.domain.exchange import Exchange, Timings
from monitor.domain.experiment import ExperimentKind
from monitor.domain.journey import ProbeKind
from monitor.domain.reference import DifferenceKind
from monitor.investigation.interventions import interventions
from tests.diagnosis.incidents import again, compared, difference, failed, request
from tests.investigation.situations import a_situation, an_archive, an_outline

SETTINGS = "https://api.shop.example/settings"
PRICES = "https://api.shop.example/prices"
RATES = "https://rates.bank.example/today"
HTTP = an_outline(probe=ProbeKind.HTTP)


def asked(url: str, at: float, **values) -> Exchange:
    return request(url, **{"resource": "http", "timings": Timings(started=at, total=0.1), **values})


REQUESTS = (asked(SETTINGS, 0.0), asked(RATES, 0.2), asked(PRICES, 0.4))


def a_wrong_answer(*changed: str, kind: DifferenceKind = DifferenceKind.CONTENT, **values) -> Evidence:
    differences = (difference(kind, url, resource="http", before="9:a", after="2:b") for url in changed)
    return failed(
        *values.pop("exchanges", REQUESTS),
        kind=StepErrorKind.EXPECTATION,
        compared=compared(*differences),
        **values,
    )


def tried(evidence: Evidence, *archived: str, **values) -> list[tuple[str, tuple[str, ...], str]]:
    situation = a_situation(evidence, outline=HTTP, reference=an_archive(*archived), **values)
    return [(each.kind.value, each.hosts, each.path) for each in interventions(situation)]


def test_each_answer_that_changed_is_given_as_it_last_was_the_last_asked_first():
    found = tried(a_wrong_answer(SETTINGS, RATES, PRICES), SETTINGS, RATES, PRICES)
    assert found == [
        ("replay", ("api.shop.example",), "/prices"),
        ("replay", ("rates.bank.example",), "/today"),
        ("replay", ("api.shop.example",), "/settings"),
        ("replay", ("api.shop.example",), ""),
    ]


def test_what_did_not_change_or_was_not_kept_is_not_replayed():
    assert tried(a_wrong_answer(), SETTINGS, PRICES) == []
    assert tried(a_wrong_answer(PRICES), SETTINGS) == []


@pytest.mark.parametrize("kind", [DifferenceKind.ADDRESS, DifferenceKind.ISSUER, DifferenceKind.NEW])
def test_that_a_host_moved_is_no_reason_to_replay_it(kind):
    assert tried(a_wrong_answer(PRICES, kind=kind), PRICES) == []


def test_a_journey_of_a_single_request_is_not_replayed():
    assert tried(a_wrong_answer(PRICES, exchanges=(asked(PRICES, 0.0),)), PRICES) == []


@pytest.mark.parametrize("status", [401, 403, 429, 451])
def test_who_refuses_us_is_not_told_by_an_answer_from_before(status):
    exchanges = (asked(SETTINGS, 0.0), asked(PRICES, 0.4, status=status))
    assert tried(a_wrong_answer(PRICES, kind=DifferenceKind.STATUS, exchanges=exchanges), PRICES) == []


def test_a_server_that_was_not_reached_is_not_stood_in_for():
    exchanges = (asked(SETTINGS, 0.0), asked(PRICES, 0.4, status=None))
    assert tried(a_wrong_answer(PRICES, kind=DifferenceKind.STATUS, exchanges=exchanges), PRICES) == []


def test_what_was_tried_is_not_tried_again():
    done = (again(ExperimentKind.REPLAY, "api.shop.example", well=False, path="/prices"),)
    assert tried(a_wrong_answer(PRICES, experiments=done), PRICES) == []


def test_a_host_is_never_blocked_for_an_http_journey():
    found = tried(a_wrong_answer(SETTINGS, RATES, PRICES), SETTINGS, RATES, PRICES)
    assert "block" not in {kind for kind, _, _ in found}
