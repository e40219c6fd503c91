"""The shipped rules and their tests, read for the tests of both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "config" / "prometheus" / "rules"
CASES = ROOT / "config" / "prometheus" / "tests"
RUNBOOKS = ROOT / "docs" / "runbooks"
_QUERY = re.compile(r"(?:query|printf) `([^`]*)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: an alert or a recorded series."""

    group: str
    name: str
    alerting: bool
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def asked(self) -> Iterator[str]:
        """Yield its expression, and those that its annotations ask for, with a value in each place for one."""
        yield self.expr
        for text in self.annotations.values():
            for query in _QUERY.findall(text):
                yield query.replace("%q", '"a"')


@cache
def rules() -> tuple[Rule, ...]:
    """Return all shipped rules."""
    groups = [group for path in sorted(RULES.glob("*.yml")) for group in yaml.safe_load(path.read_text())["groups"]]
    return tuple(
        Rule(
            group=group["name"],
            name=rule.get("alert") or rule["record"],
            alerting="alert" in rule,
            expr=rule["expr"],
            labels=rule.get("labels", {}),
            annotations=rule.get("annotations", {}),
        )
        for group in groups
        for rule in group["rules"]
    )


def alerts() -> tuple[Rule, ...]:
    """Return those that are alerts; a name may come more than once, with another severity."""
    return tuple(rule for rule in rules() if rule.alerting)


@cache
def cases() -> tuple[dict[str, Any], ...]:
    """Return the cases of all rule tests."""
    return tuple(case for path in sorted(CASES.glob("*.yml")) for case in yaml.safe_load(path.read_text())["tests"])


def nodes(node: object) -> Iterator[object]:
    """Yield an expression and all within it."""
    yield node
    match node:
        case promql_parser.MatrixSelector():
            yield node.vector_selector
        case promql_parser.BinaryExpr():
            yield from nodes(node.lhs)
            yield from nodes(node.rhs)
        case promql_parser.Call():
            for each in node.args:
                yield from nodes(each)
        case (
            promql_parser.AggregateExpr()
            | promql_parser.ParenExpr()
            | promql_parser.UnaryExpr()
            | promql_parser.SubqueryExpr()
        ):
            yield from nodes(node.expr)


def selectors(expr: str) -> Iterator[promql_parser.VectorSelector]:
    """Yield every selector of an expression."""
    for node in nodes(promql_parser.parse(expr)):
        if isinstance(node, promql_parser.VectorSelector):
            yield node


def grouping(expr: str) -> Iterator[str]:
    """Yield every label that an expression aggregates or joins by."""
    for node in nodes(promql_parser.parse(expr)):
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            yield from node.modifier.labels
        if isinstance(node, promql_parser.BinaryExpr) and node.modifier:
            yield from node.modifier.matching.labels if node.modifier.matching else ()
            yield from node.modifier.group_labels or ()
