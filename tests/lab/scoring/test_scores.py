from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.scoring import grading
from tests.lab.scoring.case import Case, CaseError, Expected, Facts, Said, SeenExchange, Status, read_cases
from tests.lab.scoring.figures import pairs_right, scores_of, share_of


def a_case(scenario: str = "O01", seed: int = 1, **values: Any) -> Case:
    expected = values.pop("expected", "own.connect")
    said = values.pop("said", expected)
    outcome = values.pop("outcome", "failed")
    confidence = values.pop("confidence", "confirmed")
    rule = values.pop("rule", "R08")
    ground = {name: values.pop(name) for name in ("accept", "twins", "at_most", "culprit") if name in values}
    return Case(
        scenario=scenario,
        seed=seed,
        expected=Expected(outcome="failed" if expected else "passed", detail=expected, **ground),
        said=Said(outcome=outcome, detail=said, confidence=confidence, rule=rule, culprit=values.pop("named", "")),
        **values,
    )


def test_the_right_cause_with_another_detail_is_a_right_cause_and_a_wrong_detail():
    scores = scores_of([a_case(said="own.tls")])
    assert (scores.selective.share, scores.detail.share) == (1.0, 0.0)


def test_naming_the_wrong_party_is_false_blame_and_own_taken_for_third_party_is_counted_apart():
    cases = [a_case("O01", said="tp.connect"), a_case("T01", expected="tp.connect", said="own.connect"), a_case("O02")]
    scores = scores_of(cases)
    assert (scores.false_blame.hits, scores.false_blame.runs) == (2, 3)
    assert scores.own_as_third_party.hits == 1


def test_abstaining_costs_coverage_and_not_selective_accuracy():
    scores = scores_of([a_case("O01"), a_case("O02", said="und.insufficient", confidence="none")])
    assert (scores.coverage.share, scores.selective.share) == (0.5, 1.0)


def test_a_party_named_where_none_can_be_is_an_overclaim_and_a_wrong_answer():
    scores = scores_of([a_case("U03", expected="und.path", said="own.connect", confidence="probable")])
    assert (scores.over_claim.share, scores.over_claim_confirmed.share, scores.selective.share) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(("confidence", "credit"), [("probable", 1.0), ("none", 1.0), ("confirmed", 0.5)])
def test_an_accepted_cause_earns_all_where_it_is_said_with_restraint_and_half_else(confidence, credit):
    accepted = a_case("T32", expected="tp.access", said="own.access", accept=("own.access",), confidence=confidence)
    assert grading.credit(accepted) == credit


def test_a_right_cause_called_surer_than_its_evidence_earns_half():
    assert grading.credit(a_case("U09", expected="tp.connect", at_most="probable")) == 0.5


def test_a_negative_that_fails_is_a_false_failure_and_its_cause_a_wrong_answer():
    scores = scores_of([a_case("N01", expected="", said="tp.connect"), a_case("N02", expected="", outcome="passed")])
    assert (scores.false_failures.hits, scores.false_failures.runs) == (1, 2)
    assert scores.selective.share == 0.0


def test_an_invalid_run_said_to_be_valid_is_not_right():
    case = Case(
        scenario="C19",
        seed=1,
        expected=Expected(outcome="inconclusive", validity="invalid", detail="client.prober"),
        said=Said(outcome="inconclusive", validity="valid", detail="client.prober"),
    )
    assert not grading.right(case)


def test_twins_are_right_only_together_and_with_every_seed():
    twins = {"O04": ("C10",), "C10": ("O04",)}
    cases = [
        a_case("O04", 1, twins=twins["O04"]),
        a_case("O04", 2, twins=twins["O04"], said="client.clock"),
        a_case("C10", 1, expected="client.clock", twins=twins["C10"]),
    ]
    assert pairs_right(cases) == ([], [("C10", "O04")])
    assert pairs_right([cases[0], cases[2]]) == ([("C10", "O04")], [])


def test_twins_of_which_one_was_not_run_are_no_pair():
    assert pairs_right([a_case("O04", twins=("C10",))]) == ([], [])


def test_a_group_of_twins_is_counted_once_although_each_names_the_others():
    cases = [a_case(name, twins=tuple({"T14", "T15", "T16"} - {name})) for name in ("T14", "T15", "T16")]
    assert pairs_right(cases) == ([("T14", "T15", "T16")], [])


def test_each_scenario_weighs_the_same_however_many_seeds_it_had():
    cases = [a_case("O01", seed) for seed in (1, 2, 3, 4)] + [a_case("O02", said="tp.tls")]
    share = share_of(cases, grading.credit)
    assert (share.hits, share.runs, share.share, share.scenarios) == (4, 5, 0.5, 2)


def test_a_verdict_that_changes_with_the_seed_is_not_stable():
    steady = scores_of([a_case("O01", 1), a_case("O01", 2)]).stability
    shaky = scores_of([a_case("O01", 1), a_case("O01", 2, said="own.tls")]).stability
    assert steady is not None
    assert shaky is not None
    assert (steady.share, shaky.share) == (1.0, 0.0)
    assert scores_of([a_case("O01")]).stability is None


def test_macro_f1_is_one_where_all_is_right_and_falls_with_a_stray():
    right = [a_case("O01"), a_case("T01", expected="tp.connect"), a_case("C01", expected="client.dns")]
    wrong = [*right, a_case("U03", expected="und.path", said="own.connect")]
    assert scores_of(right).macro_f1 == 1.0
    assert scores_of(wrong).macro_f1 == pytest.approx((2 / 3 + 1 + 1 + 0) / 4)


def test_the_culprit_is_asked_for_only_where_one_is_expected():
    scores = scores_of(
        [a_case("T01", culprit="Pay", named="pay"), a_case("T02", culprit="Id", named="x"), a_case("O1")]
    )
    assert (scores.culprit.hits, scores.culprit.runs) == (1, 2)


def test_extra_load_of_a_passing_run_is_seen():
    scores = scores_of([a_case("N01", expected="", said="", outcome="passed", requests=2)])
    assert scores.load_when_passing.largest == 2


def test_runs_are_read_and_those_that_do_not_count_keep_their_reason(tmp_path: Path):
    line = {
        "schema": "faultline.lab/v1",
        "scenario": "T01",
        "seed": 3,
        "expected": {"outcome": "failed", "detail": "tp.connect"},
        "said": {"outcome": "failed", "detail": "tp.connect", "confidence": "confirmed", "rule": "R08"},
        "facts": {
            "exchanges": [{"host": "a.test", "party": "third_party", "failure": "tcp.refused"}],
            "controls": [True],
        },
    }
    skipped = {**line, "scenario": "C12", "status": "not_run", "reason": "no control group", "said": None}
    file = tmp_path / "runs.jsonl"
    file.write_text("\n".join(map(json.dumps, (line, skipped))))
    first, second = read_cases(file)
    assert first.counts
    assert first.facts == Facts(
        exchanges=(SeenExchange(host="a.test", party="third_party", failure="tcp.refused"),), controls=(True,)
    )
    assert (second.counts, second.status, second.reason) == (False, Status.NOT_RUN, "no control group")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "Expecting property name"),
        ('{"schema": "x"}', "this scoring reads faultline.lab/v1"),
        ('{"schema": "faultline.lab/v1", "scenario": "O01"}', "seed is missing"),
        (
            '{"schema": "faultline.lab/v1", "scenario": "O01", "seed": 1, "expected": {"outcome": "failed"}}',
            "needs an expected detail",
        ),
        (
            '{"schema": "faultline.lab/v1", "scenario": "O1", "seed": 1, "expected": {"outcome": "", "detail": "us."}}',
            "us is missing or unknown",
        ),
    ],
)
def test_a_line_that_cannot_be_scored_is_named_with_its_place(tmp_path: Path, line: str, words: str):
    file = tmp_path / "runs.jsonl"
    file.write_text("\n" + line)
    with pytest.raises(CaseError, match=words) as caught:
        read_cases(file)
    assert f"{file}:2" in str(caught.value)


def test_one_run_told_twice_is_refused(tmp_path: Path):
    line = '{"schema": "faultline.lab/v1", "scenario": "N01", "seed": 1, "expected": {"outcome": "passed"}}'
    file = tmp_path / "runs.jsonl"
    file.write_text(f"{line}\n{line}")
    with pytest.raises(CaseError, match="stands in line 1 already"):
        read_cases(file)
