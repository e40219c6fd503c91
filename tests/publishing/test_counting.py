"""What becomes of a run, a slot or a fact beyond the counts of outcomes: experience, culprits, bytes, places."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace

import pytest

from monitor.config.settings import MetricsDetail
from monitor.diagnosis.context import contexts_for
from monitor.diagnosis.names import load_names
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.evidence import ProberFault
from monitor.domain.exchange import Timings
from monitor.domain.failure import Failure
from monitor.domain.journey import JourneyOutline, ProbeKind, StepOutline
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.ownership import CapabilityOwner, HostOwner, Ownership, Vendor
from monitor.domain.run import Judgement
from monitor.domain.trace_context import trace_context_of
from monitor.publishing.health import Health
from monitor.publishing.metrics import Metrics
from tests.builders import A_MOMENT, a_check, a_run, an_attempt, an_evidence, an_exchange
from tests.publishing.scrapes import OPENMETRICS, lines, samples, value

NAMES = load_names()
T = dt.timedelta(seconds=2)
JOURNEY = JourneyOutline(
    name="browse",
    title="Browse",
    probe=ProbeKind.BROWSER,
    steps=(StepOutline(name="open", title="Open", capability="catalog"), StepOutline(name="pay", title="Pay")),
)
FAILED = Judgement(
    outcome=Outcome.FAILED,
    validity=Validity.VALID,
    diagnosis=Diagnosis(
        cause=Cause.THIRD_PARTY,
        detail=Detail.TP_CONNECT,
        confidence=Confidence.CONFIRMED,
        rule="R08",
        because="It refused.",
    ),
)
OWNERSHIP = Ownership(
    domains=("shop.localhost",),
    hosts=(HostOwner(host="api.shop.localhost", team="team-api"),),
    capabilities=(CapabilityOwner(capability="payments", team="team-pay"),),
    vendors=(Vendor(name="Courier", hosts=("*.courier.example",), objective=0.995),),
)


def put_down_to(kind: CulpritKind, name: str, *, host: str | None = None, detail: Detail = Detail.TP_CONNECT):
    diagnosis = replace(
        FAILED.diagnosis, cause=detail.cause, detail=detail, culprit=Culprit(kind=kind, name=name, host=host)
    )
    return a_run(judgement=replace(FAILED, diagnosis=diagnosis))


def lasting(seconds: float, **values):
    return a_run(evidence=an_evidence(duration=seconds), **values)


def configured(metrics: Metrics, ownership: Ownership = OWNERSHIP, **facts) -> Metrics:
    check = a_check(**facts)
    metrics.configure(
        [check], [JOURNEY], ownership=ownership, contexts=contexts_for([check], ownership, NAMES), currency="EUR"
    )
    return metrics


# Experience.


def ratings(metrics: Metrics) -> tuple[float | None, ...]:
    name = "faultline_journey_experience_runs_total"
    return tuple(value(metrics, name, rating=rating) for rating in ("satisfied", "tolerating", "frustrated"))


def test_a_run_is_rated_by_its_time_and_a_failure_frustrates_whatever_it_took(metrics):
    configured(metrics, satisfied_within=T)
    assert ratings(metrics) == (0, 0, 0)
    for seconds in (2.0, 2.001, 8.0, 8.001):
        metrics.publish(lasting(seconds))
    metrics.publish(lasting(0.1, judgement=FAILED))
    metrics.publish(lasting(0.1, judgement=Judgement(outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID)))
    assert ratings(metrics) == (1, 2, 2)
    assert value(metrics, "faultline_journey_slo_latency_threshold_seconds") == 2


def test_where_nobody_said_what_satisfies_nothing_is_rated(metrics):
    configured(metrics)
    metrics.publish(lasting(0.1))
    assert ratings(metrics) == (None, None, None)
    assert value(metrics, "faultline_journey_slo_latency_threshold_seconds") is None


def test_the_budget_of_the_check_or_of_its_journey_is_what_satisfies(metrics):
    configured(metrics, budget=dt.timedelta(seconds=7))
    assert value(metrics, "faultline_journey_slo_latency_threshold_seconds") == 7
    metrics.configure([a_check()], [replace(JOURNEY, budget=dt.timedelta(seconds=9))])
    assert value(metrics, "faultline_journey_slo_latency_threshold_seconds") == 9
    metrics.configure([a_check()], [JOURNEY])
    assert value(metrics, "faultline_journey_slo_latency_threshold_seconds") is None


def test_what_the_business_said_is_data(metrics):
    configured(metrics, process="buying", customers_per_hour=120.0, value_per_customer=48.5)
    assert value(metrics, "faultline_journey_customers_per_hour") == 120
    assert value(metrics, "faultline_journey_value_per_customer", currency="EUR") == 48.5
    assert value(metrics, "faultline_journey_info", business_process="buying") == 1


def test_a_step_has_its_place_and_the_capability_behind_it(metrics):
    configured(metrics)
    assert value(metrics, "faultline_step_info", step="open", position="1", capability="catalog") == 1
    assert value(metrics, "faultline_step_info", step="pay", position="2", capability="") == 1


def test_a_reload_states_anew_what_has_changed_and_leaves_one_series_of_it(metrics):
    configured(metrics, team="before", customers_per_hour=5.0)
    swapped = replace(JOURNEY, steps=tuple(reversed(JOURNEY.steps)))
    metrics.configure([a_check(team="after")], [swapped])
    assert value(metrics, "faultline_journey_info") == 1
    assert value(metrics, "faultline_journey_info", team="after") == 1
    assert value(metrics, "faultline_step_info", step="pay") == 1
    assert value(metrics, "faultline_step_info", step="pay", position="1") == 1
    assert value(metrics, "faultline_journey_customers_per_hour") is None
    assert value(metrics, "faultline_series") == len([line for line in lines(metrics) if 'journey="' in line]) + 3


# Culprits.


def culprits(metrics: Metrics) -> dict[tuple[str, str], float]:
    """The failures of each culprit, whatever their cause."""
    found: Counter[tuple[str, str]] = Counter()
    for (name, labels), number in samples(metrics).items():
        if name == "faultline_journey_run_culprits_total":
            found[dict(labels)["kind"], dict(labels)["culprit"]] += number
    return dict(found)


@pytest.mark.parametrize(
    ("kind", "name", "host", "detail", "label"),
    [
        (CulpritKind.TEAM, "team-pay", "www.shop.localhost", Detail.OWN_HTTP_STATUS, ("team", "team-pay")),
        (CulpritKind.TEAM, "www.shop.localhost", "www.shop.localhost", Detail.OWN_TLS, ("host", "www.shop.localhost")),
        (CulpritKind.TEAM, "x17.shop.localhost", "x17.shop.localhost", Detail.OWN_TLS, ("host", "shop.localhost")),
        (CulpritKind.VENDOR, "Courier", "api.courier.example", Detail.TP_CONNECT, ("vendor", "Courier")),
        (CulpritKind.VENDOR, "Stripe", "js.stripe.com", Detail.TP_CONNECT, ("vendor", "Stripe")),
        (CulpritKind.VENDOR, "nobody.example", "x.nobody.example", Detail.TP_CONNECT, ("vendor", "other")),
        (
            CulpritKind.ENVIRONMENT,
            "the legal block of evil.example",
            None,
            Detail.CLIENT_PROXY,
            ("environment", "proxy"),
        ),
    ],
)
def test_a_culprit_is_told_by_a_name_of_the_configuration_or_of_a_list(metrics, kind, name, host, detail, label):
    configured(metrics).publish(put_down_to(kind, name, host=host, detail=detail))
    assert culprits(metrics) == {label: 1}


def test_failures_of_nobody_in_particular_are_counted_so_that_the_sum_is_that_of_all_failures(metrics):
    configured(metrics)
    metrics.publish(a_run(judgement=FAILED))
    metrics.publish(a_run(judgement=replace(FAILED, diagnosis=None)))
    metrics.publish(put_down_to(CulpritKind.VENDOR, "Courier", host="a.courier.example"))
    assert culprits(metrics) == {("unknown", "unknown"): 2, ("vendor", "Courier"): 1}
    assert value(metrics, "faultline_journey_run_failures_total") == 3


def test_a_thousand_names_of_culprits_make_no_more_series_than_the_list_is_long(clock):
    metrics = configured(Metrics(clock=clock, location="here", version="1", vendor_limit=5))
    for number in range(1000):
        metrics.publish(put_down_to(CulpritKind.VENDOR, f"Vendor {number}", host=f"v{number}.example"))
        metrics.publish(put_down_to(CulpritKind.TEAM, f"h{number}.shop.localhost", detail=Detail.OWN_TLS))
        metrics.publish(
            put_down_to(CulpritKind.ENVIRONMENT, f"the block of h{number}.example", detail=Detail.CLIENT_DNS)
        )
    assert len(culprits(metrics)) <= 5 + 1 + 1 + 1
    assert sum(culprits(metrics).values()) == 3000


def test_verdicts_are_counted_by_how_sure_they_are(metrics):
    configured(metrics)
    assert value(metrics, "faultline_diagnoses_total") == 0
    metrics.publish(a_run(judgement=FAILED))
    metrics.publish(a_run(judgement=replace(FAILED, diagnosis=None)))
    assert value(metrics, "faultline_diagnoses_total", cause="third_party", confidence="confirmed") == 1
    assert value(metrics, "faultline_diagnoses_total", cause="undetermined", confidence="none") == 1


# Exemplars.


def test_exemplars_lead_to_the_run_and_to_its_trace(metrics):
    configured(metrics).publish(a_run(run_id="run-9", judgement=FAILED))
    trace = trace_context_of("run-9").trace_id
    marked = [line for line in metrics.render(OPENMETRICS)[0].decode().splitlines() if " # {" in line]
    assert {line.partition("{")[0] for line in marked} == {
        "faultline_journey_run_failures_total",
        "faultline_journey_run_failure_details_total",
        "faultline_journey_run_culprits_total",
    }
    assert all(f'# {{run_id="run-9",trace_id="{trace}"}} 1.0 ' in line for line in marked)
    # The format allows 128 characters for all names and values of an exemplar's labels.
    assert len("run_id" + "20261126-042215-" + "x" * 10 + "trace_id" + trace) <= 128


# Third parties and pages.


def a_page(**values):
    return an_evidence(
        exchanges=(
            an_exchange(id="1", resource="document", transfer_bytes=40_000),
            an_exchange(id="2", resource="image", transfer_bytes=2_000),
            an_exchange(
                id="3",
                resource="script",
                url="https://a.courier.example/x",
                host="a.courier.example",
                transfer_bytes=500,
                timings=Timings(total=0.25),
            ),
            an_exchange(
                id="4",
                resource="script",
                url="https://b.courier.example/y",
                host="b.courier.example",
                status=None,
                failure=Failure.TCP_REFUSED,
                timings=Timings(total=9.0),
            ),
        ),
        **values,
    )


def test_bytes_of_a_page_are_told_by_party_and_requests_that_failed_do_not_slow_a_vendor(metrics):
    configured(metrics).publish(a_run(evidence=a_page()))
    assert value(metrics, "faultline_page_transfer_bytes_sum", party="first") == 42_000
    assert value(metrics, "faultline_page_transfer_bytes_sum", party="third") == 500
    assert value(metrics, "faultline_page_transfer_bytes_count", party="third") == 1
    assert value(metrics, "faultline_third_party_requests_total", third_party="Courier") == 2
    assert value(metrics, "faultline_third_party_request_duration_seconds_sum", third_party="Courier") == 0.25
    assert value(metrics, "faultline_third_party_request_duration_seconds_count", third_party="Courier") == 1
    assert value(metrics, "faultline_third_party_failures_total", third_party="Courier", reason="tcp") == 1


def test_an_http_journey_transfers_no_page(metrics):
    configured(metrics).publish(a_run(evidence=an_evidence(exchanges=(an_exchange(transfer_bytes=100),))))
    assert value(metrics, "faultline_page_transfer_bytes_count") is None


def test_vendors_of_the_ownership_file_are_there_before_their_first_request(metrics):
    configured(metrics)
    assert value(metrics, "faultline_third_party_requests_total", third_party="Courier", location="here") == 0
    assert value(metrics, "faultline_third_party_objective_ratio", third_party="Courier") == 0.995
    metrics.configure([a_check()], ownership=Ownership())
    assert value(metrics, "faultline_third_party_objective_ratio") is None


# Ourselves.


def test_a_place_gives_its_heartbeat_only_while_it_is_able_to_make_runs(metrics, clock):
    metrics.set_health(Health(healthy=True))
    clock.pass_(60)
    metrics.set_health(Health(healthy=False))
    assert value(metrics, "faultline_healthy") == 0
    beat = value(metrics, "faultline_location_last_heartbeat_timestamp_seconds", location="here")
    assert beat == A_MOMENT.timestamp()


def test_open_incidents_are_counted_and_closed_ones_are_zero(metrics):
    name = "faultline_open_incidents"
    assert value(metrics, name) == 0
    metrics.set_health(
        Health(incidents=(("vendor", "third_party"), ("vendor", "third_party"), ("check", "undetermined")))
    )
    assert value(metrics, name, scope="vendor", cause="third_party") == 2
    metrics.set_health(Health())
    assert value(metrics, name) == 3
    metrics.set_health(Health(incidents=()))
    assert value(metrics, name) == 0


def test_a_check_is_under_maintenance_as_long_as_a_window_covers_it(metrics):
    name, check = "faultline_journey_maintenance", a_check()
    configured(metrics)
    assert value(metrics, name) == 0
    metrics.set_health(Health(maintained=frozenset({check.name, "one that is gone"})))
    assert value(metrics, name) == 1
    metrics.configure([check, a_check(name="other", journey="other")])
    assert (value(metrics, name, journey="browse"), value(metrics, name, journey="other")) == (1, 0)
    metrics.set_health(Health(maintained=frozenset()))
    assert value(metrics, name) == 0


def test_reviewed_verdicts_are_stated_as_people_found_them(metrics):
    metrics.set_health(Health(reviewed=(("right", 8), ("wrong", 1), ("undetermined", 2))))
    assert value(metrics, "faultline_reviewed_verdicts", review="right") == 8
    assert value(metrics, "faultline_reviewed_verdicts", review="wrong") == 1


def test_browsers_that_crash_are_counted_by_attempt(metrics):
    attempts = (
        an_attempt(outcome=Outcome.INCONCLUSIVE, prober_fault=ProberFault.BROWSER_CRASHED),
        an_attempt(number=2, outcome=Outcome.INCONCLUSIVE, prober_fault=ProberFault.BROWSER_FROZEN),
        an_attempt(number=3, outcome=Outcome.INCONCLUSIVE, prober_fault=ProberFault.STARVED),
    )
    assert value(metrics, "faultline_browser_crashes_total") == 0
    metrics.publish(a_run(evidence=an_evidence(attempts=attempts)))
    assert value(metrics, "faultline_browser_crashes_total") == 2


def test_of_each_service_only_the_latest_deployment_is_told(metrics):
    name = "faultline_deployment_timestamp_seconds"
    hour = dt.timedelta(hours=1)
    metrics.deployed("shop", "1", A_MOMENT)
    metrics.deployed("shop", "2", A_MOMENT + hour)
    metrics.deployed("shop", "0", A_MOMENT - hour)
    metrics.deployed("api", "9", A_MOMENT)
    assert value(metrics, name, service="shop") == (A_MOMENT + hour).timestamp()
    assert value(metrics, name, service="shop", version="1") is None
    for number in range(1000):
        metrics.deployed(f"service-{number}", "1", A_MOMENT)
    assert len([line for line in lines(metrics) if line.startswith(name)]) == 200


def test_receivers_start_at_zero_and_a_notification_that_was_given_up_is_one_of_both(metrics):
    metrics.receivers(["chat", "mail"])
    assert value(metrics, "faultline_notification_failures_total", receiver="mail") == 0
    metrics.notified("chat", delivered=True)
    metrics.notified("chat", delivered=False)
    assert value(metrics, "faultline_notifications_total", receiver="chat") == 2
    assert value(metrics, "faultline_notification_failures_total", receiver="chat") == 1
    metrics.receivers(["chat"])
    assert value(metrics, "faultline_notifications_total", receiver="mail") is None
    assert value(metrics, "faultline_notifications_total", receiver="chat") == 2


def test_at_the_core_nothing_else_of_a_check_is_counted(clock):
    metrics = configured(
        Metrics(clock=clock, location="here", version="1", detail=MetricsDetail.CORE), satisfied_within=T
    )
    metrics.publish(a_run(evidence=a_page(), judgement=FAILED))
    metrics.set_health(Health(maintained=frozenset({a_check().name})))
    named = {line.partition("{")[0] for line in lines(metrics) if 'profile="' in line}
    assert len(named) == 9
    assert value(metrics, "faultline_series_refused_total") == 0
