from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from monitor.diagnosis.names import load_names
from monitor.diagnosis.owners import Owners
from monitor.domain.exchange import Timings
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome
from monitor.domain.ownership import Ownership
from tests.builders import an_evidence, an_exchange
from tests.lab.scoring import baselines
from tests.lab.scoring.__main__ import main
from tests.lab.scoring.case import Case, Expected, Facts, Said, SeenExchange, Status
from tests.lab.scoring.document import document_of
from tests.lab.scoring.facts import facts_of
from tests.lab.scoring.report import lines_of, report_of
from tests.lab.scoring.text import text_of

OWN, THIRD, CLIENT = "own_infrastructure", "third_party", "client_environment"
A_DAY = dt.date(2026, 3, 2)


def a_request(**values: Any) -> SeenExchange:
    return SeenExchange(**{"host": "pay.test", "party": THIRD, **values})


def a_control(outcome: Outcome) -> Experiment:
    return Experiment(kind=ExperimentKind.CONTROL, subject="https://a.test/", outcome=outcome, duration=0.1)


def a_line(scenario: str, *, detail: str, said: str, **values: Any) -> dict[str, Any]:
    return {
        "schema": "faultline.lab/v1",
        "scenario": scenario,
        "seed": 1,
        "title": f"what {scenario} is",
        "expected": {"outcome": "failed", "detail": detail},
        "said": {
            "outcome": "failed",
            "detail": said,
            "confidence": "confirmed",
            "rule": "R08",
            "because": "It | is.",
        },
        "first_seconds": 1.5,
        "facts": {"exchanges": [{"host": "pay.test", "party": THIRD, "failure": "tcp.refused"}], "controls": [True]},
        **values,
    }


def test_the_first_host_that_failed_is_the_first_in_time_and_an_abandoned_request_is_no_failure():
    facts = Facts(
        exchanges=(
            a_request(started=3.0, failure="tcp.refused"),
            a_request(party=OWN, started=1.0, status=500),
            a_request(started=0.0, failure="abandoned"),
        )
    )
    assert baselines.first_failed_host(facts) == OWN
    assert baselines.first_failed_host(Facts()) == "undetermined"


def test_a_table_of_codes_takes_a_name_that_is_not_found_for_the_client_and_a_control_corrects_it():
    request = a_request(failure="dns.name_not_resolved")
    assert baselines.code_table(Facts(exchanges=(request,))) == CLIENT
    assert baselines.code_table_and_control(Facts(exchanges=(request,), controls=(True,))) == THIRD
    assert baselines.code_table_and_control(Facts(exchanges=(request,), controls=(False,))) == CLIENT


def test_a_request_still_open_counts_as_slower_than_the_slowest():
    facts = Facts(exchanges=(a_request(party=OWN, total=9.0), a_request(total=1.0, pending=True)))
    assert baselines.slowest(facts) == THIRD


def test_the_majority_is_that_of_all_scenarios():
    def case(scenario: str, detail: str) -> Case:
        return Case(
            scenario=scenario,
            seed=1,
            expected=Expected(outcome="failed", detail=detail),
            said=Said(outcome="failed", detail=detail),
        )

    judged = baselines.judged_by_majority([case("O01", "own.tls"), case("O02", "own.tls"), case("T01", "tp.tls")])
    assert [one.said.cause for one in judged if one.said] == [OWN, OWN, OWN]


def test_facts_hold_what_failed_and_the_slowest_and_say_whose_each_host_is():
    evidence = an_evidence(
        exchanges=(
            an_exchange(id="1", url="https://pay.test/", host="pay.test", status=None, failure=Failure.TCP_REFUSED),
            an_exchange(id="2", timings=Timings(total=4.0)),
            an_exchange(id="3", url="https://pay.test/", host="pay.test", intervention=True, status=500),
        ),
        experiments=(
            Experiment(kind=ExperimentKind.CONTROL, subject="https://a.test/", outcome=Outcome.PASSED, duration=0.1),
            Experiment(
                kind=ExperimentKind.CONTROL, subject="https://b.test/", outcome=Outcome.INCONCLUSIVE, duration=0.1
            ),
        ),
    )
    facts = facts_of(evidence, Owners(Ownership(), "www.shop.localhost", load_names()))
    assert [(one["party"], one["failure"]) for one in facts["exchanges"]] == [(THIRD, "tcp.refused"), (OWN, "")]
    assert facts["controls"] == [True]
    json.dumps(facts)


def test_a_report_names_each_miss_with_its_sentence_and_what_does_not_count_with_its_reason():
    missed = Case(
        scenario="O18",
        seed=2,
        title="a policy",
        expected=Expected(outcome="failed", detail="own.policy"),
        said=Said(outcome="failed", detail="tp.policy", confidence="probable", rule="R07", because="They changed it."),
    )
    skipped = Case(
        scenario="C12",
        seed=1,
        status=Status.NOT_RUN,
        reason="no control group here",
        expected=Expected(outcome="failed", detail="client.device"),
    )
    report = report_of([missed, skipped])
    for words in (text_of(report), document_of(report, date=A_DAY)):
        assert "They changed it." in words
        assert "tp.policy (probable)" in words
        assert "no control group here" in words
    assert "2026-03-02" in document_of(report, date=A_DAY)


def test_nothing_run_is_told_as_such_and_reaches_no_goal():
    report = report_of([])
    assert not [line for line in lines_of(report) if line.reached]
    assert "none run" in text_of(report)


def test_runs_are_scored_from_the_command_line_into_a_page_and_a_file(tmp_path: Path, capsys):
    lines = [
        a_line("T01", detail="tp.connect", said="tp.connect"),
        a_line("O01", detail="own.connect", said="tp.connect"),
    ]
    runs, scores, page = tmp_path / "runs.jsonl", tmp_path / "kept" / "latest.json", tmp_path / "accuracy.md"
    runs.write_text("\n".join(map(json.dumps, lines)))
    assert main([str(runs), "--json", str(scores), "--document", str(page)]) == 0
    assert "1 of 2" in capsys.readouterr().out
    kept = json.loads(scores.read_text())
    assert kept["scores"]["false_blame"]["hits"] == 1
    assert [run["right"] for run in kept["scenarios"]["O01"]] == [False]
    assert "It \\| is." in page.read_text()


def test_a_later_file_wins_over_an_earlier_one(tmp_path: Path, capsys):
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text(json.dumps(a_line("T01", detail="tp.connect", said="own.connect")))
    second.write_text(json.dumps(a_line("T01", detail="tp.connect", said="tp.connect")))
    assert main([str(first), str(second)]) == 0
    assert "No run was judged wrongly." in capsys.readouterr().out


def test_runs_that_are_not_there_end_with_one_sentence(tmp_path: Path, capsys):
    assert main([str(tmp_path / "none.jsonl")]) == 2
    assert "run the lab first" in capsys.readouterr().err


def test_faults_that_the_rules_were_not_built_on_have_a_score_of_their_own(tmp_path, capsys):
    lines = [
        a_line("O01", detail="own.connect", said="own.connect"),
        a_line("X-T01", detail="tp.content", said="tp.content"),
        a_line("X-T02", detail="tp.slow", said="own.http_status"),
    ]
    file, page, scores = tmp_path / "runs.jsonl", tmp_path / "accuracy.md", tmp_path / "scores.json"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main([str(file), "--document", str(page), "--json", str(scores)]) == 0
    told = capsys.readouterr().out
    assert "not built on: 1 of 2 runs right, 1 in detail as well,\n1 with somebody innocent named" in told
    assert "X-T02 seed 1  what X-T02 is: expected tp.slow, said own.http_status confirmed" in told
    assert "1 scenarios, 1 runs" in told
    assert "X-T" not in page.read_text()
    assert list(json.loads(scores.read_text())["scenarios"]) == ["O01"]
