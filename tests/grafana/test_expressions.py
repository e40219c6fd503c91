"""Every expression is PromQL, and every name in it exists: in the catalogue, in a rule, or in Prometheus itself."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import promql_parser
import pytest
import yaml

from monitor.publishing.catalogue import FAMILIES
from monitor.publishing.series import Kind
from tests.grafana.reading import ROOT, dashboards, expressions, panels, texts, used_variables

RULES = ROOT / "config" / "prometheus" / "rules"
COMMITTED = dashboards()
ASKED = [each for dashboard in COMMITTED.values() for each in expressions(dashboard)]
# What Prometheus makes itself: of alerts, and of every target it scrapes.
OF_PROMETHEUS = {
    "ALERTS": None,
    "ALERTS_FOR_STATE": None,
    "up": frozenset(),
    "scrape_duration_seconds": frozenset(),
    "scrape_samples_scraped": frozenset(),
}
OF_TARGETS = frozenset({"job", "instance"})
SUFFIXES = {Kind.HISTOGRAM: ("_bucket", "_sum", "_count"), Kind.SUMMARY: ("_sum", "_count")}
# Families that no dashboard and no rule needs, each with its reason.
NOT_SHOWN: dict[str, str] = {}


def rules() -> list[dict[str, str]]:
    groups = [group for path in sorted(RULES.glob("*.yml")) for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


RECORDED = {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


def exposed() -> dict[str, frozenset[str]]:
    """Return the labels of every series' name that the catalogue promises."""
    found = {}
    for family in FAMILIES:
        labels = frozenset(family.labels)
        for suffix in SUFFIXES.get(family.kind, ("",)):
            found[family.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


EXPOSED = exposed()


def selectors(node: object) -> Iterator[promql_parser.VectorSelector]:
    """Yield every selector within an expression."""
    match node:
        case promql_parser.VectorSelector():
            yield node
        case promql_parser.MatrixSelector():
            yield node.vector_selector
        case promql_parser.BinaryExpr():
            yield from selectors(node.lhs)
            yield from selectors(node.rhs)
        case promql_parser.AggregateExpr():
            yield from selectors(node.expr)
        case promql_parser.Call():
            for each in node.args:
                yield from selectors(each)
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr() | promql_parser.SubqueryExpr():
            yield from selectors(node.expr)


def parsed(text: str) -> promql_parser.Expr:
    return promql_parser.parse(text)


def names(text: str) -> set[str]:
    return {each.name for each in selectors(parsed(text)) if each.name}


@pytest.mark.parametrize("uid", COMMITTED)
def test_every_expression_is_promql(uid):
    for each in expressions(COMMITTED[uid]):
        try:
            parsed(each.expanded())
        except ValueError as error:
            pytest.fail(f"{each.place}: {error}: {each.text}")


def test_a_wrong_type_is_found():
    with pytest.raises(ValueError, match="expected type matrix"):
        parsed("rate(faultline_journey_runs_total)")


@pytest.mark.parametrize("uid", COMMITTED)
def test_every_variable_of_an_expression_is_defined(uid):
    defined = {variable["name"] for variable in COMMITTED[uid]["templating"]["list"]}
    for each in expressions(COMMITTED[uid]):
        assert {name for name in used_variables(each.text) if not name.startswith("__")} <= defined, each.place


@pytest.mark.parametrize("uid", COMMITTED)
def test_every_metric_that_is_asked_for_exists(uid):
    known = {*EXPOSED, *RECORDED, *OF_PROMETHEUS}
    asked = {name: each.place for each in expressions(COMMITTED[uid]) for name in names(each.expanded())}
    assert {name: place for name, place in asked.items() if name not in known} == {}


def test_every_metric_in_a_rule_exists():
    known = {*EXPOSED, *RECORDED, *OF_PROMETHEUS}
    for rule in rules():
        assert names(rule["expr"]) <= known, rule.get("record") or rule["alert"]


def matchers(text: str) -> Iterator[tuple[str, str]]:
    for selector in selectors(parsed(text)):
        for matcher in selector.matchers.matchers:
            yield selector.name, matcher.name


@pytest.mark.parametrize(
    ("place", "text"),
    [
        *((f"{each.dashboard} {each.place}", each.expanded()) for each in ASKED),
        *((rule.get("record") or rule["alert"], rule["expr"]) for rule in rules()),
    ],
)
def test_every_label_that_a_metric_is_chosen_by_exists(place, text):
    for metric, label in matchers(text):
        if metric in EXPOSED:
            assert label in EXPOSED[metric] | OF_TARGETS, f"{place}: {metric} has no label {label}"


def grouped(node: object) -> Iterator[tuple[promql_parser.AggregateExpr, set[str]]]:
    """Yield every sum by labels directly over one metric's selector, with these labels."""
    if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
        kind, labels = str(node.modifier.type), set(node.modifier.labels)
        if kind.lower().endswith("by"):
            yield node, labels
    for inside in children(node):
        yield from grouped(inside)


def children(node: object) -> list[object]:
    match node:
        case promql_parser.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql_parser.Call():
            return list(node.args)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return [node.expr]
        case promql_parser.SubqueryExpr():
            return [node.expr]
    return []


def direct(node: object) -> str | None:
    """Return the metric that an expression is about, if it is a selector or a function of one."""
    match node:
        case promql_parser.VectorSelector():
            return node.name
        case promql_parser.MatrixSelector():
            return node.vector_selector.name
        case promql_parser.Call() if len(node.args) == 1:
            return direct(node.args[0])
        case promql_parser.ParenExpr():
            return direct(node.expr)
    return None


def test_every_label_that_is_kept_exists():
    texts_of_rules = [(rule.get("record") or rule["alert"], rule["expr"]) for rule in rules()]
    for place, text in [*((each.place, each.expanded()) for each in ASKED), *texts_of_rules]:
        for node, labels in grouped(parsed(text)):
            metric = direct(node.expr)
            if metric in EXPOSED:
                assert labels <= EXPOSED[metric] | OF_TARGETS, f"{place}: {metric} has no labels {labels}"


def test_every_label_in_a_legend_or_a_link_exists():
    known = {label for labels in EXPOSED.values() for label in labels} | OF_TARGETS
    for uid, dashboard in COMMITTED.items():
        for panel in panels(dashboard):
            for target in panel.get("targets", ()):
                assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= known, (uid, panel["title"])
            for text in texts(panel):
                assert set(re.findall(r"__field\.labels\.(\w+)", text)) <= known, (uid, panel["title"])


def test_every_field_in_a_link_of_a_table_is_a_column():
    for uid, dashboard in COMMITTED.items():
        for panel in panels(dashboard):
            if panel["type"] != "table":
                continue
            organized = next(each for each in panel["transformations"] if each["id"] == "organize")
            columns = set(organized["options"]["renameByName"].values())
            for text in texts(panel["fieldConfig"]):
                assert set(re.findall(r"__data\.fields\.(\w+)", text)) <= columns, (uid, panel["title"])


def test_every_metric_of_the_catalogue_is_shown_or_watched_or_has_a_reason_not_to_be():
    asked = {name for each in ASKED for name in names(each.expanded())}
    asked |= {name for rule in rules() for name in names(rule["expr"])}
    used = defaultdict(bool)
    for family in FAMILIES:
        for suffix in SUFFIXES.get(family.kind, ("",)):
            used[family.name] |= family.name + suffix in asked
    orphans = {name for name, seen in used.items() if not seen}
    assert orphans == set(NOT_SHOWN)
    assert all(len(reason) > 20 for reason in NOT_SHOWN.values())
