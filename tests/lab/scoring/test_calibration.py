from __future__ import annotations

from typing import Any

import pytest

from tests.lab.scoring.calibration import Rated, bins_of, brier, calibrate, expected_error, fit, risk_area
from tests.lab.scoring.case import LABELS, Case, Expected, Said
from tests.lab.scoring.intervals import quantile, wilson


def a_case(scenario: str, *, truth: str = "own.tls", said: str = "own.tls", **values: Any) -> Case:
    verdict = {"outcome": "failed", "confidence": "confirmed", "rule": "R03", **values}
    return Case(
        scenario=scenario,
        seed=1,
        expected=Expected(outcome="failed", detail=truth),
        said=Said(detail=said, **verdict),
    )


def a_rating(chance: float, *, right: bool) -> Rated:
    own, third, client, undetermined = LABELS
    rest = (1 - chance) / 3
    probabilities = {own: chance, third: rest, client: rest, undetermined: rest}
    base = dict.fromkeys(LABELS, 0.25)
    return Rated(scenario="O01", truth=own if right else third, said=own, probabilities=probabilities, base=base)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(41, 46, 0.77, 0.95), (44, 46, 0.86, 0.99), (126, 140, 0.84, 0.94), (133, 140, 0.90, 0.98)],
)
def test_wilson_gives_the_intervals_of_the_books(hits, trials, low, high):
    assert wilson(hits, trials) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


def test_nothing_tried_says_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_quantile_is_a_value_that_occurred():
    assert quantile([1, 2, 3, 4], 0.5) == 2
    assert quantile([1, 2, 3, 4], 0.95) == 4


def test_a_rule_never_seen_is_as_good_as_its_level():
    cases = [a_case(f"O{number:02}") for number in range(9)]
    level = 9.5 / 10
    assert fit(cases, "R99", "confirmed") == pytest.approx(level)
    assert fit(cases, "R03", "confirmed") == pytest.approx((9 + level) / 10)
    assert fit(cases, "R03", "probable") == pytest.approx(0.5)


def test_a_perfect_claim_has_no_brier_score_and_a_perfectly_wrong_one_the_highest():
    assert brier([a_rating(1.0, right=True)]) == pytest.approx(0.0)
    own, third, client, undetermined = LABELS
    sure = {own: 1.0, third: 0.0, client: 0.0, undetermined: 0.0}
    wrong = Rated(scenario="O01", truth=third, said=own, probabilities=sure, base=sure)
    assert brier([wrong]) == pytest.approx(2.0)


def test_the_calibration_error_is_the_gap_between_claim_and_truth():
    rated = [a_rating(0.8, right=index < 8) for index in range(10)]
    assert sum(one.count for one in bins_of(rated)) == 10
    assert expected_error([a_rating(0.9, right=False)] * 10) == pytest.approx(0.9)


def test_bins_hold_the_same_number_of_cases():
    rated = [a_rating(index / 20, right=True) for index in range(20)]
    assert [one.count for one in bins_of(rated)] == [4, 4, 4, 4, 4]


def test_the_risk_area_is_smaller_where_errors_are_the_least_sure():
    errors_last = [a_rating(0.9, right=True), a_rating(0.8, right=True), a_rating(0.3, right=False)]
    errors_first = [a_rating(0.9, right=False), a_rating(0.8, right=True), a_rating(0.3, right=True)]
    assert risk_area(errors_last) == pytest.approx((0 + 0 + 1 / 3) / 3)
    assert risk_area(errors_first) == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_a_scenario_does_not_vouch_for_itself():
    cases = [a_case("O01"), a_case("T01", truth="tp.tls", said="own.tls")]
    found = calibrate(cases)
    assert found.brier is not None
    assert found.brier > 0.5
    assert {(one.rule, one.right, one.runs) for one in found.rules} == {("R03", 1.0, 2)}


def test_skill_is_high_where_verdicts_are_right_and_causes_vary():
    truths = ("own.tls", "tp.tls", "client.clock", "und.path")
    found = calibrate([a_case(f"X{index:02}", truth=truth, said=truth) for index, truth in enumerate(truths * 10)])
    assert found.skill is not None
    assert found.skill > 0.9
    assert found.aurc == 0


def test_one_scenario_fits_nothing():
    found = calibrate([a_case("O01")])
    assert (found.brier, found.ece, found.aurc, found.bins) == (None, None, None, ())
