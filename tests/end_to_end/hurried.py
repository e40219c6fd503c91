"""The shipped rules and routes with a faster clock, so that a test sees an outage from its beginning to its end.

One factor divides every length of time that a rule or a route waits for or looks back over: ``for``, ``interval``,
``keep_firing_for``, range windows, steps of subqueries, offsets and the top of each hour, in expressions and in the
queries of annotations; and ``group_wait``, ``group_interval`` and ``repeat_interval``. Nothing else changes: names keep
the window that they were given (``increase1h``), thresholds stay, and so do numbers of seconds that are compared with
times of the monitor.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_DURATION = r"(?:\d+(?:ms|[smhdwy]))+"
_WINDOW = re.compile(rf"\[({_DURATION})(?::({_DURATION}))?\]")
_OFFSET = re.compile(rf"\boffset ({_DURATION})\b")
_EACH = re.compile(r"\btime\(\) % (\d+(?:\.\d+)?)\) < (\d+(?:\.\d+)?)")
_WAITS = ("for", "keep_firing_for", "interval")
_ROUTE_WAITS = ("group_wait", "group_interval", "repeat_interval")


def milliseconds(duration: str) -> int:
    """Return how long a duration of Prometheus or Alertmanager is."""
    parts = _PART.findall(duration)
    assert "".join(number + unit for number, unit in parts) == duration, duration
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def hurried(duration: str, factor: float) -> str:
    """Return a duration divided by the factor, to the millisecond; what was something stays something."""
    return f"{math.ceil(milliseconds(duration) / factor)}ms"


def hurried_expression(text: str, factor: float) -> str:
    """Return an expression, or a text with queries in it, whose windows and offsets are divided by the factor."""

    def window(found: re.Match[str]) -> str:
        return "[" + ":".join(hurried(part, factor) for part in found.groups() if part) + "]"

    text = _EACH.sub(lambda found: f"time() % {float(found[1]) / factor:g}) < {float(found[2]) / factor:g}", text)
    return _OFFSET.sub(lambda found: f"offset {hurried(found[1], factor)}", _WINDOW.sub(window, text))


def hurried_rules(text: str, factor: float) -> dict[str, Any]:
    """Return a file of rules with a clock that is so many times faster."""
    return {"groups": [_hurried_group(group, factor) for group in yaml.safe_load(text)["groups"]]}


def hurried_routes(text: str, factor: float, urls: Path) -> dict[str, Any]:
    """Return Alertmanager's configuration with a faster clock, and a notifier below the name of each receiver.

    The notifiers are those that the shipped file shows: a webhook whose address stands in a file, ``urls`` / its name.
    """
    config: dict[str, Any] = yaml.safe_load(text)
    receivers = [
        {**receiver, "webhook_configs": [{"url_file": str(urls / receiver["name"]), "send_resolved": True}]}
        for receiver in config["receivers"]
    ]
    return {**config, "route": _hurried_route(config["route"], factor), "receivers": receivers}


def _hurried_group(group: Mapping[str, Any], factor: float) -> dict[str, Any]:
    waits = _hurried_waits(group, _WAITS, factor)
    return {**group, **waits, "rules": [_hurried_rule(rule, factor) for rule in group["rules"]]}


def _hurried_rule(rule: Mapping[str, Any], factor: float) -> dict[str, Any]:
    changed: dict[str, Any] = _hurried_waits(rule, _WAITS, factor)
    changed["expr"] = hurried_expression(rule["expr"], factor)
    if "annotations" in rule:
        changed["annotations"] = {name: hurried_expression(text, factor) for name, text in rule["annotations"].items()}
    return {**rule, **changed}


def _hurried_route(route: Mapping[str, Any], factor: float) -> dict[str, Any]:
    changed: dict[str, Any] = _hurried_waits(route, _ROUTE_WAITS, factor)
    if "routes" in route:
        changed["routes"] = [_hurried_route(below, factor) for below in route["routes"]]
    return {**route, **changed}


def _hurried_waits(mapping: Mapping[str, Any], names: Sequence[str], factor: float) -> dict[str, Any]:
    return {name: hurried(mapping[name], factor) for name in names if name in mapping}
