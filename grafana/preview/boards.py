"""The committed dashboards as values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "dashboards"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

Panel = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard: its panels with those of folded rows, its variables, and how many seconds it looks back."""

    uid: str
    title: str
    folder: str
    panels: tuple[Panel, ...]
    variables: tuple[Mapping[str, Any], ...]
    annotations: tuple[Mapping[str, Any], ...]
    seconds: float


def boards(folder: Path = FOLDER) -> tuple[Board, ...]:
    """Return all dashboards of the folder, by their path."""
    return tuple(_board(path) for path in sorted(folder.rglob("*.json")))


def _board(path: Path) -> Board:
    raw = json.loads(path.read_text())
    return Board(
        uid=raw["uid"],
        title=raw["title"],
        folder=path.parent.name,
        panels=tuple(_panels(raw.get("panels", ()))),
        variables=tuple(raw.get("templating", {}).get("list", ())),
        annotations=tuple(raw.get("annotations", {}).get("list", ())),
        seconds=_seconds(raw["time"]["from"]),
    )


def _panels(panels: list[dict[str, Any]]) -> Iterator[Panel]:
    for panel in panels:
        yield panel
        if panel["type"] == "row":
            yield from _panels(panel.get("panels", []))


def _seconds(since: str) -> float:
    """Return the seconds of ``now-24h``; ``now/d`` and the like count as a day."""
    span = since.removeprefix("now-").partition("/")[0]
    return float(span[:-1]) * _UNITS[span[-1]] if span and span[:-1].isdigit() else 86400.0
