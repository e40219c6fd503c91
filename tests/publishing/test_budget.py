from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.loading import load
from monitor.config.settings import MetricsDetail, MetricsSettings, Settings
from monitor.diagnosis.context import contexts_for
from monitor.diagnosis.names import load_names
from monitor.domain.check import Schedule
from monitor.domain.evidence import StepResult, Vitals
from monitor.domain.exchange import Timings
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind, StepOutline
from monitor.domain.outcome import SlotState, StepOutcome
from monitor.domain.ownership import Ownership
from monitor.domain.run import Run, Slot
from monitor.publishing.budget import OF_OURSELVES, forecast_series, rendered, series_of
from monitor.publishing.metrics import Metrics
from tests.builders import A_MOMENT, a_check, a_run, an_attempt, an_evidence, an_exchange
from tests.publishing.scrapes import lines, value
from tests.publishing.test_metrics import a_failure, touch_everything

NAMES = load_names()
PHASES = Timings(resolve=0.1, connect=0.1, tls=0.1, wait=0.1, receive=0.1, total=0.5)
VITALS = Vitals(
    largest_contentful_paint=1.2,
    first_contentful_paint=0.5,
    time_to_first_byte=0.1,
    interaction_to_next_paint=0.06,
    cumulative_layout_shift=0.02,
)
SATISFIED = dt.timedelta(seconds=2)
HOUR = dt.timedelta(hours=1)


def a_journey(probe: ProbeKind, steps: int) -> JourneyOutline:
    outlines = tuple(StepOutline(name=f"step-{n}", title="Do") for n in range(steps))
    return JourneyOutline(name="browse", title="Browse", probe=probe, steps=outlines)


def a_good_run(journey: JourneyOutline, **values) -> Run:
    """A run in which everything that can be measured was."""
    browser = journey.probe is ProbeKind.BROWSER
    steps = tuple(
        StepResult(name=step.name, title=step.title, outcome=StepOutcome.PASSED, duration=0.2) for step in journey.steps
    )
    exchange = an_exchange(resource="document" if browser else "http", timings=PHASES, transfer_bytes=5000)
    evidence = an_evidence(
        attempts=(an_attempt(steps=steps),), exchanges=(exchange,), vitals=VITALS if browser else None
    )
    return a_run(evidence=evidence, **values)


def of_check(metrics: Metrics) -> int:
    return len([line for line in lines(metrics) if 'journey="browse"' in line])


def lived(clock, detail: MetricsDetail, journey: JourneyOutline, check) -> Metrics:
    metrics = Metrics(clock=clock, location="here", version="1", detail=detail)
    contexts, gaps = contexts_for([check], Ownership(), NAMES), {} if check.interval else {check.name: HOUR}
    metrics.configure([check], [journey], contexts=contexts, gaps=gaps, currency="EUR")
    metrics.publish(a_good_run(journey, check=check))
    metrics.slot_closed(Slot(check=check.name, scheduled_at=A_MOMENT, state=SlotState.FINISHED))
    return metrics


DOCUMENTED = [
    (MetricsDetail.CORE, ProbeKind.HTTP, 1, 13),
    (MetricsDetail.CORE, ProbeKind.BROWSER, 5, 13),
    (MetricsDetail.STANDARD, ProbeKind.HTTP, 1, 32),
    (MetricsDetail.STANDARD, ProbeKind.BROWSER, 5, 36),
    (MetricsDetail.FULL, ProbeKind.HTTP, 1, 48),
    (MetricsDetail.FULL, ProbeKind.BROWSER, 5, 109),
]


@pytest.mark.parametrize(("detail", "probe", "steps", "series"), DOCUMENTED)
def test_a_check_has_the_documented_number_of_series(clock, detail, probe, steps, series):
    check, journey = a_check(satisfied_within=SATISFIED), a_journey(probe, steps)
    assert of_check(lived(clock, detail, journey, check)) == series
    document = Path("docs/metrics.md").read_text(encoding="utf-8")
    sort = f"{'an HTTP' if probe is ProbeKind.HTTP else 'a browser'} check of {steps} step{'s' * (steps > 1)}"
    row = next(line for line in document.splitlines() if line.startswith(f"| {sort} "))
    assert row.split("|")[2 + list(MetricsDetail).index(detail)].strip() == str(series)


def test_the_default_takes_no_more_than_others_do_for_a_check():
    check = a_check(satisfied_within=SATISFIED)
    assert MetricsSettings().detail is MetricsDetail.STANDARD
    assert series_of(check, a_journey(ProbeKind.BROWSER, 5), MetricsDetail.STANDARD) <= 36
    assert series_of(check, a_journey(ProbeKind.HTTP, 1), MetricsDetail.STANDARD) < 118
    assert series_of(check, a_journey(ProbeKind.HTTP, 1), MetricsDetail.FULL) < 118


@pytest.mark.parametrize("detail", list(MetricsDetail))
@pytest.mark.parametrize("probe", list(ProbeKind))
@pytest.mark.parametrize(
    "check",
    [
        a_check(),
        a_check(satisfied_within=SATISFIED, customers_per_hour=3.0, value_per_customer=2.0),
        a_check(schedule=Schedule(cron="0 * * * *")),
    ],
    ids=["plain", "rated", "crontab"],
)
def test_what_is_foretold_is_what_comes(clock, detail, probe, check):
    journey = a_journey(probe, 3)
    metrics = lived(clock, detail, journey, check)
    assert series_of(check, journey, detail) == of_check(metrics)
    assert value(metrics, "faultline_series") == of_check(metrics)


def test_failing_in_a_new_way_adds_three_series_and_in_the_same_way_none(clock):
    metrics = lived(clock, MetricsDetail.STANDARD, a_journey(ProbeKind.HTTP, 1), a_check())
    before = of_check(metrics)
    step = StepResult(name="step-0", title="Do", outcome=StepOutcome.FAILED)
    failed = a_run(evidence=an_evidence(attempts=(an_attempt(steps=(step,)),)), judgement=a_failure())
    metrics.publish(failed)
    assert of_check(metrics) == before + 3
    for number in range(100):
        metrics.publish(replace(failed, run_id=f"run-{number}"))
    assert of_check(metrics) == before + 3


def test_what_the_monitor_says_of_itself_fits_its_room(metrics):
    touch_everything(metrics)
    ours = [line for line in lines(metrics) if "journey=" not in line and "third_party=" not in line]
    assert len(ours) <= OF_OURSELVES


TEXT = """\
location: office
targets: {shop: {base_url: "https://www.example.com"}}
metrics: {detail: DETAIL, series_limit: 1000}
checks:
  - {journey: buy, every: 1m, satisfied_within: 2s}
  - {journey: api, every: 30s}
  - {journey: resting, enabled: false}
"""
CATALOGUE = JourneyCatalogue(
    journeys=(
        replace(a_journey(ProbeKind.BROWSER, 5), name="buy"),
        replace(a_journey(ProbeKind.HTTP, 1), name="api"),
    )
)


@pytest.fixture
def loaded(tmp_path) -> Callable[[str], Settings]:
    def load_text(text: str) -> Settings:
        path = tmp_path / "monitor.yaml"
        path.write_text(text, "utf-8")
        return load(path, {})

    return load_text


def test_a_forecast_adds_up_the_series_of_all_checks_that_run(loaded):
    expected = forecast_series(loaded(TEXT.replace("DETAIL", "standard")), CATALOGUE)
    assert expected.kinds == (("browser", 5, 36, 1), ("http", 1, 28, 1))
    assert expected.of_checks == 36 + 28 + 3
    assert expected.total == expected.of_checks + OF_OURSELVES
    assert list(rendered(expected)) == [
        "metric series     about 317 at detail standard",
        "  browser, 5 steps 36 each of 1 check",
        "  http, 1 step    28 each of 1 check",
    ]


def test_more_series_than_the_limit_are_warned_of_with_a_remedy(loaded):
    settings = loaded(TEXT.replace("DETAIL", "full"))
    many = replace(settings, checks=tuple(replace(settings.checks[0], name=f"buy-{n}") for n in range(12)))
    assert list(rendered(forecast_series(many, CATALOGUE)))[-1] == (
        "warning: 1,311 series of checks do not fit the limit of 1,000, and some will be missing: "
        "set metrics.detail to standard or core, or raise metrics.series_limit"
    )


def test_a_heavy_load_is_warned_of_below_the_limit(loaded):
    settings = loaded(TEXT.replace("DETAIL", "standard").replace("1000", "500000"))
    many = replace(settings, checks=tuple(replace(settings.checks[0], name=f"buy-{n}") for n in range(3000)))
    warning = forecast_series(many, CATALOGUE).warnings[0]
    assert warning == "108,253 series are a heavy load for one Prometheus: set metrics.detail to core"


def test_growth_past_the_limit_is_refused_and_counted(clock):
    metrics = Metrics(clock=clock, location="here", version="1", series_limit=100)
    metrics.configure([a_check(name=f"c{number}", journey=f"j{number}") for number in range(50)])
    assert value(metrics, "faultline_series") <= 100
    assert value(metrics, "faultline_series") == len([line for line in lines(metrics) if 'journey="' in line])
    refused = value(metrics, "faultline_series_refused_total")
    assert refused > 0
    metrics.publish(a_run(check=a_check(name="c49", journey="j49")))
    assert value(metrics, "faultline_series") <= 100
    assert value(metrics, "faultline_series_refused_total") > refused
    assert value(metrics, "faultline_prober_faults_total") == 0
