"""The answers to a panel's queries, as tables and as series over time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from grafana.preview.boards import Panel
from grafana.preview.resolving import Resolver

_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")
COLUMN_WIDTH = 66


class Answer(Protocol):
    """A series of Prometheus' answer: labels, and values by time in seconds."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels."""

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """The values by time."""


class Asked(Protocol):
    """Whoever asks Prometheus."""

    async def query(self, expression: str, at: float | None = None) -> Sequence[Answer]:
        """Return the instant answer."""

    async def query_range(self, expression: str, *, start: float, end: float, step: float) -> Sequence[Answer]:
        """Return the answer over a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A named series."""

    ref: str
    name: str
    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(slots=True, kw_only=True)
class Table:
    """Rows by column; the columns in their order."""

    columns: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query of a panel as Grafana would send it."""

    ref: str
    expression: str
    step: float
    instant: bool
    table: bool
    legend: str


def queries(panel: Panel, resolver: Resolver) -> tuple[Query, ...]:
    """Return the queries of a panel, resolved; hidden ones too, because others may refer to them."""
    points = int(panel.get("maxDataPoints") or panel["gridPos"]["w"] * COLUMN_WIDTH)
    found = []
    for target in panel.get("targets", ()):
        step = resolver.window.step(points, target.get("interval") or panel.get("interval") or "")
        found.append(
            Query(
                ref=target["refId"],
                expression=resolver.resolved(target["expr"], step),
                step=step,
                instant=bool(target.get("instant")),
                table=target.get("format") == "table",
                legend=target.get("legendFormat") or "",
            )
        )
    return tuple(found)


async def lines(query: Query, asked: Asked, resolver: Resolver) -> tuple[Line, ...]:
    """Return the answer to one query, each series with its name in the legend."""
    window = resolver.window
    if query.instant:
        series = await asked.query(query.expression, window.end)
    else:
        # Grafana asks at multiples of the step, so that the same picture comes of a slightly later look.
        start, end = (moment // query.step * query.step for moment in (window.start, window.end))
        series = await asked.query_range(query.expression, start=start, end=end, step=query.step)
    return tuple(
        Line(ref=query.ref, name=_name(each.labels, query.legend), labels=each.labels, points=tuple(each.points))
        for each in series
    )


def _name(labels: Mapping[str, str], legend: str) -> str:
    if legend and legend != "__auto":
        return _LEGEND.sub(lambda found: labels.get(found[1], ""), legend)
    inside = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    return f"{labels.get('__name__', '')}{{{inside}}}" if inside else labels.get("__name__", "Value")


def tabled(answered: Sequence[tuple[Query, Sequence[Line]]], transformations: Sequence[Mapping[str, Any]]) -> Table:
    """Return the answers as the one table that the panel's transformations make of them."""
    several = len(answered) > 1
    tables = []
    for query, found in answered:
        value = f"Value #{query.ref}" if several else "Value"
        table = Table(columns=["Time"])
        for line in found:
            labels = {name: text for name, text in line.labels.items() if name != "__name__"}
            table.columns.extend(sorted(set(labels) - set(table.columns)))
            table.rows.append({"Time": line.points[-1][0], **labels, value: line.points[-1][1]})
        table.columns.append(value)
        tables.append(table)
    result = tables[0] if tables else Table()
    for transformation in transformations:
        options = transformation.get("options", {})
        match transformation["id"]:
            case "merge":
                result = _merged(tables)
            case "joinByField":
                result = _joined(tables, options["byField"])
            case "organize":
                result = _organized(result, options)
            case "sortBy":
                _sort(result, [(each["field"], each.get("desc", False)) for each in options.get("sort", ())])
            case other:
                msg = f"the preview does not know the transformation {other!r}"
                raise NotImplementedError(msg)
    return result


def _merged(tables: Sequence[Table]) -> Table:
    """Put rows together that agree in the columns which all tables have, as Grafana does; an empty table has none."""
    tables = [table for table in tables if table.rows]
    merged = Table(columns=list(dict.fromkeys(column for table in tables for column in table.columns)))
    shared = set(merged.columns).intersection(*(table.columns for table in tables))
    values = {column for table in tables for column in table.columns if column.startswith("Value")}
    by_key: dict[tuple[tuple[str, Any], ...], dict[str, Any]] = {}
    for table in tables:
        for row in table.rows:
            key = tuple(sorted((name, row.get(name)) for name in shared - values))
            by_key.setdefault(key, {}).update(row)
    merged.rows = list(by_key.values())
    labels = [column for column in merged.columns if column not in values]
    merged.columns = [*labels, *(column for column in merged.columns if column in values)]
    return merged


def _joined(tables: Sequence[Table], by: str) -> Table:
    joined = Table(columns=[by])
    by_key: dict[Any, dict[str, Any]] = {}
    for number, table in enumerate(tables, start=1):
        named = {
            name: name if name == by or name not in joined.columns else f"{name} {number}" for name in table.columns
        }
        joined.columns.extend(name for name in named.values() if name not in joined.columns)
        for row in table.rows:
            by_key.setdefault(row.get(by), {}).update({named[name]: value for name, value in row.items()})
    joined.rows = list(by_key.values())
    return joined


def _organized(table: Table, options: Mapping[str, Any]) -> Table:
    excluded = {name for name, gone in (options.get("excludeByName") or {}).items() if gone}
    renamed = options.get("renameByName") or {}
    order = options.get("indexByName") or {}
    included = options.get("includeByName") or {}
    kept = [name for name in table.columns if name not in excluded and (not included or included.get(name))]
    kept.sort(key=lambda name: order.get(name, len(order) + table.columns.index(name)))
    return Table(
        columns=[renamed.get(name) or name for name in kept],
        rows=[{renamed.get(name) or name: row.get(name) for name in kept} for row in table.rows],
    )


def _sort(table: Table, keys: Sequence[tuple[str, bool]]) -> None:
    for name, descending in reversed(keys):
        there = [row for row in table.rows if row.get(name) is not None]
        gone = [row for row in table.rows if row.get(name) is None]
        table.rows = sorted(there, key=lambda row: row[name], reverse=descending) + gone


def sort_by(table: Table, keys: Sequence[Mapping[str, Any]]) -> None:
    """Sort a table as its panel says."""
    _sort(table, [(each["displayName"], each.get("desc", False)) for each in keys])
