"""Reads the committed dashboards: their panels, their expressions, and what is defined for these."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "grafana" / "dashboards"
# What Grafana fills in before it asks Prometheus, with values of the same type.
MACROS = {
    "__rate_interval": "16m",
    "__interval": "15m",
    "__range": "86400s",
}
# What Grafana fills in in links.
BUILT_IN = frozenset({*MACROS, "__all", "__from", "__to", "__url_time_range", "__field", "__value", "__data"})
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)[^}]*\}|(?P<bare>\w+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """One expression and where it stands; ``instant`` expressions are asked for one moment."""

    dashboard: str
    place: str
    text: str
    instant: bool = False

    def expanded(self, values: dict[str, str] | None = None) -> str:
        """Return the expression as Prometheus gets it; variables become ``.*`` unless a value is given."""
        known = {**MACROS, **(values or {})}
        return _VARIABLE.sub(lambda found: known.get(found["braced"] or found["bare"], ".*"), self.text)


def dashboards() -> dict[str, dict[str, Any]]:
    """Return the committed dashboards by uid."""
    found = (json.loads(path.read_text()) for path in sorted(FOLDER.rglob("*.json")))
    return {dashboard["uid"]: dashboard for dashboard in found}


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all panels but the headings of sections."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions(dashboard: dict[str, Any]) -> Iterator[Expression]:
    """Yield the expressions of panels, annotations and variables."""
    uid = dashboard["uid"]
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            place = f"{panel['title']} {target['refId']}"
            yield Expression(dashboard=uid, place=place, text=target["expr"], instant=target["instant"])
    for annotation in dashboard["annotations"]["list"]:
        yield Expression(dashboard=uid, place=f"annotation {annotation['name']}", text=annotation["expr"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            series = variable["query"].removeprefix("label_values(").rpartition(",")[0]
            yield Expression(dashboard=uid, place=f"variable {variable['name']}", text=series, instant=True)


def used_variables(text: str) -> set[str]:
    """Return the names of the variables that a text mentions."""
    return {found["braced"] or found["bare"] for found in _VARIABLE.finditer(text)}


def texts(value: Any) -> Iterator[str]:
    """Yield every text within a piece of JSON."""
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from texts(each)
        case dict():
            for each in value.values():
                yield from texts(each)
