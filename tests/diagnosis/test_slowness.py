from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from monitor.diagnosis.client_side import seen_by_client
from monitor.diagnosis.dependencies import incident_of, with_needs
from monitor.diagnosis.excess import excess_of
from monitor.diagnosis.slowness import slow_suspects, too_slow_to_pass
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.evidence import StepErrorKind, VantageHealth
from monitor.domain.experiment import ExperimentKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.ownership import HostOwner
from monitor.domain.profile import Network
from monitor.domain.reference import Baseline, Part
from tests.builders import an_attempt
from tests.diagnosis.incidents import (
    ADS,
    API,
    CDN,
    OWNERSHIP,
    PAY,
    SHOP,
    Court,
    a_step,
    complaints,
    failed,
    page,
    request,
)
from tests.diagnosis.slow_runs import (
    APP,
    again,
    as_profile,
    call,
    code,
    look,
    opened,
    slow_run,
    some_run,
    stalled,
    taking,
    usually,
    without,
)

BACKEND, FRONTEND, DELIVERY = Part.OWN_BACKEND, Part.OWN_FRONTEND, Part.OWN_DELIVERY
USUAL = {BACKEND: 0.4, FRONTEND: 0.1, DELIVERY: 0.1, Part.THIRD_PARTY: 0.2}
STATED = {"headers": (("server-timing", "app;dur=1050"),)}
CONTROL_A, CONTROL_B = "https://one.control.example/", "https://two.unrelated.example/"


def usual(**values):
    return usually(0.9, USUAL, **values)


def images(each):
    return tuple(
        request(f"{SHOP}{n}.png", resource="image", timings=stalled(0.1 + n * each, start=0.1, wait=0.03))
        for n in range(60)
    )


def blocked_by_tag(seconds):
    return opened(0.1), code(CDN, seconds, 0.1), code(APP, 0.1, 0.1)


CASES = {
    "P01 own API is slower by 800 ms and says so": (
        slow_run(opened(0.3), call(API, 1.2, 0.3, **STATED), took=1.7, usual=usual()),
        "own.slow_backend",
    ),
    "P01 without what is usual": (
        slow_run(opened(0.1), call(API, 1.5, 0.1), took=1.7),
        "own.slow_backend",
    ),
    "P02 own page makes forty calls": (
        slow_run(
            opened(0.2),
            *(call(f"{API}/{n}", 0.05, 0.2 + n * 0.05) for n in range(40)),
            took=2.4,
            usual=usual(requests=4.0),
        ),
        "own.slow_frontend",
    ),
    "P02 own page makes fifteen calls instead of three": (
        slow_run(
            opened(0.2),
            *(call(f"{API}/{n}", 0.15, 0.2 + n * 0.15) for n in range(15)),
            took=2.5,
            usual=usual(requests=4.0),
        ),
        "own.slow_frontend",
    ),
    "P02's twin makes forty calls as ever, and each is slower": (
        slow_run(
            opened(0.2),
            *(call(f"{API}/{n}", 0.1, 0.2 + n * 0.1) for n in range(40)),
            took=4.3,
            usual=usually(0.9, {BACKEND: 0.2, FRONTEND: 0.6}, requests=41.0),
        ),
        "own.slow_backend",
    ),
    "P03 a vendor's tag in the head": (
        slow_run(*blocked_by_tag(2.2), call(API, 0.2, 2.3), took=2.6, usual=usual()),
        "tp.slow",
    ),
    "P04 own names resolve slowly, others quickly": (
        slow_run(
            page(timings=taking(2.8, resolve=2.5, connect=0.05, wait=0.25)),
            code(CDN, 0.1, 2.8, id="cdn"),
            request(PAY, timings=taking(0.1, start=2.9, resolve=0.02, wait=0.08)),
            took=3.1,
            usual=usual(),
        ),
        "own.slow_delivery",
    ),
    "P04 a control tells that other names resolve quickly": (
        slow_run(
            page(timings=taking(2.8, resolve=2.5, connect=0.05, wait=0.25)),
            took=2.9,
            usual=usual(),
            experiments=(look(ExperimentKind.CONTROL, CONTROL_A, 0.1, resolve=0.01, wait=0.09),),
        ),
        "own.slow_delivery",
    ),
    "P04's twin: every name resolves slowly": (
        slow_run(
            page(timings=taking(2.8, resolve=2.5, connect=0.05, wait=0.25)),
            request(PAY, timings=taking(2.1, start=2.8, resolve=2.0, wait=0.08)),
            took=5.0,
            usual=usual(),
            experiments=(look(ExperimentKind.CONTROL, CONTROL_A, 2.4, resolve=2.3, wait=0.09),),
        ),
        "client.dns",
    ),
    "P04 with nothing to compare": (
        slow_run(page(timings=taking(2.8, resolve=2.5, wait=0.25)), took=2.9, usual=usual()),
        "und.insufficient",
    ),
    "P06 own handshake": (
        slow_run(page(timings=taking(2.0, connect=0.01, tls=1.6, wait=0.3)), took=2.1, usual=usual()),
        "own.slow_delivery",
    ),
    "P06's twin: every connection is slow": (
        slow_run(
            page(timings=taking(2.0, connect=1.6, wait=0.3)),
            took=2.1,
            usual=usual(),
            experiments=(look(ExperimentKind.CONTROL, CONTROL_A, 1.5, connect=1.3, wait=0.1),),
        ),
        "client.slow_link",
    ),
    "P09 own API and a vendor's script": (
        slow_run(*blocked_by_tag(2.2), call(API, 2.3, 2.3), took=4.7, usual=usual()),
        "und.multiple_causes",
    ),
    "P13 own pictures queue": (
        slow_run(opened(0.1), *images(0.04), took=2.6, usual=usual()),
        "own.slow_delivery",
    ),
    "own payload grew": (
        slow_run(page(timings=taking(3.0, wait=0.3, receive=2.7)), took=3.1, usual=usual()),
        "own.slow_delivery",
    ),
    "a vendor's script keeps the main thread": (
        slow_run(opened(0.2), code(CDN, 0.1, 0.2), call(API, 0.1, 3.3), took=3.5, scripts=((CDN, 3.0),), usual=usual()),
        "tp.slow",
    ),
    "our own script keeps the main thread": (
        slow_run(opened(0.2), code(APP, 0.1, 0.2), call(API, 0.1, 3.3), took=3.5, scripts=((APP, 3.0),), usual=usual()),
        "own.slow_frontend",
    ),
    "several of our own parts together are still ours": (
        slow_run(opened(1.3), call(API, 0.1, 2.5), took=2.7, scripts=((APP, 1.2),), usual=usual()),
        "own.slow_frontend",
    ),
    "a vendor that is always slow explains nothing of the excess": (
        slow_run(
            *blocked_by_tag(2.0),
            call(API, 1.5, 2.1),
            took=3.7,
            usual=usually(2.5, {BACKEND: 0.3, Part.THIRD_PARTY: 2.0}),
        ),
        "own.slow_backend",
    ),
    "unrelated hosts were slow too": (
        slow_run(
            opened(1.5),
            call(PAY, 1.5, 1.5),
            took=3.1,
            usual=usual(),
            experiments=(
                look(ExperimentKind.CONTROL, CONTROL_A, 1.4),
                look(ExperimentKind.CONTROL, CONTROL_B, 1.2),
            ),
        ),
        "client.slow_link",
    ),
    "nobody was waited for": (slow_run(opened(0.2), took=4.0, usual=usual()), "und.insufficient"),
    "advertising beside": (
        slow_run(opened(0.2), request(ADS, timings=taking(3.5, start=0.2)), took=4.0, usual=usual()),
        "und.insufficient",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_the_part_with_most_of_the_excess_names_the_cause(court, case, caplog):
    evidence, detail = case
    judgement = court.judge(evidence)
    assert not complaints(caplog)
    assert judgement.outcome is Outcome.DEGRADED
    assert (judgement.diagnosis.detail.value, judgement.diagnosis.rule) == (detail, "R18")


# What is slow at all.


def test_a_run_within_its_budget_has_passed(court):
    evidence = slow_run(opened(0.9), took=0.9, outcome=StepOutcome.PASSED)
    step_passed = replace(evidence, attempts=(replace(evidence.last, outcome=Outcome.PASSED),))
    assert court.judge(step_passed).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("took", "outcome"),
    [(1.05, Outcome.PASSED), (1.17, Outcome.PASSED), (1.25, Outcome.DEGRADED)],
)
def test_over_budget_but_as_usual_is_noise(court, took, outcome):
    evidence = slow_run(opened(took), took=took, budget=1.0, usual=usually(0.99, deviation=0.02))
    assert court.judge(evidence).outcome is outcome


def test_a_restless_step_is_slow_only_beyond_three_deviations(court):
    usual_run = usually(0.9, deviation=0.2)
    assert court.judge(slow_run(opened(1.4), took=1.4, usual=usual_run)).outcome is Outcome.PASSED
    assert court.judge(slow_run(opened(1.6), took=1.6, usual=usual_run)).outcome is Outcome.DEGRADED


def test_a_run_over_its_journeys_own_budget_is_slow_though_only_the_worker_knows_that_budget(court):
    evidence = slow_run(opened(3.0), took=3.0, budget=None, outcome=StepOutcome.PASSED)
    judgement = court.judge(evidence)
    assert judgement.outcome is Outcome.DEGRADED
    assert judgement.diagnosis.because.startswith("The journey took 3.0 s, which is over its budget; 3.0 s of that")


def test_a_journey_over_budget_is_compared_as_a_whole(names):
    court = Court(names)
    check = replace(court.context.check, budget=dt.timedelta(seconds=2))
    court.context = replace(court.context, check=check)
    steps = (
        a_step(name="open", outcome=StepOutcome.PASSED, duration=1.0, capability=None),
        a_step(name="pay", outcome=StepOutcome.PASSED, started=1.0, duration=2.0, capability=None),
    )
    attempt = an_attempt(outcome=Outcome.DEGRADED, duration=3.0, steps=steps)
    evidence = replace(slow_run(opened(1.0), call(PAY, 1.9, 1.0)), attempts=(attempt,), baseline=usually(1.0, USUAL))
    diagnosis = court.judge(evidence).diagnosis
    assert diagnosis.detail is Detail.TP_SLOW
    assert diagnosis.because.startswith("The journey took 3.0 s, 2.0 s more than usual;")


def test_a_starved_monitor_is_not_the_sites(court):
    evidence = slow_run(call(API, 3.5, 0.0), health=VantageHealth(loop_lag_p50=0.1))
    assert court.judge(evidence).diagnosis.detail is Detail.CLIENT_DEVICE


# What is said.


def test_the_sentence_gives_seconds_and_whom_to_ask(court):
    evidence = slow_run(*blocked_by_tag(2.3), call(API, 0.1, 2.4), took=2.6, usual=usual())
    diagnosis = court.judge(evidence).diagnosis
    assert diagnosis.because == (
        'Step "pay" took 2.6 s, 1.7 s more than usual; 1.7 s of that is waiting for third party Libraries '
        "(cdn.libraries.example)."
    )
    assert (diagnosis.culprit.name, diagnosis.culprit.host) == ("Libraries", "cdn.libraries.example")
    assert diagnosis.evidence[0] == "1.7 s third parties"
    assert diagnosis.exchanges == (CDN,)


def test_two_causes_are_both_named_with_their_seconds(court):
    evidence = slow_run(*blocked_by_tag(2.2), call(API, 2.3, 2.3), took=4.7, usual=usual())
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.cause, diagnosis.confidence) == (Cause.UNDETERMINED, Confidence.NONE)
    assert {one.detail for one in diagnosis.alternatives} == {Detail.OWN_SLOW_BACKEND, Detail.TP_SLOW}
    assert diagnosis.because == (
        'Step "pay" took 4.7 s, 3.8 s more than usual; of that 1.9 s is waiting for own infrastructure, team-shop '
        "(api.shop.example) and 1.9 s is waiting for third party Libraries (cdn.libraries.example), "
        "so no side explains it alone."
    )


def test_the_team_of_the_steps_capability_is_told(court):
    diagnosis = court.judge(slow_run(call(API, 3.0, 0.0), took=3.1, capability="payments")).diagnosis
    assert diagnosis.culprit.name == "team-payments"


def test_the_number_of_calls_is_told_beside_the_usual_one(court):
    evidence, _ = CASES["P02 own page makes forty calls"]
    assert "40 calls that the page makes one after the other" in court.judge(evidence).diagnosis.because
    assert "41 requests in all, 4 in a usual run" in court.judge(evidence).diagnosis.because


def test_calls_one_after_the_other_are_the_pages_teams(names):
    evidence, _ = CASES["P02 own page makes forty calls"]
    owners = replace(
        OWNERSHIP,
        hosts=(HostOwner(host="api.shop.example", team="api"), HostOwner(host="www.shop.example", team="web")),
    )
    assert Court(names, owners).judge(evidence).diagnosis.culprit.name == "web"


def test_what_the_archive_did_not_hold_clears_no_host_of_ours(court):
    asked = (call(API, 3.0, 0.0),)
    held = without("api.shop.example", took=3.1)
    assert court.detail(slow_run(*asked, took=3.1, usual=usual(), experiments=(held,))) == "und.insufficient"
    missed = replace(held, missed=1)
    assert court.detail(slow_run(*asked, took=3.1, usual=usual(), experiments=(missed,))) == "own.slow_backend"


def test_timings_come_from_the_same_split(court):
    timings = dict(court.judge(slow_run(*blocked_by_tag(2.3), call(API, 0.1, 2.4), took=2.6)).timings)
    assert timings == {"own_infrastructure": 0.2, "third_party": 2.3}


# Experiments.

TAG = slow_run(*blocked_by_tag(2.3), call(API, 0.1, 2.4), took=2.6, usual=usual())
HOST = "cdn.libraries.example"


@pytest.mark.parametrize(
    ("experiments", "detail", "confidence"),
    [
        ((), "tp.slow", Confidence.PROBABLE),
        ((without(HOST, took=0.8),), "tp.slow", Confidence.PROBABLE),
        ((without(HOST, took=0.8, kind=ExperimentKind.BLOCK),), "tp.slow", Confidence.PROBABLE),
        ((without(HOST, took=0.8, kind=ExperimentKind.BLOCK), again(2.5)), "tp.slow", Confidence.CONFIRMED),
        ((without(HOST, took=0.8), again(2.5)), "tp.slow", Confidence.CONFIRMED),
        ((without(HOST, took=0.8), again(0.8)), "tp.slow", Confidence.PROBABLE),
        ((without(HOST, took=2.5),), "und.insufficient", Confidence.NONE),
        ((without(HOST, took=2.5, outcome=Outcome.FAILED),), "und.insufficient", Confidence.NONE),
        ((without(HOST, took=0.8), again(2.5, Outcome.FAILED)), "tp.slow", Confidence.CONFIRMED),
        ((without(HOST, took=0.8, outcome=Outcome.INCONCLUSIVE),), "tp.slow", Confidence.PROBABLE),
        ((without("elsewhere.example", took=2.5),), "tp.slow", Confidence.PROBABLE),
        ((without(HOST, "api.shop.example", took=0.8),), "tp.slow", Confidence.PROBABLE),
        ((look(ExperimentKind.REPROBE, CDN, 2.2),), "tp.slow", Confidence.CONFIRMED),
        ((look(ExperimentKind.VANTAGE, CDN, 0.1),), "tp.slow", Confidence.PROBABLE),
    ],
)
def test_what_was_tried_confirms_or_contradicts(court, experiments, detail, confidence):
    diagnosis = court.judge(replace(TAG, experiments=experiments)).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == (detail, confidence)


def test_a_trial_decides_where_time_alone_did_not(court):
    evidence = slow_run(opened(0.4), call(PAY, 1.5, 0.4), took=4.0, usual=usual(), experiments=())
    assert court.detail(evidence) == "und.insufficient"
    tried = replace(evidence, experiments=(without("pay.payments.example", took=0.9),))
    diagnosis = court.judge(tried).diagnosis
    assert (diagnosis.detail, diagnosis.confidence) == (Detail.TP_SLOW, Confidence.PROBABLE)
    assert diagnosis.culprit.name == "Example Pay"


QUICK, STILL = without("pay.payments.example", took=0.9), again(3.9)
OTHERWISE, IN_VAIN = without("ads.adverts.example", took=3.9), without("pay.payments.example", took=3.9)


@pytest.mark.parametrize(
    ("tried", "detail", "confidence"),
    [
        pytest.param((QUICK, STILL), "tp.slow", Confidence.PROBABLE, id="what is slow now and then does that often"),
        pytest.param((QUICK, STILL, QUICK), "tp.slow", Confidence.CONFIRMED, id="it is quick twice"),
        pytest.param((OTHERWISE, QUICK, STILL), "tp.slow", Confidence.CONFIRMED, id="nobody else makes it quick"),
        pytest.param((QUICK, QUICK, QUICK), "tp.slow", Confidence.PROBABLE, id="it was never slow again"),
        pytest.param(
            (QUICK, STILL, IN_VAIN), "und.insufficient", Confidence.NONE, id="it is quick, and then it is not"
        ),
    ],
)
def test_three_journeys_have_to_agree_before_a_trial_alone_is_proof_of_slowness(court, tried, detail, confidence):
    evidence = slow_run(opened(0.4), call(PAY, 1.5, 0.4), took=4.0, usual=usual(), experiments=tried)
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == (detail, confidence)


def test_a_trial_of_a_journey_without_a_slow_step_is_told_by_how_it_ended(court):
    evidence = slow_run(opened(0.2), call(PAY, 2.7, 0.2), took=3.0, budget=None, outcome=StepOutcome.PASSED)
    assert court.judge(evidence).diagnosis.confidence is Confidence.PROBABLE
    quick = without("pay.payments.example", took=0.4)
    assert court.judge(replace(evidence, experiments=(quick,))).diagnosis.confidence is Confidence.PROBABLE
    slow_again = replace(evidence, experiments=(quick, again(2.9, Outcome.FAILED)))
    assert court.judge(slow_again).diagnosis.confidence is Confidence.CONFIRMED
    slow = replace(evidence, experiments=(without("pay.payments.example", took=2.9, outcome=Outcome.FAILED),))
    assert court.judge(slow).diagnosis.confidence is Confidence.PROBABLE


def test_a_server_that_states_its_own_work_confirms_what_we_measured(court):
    evidence, _ = CASES["P01 own API is slower by 800 ms and says so"]
    assert court.judge(evidence).diagnosis.confidence is Confidence.CONFIRMED


def test_replaying_a_busy_script_does_not_clear_it(court):
    evidence = slow_run(
        opened(0.2),
        code(CDN, 0.1, 0.2),
        call(API, 0.1, 3.3),
        took=3.5,
        scripts=((CDN, 3.0),),
        usual=usual(),
        experiments=(without(HOST, took=3.4),),
    )
    assert court.detail(evidence) == "tp.slow"


# Profiles that are slowed down on purpose.


def on_3g(names):
    return Court(names, network=Network(name="3g", latency=dt.timedelta(milliseconds=300)))


def slow_line(**values):
    exchanges = (opened(1.2, wait=0.5, receive=0.7), code(APP, 1.0, 1.2), call(API, 0.7, 2.2), call(PAY, 0.8, 2.9))
    return slow_run(*(replace(x, transfer_bytes=50_000) for x in exchanges), took=4.0, **values)


SAME, LESS = usual(received=200_000.0), usual(received=60_000.0)


@pytest.mark.parametrize(
    ("evidence", "detail", "first"),
    [
        (slow_line(usual=SAME, experiments=(as_profile(),)), "client.slow_link", None),
        (slow_line(usual=SAME), "und.insufficient", "client.slow_link"),
        (slow_line(experiments=(as_profile(),)), "und.insufficient", "client.slow_link"),
        (slow_line(), "und.insufficient", "client.slow_link"),
        (slow_run(call(API, 3.5, 0.0)), "und.insufficient", "client.slow_link"),
    ],
)
def test_a_slow_line_is_named_only_where_another_profile_and_the_bytes_tell(names, evidence, detail, first):
    diagnosis = on_3g(names).judge(evidence).diagnosis
    assert diagnosis.detail.value == detail
    if first:
        assert diagnosis.alternatives[0].detail.value == first


def test_more_bytes_on_a_slow_line_are_the_sites(names):
    exchanges = (opened(3.4, wait=0.4, receive=3.0), call(API, 0.4, 3.4))
    evidence = slow_run(
        *(replace(x, transfer_bytes=300_000) for x in exchanges), took=4.0, usual=LESS, experiments=(as_profile(),)
    )
    assert on_3g(names).detail(evidence) == "own.slow_delivery"


def test_one_exchange_that_stands_out_on_a_slow_line_is_its_servers(names):
    exchanges = (opened(0.4), code(APP, 0.3, 0.4), call(API, 2.8, 0.7), call(PAY, 0.3, 3.5))
    evidence = slow_run(*exchanges, took=3.9, usual=SAME, experiments=(as_profile(),))
    assert on_3g(names).detail(evidence) == "own.slow_backend"


def test_more_work_on_a_slow_processor_is_the_pages(names):
    court = Court(names, cpu_slowdown=4.0)
    exchanges = (opened(0.2), code(APP, 0.1, 0.2), call(API, 0.1, 3.3))
    known = slow_run(*exchanges, took=3.5, scripts=((APP, 3.0),), usual=usual())
    assert court.detail(known) == "own.slow_frontend"
    unknown = replace(known, baseline=None)
    assert court.detail(unknown) == "und.insufficient"
    assert court.judge(unknown).diagnosis.alternatives[0].detail is Detail.CLIENT_DEVICE
    assert court.detail(replace(unknown, experiments=(as_profile(),))) == "client.device"


# Steps that failed because of slowness.


def late(*exchanges, took=7.0, scripts=(), usual=None, **error):
    evidence = slow_run(*exchanges, took=took, scripts=scripts, usual=usual)
    broken = failed(kind=StepErrorKind.TIMEOUT, error=error or None).last.steps[0]
    step = replace(evidence.last.steps[0], outcome=StepOutcome.FAILED, error=broken.error)
    return replace(evidence, attempts=(replace(evidence.last, outcome=Outcome.FAILED, steps=(step,)),))


def finding_of(court, evidence):
    return too_slow_to_pass(with_needs(incident_of(evidence, court.context)))


@pytest.mark.parametrize(
    ("script", "detail"),
    [(CDN, Detail.TP_SLOW), (APP, Detail.OWN_SLOW_FRONTEND)],
)
def test_a_script_that_kept_the_main_thread_until_the_step_failed_is_named(court, script, detail):
    finding = finding_of(court, late(opened(0.2), scripts=((script, 6.0),), usual=usual()))
    assert finding.detail is detail
    assert finding.because.startswith('Step "pay" failed after 7.0 s, 6.1 s more than usual; 5.')
    assert "main-thread work of" in finding.because


def test_a_step_that_waited_for_nothing_in_particular_is_left_to_other_rules(court):
    assert finding_of(court, late(opened(0.2), usual=usual())) is None
    assert finding_of(court, late(opened(0.2), call(API, 0.5, 0.2))) is None


def test_a_page_that_asks_its_back_end_in_vain_is_not_slow_but_left_without_an_answer(court):
    asked = [call(API, 0.1, 0.3 + number) for number in range(6)]
    finding = finding_of(court, late(opened(0.2), *asked))
    assert finding.detail is Detail.OWN_CONTENT
    assert "6 times and was answered each time, but never with what it waits for" in finding.because


def test_pauses_between_different_calls_are_the_pages_own(court):
    asked = [call(f"{API}/{number}", 0.1, 0.3 + number) for number in range(6)]
    assert finding_of(court, late(opened(0.2), *asked)).detail is Detail.OWN_SLOW_FRONTEND


def test_a_step_that_failed_for_another_reason_is_left_to_other_rules(court):
    evidence = late(opened(0.2), scripts=((APP, 6.0),))
    step = evidence.last.steps[0]
    other = replace(step, error=replace(step.error, kind=StepErrorKind.AMBIGUOUS))
    assert finding_of(court, replace(evidence, attempts=(replace(evidence.last, steps=(other,)),))) is None


# Whom to try.


@pytest.mark.parametrize(
    ("evidence", "hosts"),
    [
        (TAG, (HOST,)),
        (CASES["P09 own API and a vendor's script"][0], ("api.shop.example", HOST)),
        (CASES["P02 own page makes forty calls"][0], ()),
        (CASES["nobody was waited for"][0], ()),
        (replace(TAG, attempts=()), ()),
    ],
)
def test_the_hosts_worth_a_replay_are_those_with_much_of_the_excess(court, evidence, hosts):
    assert slow_suspects(evidence, court.context) == hosts


def test_a_baseline_that_knows_other_steps_is_no_baseline_of_this_one(court):
    evidence = slow_run(call(API, 3.0, 0.0), took=3.1, usual=Baseline(runs=20))
    assert "over its budget" in court.judge(evidence).diagnosis.because


@pytest.mark.parametrize("block", range(5))
def test_whatever_was_slow_the_shares_are_never_more_than_the_excess(court, names, block, caplog):
    throttled = on_3g(names)
    for seed in range(block * 100, (block + 1) * 100):
        usual_run = usually((seed % 7) / 10, USUAL if seed % 3 else None, requests=seed % 11, received=seed * 100.0)
        hosts = ("pay.payments.example",) if seed % 2 else ("api.shop.example", HOST)
        experiments = (
            without(*hosts, took=seed % 5),
            again(seed % 4),
            look(ExperimentKind.CONTROL, CONTROL_A, seed % 3, resolve=seed % 2, wait=0.1),
        )
        evidence = replace(
            some_run(seed),
            baseline=usual_run if seed % 4 else None,
            experiments=experiments[: seed % 5],
        )
        for one in (court, throttled):
            excess = seen_by_client(incident := incident_of(evidence, one.context), excess_of(incident)).excess
            assert all(seconds >= -1e-9 for seconds in excess.parts.values()), seed
            assert sum(excess.parts.values()) <= excess.seconds + 1e-9, seed
            judgement = one.judge(evidence)
            assert not complaints(caplog), seed
            assert (judgement.diagnosis is None) == (judgement.outcome is Outcome.PASSED), seed
            assert len(slow_suspects(evidence, one.context)) <= 3


@pytest.mark.parametrize(
    ("run", "detail"),
    [
        pytest.param(slow_run(opened(0.2), took=4.0, usual=usual()), "client.device", id="nobody explains it"),
        pytest.param(CASES["P01 without what is usual"][0], "own.slow_backend", id="one side explains it"),
    ],
)
def test_on_a_machine_that_others_keep_busy_slowness_that_nobody_explains_says_nothing(court, run, detail):
    busy = VantageHealth(cpu_pressure=98.0, loop_lag_p50=0.001, loop_lag_max=0.001)
    judgement = court.judge(replace(run, vantage=busy))
    assert judgement.diagnosis.detail == detail
    assert judgement.outcome is (Outcome.INCONCLUSIVE if detail == "client.device" else Outcome.DEGRADED)
    assert court.judge(replace(run, vantage=replace(busy, cpu_pressure=39.0))).outcome is Outcome.DEGRADED
