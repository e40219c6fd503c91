"""What a drill tries, and what it makes of what it saw."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest

from monitor.diagnosis.names import load_names
from monitor.diagnosis.owners import Owners
from monitor.domain.assignment import InterventionKind
from monitor.domain.evidence import ProberFault, StepError, StepErrorKind, StepResult
from monitor.domain.journey import JourneyOutline, ProbeKind, StepOutline
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.ownership import Ownership, Vendor
from monitor.investigation import drill
from monitor.investigation.drill import Dependency, DrillError, DrillReport, Supplier
from monitor.investigation.drill_reports import DrillReports
from tests.builders import A_MOMENT, an_attempt, an_evidence, an_exchange

PAY = Supplier(name="Example Pay", hosts=("pay.example", "js.pay.example"), steps=("pay",), requests=3)
BLOCK, DELAY, EMPTY = drill.KINDS


def outline(*steps: StepOutline, probe: ProbeKind = ProbeKind.BROWSER) -> JourneyOutline:
    return JourneyOutline(name="checkout", title="Check out", probe=probe, steps=steps)


def a_step(name: str, *, effects: bool = False, budget: float | None = None) -> StepOutline:
    allowed = None if budget is None else dt.timedelta(seconds=budget)
    return StepOutline(name=name, title=name, effects=effects, budget=allowed)


def passed(seconds: float = 1.0, *, budget: float | None = None, took: float = 0.5):
    steps = (StepResult(name="pay", title="Pay", outcome=StepOutcome.PASSED, duration=took, budget=budget),)
    return an_evidence(attempts=(an_attempt(duration=seconds, steps=steps),))


def failed(step: str = "pay"):
    error = StepError(kind=StepErrorKind.EXPECTATION, message="no card form\nand more")
    steps = (StepResult(name=step, title=step, outcome=StepOutcome.FAILED, error=error),)
    return an_evidence(attempts=(an_attempt(outcome=Outcome.FAILED, steps=steps),))


def ill():
    return an_evidence(attempts=(an_attempt(outcome=Outcome.INCONCLUSIVE, prober_fault=ProberFault.BROWSER_CRASHED),))


def verdict(block, delay, empty, clean=None):
    clean = clean or passed()
    trials = drill.trials_for(PAY, 10.0)
    results = [
        drill.result_of(trial, evidence, clean) for trial, evidence in zip(trials, (block, delay, empty), strict=True)
    ]
    return drill.finding_of(PAY, results, 10.0)


def test_a_drill_stops_before_the_first_step_that_changes_something():
    steps = (a_step("open"), a_step("fill"), a_step("order", effects=True), a_step("thanks"))
    assert drill.steps_to_make(outline(*steps)) == (("open", "fill"), "order")
    assert drill.steps_to_make(outline(*steps[:2])) == (("open", "fill"), "")


@pytest.mark.parametrize(
    ("journey", "words"),
    [
        (outline(a_step("open"), probe=ProbeKind.HTTP), "is an HTTP journey"),
        (outline(a_step("order", effects=True)), "the first step of checkout, 'order', changes something"),
    ],
)
def test_a_journey_in_which_there_is_nothing_to_drill_is_refused(journey, words):
    with pytest.raises(DrillError, match=words):
        drill.steps_to_make(journey)


def test_the_delay_is_beyond_every_budget_of_a_step():
    assert drill.delay_for(outline(a_step("open", budget=2))) == 10.0
    assert drill.delay_for(outline(a_step("open", budget=20))) == 30.0


@pytest.mark.parametrize(
    ("evidence", "words"),
    [(failed(), "does not pass by itself at 'pay': no card form; mend"), (ill(), "our own fault")],
)
def test_nothing_is_learned_from_a_journey_that_does_not_pass_by_itself(evidence, words):
    with pytest.raises(DrillError, match=words):
        drill.check_clean(evidence)


def test_third_parties_are_the_owners_of_the_hosts_that_a_clean_run_asked():
    evidence = an_evidence(
        exchanges=(
            an_exchange(id="1", step="open"),
            an_exchange(id="2", host="js.pay.example", url="https://js.pay.example/v1.js", step="open"),
            an_exchange(id="3", host="pay.example", url="https://pay.example/f", step="pay"),
            an_exchange(id="4", host="cdn.unheard-of.example", url="https://cdn.unheard-of.example/x", step="open"),
            an_exchange(id="5", host="pay.example", url="https://pay.example/f", step="pay"),
            an_exchange(id="6", host="old.example", url="https://old.example/", step="open", attempt=2),
        )
    )
    vendors = (Vendor(name="Example Pay", hosts=("pay.example", "*.pay.example")),)
    owners = Owners(Ownership(vendors=vendors), "www.shop.localhost", load_names())
    pay, other = drill.suppliers_of(evidence, owners)
    assert (pay.name, pay.hosts, pay.steps, pay.requests) == (
        "Example Pay",
        ("js.pay.example", "pay.example"),
        ("open", "pay"),
        3,
    )
    assert other.name == "unheard-of.example"
    assert drill.chosen((pay, other), ("pay.example",)) == (pay,)
    assert drill.chosen((pay, other), ()) == (pay, other)
    with pytest.raises(
        DrillError, match=r"asks no third party 'pay\.exampl' for anything; did you mean 'pay\.example'"
    ):
        drill.chosen((pay, other), ("pay.exampl",))


def test_each_third_party_is_blocked_delayed_and_emptied_at_all_of_its_hosts():
    block, delay, empty = drill.trials_for(PAY, 12.0)
    assert [trial.kind for trial in (block, delay, empty)] == ["block", "delay", "empty"]
    assert [(one.host, one.seconds) for one in delay.interventions] == [("pay.example", 12.0), ("js.pay.example", 12.0)]
    assert all(one.kind is InterventionKind.EMPTY for one in empty.interventions)


def test_a_third_party_without_which_the_journey_stops_is_a_hard_dependency():
    found = verdict(failed(), passed(), failed())
    assert found.dependency is Dependency.HARD
    assert found.dependency.is_single_point_of_failure
    assert found.why == "without it the journey stops at 'pay'"
    assert found.trials[0].error == "no card form"


def test_one_that_may_be_gone_but_not_late_is_brittle():
    found = verdict(passed(), failed(), passed())
    assert found.dependency is Dependency.BRITTLE
    assert found.dependency.is_single_point_of_failure
    assert found.why == "the journey does without it, but when it answers 10 s late it stops at 'pay'"


def test_one_whose_lateness_misses_a_budget_or_is_noticed_slows():
    over = verdict(passed(), passed(9.0, budget=2.0, took=8.0), passed(), passed(1.0, budget=2.0))
    assert (over.dependency, over.why) == (Dependency.SLOWS, "when it answers 10 s late 'pay' misses its budget")
    late = verdict(passed(), passed(9.0), passed())
    assert (late.dependency, late.why) == (
        Dependency.SLOWS,
        "when it answers 10 s late the journey takes 8.0 s longer",
    )


def test_one_that_nobody_notices_is_survived():
    assert verdict(passed(1.2), passed(1.5), passed()).dependency is Dependency.SURVIVES


def test_one_that_a_later_step_probably_needs_is_not_called_harmless():
    pay = replace(PAY, critical=True)
    results = [drill.result_of(trial, passed(), passed()) for trial in drill.trials_for(pay, 10.0)]
    assert drill.finding_of(pay, results, 10.0).dependency is Dependency.SURVIVES
    found = drill.finding_of(pay, results, 10.0, "order")
    assert found.dependency is Dependency.UNTRIED
    assert "whether 'order' needs it was not tried" in found.why


def test_a_budget_missed_by_a_hair_is_no_effect():
    close = passed(1.1, budget=0.5, took=0.51)
    assert verdict(close, close, close, passed(1.0, budget=0.5, took=0.5)).dependency is Dependency.SURVIVES


def test_a_budget_that_is_missed_without_any_change_is_not_held_against_anybody():
    slow = passed(1.0, budget=0.2, took=0.5)
    assert verdict(slow, slow, slow, slow).dependency is Dependency.SURVIVES


def test_our_own_faults_and_trials_that_were_not_made_settle_nothing():
    found = verdict(ill(), passed(), passed())
    assert found.dependency is Dependency.UNKNOWN
    assert "block: our own fault: browser_crashed" in found.why
    trial = drill.trials_for(PAY, 10.0)[0]
    assert drill.not_made(trial, "no worker").outcome is Outcome.INCONCLUSIVE


def test_only_a_failure_that_repeats_counts():
    trial = drill.trials_for(PAY, 10.0)[0]
    bad, good = drill.result_of(trial, failed(), passed()), drill.result_of(trial, passed(), passed())
    assert drill.agreed(bad, bad).outcome is Outcome.FAILED
    once = drill.agreed(bad, good)
    assert (once.outcome, once.note) == (Outcome.INCONCLUSIVE, "failed once and not again; intermittent")


def a_report(*findings, **values) -> DrillReport:
    defaults = {"check": "checkout@shop/desktop", "at": A_MOMENT, "steps": ("open", "pay"), "until": "order"}
    return DrillReport(**{**defaults, "delay": 10.0, "clean_seconds": 1.0, "findings": findings, **values})


def test_a_dependency_is_new_where_the_drill_before_did_not_know_it(tmp_path):
    reports = DrillReports(tmp_path)
    hard, fine = verdict(failed(), failed(), failed()), verdict(passed(), passed(), passed())
    assert reports.last("checkout@shop/desktop") is None
    assert reports.keep(a_report(fine)).new == ()
    assert reports.keep(a_report(hard)).new == ("Example Pay",)
    assert reports.last("checkout@shop/desktop").new == ("Example Pay",)
    assert reports.keep(a_report(hard)).new == ()
    (known,) = reports.all_of_them()
    assert (known.check, dict(known.hard)) == (
        "checkout@shop/desktop",
        {"Example Pay": "without it the journey stops at 'pay'"},
    )


def test_the_first_drill_calls_nothing_new(tmp_path):
    assert DrillReports(tmp_path).keep(a_report(verdict(failed(), failed(), failed()))).new == ()


def test_a_report_that_cannot_be_read_counts_as_none(tmp_path):
    reports = DrillReports(tmp_path)
    reports.keep(a_report())
    (path,) = (tmp_path / "drills").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    for text in ("{", "[]", json.dumps({"third_parties": [{"name": "x", "dependency": "else"}]})):
        path.write_text(text)
        assert reports.last("checkout@shop/desktop") is None
        assert reports.all_of_them() == ()
