from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from monitor.config.forecast import forecast, rendered
from monitor.config.settings import Settings
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind, StepOutline

CATALOGUE = JourneyCatalogue(
    journeys=(
        JourneyOutline(
            name="checkout",
            title="Buy",
            probe=ProbeKind.BROWSER,
            steps=(StepOutline(name="home", title="Home"), StepOutline(name="pay", title="Pay")),
            budget=dt.timedelta(seconds=20),
        ),
        JourneyOutline(name="api", title="Ask", probe=ProbeKind.HTTP, steps=(StepOutline(name="ask", title="Ask"),)),
        JourneyOutline(name="nightly", title="Count", probe=ProbeKind.HTTP, steps=()),
    ),
)
TEXT = """\
location: office
targets: {shop: {base_url: "https://www.example.com"}}
profiles: {phone: {device: Pixel 7}}
checks:
  - {journey: checkout, profile: [desktop, phone], every: 1m, deadline: 60s}
  - {journey: api, every: 30s}
  - {journey: nightly, cron: 0 0 * * *}
  - {journey: resting, enabled: false}
  - {journey: refused, secrets: {password: "${NO_SUCH}"}}
"""


def test_a_forecast_adds_up_what_the_checks_will_cause(loaded: Callable[..., Settings]):
    expected = forecast(loaded(TEXT), CATALOGUE)
    assert (expected.checks, expected.disabled, expected.refused) == (4, 1, 1)
    assert expected.runs_per_hour == pytest.approx(120 + 120 + 1 / 24)
    assert expected.browser_runs_per_hour == 120
    assert expected.browsers_typical == pytest.approx(2 * 20 / 60)
    assert expected.browsers_worst == pytest.approx(2.0)
    assert expected.browsers_needed == 1


def test_too_few_browsers_are_warned_of(loaded: Callable[..., Settings]):
    text = TEXT.replace("every: 1m, deadline: 60s", "every: 20s, deadline: 20s")
    lines = rendered(forecast(loaded(text), CATALOGUE))
    assert lines[-1] == (
        "warning: 3 browser workers are needed, 1 configured: "
        "raise workers.browsers or run browser checks less often, or slots will be skipped"
    )


def test_a_forecast_is_written_for_people(loaded: Callable[..., Settings]):
    assert rendered(forecast(loaded(TEXT), CATALOGUE))[:3] == (
        "checks            4 (1 disabled, 1 refused)",
        "runs per hour     240.0, 120.0 of them in a browser",
        "browsers at once  0.67 on average, 2.00 if every run takes all its time; 1 needed, 1 configured",
    )
