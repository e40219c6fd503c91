"""The series of a check that exist before its first run: at zero, or with what the configuration says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.domain.check import Check
from monitor.domain.journey import JourneyOutline
from monitor.publishing import of_checks
from monitor.publishing.counting import CAUSES
from monitor.publishing.ratings import Rating
from monitor.publishing.series import Family
from monitor.publishing.tables import Tables

Statement = tuple[Family, tuple[str, ...], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the series of every check are made with.

    Attributes:
        location: The place that we look from.
        currency: In what values per customer are given.
        maintained: Names of the checks that are under maintenance just now.
        gaps: The longest times between two slots of checks with a crontab, by name of the check.
    """

    location: str
    currency: str
    maintained: frozenset[str]
    gaps: Mapping[str, dt.timedelta]


def place_of(check: Check) -> tuple[str, str, str]:
    """Return the label values that are a check's."""
    return check.journey, check.target.name, check.profile.name


def threshold_of(check: Check, outline: JourneyOutline | None) -> float | None:
    """Return the seconds up to which customers are satisfied: as stated, or the budget of the check or its journey."""
    threshold: dt.timedelta | None = check.satisfied_within or check.budget or (outline.budget if outline else None)
    return threshold.total_seconds() if threshold else None


def stated(check: Check, outline: JourneyOutline | None, known: Prepared) -> Iterator[Statement]:
    """Yield what the configuration says of a check."""
    place, limit = place_of(check), threshold_of(check, outline)
    facts = (check.name, outline.probe.value if outline else "", check.team or "", check.service or "")
    yield of_checks.INFO, (*place, *facts, str(check.tier), check.process or ""), 1.0
    yield of_checks.OBJECTIVE, place, check.objective
    yield of_checks.MAINTENANCE, place, float(check.name in known.maintained)
    if check.interval is not None:
        yield of_checks.INTERVAL, place, check.interval.total_seconds()
    elif check.name in known.gaps:
        yield of_checks.LONGEST_GAP, place, (known.gaps[check.name] + check.deadline).total_seconds()
    if limit is not None:
        yield of_checks.LATENCY_THRESHOLD, place, limit
    if check.customers_per_hour is not None:
        yield of_checks.CUSTOMERS, place, check.customers_per_hour
    if check.value_per_customer is not None:
        yield of_checks.CUSTOMER_VALUE, (*place, known.currency), check.value_per_customer
    for position, step in enumerate(outline.steps if outline else (), start=1):
        yield of_checks.STEP_INFO, (*place, step.name, str(position), step.capability or ""), 1.0


def prepare(tables: Tables, check: Check, known: Prepared, *, rated: bool) -> None:
    """Let the counters of a check begin at zero; ``rated`` is whether its experience is."""
    place = place_of(check)
    here = (*place, known.location)
    for family in (of_checks.RUNS, of_checks.INCONCLUSIVE):
        tables.value(family).at(*here)
    for cause in CAUSES:
        tables.value(of_checks.FAILURES).at(*here, cause.value)
    if tables.more:
        for family in (of_checks.DEGRADED, of_checks.RECOVERED):
            tables.value(family).at(*here)
        tables.value(of_checks.SLOTS).at(*place)
        tables.spread(of_checks.DURATION).at(*here)
        for rating in Rating if rated else ():
            tables.value(of_checks.EXPERIENCE).at(*here, rating.value)
