"""How many series a configuration will have, before anything is started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.config.settings import MetricsDetail, Settings
from monitor.domain.cause import Cause
from monitor.domain.check import Check
from monitor.domain.failure import Phase
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind
from monitor.publishing import of_checks, of_surroundings
from monitor.publishing.preparing import threshold_of
from monitor.publishing.ratings import Rating
from monitor.publishing.series import Family
from monitor.publishing.tables import families_of

OF_OURSELVES = 250
"""Room for what the monitor says of itself, whatever is configured."""
_MANY_SERIES = 100_000
_OF_VENDOR = sum(family.series for family in (of_surroundings.VENDOR_REQUESTS, of_surroundings.VENDOR_DURATION))
_IN_BROWSER = frozenset(
    family.name for family in (of_checks.LCP, of_checks.FCP, of_checks.TTFB, of_checks.INP, of_checks.CLS)
)
# A series of these appears with the first event of its kind.
_LATER = frozenset(
    family.name
    for family in (
        of_checks.FAILURE_DETAILS,
        of_checks.SKIPPED,
        of_checks.MISSED,
        of_checks.LOST,
        of_checks.CULPRITS,
        of_checks.STEP_FAILURES,
        of_checks.COLLATERAL,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesForecast:
    """What to expect of a configuration.

    Attributes:
        total: Series once every check has run, without those that appear with the first failure of a kind.
        of_checks: Those of checks and third parties, for which the limit holds.
        kinds: Probe, number of steps and series of each sort of check, with how many there are of it.
    """

    detail: MetricsDetail
    limit: int
    total: int
    of_checks: int
    kinds: tuple[tuple[str, int, int, int], ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what should be changed before the start, each with its remedy."""
        found = []
        if self.of_checks > self.limit:
            excess = f"{self.of_checks:,} series of checks do not fit the limit of {self.limit:,}"
            found.append(f"{excess}, and some will be missing: {_REMEDY[self.detail]}, or raise metrics.series_limit")
        elif self.total > _MANY_SERIES:
            found.append(f"{self.total:,} series are a heavy load for one Prometheus: {_REMEDY[self.detail]}")
        return tuple(found)


_REMEDY = {
    MetricsDetail.CORE: "check fewer profiles",
    MetricsDetail.STANDARD: "set metrics.detail to core",
    MetricsDetail.FULL: "set metrics.detail to standard or core",
}


def series_of(check: Check, outline: JourneyOutline | None, detail: MetricsDetail) -> int:
    """Return the series of a check that has run and did not fail; a journey that is not known counts as an HTTP one."""
    families = [family for family in families_of(detail) if family.name not in _LATER]
    return sum(_children(family, check, outline) * family.series for family in families)


def _children(family: Family, check: Check, outline: JourneyOutline | None) -> int:
    """Return how many sets of label values a family has of a check."""
    steps = len(outline.steps) if outline else 0
    browser = outline is not None and outline.probe is ProbeKind.BROWSER
    rated = threshold_of(check, outline) is not None
    counts = {
        of_checks.FAILURES.name: len(Cause),
        of_checks.INTERVAL.name: int(check.interval is not None),
        of_checks.LONGEST_GAP.name: int(check.interval is None),
        of_checks.EXPERIENCE.name: len(Rating) if rated else 0,
        of_checks.LATENCY_THRESHOLD.name: int(rated),
        of_checks.CUSTOMERS.name: int(check.customers_per_hour is not None),
        of_checks.CUSTOMER_VALUE.name: int(check.value_per_customer is not None),
        of_checks.STEP_INFO.name: steps,
        of_checks.STEP_DURATION.name: steps,
        of_checks.PHASES.name: len(Phase),
        of_checks.TRANSFER.name: 2 if browser else 0,
    }
    return counts.get(family.name, int(browser) if family.name in _IN_BROWSER else 1)


def forecast_series(settings: Settings, catalogue: JourneyCatalogue) -> SeriesForecast:
    """Return how many series the checks of a configuration will have."""
    journeys = {journey.name: journey for journey in catalogue.journeys}
    kinds = Counter(
        _kind(check, journeys.get(check.journey), settings.metrics.detail) for check in settings.checks if check.enabled
    )
    vendors = settings.ownership.vendors
    others = _OF_VENDOR * (len(vendors) + 1) + sum(vendor.objective is not None for vendor in vendors)
    counted = others + sum(series * number for (_, _, series), number in kinds.items())
    return SeriesForecast(
        detail=settings.metrics.detail,
        limit=settings.metrics.series_limit,
        total=counted + OF_OURSELVES,
        of_checks=counted,
        kinds=tuple((*kind, number) for kind, number in sorted(kinds.items(), key=lambda item: -item[0][2])),
    )


def _kind(check: Check, outline: JourneyOutline | None, detail: MetricsDetail) -> tuple[str, int, int]:
    probe = outline.probe if outline else ProbeKind.HTTP
    return probe.value, len(outline.steps) if outline else 0, series_of(check, outline, detail)


def rendered(forecast: SeriesForecast) -> Iterator[str]:
    """Yield a forecast as lines for a person."""
    yield f"metric series     about {forecast.total:,} at detail {forecast.detail.value}"
    for probe, steps, series, number in forecast.kinds:
        sort = f"{probe}, {steps} step{'' if steps == 1 else 's'}"
        yield f"  {sort:15} {series:,} each of {number:,} check{'' if number == 1 else 's'}"
    for warning in forecast.warnings:
        yield f"warning: {warning}"
