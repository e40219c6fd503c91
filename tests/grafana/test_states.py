"""What the dashboards' expressions say of checks, asked of Prometheus' own evaluation."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from grafana.src import promql
from tests import servers
from tests.grafana.reading import Expression

CHECK = 'journey="buy", target="shop", profile="desktop"'
LABELS = f"{{{CHECK}}}"
INFO = f'faultline_journey_info{{{CHECK}, team="payments"}}'
SUCCESS = f'faultline_journey_success{{{CHECK}, location="%s"}}'
RUNS = f'faultline_journey_runs_total{{{CHECK}, location="here"}}'
DEGRADED = f'faultline_journey_runs_degraded_total{{{CHECK}, location="here"}}'
MAINTENANCE = f"faultline_journey_maintenance{LABELS}"
COVERAGE = f"check:faultline_coverage:ratio_rate1d{LABELS}"
RATIO = f"check:faultline_run_failures_per_runs:ratio_rate1d{LABELS}"
FINE = {INFO: "1x60", SUCCESS % "here": "1x60", RUNS: "0+1x60", DEGRADED: "0x60"}


@pytest.fixture
def evaluated(tmp_path):
    """Check that an expression has a value at the end of an hour of these series; None stands for no value."""

    def check(text, series, expected, labels=LABELS):
        expression = Expression(dashboard="", place="", text=text).expanded()
        wanted = [] if expected is None else [{"labels": labels, "value": expected}]
        test = {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [{"expr": expression, "eval_time": "59m", "exp_samples": wanted}],
        }
        path = tmp_path / "test.yml"
        path.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "1m", "tests": [test]}))
        told = subprocess.run(
            [servers.binary("promtool"), "test", "rules", path], capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stdout + told.stderr

    return check


@pytest.mark.parametrize(
    ("series", "code"),
    [
        pytest.param({}, 1, id="OK"),
        pytest.param({MAINTENANCE: "1x60"}, 2, id="maintenance"),
        pytest.param({MAINTENANCE: "1x60", SUCCESS % "here": "0x60"}, 2, id="maintenance hides failures"),
        pytest.param({MAINTENANCE: "0x60"}, 1, id="maintenance is over"),
        pytest.param({SUCCESS % "here": "1x20 stale"}, 3, id="no data, for the state has aged out"),
        pytest.param({SUCCESS % "here": "1x20 stale", DEGRADED: "0+1x60"}, 3, id="no data, however slow it was"),
        pytest.param({DEGRADED: "0+1x60"}, 4, id="slow"),
        pytest.param({DEGRADED: "0x40 1x20"}, 1, id="one slow run"),
        pytest.param({SUCCESS % "here": "0x60"}, 6, id="failing"),
        pytest.param({SUCCESS % "here": "0x60", SUCCESS % "there": "1x60"}, 5, id="failing in places"),
        pytest.param({SUCCESS % "here": "0x60", SUCCESS % "there": "0x60", SUCCESS % "far": "1x60"}, 6, id="in most"),
        pytest.param({SUCCESS % "here": "0x60", DEGRADED: "0+1x60"}, 6, id="failing, and slow before"),
    ],
)
def test_the_state_of_a_check(series, code, evaluated):
    evaluated(promql.state(), {**FINE, **series}, code)


def test_a_check_that_never_ran_is_no_data(evaluated):
    evaluated(promql.state(), {INFO: "1x60"}, 3)


def test_a_check_that_is_not_configured_has_no_state(evaluated):
    evaluated(promql.state(), {SUCCESS % "here": "1x60"}, None)


@pytest.mark.parametrize(
    ("covered", "failing", "shown"),
    [
        pytest.param("1x60", "0x60", 1.0, id="nothing failed"),
        pytest.param("0.95x60", "0.000004x60", 0.99999, id="never rounded up"),
        pytest.param("0.95x60", "0.01x60", 0.99, id="exact"),
        pytest.param("0.9x60", "0x60", 1.0, id="just enough coverage"),
        pytest.param("0.89x60", "0x60", -1.0, id="insufficient"),
        pytest.param("0x60", None, -1.0, id="nothing seen"),
        pytest.param(None, "0x60", None, id="coverage unknown"),
    ],
)
def test_success_beside_coverage(covered, failing, shown, evaluated):
    series = {name: values for name, values in ((COVERAGE, covered), (RATIO, failing)) if values}
    evaluated(promql.success("1d"), series, shown)


def test_a_series_that_appears_with_its_first_failure_counts_it(evaluated):
    failures = f'faultline_step_failures_total{{{CHECK}, location="here", step="pay", cause="third_party"}}'
    counted = promql.count(promql.at_place("faultline_step_failures_total"), "step", "30m")
    evaluated(counted, {failures: "_x50 1x9"}, 1.0, '{step="pay"}')


def test_a_series_that_was_there_before_is_counted_as_it_rises(evaluated):
    failures = f'faultline_step_failures_total{{{CHECK}, location="here", step="pay", cause="third_party"}}'
    counted = promql.count(promql.at_place("faultline_step_failures_total"), "step", "30m")
    evaluated(counted, {failures: "7x60"}, 0.0, '{step="pay"}')


def test_what_team_a_check_belongs_to_decides_whether_it_is_shown(evaluated):
    chosen = Expression(dashboard="", place="", text=promql.state()).expanded({"team": "payments"})
    other = Expression(dashboard="", place="", text=promql.state()).expanded({"team": "catalog"})
    evaluated(chosen, FINE, 1.0)
    evaluated(other, FINE, None)


@pytest.mark.parametrize(
    ("failed", "code"),
    [("0x60", 1), ("0+1x60", 6), (None, 1), ("0x50 1x9", 4)],
)
def test_the_state_of_a_third_party(failed, code, evaluated):
    asked = 'faultline_third_party_requests_total{third_party="Example Pay", location="here"}'
    failures = (
        'faultline_third_party_failures_total{third_party="Example Pay", location="here", journey="buy", reason="http"}'
    )
    state = promql.vendor_state(
        promql.count("faultline_third_party_requests_total", "third_party", "15m"),
        promql.count("faultline_third_party_failures_total", "third_party", "15m"),
    )
    series = {asked: "0+2x60", **({failures: failed} if failed else {})}
    evaluated(state, series, code, '{third_party="Example Pay"}')


def test_a_third_party_of_which_nothing_was_asked_is_no_data(evaluated):
    asked = 'faultline_third_party_requests_total{third_party="Example Pay", location="here"}'
    state = promql.vendor_state(
        promql.count("faultline_third_party_requests_total", "third_party", "15m"), "vector(0) > 1"
    )
    evaluated(state, {asked: "5x60"}, 3, '{third_party="Example Pay"}')


def test_cost_is_customers_times_value_times_hours(evaluated):
    series = {
        f'check_cause:faultline_impact_seconds:increase1d{{{CHECK}, cause="third_party"}}': "1800x60",
        f"faultline_journey_customers_per_hour{LABELS}": "120x60",
        f'faultline_journey_value_per_customer{{{CHECK}, currency="EUR"}}': "40x60",
        INFO: "1x60",
    }
    labels = f'{{{CHECK}, cause="third_party", currency="EUR"}}'
    evaluated(promql.cost("1d"), series, 2400.0, labels)


def test_without_a_value_of_a_customer_there_is_no_cost(evaluated):
    series = {
        f'check_cause:faultline_impact_seconds:increase1d{{{CHECK}, cause="third_party"}}': "1800x60",
        f"faultline_journey_customers_per_hour{LABELS}": "120x60",
        INFO: "1x60",
    }
    evaluated(promql.cost("1d"), series, None)
