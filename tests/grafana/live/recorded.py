"""The rules of the past: what Prometheus would have recorded and alerted had it run through the scripted day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.grafana.live.remote_write import RemoteWriter, moment
from tests.servers import ROOT, Prometheus, Sample

FOLDER = ROOT / "config" / "prometheus" / "rules"
STEP = 60
_PART = re.compile(r"(\d+)(ms|s|m|h|d|w|y)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A recording rule, or an alert with the seconds for which it must hold."""

    name: str
    expression: str
    alert: bool
    step: int
    holds: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)


def rules(folder: Path = FOLDER) -> tuple[Rule, ...]:
    """Return all rules in the order of their files and groups."""
    return tuple(
        rule
        for path in sorted(folder.glob("*.yml"), key=lambda path: ("record" not in path.stem, path.stem))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in _of_group(group)
    )


def _of_group(group: Mapping[str, Any]) -> Iterator[Rule]:
    step = max(STEP, int(_seconds(group.get("interval", "60s"))))
    for rule in group["rules"]:
        yield Rule(
            name=rule.get("record") or rule["alert"],
            expression=rule["expr"],
            alert="alert" in rule,
            step=step,
            holds=_seconds(rule.get("for", "0s")),
            labels=rule.get("labels", {}),
        )


def _seconds(text: str) -> float:
    return sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(text))


async def replay(
    prometheus: Prometheus, writer: RemoteWriter, *, start: float, end: float, step: int | None = None
) -> dict[str, int]:
    """Evaluate each rule over a time, in order, and write what it yields; returns how many series each yielded.

    With a ``step``, in seconds, only what is recorded is evaluated, and so often.
    """
    yielded: dict[str, int] = {}
    known = rules() if step is None else [replace(rule, step=step) for rule in rules() if not rule.alert]
    for rule in known:
        series = await prometheus.query_range(rule.expression, start=start, end=end, step=rule.step)
        yielded[rule.name] = yielded.get(rule.name, 0) + len(series)
        if rule.alert:
            _alerts(rule, series, writer, end)
        else:
            for each in series:
                _write(writer, {**each.labels, **rule.labels, "__name__": rule.name}, each.points, rule.step, end)
        writer.flush()
    return yielded


def _alerts(rule: Rule, series: Sequence[Sample], writer: RemoteWriter, end: float) -> None:
    """An alert is pending until it has held long enough, and firing from then on."""
    for each in series:
        states: dict[str, list[tuple[float, float]]] = {"pending": [], "firing": []}
        since = before = each.points[0][0]
        for at, _ in each.points:
            since = at if at - before > rule.step else since
            before = at
            states["firing" if at - since >= rule.holds else "pending"].append((at, 1.0))
        labels = {name: value for name, value in each.labels.items() if name != "__name__"}
        for state, points in states.items():
            named = {**labels, **rule.labels, "__name__": "ALERTS", "alertname": rule.name, "alertstate": state}
            _write(writer, named, points, rule.step, end)


def _write(
    writer: RemoteWriter, labels: Mapping[str, str], points: Sequence[tuple[float, float]], step: int, end: float
) -> None:
    series = writer.series(**{name: value for name, value in labels.items() if "{{" not in value})
    for place, (at, value) in enumerate(points):
        series.add(moment(at), value)
        after = points[place + 1][0] if place + 1 < len(points) else end + step
        if after - at > step and at + step <= end:
            series.end(moment(at + step))
