"""What a configuration will cause: runs and browsers, before anything is started."""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitor.config.crontab import moments_per_year
from monitor.config.settings import Settings
from monitor.domain.check import Check
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind

_HOURS_PER_YEAR = 365 * 24
# Above this share of the time in use, runs that come together wait for each other noticeably.
_COMFORTABLE = 0.7
_TYPICAL_SHARE_OF_DEADLINE = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What to expect of a configuration.

    Attributes:
        browsers_typical: Browsers busy at a time on average: with budgets, or a third of the deadlines, as run times.
        browsers_worst: The same if every run takes until its deadline.
        browsers_needed: Browser workers that carry the typical load without noticeable waiting.
    """

    checks: int
    disabled: int
    refused: int
    runs_per_hour: float
    browser_runs_per_hour: float
    browsers_typical: float
    browsers_worst: float
    browsers_needed: int
    browsers_configured: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what should be changed before the start, each with its remedy."""
        found = []
        if self.browsers_needed > self.browsers_configured:
            needed = self.browsers_needed
            workers = "1 browser worker is" if needed == 1 else f"{needed} browser workers are"
            counts = f"{workers} needed, {self.browsers_configured} configured"
            remedy = "raise workers.browsers or run browser checks less often, or slots will be skipped"
            found.append(f"{counts}: {remedy}")
        return tuple(found)


def forecast(settings: Settings, catalogue: JourneyCatalogue) -> Forecast:
    """Return what the checks of a configuration will cause; a journey that is not known counts as an HTTP one."""
    journeys = {journey.name: journey for journey in catalogue.journeys}
    active = [check for check in settings.checks if check.enabled]
    in_browser = [
        check for check in active if check.journey in journeys and journeys[check.journey].probe is ProbeKind.BROWSER
    ]
    typical = sum(_typical_seconds(check, journeys[check.journey]) * _per_hour(check) / 3600 for check in in_browser)
    worst = sum(check.deadline.total_seconds() * _per_hour(check) / 3600 for check in in_browser)
    return Forecast(
        checks=len(active),
        disabled=len(settings.checks) - len(active),
        refused=len(settings.refused),
        runs_per_hour=sum(_per_hour(check) for check in active),
        browser_runs_per_hour=sum(_per_hour(check) for check in in_browser),
        browsers_typical=typical,
        browsers_worst=worst,
        browsers_needed=math.ceil(typical / _COMFORTABLE),
        browsers_configured=settings.workers.browsers,
    )


def rendered(forecast: Forecast) -> tuple[str, ...]:
    """Return a forecast as lines for a person."""
    others = [f"{forecast.disabled} disabled"] if forecast.disabled else []
    others += [f"{forecast.refused} refused"] if forecast.refused else []
    aside = f" ({', '.join(others)})" if others else ""
    load = f"{forecast.browsers_typical:.2f} on average, {forecast.browsers_worst:.2f} if every run takes all its time"
    return (
        f"checks            {forecast.checks:,}{aside}",
        f"runs per hour     {forecast.runs_per_hour:,.1f}, {forecast.browser_runs_per_hour:,.1f} of them in a browser",
        f"browsers at once  {load}; {forecast.browsers_needed} needed, {forecast.browsers_configured} configured",
        *(f"warning: {warning}" for warning in forecast.warnings),
    )


def _per_hour(check: Check) -> float:
    if check.schedule.interval is not None:
        return 3600 / check.schedule.interval.total_seconds()
    return moments_per_year(check.schedule.cron or "") / _HOURS_PER_YEAR


def _typical_seconds(check: Check, journey: JourneyOutline) -> float:
    budget = check.budget or journey.budget
    return budget.total_seconds() if budget else check.deadline.total_seconds() * _TYPICAL_SHARE_OF_DEADLINE
