"""The weeks before the day, coarse: counters that grow as planned but for some failures: budgets need a past."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from tests.grafana.live.cast import CHECKS
from tests.grafana.live.remote_write import RemoteWriter, moment

STEP = 900
_DAY = 86400
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_STATED = (
    "faultline_journey_info", "faultline_journey_slo_objective_ratio", "faultline_journey_interval_seconds",
    "faultline_journey_slo_latency_threshold_seconds", "faultline_journey_customers_per_hour",
    "faultline_journey_value_per_customer", "faultline_third_party_objective_ratio", "faultline_step_info",
)  # fmt: skip
_INTERVALS = {(check.journey, check.profile.name): check.interval for check in CHECKS}
# The share of days on which a check had a bad quarter of an hour, by whose fault that was.
_BAD_DAYS = {"own_infrastructure": 0.1, "third_party": 0.08, "client_environment": 0.03, "undetermined": 0.02}


@dataclass(slots=True)
class _Grown:
    """A series of the past: what it grows by in one step, unless this step was a bad one."""

    name: str
    labels: Mapping[str, str]
    value: float
    growth: float

    @property
    def check(self) -> tuple[str, str]:
        """The check that it belongs to."""
        return self.labels.get("journey", ""), self.labels.get("profile", "")


def write(writer: RemoteWriter, exposition: str, target: Mapping[str, str], *, start: float, days: int) -> None:
    """Write the days before ``start``, in seconds since 1970, for the series that the exposition of a monitor names."""
    series = list(_grown(exposition))
    random = Random(7)
    bad: dict[tuple[str, str], str] = {}
    for step in range(days * _DAY // STEP):
        at = moment(start - days * _DAY + step * STEP)
        if step % (_DAY // STEP) == 0:
            hours = {check: random.randrange(_DAY // STEP) for check in _INTERVALS}
            causes = {check: _drawn(random) for check in _INTERVALS}
        bad = {check: cause for check, cause in causes.items() if cause and hours[check] == step % (_DAY // STEP)}
        for each in series:
            each.value += _growth(each, bad.get(each.check, ""))
            writer.series(__name__=each.name, **each.labels, **target).add(at, each.value)
        if step % 500 == 0:
            writer.flush()
    writer.flush()


def _drawn(random: Random) -> str:
    for cause, share in _BAD_DAYS.items():
        if random.random() < share:
            return cause
    return ""


def _growth(series: _Grown, cause: str) -> float:
    """Return the growth of one step; in a bad one half of the runs fail."""
    if series.name == "faultline_journey_run_failures_total":
        return series.growth / 2 if series.labels["cause"] == cause else 0.0
    if series.name == "faultline_journey_experience_runs_total":
        share = {"satisfied": 0.97, "tolerating": 0.03, "frustrated": 0.0}
        if cause:
            share = {"satisfied": 0.4, "tolerating": 0.1, "frustrated": 0.5}
        return series.growth * share[series.labels["rating"]]
    return series.growth


def _grown(exposition: str) -> Iterator[_Grown]:
    for line in exposition.splitlines():
        key, _, value = line.partition(" # ")[0].rpartition(" ")
        name, _, inside = key.partition("{")
        labels = dict(_LABEL.findall(inside))
        interval = _INTERVALS.get((labels.get("journey", ""), labels.get("profile", "")))
        if name in _STATED:
            yield _Grown(name, labels, float(value), 0.0)
        elif name == "faultline_third_party_requests_total":
            yield _Grown(name, labels, 0.0, 30.0)
        elif name.removeprefix("faultline_journey_") in {
            "runs_total", "run_failures_total", "slots_total", "experience_runs_total",
        } and interval:  # fmt: skip
            yield _Grown(name, labels, 0.0, STEP / interval.total_seconds())
