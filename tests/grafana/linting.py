"""The rules of Grafana's dashboard-linter, and those of this house, with exceptions that give their reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.grafana.reading import BUILT_IN, ROOT, expressions, panels, texts, used_variables

EXCEPTIONS = ROOT / "grafana" / ".lint"
_SELECTOR = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{[^{}]*\})?\[(?P<range>[^\]]+)\]")
_CALL = re.compile(r"\b(?P<call>rate|irate|increase)\((?P<name>[a-zA-Z_:][\w:]*)(?:\{[^{}]*\})?\[(?P<range>[^\]]+)\]")
_COUNTER = re.compile(r"(?<![\w:])(?P<name>[a-z][\w]*_total)(?:\{[^{}]*\})?(?P<after>\[)?")
# How a series is counted that appears with its first event.
_BIRTH = re.compile(r"clamp_max\((?P<one>[^()]*) unless (?P=one) offset (?P<window>\S+), 1\)")
_WINDOWS = frozenset({"$__rate_interval", "$__interval", "$__range"})

Finding = tuple[str, str]
Rule = Callable[[dict[str, Any]], Iterator[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a rule has against a place in a dashboard."""

    rule: str
    dashboard: str
    place: str
    told: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.dashboard}: {self.place}: {self.told}"


def complaints(dashboard: dict[str, Any]) -> list[Complaint]:
    """Return what the rules have against a dashboard, exceptions left out."""
    excluded = exceptions()
    return [
        found
        for rule, look in RULES.items()
        for place, told in look(dashboard)
        if not _excused(
            excluded.get(rule), found := Complaint(rule=rule, dashboard=dashboard["title"], place=place, told=told)
        )
    ]


def exceptions() -> Mapping[str, Any]:
    """Return the exceptions by rule, as dashboard-linter reads them."""
    return dict(yaml.safe_load(EXCEPTIONS.read_text())["exclusions"])


def _excused(exception: dict[str, Any] | None, found: Complaint) -> bool:
    if exception is None:
        return False
    entries = exception.get("entries")
    return entries is None or any(
        entry["dashboard"] == found.dashboard and entry.get("panel", found.place) == found.place for entry in entries
    )


def _variables(dashboard: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [variable for variable in dashboard["templating"]["list"] if variable["type"] == kind]


def template_datasource(dashboard: dict[str, Any]) -> Iterator[Finding]:
    found = [(each["name"], each["label"], each["query"]) for each in _variables(dashboard, "datasource")]
    if found != [("datasource", "Data source", "prometheus")]:
        yield "templating", f"the data source is to be one variable named datasource, found {found}"


def template_needed(name: str) -> Rule:
    def look(dashboard: dict[str, Any]) -> Iterator[Finding]:
        if not any(variable["name"] == name for variable in dashboard["templating"]["list"]):
            yield "templating", f"no variable {name}"

    return look


def target_needed(label: str) -> Rule:
    def look(dashboard: dict[str, Any]) -> Iterator[Finding]:
        for panel in panels(dashboard):
            if any(f'{label}=~"${label}"' not in target["expr"] for target in panel.get("targets", ())):
                yield panel["title"], f"no matcher of {label}"

    return look


def template_reload(dashboard: dict[str, Any]) -> Iterator[Finding]:
    for variable in _variables(dashboard, "query"):
        if variable["refresh"] != 2:
            yield variable["name"], "does not follow the time range"


def panel_datasource(dashboard: dict[str, Any]) -> Iterator[Finding]:
    asking = [panel for panel in panels(dashboard) if panel.get("targets")]
    for panel in asking:
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        if any(source != {"type": "prometheus", "uid": "${datasource}"} for source in sources):
            yield panel["title"], "asks another data source than the chosen one"


def panel_words(dashboard: dict[str, Any]) -> Iterator[Finding]:
    for panel in panels(dashboard):
        if not panel.get("title") or len(panel.get("description") or "") < 10:
            yield panel.get("title") or f"panel {panel['id']}", "needs a title and a description"


def panel_unit(dashboard: dict[str, Any]) -> Iterator[Finding]:
    for panel in panels(dashboard):
        if panel["type"] not in {"table", "text"} and panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
            yield panel["title"], f"has no unit that Grafana knows: {panel['fieldConfig']['defaults'].get('unit')}"
        for override in panel.get("fieldConfig", {}).get("overrides", ()):
            for each in override["properties"]:
                if each["id"] == "unit" and each["value"] not in UNITS:
                    yield panel["title"], f"has a unit that Grafana does not know: {each['value']}"


def panel_targets(dashboard: dict[str, Any]) -> Iterator[Finding]:
    for panel in panels(dashboard):
        if panel["type"] != "text" and not panel.get("targets"):
            yield panel["title"], "asks nothing"


def rate_interval(dashboard: dict[str, Any]) -> Iterator[Finding]:
    for each in expressions(dashboard):
        for call in _CALL.finditer(each.text):
            allowed = {"$__rate_interval", "$__range"} if call["call"] == "rate" else _WINDOWS
            if call["range"] not in allowed:
                yield each.place.rpartition(" ")[0], f"{call['call']} over {call['range']}"


def counters(dashboard: dict[str, Any]) -> Iterator[Finding]:
    for each in expressions(dashboard):
        if each.place.startswith("variable"):
            continue
        for found in _COUNTER.finditer(_BIRTH.sub("", each.text)):
            if not found["after"]:
                yield each.place.rpartition(" ")[0], f"{found['name']} without rate or increase"


def uneditable(dashboard: dict[str, Any]) -> Iterator[Finding]:
    if dashboard["editable"]:
        yield "dashboard", "is editable"


def manners(dashboard: dict[str, Any]) -> Iterator[Finding]:
    wanted = {"graphTooltip": 1, "timezone": "browser", "schemaVersion": 42}
    for name, value in wanted.items():
        if dashboard.get(name) != value:
            yield "dashboard", f"{name} is not {value}"
    if not dashboard["uid"].startswith("faultline-") or "faultline" not in dashboard["tags"]:
        yield "dashboard", "has no uid or tag of ours"


def gaps(dashboard: dict[str, Any]) -> Iterator[Finding]:
    for panel in panels(dashboard):
        if panel["type"] in {"timeseries", "state-timeline"}:
            custom = panel["fieldConfig"]["defaults"]["custom"]
            if custom.get("spanNulls") is not False:
                yield panel["title"], "draws over gaps"
        if panel["type"] != "text" and not panel["fieldConfig"]["defaults"].get("noValue"):
            yield panel["title"], "does not say what nothing means"


def variables(dashboard: dict[str, Any]) -> Iterator[Finding]:
    defined = {variable["name"] for variable in dashboard["templating"]["list"]}
    asked = dict(dashboard, templating=[{**each, "name": ""} for each in dashboard["templating"]["list"]])
    used = {name for text in texts(asked) for name in used_variables(text)} - BUILT_IN
    for name in sorted(used - defined):
        yield "templating", f"${name} is used and not defined"
    for name in sorted(defined - used):
        yield "templating", f"${name} is defined and not used"


def links(dashboard: dict[str, Any]) -> Iterator[Finding]:
    for text in texts(dashboard["panels"]):
        if "/d/faultline-" in text and text.partition("/d/")[2].partition("?")[0] not in UIDS:
            yield "links", f"{text} leads nowhere"


UIDS = frozenset(
    f"faultline-{name}"
    for name in (
        "command-centre",
        "journeys",
        "journey",
        "root-causes",
        "third-parties",
        "objectives",
        "team",
        "places",
        "monitor-health",
    )
)
UNITS = frozenset(
    {
        "locale",
        "none",
        "s",
        "bytes",
        "percentunit",
        "dateTimeFromNow",
        "dateTimeAsIso",
        "suffix: min",
        "suffix: d",
        "suffix: runs",
        "suffix: points",
    }
)
RULES: Mapping[str, Rule] = {
    "template-datasource-rule": template_datasource,
    "template-job-rule": template_needed("job"),
    "template-instance-rule": template_needed("instance"),
    "template-on-time-change-reload-rule": template_reload,
    "panel-datasource-rule": panel_datasource,
    "panel-title-description-rule": panel_words,
    "panel-units-rule": panel_unit,
    "panel-no-targets-rule": panel_targets,
    "target-rate-interval-rule": rate_interval,
    "target-job-rule": target_needed("job"),
    "target-instance-rule": target_needed("instance"),
    "target-counter-agg-rule": counters,
    "uneditable-dashboard-rule": uneditable,
    "house-manners-rule": manners,
    "house-gaps-rule": gaps,
    "house-variables-rule": variables,
    "house-links-rule": links,
}
