"""Tables: several queries about the same things, joined to one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model

from grafana.src import palette
from grafana.src.panels import Anything, Face, Query, faced


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: a label of the rows (no ``expr``) or the value of a query, and how it is shown."""

    name: str
    label: str = ""
    expr: str = ""
    unit: str = ""
    decimals: int | None = None
    mappings: tuple[model.ValueMapping, ...] = ()
    filled: bool = False
    bar: bool = False
    most: float | None = None
    width: int = 0
    nothing: str = palette.NO_DATA
    links: tuple[tuple[str, str], ...] = ()


def rows(face: Face, columns: Sequence[Column], *, sort: str, descending: bool = False) -> Anything:
    """Return a table with one row for each set of labels that the queries share."""
    asked = [column for column in columns if column.expr]
    queries = [Query(expr=column.expr, legend=column.name) for column in asked]
    panel = faced(table.Panel(), face, queries, instant=True, table=True)
    panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    fields = {
        (f"Value #{chr(ord('A') + asked.index(column))}" if len(asked) > 1 else "Value")
        if column.expr
        else column.label: (column)
        for column in columns
    }
    panel.with_transformation(_organized(fields))
    panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(descending)])
    panel.show_header(True).mappings(palette.unknown(face.nothing)).cell_height(common_model.TableCellHeight.SM)
    for column in columns:
        properties = _properties(column)
        if properties:
            panel.override_by_name(column.name, properties)
    return panel


def _organized(fields: dict[str, Column]) -> model.DataTransformerConfig:
    options = {
        "excludeByName": {"Time": True},
        "indexByName": {field: place for place, field in enumerate(fields)},
        "renameByName": {field: column.name for field, column in fields.items()},
        "includeByName": {},
    }
    return model.DataTransformerConfig(id_val="organize", options=options)


def _properties(column: Column) -> list[model.DynamicConfigValue]:
    found: list[tuple[str, object]] = []
    if column.unit:
        found.append(("unit", column.unit))
    if column.decimals is not None:
        found.append(("decimals", column.decimals))
    if column.mappings or column.nothing != palette.NO_DATA:
        found.append(("mappings", [*column.mappings, *palette.unknown(column.nothing)]))
    if column.filled:
        found.append(("custom.cellOptions", {"type": "color-background", "mode": "basic"}))
        found.append(("color", {"mode": "fixed", "fixedColor": palette.MISSING.color}))
    if column.bar:
        found.append(("custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}))
        found.append(("color", {"mode": "fixed", "fixedColor": palette.NEUTRAL}))
        found.append(("min", 0))
    if column.most is not None:
        found.append(("max", column.most))
    if column.width:
        found.append(("custom.width", column.width))
    if column.links:
        links = [{"title": title, "url": url, "targetBlank": False} for title, url in column.links]
        found.append(("links", links))
    return [model.DynamicConfigValue(id_val=name, value=value) for name, value in found]
