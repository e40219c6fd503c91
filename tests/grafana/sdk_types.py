"""Holds a dashboard against the types of Grafana's SDK: unknown fields, wrong types and words that no enum knows."""

from __future__ import annotations

import enum
import importlib
import types
import typing
from collections.abc import Iterator
from typing import Any

from grafana.src import writing  # noqa: F401  # imports the SDK without its warning

from grafana_foundation_sdk.models import dashboard as model  # isort: skip
from grafana_foundation_sdk.models import prometheus  # isort: skip


def problems(dashboard: dict[str, Any]) -> list[str]:
    """Return what in a dashboard Grafana's own types do not allow."""
    return list(_object(dashboard, model.Dashboard, "dashboard"))


def _plain(name: str) -> str:
    return name.removesuffix("_val").replace("_", "").lower()


def _object(value: Any, kind: type, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not a {kind.__name__}"
        return
    fields = {_plain(name): hint for name, hint in typing.get_type_hints(kind).items()}
    if kind is model.Panel:
        plugin = importlib.import_module(f"grafana_foundation_sdk.models.{value['type'].replace('-', '')}")
        fields |= {"options": plugin.Options, "targets": list[prometheus.Dataquery]}
        if (custom := value.get("fieldConfig", {}).get("defaults", {}).get("custom")) is not None:
            yield from _object(custom, plugin.FieldConfig, f"{path}.custom")
    for name, inside in value.items():
        hint = fields.get(_plain(name))
        if hint is None:
            yield f"{path}: {kind.__name__} has no field {name}"
        else:
            yield from _value(inside, hint, f"{path}.{name}")


def _value(value: Any, hint: Any, path: str) -> Iterator[str]:
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is object:
        return
    if origin in {typing.Union, types.UnionType}:
        tries = [list(_value(value, each, path)) for each in _candidates(value, inside)]
        yield from min(tries, key=len, default=[f"{path}: {value!r} fits nothing"])
    elif origin is list:
        if isinstance(value, list):
            for place, each in enumerate(value):
                yield from _value(each, inside[0], f"{path}[{place}]")
        else:
            yield f"{path}: {value!r} is not a list"
    elif origin is dict:
        if isinstance(value, dict):
            for name, each in value.items():
                yield from _value(each, inside[1], f"{path}.{name}")
        else:
            yield f"{path}: {value!r} is not a mapping"
    else:
        yield from _single(value, hint, path)


def _candidates(value: Any, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    if set(kinds) == {model.Panel, model.RowPanel}:
        return (model.RowPanel if isinstance(value, dict) and value.get("type") == "row" else model.Panel,)
    return kinds


def _single(value: Any, hint: Any, path: str) -> Iterator[str]:
    if typing.get_origin(hint) is typing.Literal:
        fits = value in typing.get_args(hint)
    elif hint is type(None):
        fits = value is None
    elif issubclass(hint, enum.Enum):
        fits = value in {each.value for each in hint}
    elif hint is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif hint in {str, int, bool}:
        fits = type(value) is hint
    else:
        yield from _object(value, hint, path)
        return
    if not fits:
        yield f"{path}: {value!r} is not a {getattr(hint, '__name__', hint)}"
