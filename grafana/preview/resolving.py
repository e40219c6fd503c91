"""What Grafana puts in the place of variables and macros before it asks Prometheus."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

_MENTION = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
_LABEL_VALUES = re.compile(r"label_values\(\s*(?:(.+)\s*,\s*)?(\w+)\s*\)\s*$", re.DOTALL)
_SPECIAL = re.compile(r"([\\^$.*+?()\[\]{}|/-])")
# Grafana rounds a step to a figure that people like: below the first number it becomes the second.
_STEPS = (
    (0.75, 0.5), (1.5, 1), (3.5, 2), (7.5, 5), (12.5, 10), (17.5, 15), (25, 20), (45, 30), (90, 60), (210, 120),
    (450, 300), (750, 600), (1050, 900), (1500, 1200), (2700, 1800), (5400, 3600), (9000, 7200), (16200, 10800),
    (32400, 21600), (86400, 43200), (604800, 86400),
)  # fmt: skip
_SCRAPES = 4
ALL = "$__all"

LabelValues = Callable[[str, str], Awaitable[tuple[str, ...]]]
Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that a dashboard shows, and how often the data source scrapes; all in seconds."""

    start: float
    end: float
    scrape: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start

    def step(self, points: int, least: str = "") -> float:
        """Return the step of a panel so many points wide; ``least`` is the panel's own smallest interval."""
        smallest = max(self.scrape, duration(least) if least else 0.0)
        wanted = self.seconds / max(points, 1)
        rounded = next((step for limit, step in _STEPS if wanted < limit), 604800)
        return max(rounded, smallest)


def duration(text: str) -> float:
    """Return the seconds of ``15m`` or ``>30s``."""
    found = re.fullmatch(r">?(\d+(?:\.\d+)?)(ms|s|m|h|d|w)?", text.strip())
    assert found is not None, f"{text!r} is no duration"
    return float(found[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, None: 1}[found[2]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Knows what is chosen in the variables of one dashboard."""

    window: Window
    values: Values
    everything: Mapping[str, str]

    def resolved(self, text: str, step: float) -> str:
        """Return the text with all macros and variables replaced; an unknown name is an error."""

        def replaced(found: re.Match[str]) -> str:
            name = found[1] or found[3]
            macro = self._macros(step).get(name)
            return macro if macro is not None else self._variable(name, found[2] or "")

        return _MENTION.sub(replaced, text)

    def _macros(self, step: float) -> Mapping[str, str]:
        rate = max(step + self.window.scrape, _SCRAPES * self.window.scrape)
        seconds = self.window.seconds
        return {
            "__interval": f"{step:g}s",
            "__interval_ms": f"{step * 1000:.0f}",
            "__rate_interval": f"{rate:g}s",
            "__range": f"{seconds:.0f}s",
            "__range_s": f"{seconds:.0f}",
            "__range_ms": f"{seconds * 1000:.0f}",
            "__from": f"{self.window.start * 1000:.0f}",
            "__to": f"{self.window.end * 1000:.0f}",
        }

    def _variable(self, name: str, form: str) -> str:
        assert name in self.values, f"no variable {name!r}: there are {sorted(self.values)}"
        chosen = self.values[name]
        if chosen == (ALL,):
            return self.everything[name]
        match form:
            case "csv":
                return ",".join(chosen)
            case "pipe":
                return "|".join(chosen)
            case "raw" | "text":
                return chosen[0] if len(chosen) == 1 else "{" + ",".join(chosen) + "}"
            case _:
                escaped = [_SPECIAL.sub(r"\\\\\1", value) for value in chosen]
                return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


async def chosen_by_default(
    variables: tuple[Mapping[str, Any], ...],
    window: Window,
    label_values: LabelValues,
    wanted: Values | None = None,
) -> Resolver:
    """Return a resolver for what the dashboard shows first: all where that is offered, else the first value."""
    values: dict[str, tuple[str, ...]] = dict(wanted or {})
    everything = {str(each["name"]): str(each.get("allValue") or ".*") for each in variables}
    left = [each for each in variables if each["name"] not in values]
    for variable in left:
        if variable.get("includeAll"):
            values[variable["name"]] = (ALL,)
    for variable in left:
        if variable["name"] not in values:
            resolver = Resolver(window=window, values=values, everything=everything)
            values[variable["name"]] = await _first(variable, resolver, label_values)
    return Resolver(window=window, values=values, everything=everything)


async def _first(variable: Mapping[str, Any], resolver: Resolver, label_values: LabelValues) -> tuple[str, ...]:
    match variable["type"]:
        case "datasource":
            return ("prometheus",)
        case "custom" | "constant" | "textbox" | "interval":
            current = variable.get("current", {}).get("value") or str(variable.get("query", "")).partition(",")[0]
            return tuple(current) if isinstance(current, list) else (str(current).strip(),)
        case _:
            return (await options_of(variable, resolver, label_values))[:1] or ("",)


async def options_of(variable: Mapping[str, Any], resolver: Resolver, label_values: LabelValues) -> tuple[str, ...]:
    """Return what a query variable offers."""
    asked = variable["query"]
    query = resolver.resolved(asked["query"] if isinstance(asked, dict) else asked, resolver.window.scrape)
    found = _LABEL_VALUES.match(query)
    assert found is not None, f"variable {variable['name']}: {query!r} is not read"
    values = await label_values(found[1] or "", found[2])
    pattern = str(variable.get("regex") or "").strip("/")
    if not pattern:
        return values
    kept = (re.search(pattern.replace(r"\/", "/"), value) for value in values)
    return tuple(match[1] if match.re.groups else match[0] for match in kept if match)
