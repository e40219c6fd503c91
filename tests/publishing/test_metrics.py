from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from monitor.config.settings import MetricsDetail
from monitor.diagnosis.context import contexts_for
from monitor.diagnosis.names import load_names
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.check import Schedule
from monitor.domain.diagnosis import Collateral, Diagnosis
from monitor.domain.evidence import ProberFault, StepError, StepErrorKind, StepResult, Truncation, Vitals
from monitor.domain.exchange import Certificate, Timings, TlsFacts
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure
from monitor.domain.journey import JourneyOutline, ProbeKind, StepOutline
from monitor.domain.outcome import Outcome, SlotReason, SlotState, StepOutcome, Validity
from monitor.domain.ownership import Ownership, Vendor
from monitor.domain.run import Judgement, Slot
from monitor.publishing import catalogue, of_checks, of_ourselves
from monitor.publishing.exposition import Format, negotiate
from monitor.publishing.health import Health, QueueState, WorkerCount
from monitor.publishing.metrics import Metrics
from monitor.publishing.series import Kind
from tests.builders import A_MOMENT, a_check, a_profile, a_run, a_target, an_attempt, an_evidence, an_exchange
from tests.publishing.scrapes import OPENMETRICS, lines, samples, value
from tests.servers import promtool

NAMES = load_names()
CONTRACT = Path("tests/contracts/metrics.json")
DOCUMENT = Path("docs/metrics.md")


def a_failure(detail: Detail = Detail.TP_CONNECT) -> Judgement:
    diagnosis = Diagnosis(
        cause=detail.cause,
        detail=detail,
        confidence=Confidence.PROBABLE,
        rule="R08",
        because="It refused.",
    )
    return Judgement(outcome=Outcome.FAILED, validity=Validity.VALID, diagnosis=diagnosis)


def inconclusive() -> Judgement:
    return Judgement(outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID)


def a_step(**values) -> StepResult:
    return StepResult(**{"name": "open", "title": "Open", "outcome": StepOutcome.PASSED, "duration": 0.4, **values})


def a_full_run(**values):
    """A run that touches every family of checks."""
    steps = (
        a_step(),
        a_step(name="pay", outcome=StepOutcome.FAILED, error=StepError(kind=StepErrorKind.TIMEOUT, message="no")),
    )
    phases = Timings(resolve=0.01, connect=0.02, tls=0.03, wait=0.1, receive=0.05, total=0.21)
    chain = (Certificate(subject="x", issuer="y", not_after=A_MOMENT + dt.timedelta(days=30)),)
    evidence = an_evidence(
        attempts=(an_attempt(outcome=Outcome.FAILED, steps=steps, prober_fault=ProberFault.STARVED),),
        exchanges=(
            an_exchange(resource="document", timings=phases, tls=TlsFacts(chain=chain)),
            an_exchange(id="2", url="https://js.stripe.com/v3", host="js.stripe.com", failure=Failure.TCP_REFUSED),
            an_exchange(id="3", url="https://js.stripe.com/v4", host="js.stripe.com", resource="script"),
        ),
        vitals=Vitals(
            largest_contentful_paint=1.2,
            first_contentful_paint=0.5,
            time_to_first_byte=0.1,
            interaction_to_next_paint=0.06,
            cumulative_layout_shift=0.02,
        ),
        truncated=(Truncation(what="console", kept=1, seen=2),),
    )
    judgement = a_failure()
    collateral = Collateral(cause=Cause.THIRD_PARTY, host="ads.example", failure=Failure.TCP_REFUSED, count=2)
    full = Judgement(
        outcome=judgement.outcome,
        validity=judgement.validity,
        diagnosis=judgement.diagnosis,
        collateral=(collateral,),
    )
    return a_run(**{"evidence": evidence, "judgement": full, **values})


def touch_everything(metrics: Metrics) -> None:
    ownership = Ownership(vendors=(Vendor(name="Courier", hosts=("courier.example",), objective=0.995),))
    checks = [a_check(satisfied_within=dt.timedelta(seconds=2), customers_per_hour=120.0, value_per_customer=48.5)]
    checks.append(a_check(name="hourly@shop", journey="hourly", schedule=Schedule(cron="0 * * * *")))
    contexts = contexts_for(checks, ownership, NAMES)
    gaps = {"hourly@shop": dt.timedelta(hours=1)}
    metrics.configure(checks, [an_outline()], ownership=ownership, contexts=contexts, gaps=gaps, currency="EUR")
    metrics.publish(a_full_run())
    metrics.receivers(["chat"])
    metrics.notified("chat", delivered=False)
    metrics.deployed("shop", "1.2.3", A_MOMENT)
    metrics.publish(a_run())
    for state, reason in (
        (SlotState.FINISHED, None),
        (SlotState.SKIPPED, SlotReason.MAINTENANCE),
        (SlotState.MISSED, SlotReason.LATE),
        (SlotState.LOST, SlotReason.CRASH),
    ):
        metrics.slot_closed(Slot(check=checks[0].name, scheduled_at=A_MOMENT, state=state, reason=reason))
    metrics.started(0.002)
    metrics.clock_stepped(-3600.0)
    metrics.reloaded(successful=True)
    metrics.dropped("full")
    metrics.publish_failed("log")
    metrics.experiment(
        Experiment(kind=ExperimentKind.CONTROL, subject="https://a.example", outcome=Outcome.PASSED, duration=0.1)
    )
    metrics.investigated(1.5)
    metrics.set_health(
        Health(
            loop_lag=0.001,
            scheduler_tick=A_MOMENT,
            workers=(WorkerCount(pool="browser", state="ready", count=1),),
            queues=(QueueState(queue="runs", length=3, oldest_seconds=1.5),),
            store_writable=True,
            store_bytes=(("artifacts", 10),),
            checks_running=1,
            checks_refused=0,
            checks_disabled=0,
            healthy=True,
            browser_contexts=1,
            incidents=(("vendor", "third_party"),),
            maintained=frozenset({checks[0].name}),
            reviewed=(("right", 3), ("wrong", 1)),
        ),
    )


def an_outline() -> JourneyOutline:
    steps = tuple(StepOutline(name=name, title=name) for name in ("open", "pay"))
    return JourneyOutline(name="browse", title="Browse", probe=ProbeKind.BROWSER, steps=steps)


# The contract.


def test_the_families_are_those_of_the_committed_list():
    stated = [
        {"name": family.name, "type": family.kind.value, "labels": list(family.labels), "buckets": list(family.buckets)}
        for family in catalogue.FAMILIES
    ]
    assert stated == json.loads(CONTRACT.read_text(encoding="utf-8"))


def test_every_family_is_documented_with_its_labels():
    document = DOCUMENT.read_text(encoding="utf-8")
    for family in catalogue.FAMILIES:
        row = next((line for line in document.splitlines() if line.startswith(f"| `{family.name}`")), None)
        assert row is not None, family.name
        assert all(f"`{label}`" in row for label in family.labels), family.name


def test_every_family_is_exposed_once_it_has_something_to_say(metrics):
    touch_everything(metrics)
    body = metrics.render()[0].decode()
    missing = [family.name for family in catalogue.FAMILIES if f"# TYPE {family.name} " not in body]
    assert missing == []


def test_names_follow_the_conventions():
    for family in catalogue.FAMILIES:
        assert re.fullmatch(r"faultline_[a-z_]+", family.name)
        assert (family.kind is Kind.COUNTER) == family.name.endswith("_total"), family.name
        assert (family.kind is Kind.INFO) == family.name.endswith("_info"), family.name
        assert not {"region", "zone", "cluster", "env", "environment", "instance", "job", "type"} & set(family.labels)


# The formats.


@pytest.mark.parametrize("accept", ["", OPENMETRICS], ids=["text", "openmetrics"])
def test_the_own_renderer_writes_byte_for_byte_what_the_library_writes(metrics, accept):
    touch_everything(metrics)
    generate = generate_openmetrics if accept else generate_latest
    assert metrics.render(accept)[0] == generate(metrics.registry)


def test_promtool_finds_nothing_to_say(metrics):
    touch_everything(metrics)
    assert promtool("check", "metrics", content=metrics.render()[0].decode()) == ""


def test_no_created_series_are_exposed(metrics):
    touch_everything(metrics)
    assert b"_created" not in metrics.render(OPENMETRICS)[0]


def test_the_global_registry_is_left_alone(metrics):
    touch_everything(metrics)
    assert b"faultline_" not in generate_latest(REGISTRY)


PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Format.TEXT),
        (PROMETHEUS, Format.OPENMETRICS),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4", Format.OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.9", Format.TEXT),
        ("application/openmetrics-text;version=2.0.0", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=nonsense", Format.TEXT),
        (";;;,,,", Format.TEXT),
    ],
)
def test_the_format_is_the_one_that_was_asked_for(metrics, accept, chosen):
    assert negotiate(accept) is chosen
    body, content_type = metrics.render(accept)
    assert content_type == chosen.value
    assert body.endswith(b"# EOF\n") == (chosen is Format.OPENMETRICS)


def test_exemplars_lead_from_a_number_to_its_run(metrics):
    metrics.configure([a_check()])
    metrics.publish(a_run(run_id="run-slow"))
    metrics.publish(a_run(run_id="run-failed", judgement=a_failure()))
    body = metrics.render(OPENMETRICS)[0].decode()
    marked = {line.split("{")[0]: line for line in body.splitlines() if " # {" in line}
    assert 'run_id="run-slow"' in marked["faultline_journey_duration_seconds_bucket"]
    assert 'run_id="run-failed"' in marked["faultline_journey_run_failures_total"]
    assert b" # {" not in metrics.render()[0]


def test_a_new_exemplar_replaces_the_old_one(metrics):
    metrics.configure([a_check()])
    for run_id in ("first", "second"):
        metrics.publish(a_run(run_id=run_id))
        body = metrics.render(OPENMETRICS)[0].decode()
        assert f'run_id="{run_id}"' in body
    assert 'run_id="first"' not in body


# What is counted.


def test_what_is_known_to_exist_starts_at_zero(metrics):
    metrics.configure([a_check()])
    for cause in Cause:
        assert value(metrics, "faultline_journey_run_failures_total", cause=cause.value) == 0
    assert value(metrics, "faultline_journey_runs_total", journey="browse", location="here") == 0
    assert value(metrics, "faultline_journey_runs_inconclusive_total") == 0


def test_failures_add_up_over_causes(metrics):
    metrics.configure([a_check()])
    for detail in (Detail.OWN_TLS, Detail.TP_CONNECT, Detail.TP_TLS, Detail.UND_PATH):
        metrics.publish(a_run(judgement=a_failure(detail)))
    metrics.publish(a_run())
    assert value(metrics, "faultline_journey_runs_total") == 5
    assert value(metrics, "faultline_journey_run_failures_total") == 4
    assert value(metrics, "faultline_journey_run_failures_total", cause="third_party") == 2
    assert value(metrics, "faultline_journey_run_failure_details_total", detail="tp.tls") == 1


def test_a_run_in_which_we_could_not_look_counts_for_nothing_but_itself(metrics, clock):
    metrics.configure([a_check()])
    metrics.publish(a_run())
    before = value(metrics, "faultline_journey_last_success_timestamp_seconds")
    clock.pass_(60)
    later = A_MOMENT + dt.timedelta(seconds=60)
    evidence = an_evidence(
        started_at=later,
        attempts=(an_attempt(outcome=Outcome.INCONCLUSIVE, prober_fault=ProberFault.BROWSER_CRASHED),),
    )
    metrics.publish(a_run(evidence=evidence, judgement=inconclusive()))
    assert value(metrics, "faultline_journey_runs_total") == 1
    assert value(metrics, "faultline_journey_run_failures_total") == 0
    assert value(metrics, "faultline_journey_runs_inconclusive_total") == 1
    assert value(metrics, "faultline_journey_success") == 1
    assert value(metrics, "faultline_journey_last_success_timestamp_seconds") == before
    assert value(metrics, "faultline_journey_last_run_timestamp_seconds") == before + 60
    assert value(metrics, "faultline_prober_faults_total", fault="browser_crashed") == 1


def test_a_recovered_run_stays_visible(metrics):
    metrics.configure([a_check()])
    attempts = (an_attempt(outcome=Outcome.FAILED), an_attempt(number=2))
    metrics.publish(a_run(evidence=an_evidence(attempts=attempts)))
    assert value(metrics, "faultline_journey_runs_recovered_total") == 1
    assert value(metrics, "faultline_journey_run_failures_total") == 0


def test_a_full_run_reaches_every_family(metrics):
    touch_everything(metrics)
    assert value(metrics, "faultline_step_duration_seconds_count", step="open") == 1
    assert value(metrics, "faultline_step_failures_total", step="pay", cause="third_party") == 1
    assert value(metrics, "faultline_http_phase_duration_seconds_sum", phase="tls") == 0.03
    assert value(metrics, "faultline_collateral_total", cause="third_party") == 2
    assert value(metrics, "faultline_third_party_failures_total", third_party="Stripe", reason="tcp") == 1
    assert value(metrics, "faultline_largest_contentful_paint_seconds_bucket", le="1.8") == 1
    assert value(metrics, "faultline_cumulative_layout_shift_bucket", le="0.01") == 0
    expiry = (A_MOMENT + dt.timedelta(days=30)).timestamp()
    assert value(metrics, "faultline_tls_certificate_expiry_timestamp_seconds", host="www.shop.localhost") == expiry
    assert value(metrics, "faultline_clock_step_seconds_total") == 3600
    assert value(metrics, "faultline_journey_slots_total") == 4
    assert value(metrics, "faultline_journey_runs_skipped_total", reason="maintenance") == 1


def test_configuration_is_data(metrics):
    check = a_check(objective=0.995, team="team-shop", service="shop", tier=1)
    metrics.configure([check], [an_outline()])
    assert value(metrics, "faultline_journey_interval_seconds") == 60
    assert value(metrics, "faultline_journey_slo_objective_ratio") == 0.995
    assert value(metrics, "faultline_journey_info", team="team-shop", tier="1", probe="browser", check=check.name) == 1


def test_a_reload_that_fails_says_so_and_keeps_the_moment_of_the_last_good_one(metrics, clock):
    metrics.reloaded(successful=True)
    clock.pass_(100)
    metrics.reloaded(successful=False)
    assert value(metrics, "faultline_config_last_reload_successful") == 0
    assert value(metrics, "faultline_config_last_reload_success_timestamp_seconds") == A_MOMENT.timestamp()


def test_the_moment_of_the_start_is_stated_and_a_reload_does_not_move_it(metrics, clock):
    clock.pass_(100)
    metrics.reloaded(successful=True)
    assert value(metrics, "faultline_process_start_time_seconds") == A_MOMENT.timestamp()


def test_what_history_knows_is_stated_after_a_restart(metrics):
    check = a_check()
    metrics.configure([check])
    metrics.restore(check, last_run=A_MOMENT, last_success=A_MOMENT - dt.timedelta(minutes=5))
    assert value(metrics, "faultline_journey_last_run_timestamp_seconds") == A_MOMENT.timestamp()
    assert value(metrics, "faultline_journey_last_success_timestamp_seconds") == A_MOMENT.timestamp() - 300
    assert value(metrics, "faultline_journey_success") is None


def test_a_restart_ends_no_state_before_its_time(metrics, clock):
    check = a_check()
    metrics.configure([check])
    clock.pass_(100)
    metrics.restore(check, last_run=A_MOMENT, last_success=None, conclusive=(A_MOMENT, False))
    assert value(metrics, "faultline_journey_success") == 0
    clock.pass_(79)
    assert value(metrics, "faultline_journey_success") == 0
    clock.pass_(2)
    assert value(metrics, "faultline_journey_success") is None


def test_a_state_from_too_long_before_a_restart_is_not_stated(metrics, clock):
    check = a_check()
    metrics.configure([check])
    clock.pass_(1000)
    metrics.restore(check, last_run=A_MOMENT, last_success=A_MOMENT, conclusive=(A_MOMENT, True))
    assert value(metrics, "faultline_journey_success") is None


def test_maintenance_is_told_at_every_detail_since_it_keeps_alerts_quiet(clock):
    for detail in MetricsDetail:
        metrics = Metrics(clock=clock, location="here", version="1", detail=detail)
        check = a_check()
        metrics.configure([check])
        assert value(metrics, "faultline_journey_maintenance") == 0
        metrics.set_health(Health(healthy=True, maintained=frozenset({check.name})))
        assert value(metrics, "faultline_journey_maintenance") == 1


@pytest.mark.parametrize(
    ("family", "poor"),
    [
        (of_checks.LCP, 4.0),
        (of_checks.FCP, 3.0),
        (of_checks.TTFB, 1.8),
        (of_checks.INP, 0.5),
        (of_checks.CLS, 0.25),
        (of_ourselves.SCHEDULER_LAG, 5.0),
    ],
    ids=lambda family: getattr(family, "name", ""),
)
def test_a_quantile_can_be_seen_beyond_the_limit_that_it_is_held_against(family, poor):
    assert poor in family.buckets
    assert max(family.buckets) > poor


# State now.


def test_a_state_vanishes_when_it_is_too_old_to_speak_for_now(metrics, clock):
    metrics.configure([a_check()])
    clock.pass_(1)
    metrics.publish(a_run())
    clock.pass_(179)
    assert value(metrics, "faultline_journey_success") == 1
    clock.pass_(2)
    assert value(metrics, "faultline_journey_success") is None
    assert value(metrics, "faultline_journey_last_run_timestamp_seconds") is not None
    assert value(metrics, "faultline_journey_runs_total") == 1
    metrics.publish(a_run(evidence=an_evidence(started_at=clock.now())))
    assert value(metrics, "faultline_journey_success") == 1


def test_a_short_interval_with_a_long_deadline_leaves_a_run_time_to_end(metrics, clock):
    metrics.configure([a_check(schedule=Schedule(interval=dt.timedelta(seconds=10)))])
    metrics.publish(a_run(check=a_check(schedule=Schedule(interval=dt.timedelta(seconds=10)))))
    clock.pass_(99)
    assert value(metrics, "faultline_journey_success") == 1
    clock.pass_(3)
    assert value(metrics, "faultline_journey_success") is None


def test_a_result_that_came_late_is_as_old_as_it_is(metrics, clock):
    metrics.configure([a_check()])
    clock.pass_(170)
    metrics.publish(a_run())
    assert value(metrics, "faultline_journey_success") == 1
    clock.pass_(20)
    assert value(metrics, "faultline_journey_success") is None


def test_a_crontab_ages_by_its_longest_gap(metrics, clock):
    check = a_check(schedule=Schedule(cron="0 * * * *"))
    metrics.configure([check], gaps={check.name: dt.timedelta(hours=1)})
    metrics.publish(a_run(check=check))
    until = 3600 + check.deadline.total_seconds() + 60
    clock.pass_(until - 10)
    assert value(metrics, "faultline_journey_success") == 1
    clock.pass_(20)
    assert value(metrics, "faultline_journey_success") is None
    assert value(metrics, "faultline_journey_interval_seconds") is None
    assert value(metrics, "faultline_journey_longest_gap_seconds") == 3600 + check.deadline.total_seconds()


# Hostile and growing input.

HOSTILE = 'a"} 1\nprobe_success{x="'


def test_a_hostile_name_is_one_escaped_series(metrics):
    metrics.configure([a_check(journey=HOSTILE, team="\x1b[31m\r\n\\")])
    assert value(metrics, "faultline_journey_runs_total", journey=HOSTILE) == 0
    assert not [line for line in lines(metrics) if line.startswith("probe_success")]
    assert "\x1b" not in metrics.render()[0].decode()
    assert promtool("check", "metrics", content=metrics.render()[0].decode()) == ""
    assert samples(metrics, OPENMETRICS)


def test_a_target_that_changes_its_words_every_time_makes_no_series(metrics):
    checks = [a_check()]
    metrics.configure(checks, contexts=contexts_for(checks, Ownership(), NAMES))

    def run(number: int):
        host = f"h{number}.stranger{number}.example"
        step = a_step(
            outcome=StepOutcome.FAILED,
            error=StepError(kind=StepErrorKind.TIMEOUT, message=f"error {number} https://u:p@{host}/?token={number}"),
        )
        chain = (Certificate(subject="x", issuer="y", not_after=A_MOMENT),)
        exchange = an_exchange(
            id=str(number),
            url=f"https://{host}/{number}?token=canary-{number}",
            host=host,
            failure=Failure.TCP_REFUSED,
            tls=TlsFacts(chain=chain),
        )
        attempt = an_attempt(outcome=Outcome.FAILED, steps=(step,))
        evidence = an_evidence(attempts=(attempt,), exchanges=(exchange,))
        return a_run(run_id=f"run-{number}", evidence=evidence, judgement=a_failure())

    metrics.publish(run(0))
    before = len(lines(metrics))
    for number in range(1, 1000):
        metrics.publish(run(number))
    body = metrics.render(OPENMETRICS)[0].decode()
    assert len(lines(metrics)) == before
    assert "token" not in body
    assert "stranger" not in body
    assert value(metrics, "faultline_third_party_requests_total", third_party="other") == 1000


def test_vendors_beyond_the_list_are_other(clock):
    metrics = Metrics(clock=clock, location="here", version="1", vendor_limit=2)
    ownership = Ownership(vendors=(Vendor(name="Mine", hosts=("x.mine.example",)),))
    checks = [a_check()]
    metrics.configure(checks, ownership=ownership, contexts=contexts_for(checks, ownership, NAMES))
    for host in ("x.mine.example", "js.stripe.com", "www.google-analytics.com", "x.nobody.example"):
        exchange = an_exchange(url=f"https://{host}/", host=host)
        metrics.publish(a_run(evidence=an_evidence(exchanges=(exchange,))))
    counted = {
        dict(labels)["third_party"]: number
        for (name, labels), number in samples(metrics).items()
        if name == "faultline_third_party_requests_total"
    }
    assert counted == {"Mine": 1, "Stripe": 1, "other": 2}


def test_a_removed_check_is_gone_at_the_next_scrape(metrics):
    stays, goes = a_check(), a_check(name="other@shop/desktop", journey="other")
    metrics.configure([stays, goes])
    for check in (stays, goes):
        metrics.publish(a_full_run(check=check))
        metrics.slot_closed(Slot(check=check.name, scheduled_at=A_MOMENT, state=SlotState.LOST))
    metrics.configure([stays])
    assert not [line for line in lines(metrics) if 'journey="other"' in line and "third_party" not in line]
    assert value(metrics, "faultline_journey_runs_total", journey="browse") == 1
    metrics.publish(a_run(check=goes))
    assert value(metrics, "faultline_journey_runs_total", journey="other") is None


def test_a_renamed_profile_moves_its_series(metrics):
    metrics.configure([a_check()])
    metrics.publish(a_run())
    metrics.configure([a_check(profile=a_profile(name="phone"))])
    assert value(metrics, "faultline_journey_runs_total", profile="desktop") is None
    assert value(metrics, "faultline_journey_runs_total", profile="phone") == 0


def test_a_check_that_is_switched_off_has_no_series(metrics):
    metrics.configure([a_check(enabled=False)])
    assert value(metrics, "faultline_journey_runs_total") is None


def test_changed_facts_of_a_check_leave_one_info_series(metrics):
    metrics.configure([a_check(team="before")])
    metrics.configure([a_check(team="after")])
    assert value(metrics, "faultline_journey_info") == 1
    assert value(metrics, "faultline_journey_info", team="before") is None


def test_two_locations_are_two_series(metrics):
    metrics.configure([a_check()])
    metrics.publish(a_run())
    metrics.publish(a_run(location="elsewhere"))
    assert value(metrics, "faultline_journey_runs_total", location="elsewhere") == 1


def test_a_target_of_two_profiles_is_two_checks(metrics):
    checks = [a_check(name=name, profile=a_profile(name=name), target=a_target()) for name in ("phone", "tablet")]
    metrics.configure(checks)
    metrics.publish(a_run(check=checks[0]))
    assert value(metrics, "faultline_journey_runs_total", profile="phone") == 1
    assert value(metrics, "faultline_journey_runs_total", profile="tablet") == 0
