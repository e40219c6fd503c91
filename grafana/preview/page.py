"""One dashboard as a page on Grafana's grid: 24 columns, rows of 30 pixels, gaps of 8."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from html import escape
from pathlib import Path

from grafana.preview import blocks, charts
from grafana.preview.answers import Asked, Line, Query, lines, queries, sort_by, tabled
from grafana.preview.boards import Board, Panel
from grafana.preview.resolving import Resolver
from grafana.preview.styles import style_of

WIDTH = 1600
ROW, GAP, EDGE = 30, 8, 16
_TITLE, _PADDING, _LEGEND = 32, 8, 26
_LOGGER = logging.getLogger(__name__)
_STYLE = (Path(__file__).parent / "style.css").read_text()


def _place(panel: Panel) -> tuple[float, float, float, float]:
    """Return left, top, width and height of a panel in pixels."""
    grid = panel["gridPos"]
    column = (WIDTH - 2 * EDGE + GAP) / 24
    left, top = EDGE + grid["x"] * column, grid["y"] * (ROW + GAP)
    return left, top, grid["w"] * column - GAP, grid["h"] * (ROW + GAP) - GAP


async def page_of(board: Board, asked: Asked, resolver: Resolver) -> tuple[str, int, list[str]]:
    """Return the page, its height in pixels, and what could not be drawn."""
    drawn, wrong, bottom = [], [], 0.0
    for panel in board.panels:
        left, top, width, height = _place(panel)
        bottom = max(bottom, top + height)
        where = f"left:{left:.0f}px;top:{top + 16:.0f}px"
        title = escape(resolver.resolved(panel.get("title", ""), resolver.window.scrape))
        if panel["type"] == "row":
            drawn.append(f'<div class="row" style="{where}">{title}</div>')
            continue
        room = height - (_TITLE if title else _PADDING) - _PADDING
        try:
            body = await _body(panel, asked, resolver, width - 18, room)
        except Exception as error:  # noqa: BLE001 - a panel that cannot be drawn must not hide the others
            _LOGGER.debug("panel %s: %s", title, traceback.format_exc())
            wrong.append(f"{board.uid}: {title}: {error}")
            body = f'<div class="wrong">{escape(str(error)[:600])}</div>'
        clear = " clear" if panel.get("transparent") else ""
        drawn.append(
            f'<div class="panel{clear}" style="{where};width:{width:.0f}px;height:{height:.0f}px">'
            f"{f'<h2>{title}</h2>' if title else '<div style=height:8px></div>'}"
            f'<div class="body" style="height:{room:.0f}px">{body}</div></div>'
        )
    return _page(board, resolver, drawn, bottom), round(bottom) + 56 + 32, wrong


def _page(board: Board, resolver: Resolver, drawn: Sequence[str], bottom: float) -> str:
    chosen = " · ".join(
        f"{each.get('label') or each['name']}: {', '.join(resolver.values[each['name']]).replace('$__all', 'All')}"
        for each in board.variables
        if each.get("hide") != 2 and each["type"] != "datasource"
    )
    return (
        f'<!doctype html><meta charset="utf-8"><title>{escape(board.title)}</title><style>{_STYLE}</style>'
        f"<header><h1>{escape(board.title)}</h1><mark>preview, not Grafana</mark><span>{escape(chosen)}</span></header>"
        f'<main style="height:{bottom + 32:.0f}px">{"".join(drawn)}</main>'
    )


async def _body(panel: Panel, asked: Asked, resolver: Resolver, width: float, height: float) -> str:
    answered = [(query, await lines(query, asked, resolver)) for query in queries(panel, resolver)]
    found = [line for _, each in answered for line in each]
    now = resolver.window.end
    match panel["type"]:
        case "stat":
            return blocks.stat(panel, found, width, height, now)
        case "bargauge":
            return blocks.bar_gauge(panel, found, width, height, now)
        case "gauge":
            return blocks.gauge(panel, found, width, height, now)
        case "text":
            return blocks.text(panel)
        case "table" | "barchart":
            return _tabled(panel, answered, width, height, now)
        case "timeseries" | "state-timeline" | "status-history" | "heatmap" | "piechart":
            return _charted(panel, found, resolver, width, height) if found else blocks.nothing(panel)
        case other:
            msg = f"the preview does not know the panel {other!r}"
            raise NotImplementedError(msg)


def _tabled(
    panel: Panel, answered: Sequence[tuple[Query, Sequence[Line]]], width: float, height: float, now: float
) -> str:
    content = tabled(answered, panel.get("transformations", ()))
    if panel["type"] == "barchart":
        return blocks.bar_chart(panel, content, width, height, now)
    sort_by(content, panel["options"].get("sortBy", ()))
    return blocks.table(panel, content, width, height, now)


def _charted(panel: Panel, found: Sequence[Line], resolver: Resolver, width: float, height: float) -> str:
    told = panel["options"].get("legend", {})
    shown = told.get("showLegend", told.get("show", True)) and panel["type"] != "heatmap"
    right = told.get("placement") == "right" or panel["type"] == "piechart"
    entries = _legend(panel, found, told.get("calcs") or told.get("values") or [])
    if panel["type"] == "piechart":
        parts = [
            (line.name, blocks.reduced(line, "lastNotNull") or 0.0, entry[1])
            for line, entry in zip(found, entries, strict=True)
        ]
        size = min(width * 0.55, height)
        drawing = charts.shares(parts, size, ring=panel["options"].get("pieType") == "donut")
        return f'<div class="side">{drawing}{blocks.legend(entries, right=True, width=width - size)}</div>'
    tall = 20 if panel["type"] in {"state-timeline", "status-history"} else _rows(entries, width) * 20
    room = height - (tall + 6 if shown and not right else 0)
    wide = width * 0.72 if shown and right else width
    window = resolver.window
    match panel["type"]:
        case "timeseries":
            drawing = charts.over_time(panel, found, window, wide, room)
        case "heatmap":
            return charts.heat(panel, found, window, width, height)
        case _:
            drawing = charts.states(panel, found, window, wide, room)
            entries = _met(panel, found)
    if not shown:
        return drawing
    below = blocks.legend(entries, right=right, width=width - (wide if right else 0))
    return f'<div class="{"side" if right else ""}">{drawing}{below}</div>'


def _rows(entries: Sequence[tuple[str, str, str]], width: float) -> int:
    wanted = sum((len(name) + len(figures)) * 6.6 + 34 for name, _, figures in entries)
    return 1 if wanted <= width else 2


def _legend(panel: Panel, found: Sequence[Line], calculations: Sequence[str]) -> list[tuple[str, str, str]]:
    entries = []
    for place, line in enumerate(found):
        style = style_of(panel, line.name, ref=line.ref)
        last = blocks.reduced(line, "lastNotNull")
        wanted = [each for each in calculations if each not in {"percent", "value"}]
        if panel["type"] == "piechart":
            wanted = ["lastNotNull"]
        figures = "  ".join(style.text(blocks.reduced(line, each)) for each in wanted)
        name = str(style.values.get("displayName") or line.name)
        entries.append((name, style.color(last, place, line.name), figures))
    return entries


def _met(panel: Panel, found: Sequence[Line]) -> list[tuple[str, str, str]]:
    """Return the states that were met, each with its color."""
    met: dict[str, str] = {}
    for line in found:
        style = style_of(panel, line.name, ref=line.ref)
        for value in sorted({value for _, value in line.points}):
            met.setdefault(style.text(value), style.color(value))
    return [(name, color, "") for name, color in met.items()]
