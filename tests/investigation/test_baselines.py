from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from monitor.config.settings import StorageSettings
from monitor.diagnosis.context import context_for
from monitor.diagnosis.names import load_names
from monitor.domain.clock import SystemClock
from monitor.domain.evidence import ScriptTime, StepResult
from monitor.domain.exchange import Timings
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.ownership import Ownership
from monitor.domain.reference import Part
from monitor.domain.run import Judgement, Run
from monitor.history import History, HistoryError
from monitor.investigation.baselines import ENOUGH, KEPT, Baselines
from tests.builders import A_MOMENT, a_check, a_run, an_attempt, an_evidence, an_exchange

CHECK = a_check()


@pytest.fixture(scope="module")
def context():
    return context_for(CHECK, Ownership(), load_names())


@pytest.fixture
def baselines(context) -> Baselines:
    return Baselines(location="here", context_of=lambda _: context)


def a_step(name, seconds, started=0.0, **values):
    return StepResult(
        **{
            "name": name,
            "title": name,
            "outcome": StepOutcome.PASSED,
            "started": started,
            "duration": seconds,
            **values,
        }
    )


def a_good_run(seconds=1.0, *, number=0, resource="http", steps=("open", "pay"), **values) -> Run:
    each = seconds / len(steps)
    results = tuple(a_step(name, each, started=place * each) for place, name in enumerate(steps))
    exchange = an_exchange(
        resource=resource, timings=Timings(total=each, wait=each), transfer_bytes=1000, step=steps[0]
    )
    moment = A_MOMENT + dt.timedelta(minutes=number)
    defaults = {
        "run_id": f"run-{number}",
        "scheduled_at": moment,
        "check": CHECK,
        "evidence": an_evidence(
            started_at=moment,
            attempts=(an_attempt(duration=seconds, steps=results),),
            exchanges=(exchange,),
            duration=seconds,
        ),
    }
    return a_run(**{**defaults, **values})


def note(baselines, *seconds, first=0, **values):
    for number, one in enumerate(seconds, first):
        baselines.note(a_good_run(one, number=number, **values))


def test_fewer_than_five_runs_tell_nothing(baselines):
    note(baselines, *[1.0] * (ENOUGH - 1))
    assert baselines.of(CHECK.name) is None
    note(baselines, 1.0)
    assert baselines.of(CHECK.name).runs == ENOUGH


def test_a_check_that_nobody_ran_has_none(baselines):
    assert baselines.of("other@shop/desktop") is None


def test_the_median_and_the_deviation_of_each_step_and_of_the_whole_are_told(baselines):
    note(baselines, 1.0, 1.2, 0.8, 1.0, 9.0)
    whole, pay = baselines.of(CHECK.name).of(""), baselines.of(CHECK.name).of("pay")
    assert (whole.median, whole.deviation) == (pytest.approx(1.0), pytest.approx(0.2))
    assert (pay.median, pay.deviation) == (pytest.approx(0.5), pytest.approx(0.1))
    assert (whole.requests, whole.received) == (1, 1000)


def test_requests_and_bytes_are_told_of_the_step_that_made_them(baselines):
    run = a_good_run(1.0)
    more = tuple(an_exchange(resource="http", step=step, body_bytes=10) for step in ("open", "pay", ""))
    for _ in range(ENOUGH):
        baselines.note(replace(run, evidence=replace(run.evidence, exchanges=(*run.evidence.exchanges, *more))))
    told = [(step.step, step.requests, step.received) for step in baselines.of(CHECK.name).steps]
    assert told == [("", 4, 1030), ("open", 3, 1020), ("pay", 1, 10)]


def test_a_run_without_steps_is_kept_as_a_whole(baselines):
    run = a_good_run(1.0)
    attempt = replace(run.evidence.last, steps=())
    for _ in range(ENOUGH):
        baselines.note(replace(run, evidence=replace(run.evidence, attempts=(attempt,))))
    assert [step.step for step in baselines.of(CHECK.name).steps] == [""]


def test_only_the_last_fifty_runs_count(baselines):
    note(baselines, *[1.0] * KEPT, *[3.0] * (KEPT // 2 + 1))
    baseline = baselines.of(CHECK.name)
    assert (baseline.runs, baseline.of("").median) == (KEPT, pytest.approx(3.0))
    note(baselines, *[5.0] * KEPT * 2)
    assert baselines.of(CHECK.name).of("").deviation == pytest.approx(0.0)


def slow(run: Run) -> Run:
    attempt = replace(run.evidence.last, outcome=Outcome.DEGRADED)
    return replace(run, evidence=replace(run.evidence, attempts=(attempt,)))


def recovered(run: Run) -> Run:
    first = an_attempt(outcome=Outcome.FAILED)
    return replace(run, evidence=replace(run.evidence, attempts=(first, replace(run.evidence.last, number=2))))


def judged(run: Run, outcome: Outcome) -> Run:
    return replace(run, judgement=Judgement(outcome=outcome, validity=Validity.VALID))


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(judged(a_good_run(), Outcome.DEGRADED), id="degraded"),
        pytest.param(judged(a_good_run(), Outcome.FAILED), id="failed"),
        pytest.param(slow(a_good_run()), id="over budget, though as usual"),
        pytest.param(recovered(a_good_run()), id="recovered"),
        pytest.param(replace(a_good_run(), location="elsewhere"), id="from another place"),
        pytest.param(replace(a_good_run(), evidence=an_evidence(attempts=())), id="without an attempt"),
    ],
)
def test_only_runs_that_plainly_passed_here_count(baselines, run):
    for _ in range(ENOUGH):
        baselines.note(run)
    assert baselines.of(CHECK.name) is None


def test_a_journey_that_got_other_steps_begins_anew(baselines):
    note(baselines, *[1.0] * ENOUGH)
    note(baselines, *[1.0] * ENOUGH, steps=("open", "search", "pay"))
    assert [step.step for step in baselines.of(CHECK.name).steps] == ["", "open", "search", "pay"]
    assert baselines.of(CHECK.name).runs == ENOUGH


def test_a_browser_run_is_kept_with_its_parts(baselines):
    for _ in range(ENOUGH):
        run = a_good_run(2.0, resource="document")
        url = "https://www.shop.localhost:8443/app.js"
        work = (ScriptTime(url=url, seconds=0.4, step="pay"),)
        baselines.note(replace(run, evidence=replace(run.evidence, scripts=work)))
    baseline = baselines.of(CHECK.name)
    assert dict(baseline.of("open").parts)[Part.OWN_BACKEND] == pytest.approx(1.0)
    assert dict(baseline.of("pay").parts)[Part.OWN_FRONTEND] == pytest.approx(0.4)
    assert dict(baseline.of("").parts)[Part.OWN_BACKEND] == pytest.approx(1.0)


def test_an_http_run_has_no_parts(baselines):
    note(baselines, *[1.0] * ENOUGH)
    assert baselines.of(CHECK.name).of("pay").parts == ()


def test_a_check_that_nobody_knows_any_more_has_no_parts():
    baselines = Baselines(location="here", context_of=lambda _: None)
    note(baselines, *[1.0] * ENOUGH, resource="document")
    assert baselines.of(CHECK.name).of("pay").parts == ()


def test_a_browser_run_without_a_request_does_not_throw_the_others_away(baselines):
    note(baselines, *[1.0] * ENOUGH, resource="document")
    run = a_good_run(1.0)
    baselines.note(replace(run, evidence=replace(run.evidence, exchanges=())))
    assert baselines.of(CHECK.name).runs == ENOUGH + 1


def test_a_check_is_forgotten(baselines):
    note(baselines, *[1.0] * ENOUGH)
    baselines.forget([CHECK.name, "never@known/check"])
    assert baselines.of(CHECK.name) is None


# What history kept.


@pytest.fixture
async def history(tmp_path):
    history = await History.open(StorageSettings(directory=tmp_path), clock=SystemClock())
    yield history
    await history.close()


async def test_runs_of_an_earlier_process_are_usual_too(history, baselines):
    for number in range(6):
        await history.finished(a_good_run(1.0 + number / 10, number=number))
    await history.finished(judged(a_good_run(9.0, number=6), Outcome.DEGRADED))
    await history.finished(slow(a_good_run(9.0, number=7)))
    await history.finished(recovered(a_good_run(9.0, number=8)))
    await baselines.restore(history, CHECK.name)
    baseline = baselines.of(CHECK.name)
    assert (baseline.runs, baseline.of("").median) == (6, pytest.approx(1.25))
    assert (baseline.of("").requests, baseline.of("pay").parts) == (None, ())


async def test_runs_of_this_process_stand_behind_those_of_history(history, baselines):
    for number in range(KEPT):
        await history.finished(a_good_run(1.0, number=number))
    note(baselines, *[3.0] * 3, first=KEPT)
    await baselines.restore(history, CHECK.name)
    assert baselines.of(CHECK.name).runs == KEPT
    note(baselines, *[3.0] * (KEPT - 3), first=KEPT + 3)
    assert baselines.of(CHECK.name).of("").median == pytest.approx(3.0)
    assert baselines.of(CHECK.name).of("").deviation == pytest.approx(0.0)


async def test_a_run_of_this_process_that_history_keeps_as_well_counts_once(history, baselines):
    for number in range(8):
        run = a_good_run(1.0, number=number)
        await history.finished(run)
        if number >= 4:
            baselines.note(run)
    await baselines.restore(history, CHECK.name)
    await baselines.restore(history, CHECK.name)
    assert baselines.of(CHECK.name).runs == 8


async def test_a_browser_run_after_a_restart_adds_its_parts_to_what_history_knew(history, baselines):
    for number in range(6):
        await history.finished(a_good_run(1.0, number=number))
    await baselines.restore(history, CHECK.name)
    note(baselines, *[1.0] * (ENOUGH - 1), first=6, resource="document")
    assert baselines.of(CHECK.name).of("open").parts == ()
    note(baselines, 1.0, first=12, resource="document")
    baseline = baselines.of(CHECK.name)
    assert baseline.runs == 6 + ENOUGH
    assert dict(baseline.of("open").parts)[Part.OWN_BACKEND] == pytest.approx(0.5)
    assert baseline.of("").requests == 1


async def test_a_check_that_history_does_not_know_stays_unknown(history, baselines):
    await baselines.restore(history, CHECK.name)
    assert baselines.of(CHECK.name) is None


async def test_a_history_that_cannot_be_read_is_asked_again(history, baselines):
    class Broken:
        async def runs(self, wanted):
            raise HistoryError(wanted.check)

    await history.finished(a_good_run(1.0))
    with pytest.raises(HistoryError):
        await baselines.restore(Broken(), CHECK.name)
    for number in range(1, ENOUGH):
        await history.finished(a_good_run(1.0, number=number))
    await baselines.restore(history, CHECK.name)
    assert baselines.of(CHECK.name).runs == ENOUGH
