"""Panels that are words and numbers: stat, bar gauge, gauge, table, legend and text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from grafana.preview.answers import Line, Table
from grafana.preview.boards import Panel
from grafana.preview.charts import ink_on, ticks, words
from grafana.preview.styles import FOREGROUND, Style, style_of

_LETTER = 0.58
_ROW = 30
_COLUMN = 9.0


def reduced(line: Line, calculation: str) -> float | None:
    """Return the one value that a series is shown as."""
    values = [value for _, value in line.points]
    there = [value for value in values if math.isfinite(value)]
    if not there:
        return None
    known = {
        "lastNotNull": there[-1], "last": values[-1], "first": values[0], "firstNotNull": there[0], "max": max(there),
        "min": min(there), "mean": sum(there) / len(there), "sum": sum(there), "count": float(len(there)),
        "range": max(there) - min(there), "diff": there[-1] - there[0],
    }  # fmt: skip
    assert calculation in known, f"the preview does not know the calculation {calculation!r}"
    return known[calculation]


def _calculation(panel: Panel) -> str:
    return str((panel["options"].get("reduceOptions", {}).get("calcs") or ["lastNotNull"])[0])


def _title(style: Style, line: Line) -> str:
    return str(style.values.get("displayName") or line.name)


def _grid(count: int, width: float, height: float, orientation: str) -> tuple[int, int]:
    """Return columns and rows that leave the most room to each of so many tiles."""
    if orientation == "vertical":
        return count, 1
    if orientation == "horizontal":
        return 1, count
    best, size = (count, 1), 0.0
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        room = min(width / columns / 2.2, height / rows)
        if room > size + 0.5:
            best, size = (columns, rows), room
    return best


def stat(panel: Panel, lines: Sequence[Line], width: float, height: float, now: float) -> str:
    """Draw one tile for each series: its value, and its name where there are several."""
    options = panel["options"]
    if not lines:
        style = style_of(panel, "", now=now)
        return _tile(style.text(None), "", style.color(None), options, width, height)
    columns, rows = _grid(len(lines), width, height, options.get("orientation", "auto"))
    wide, high = (width - 4 * (columns - 1)) / columns, (height - 4 * (rows - 1)) / rows
    tiles = []
    for place, line in enumerate(lines):
        style = style_of(panel, line.name, ref=line.ref, now=now)
        value = reduced(line, _calculation(panel))
        mode = options.get("textMode", "auto")
        name = _title(style, line) if mode in {"name", "value_and_name"} or (mode == "auto" and len(lines) > 1) else ""
        text = "" if mode == "name" else style.text(value)
        tiles.append(_tile(text, name, style.color(value, place, line.name), options, wide, high))
    return f'<div class="tiles" style="grid-template-columns:repeat({columns},1fr)">{"".join(tiles)}</div>'


def _fitting(text: str, width: float, height: float, most: float) -> float:
    return max(min(width * 0.92 / (max(len(text), 1) * _LETTER), height, most), 9.0)


def _tile(text: str, name: str, color: str, options: dict[str, Any], width: float, height: float) -> str:
    stated = options.get("text") or {}
    wide = width > height * 2.6 and name and options.get("wideLayout", True)
    share = len(text) * 1.4 / (len(text) * 1.4 + len(name)) if wide else 1.0
    value_room = (width * share - 12, height * (0.7 if wide else 0.55 if name else 0.8))
    value_size = stated.get("valueSize") or _fitting(text, *value_room, 96)
    name_room = (width * (1 - share) - 16, height * 0.5) if wide else (width, height * 0.28)
    name_size = stated.get("titleSize") or _fitting(name, *name_room, 30)
    filled = options.get("colorMode", "value").startswith("background")
    look = f"background:{color};color:{ink_on(color)}" if filled else f"color:{FOREGROUND}"
    ink = "" if filled or options.get("colorMode") == "none" else f"color:{color}"
    layout = "tile wide" if wide else "tile"
    parts = f'<span class="name" style="font-size:{name_size:.0f}px">{escape(name)}</span>' if name else ""
    parts += f'<span class="value" style="font-size:{value_size:.0f}px;{ink}">{escape(text)}</span>'
    return f'<div class="{layout}" style="{look};width:{width:.0f}px;height:{height:.0f}px">{parts}</div>'


def bar_gauge(panel: Panel, lines: Sequence[Line], width: float, height: float, now: float) -> str:
    """Draw a bar for each series, with its name on the left and its value on the right."""
    if not lines:
        return nothing(panel)
    values = [reduced(line, _calculation(panel)) for line in lines]
    styles = [style_of(panel, line.name, ref=line.ref, now=now) for line in lines]
    names = [_title(style, line) for style, line in zip(styles, lines, strict=True)]
    texts = [style.text(value) for style, value in zip(styles, values, strict=True)]
    options = panel["options"]
    stated = options.get("text") or {}
    name_size, value_size = float(stated.get("titleSize") or 13), float(stated.get("valueSize") or 15)
    above = options.get("namePlacement") == "top"
    named = 0.0 if above else min(max(map(len, names)) * name_size * 0.62 + 14, width * 0.5)
    valued = max(map(len, texts)) * value_size * 0.6 + 14
    most = max(
        [float(style.values["max"]) for style in styles if style.values.get("max") is not None]
        or [value for value in values if value is not None]
        or [1.0]
    )
    least = float(styles[0].values.get("min") or 0.0)
    limits = (options.get("minVizHeight", 16), options.get("maxVizHeight", 300))
    shortest, tallest = limits if options.get("sizing") == "manual" else (16, 300)
    high = min(max((height - 4 * len(lines)) / len(lines), shortest), tallest)
    title = name_size * 1.3 if above else 0.0
    rows = []
    for place, (name, text, value, style) in enumerate(zip(names, texts, values, styles, strict=True)):
        share = max(min(((value or 0.0) - least) / ((most - least) or 1.0), 1.0), 0.0)
        color = style.color(value, place, lines[place].name)
        room = width - named - valued
        called = f'font-size:{name_size:.0f}px">{escape(name)}</'
        beside = "" if above else f'<span style="width:{named:.0f}px;{called}span>'
        if above:
            rows.append(f'<div style="line-height:{title:.0f}px;white-space:nowrap;{called}div>')
        rows.append(
            f'<div class="bar" style="height:{high - title:.0f}px">{beside}'
            f'<i style="width:{room:.0f}px"><b style="width:{room * share:.0f}px;background:{color}"></b></i>'
            f'<em style="color:{color};width:{valued:.0f}px;font-size:{value_size:.0f}px">{escape(text)}</em></div>'
        )
    return f'<div class="bars">{"".join(rows)}</div>'


def gauge(panel: Panel, lines: Sequence[Line], width: float, height: float, now: float) -> str:
    """Draw a half ring for each series."""
    if not lines:
        return nothing(panel)
    columns, rows = _grid(len(lines), width, height, panel["options"].get("orientation", "auto"))
    wide, high = width / columns, height / rows
    pieces = []
    for place, line in enumerate(lines):
        style = style_of(panel, line.name, ref=line.ref, now=now)
        value = reduced(line, _calculation(panel))
        least, most = float(style.values.get("min") or 0.0), float(style.values.get("max") or 100.0)
        share = max(min(((value or 0.0) - least) / ((most - least) or 1.0), 1.0), 0.001)
        radius = min(wide / 2, high * 0.75) - 14
        x, y = wide / 2, high * 0.78
        end = math.pi * (1 - share)
        arc = f"M{x - radius:.1f},{y:.1f} A{radius:.1f},{radius:.1f} 0 0 1"
        color = style.color(value, place, line.name)
        pieces.append(
            f'<svg width="{wide:.0f}" height="{high:.0f}" style="vertical-align:top">'
            f'<path d="{arc} {x + radius:.1f},{y:.1f}" fill="none" stroke="#2C3235" stroke-width="16"/>'
            f'<path d="{arc} {x + radius * math.cos(end):.1f},{y - radius * math.sin(end):.1f}" fill="none" '
            f'stroke="{color}" stroke-width="16"/>'
            f'<text x="{x:.0f}" y="{y - 6:.0f}" fill="{color}" text-anchor="middle" font-size="26">'
            f"{escape(style.text(value))}</text>"
            f'<text x="{x:.0f}" y="{y + 18:.0f}" fill="{FOREGROUND}" text-anchor="middle" font-size="13">'
            f"{escape(_title(style, line)) if len(lines) > 1 else ''}</text></svg>"
        )
    return "".join(pieces)


def table(panel: Panel, content: Table, width: float, height: float, now: float) -> str:
    """Draw a table; what does not fit is cut off, as Grafana would hide it behind a scroll bar."""
    if not content.rows:
        return nothing(panel)
    styles = {name: style_of(panel, name, now=now) for name in content.columns}
    shown = [name for name in content.columns if not styles[name].custom.get("hidden")]
    fixed = {name: styles[name].custom.get("width") for name in shown}
    rest = (width - sum(each or 0 for each in fixed.values())) / max(sum(not each for each in fixed.values()), 1)
    titles = {name: escape(str(styles[name].values.get("displayName") or name)) for name in shown}
    head = "".join(
        f'<th class="{_side(content, name)}" style="width:{fixed[name] or rest:.0f}px">{titles[name]}</th>'
        for name in shown
    )
    fits = int((height - _ROW) // _ROW)
    most = {
        name: max([row[name] for row in content.rows if isinstance(row.get(name), float)] or [1.0]) for name in shown
    }
    rows = "".join(
        f"<tr>{''.join(_cell(row.get(name), styles[name], most[name]) for name in shown)}</tr>"
        for row in content.rows[:fits]
    )
    hidden = len(content.rows) - fits
    more = f'<div class="more">{hidden} more behind the scroll bar</div>' if hidden > 0 else ""
    return f"<table><tr>{head}</tr>{rows}</table>{more}"


def _side(content: Table, name: str) -> str:
    """A heading stands over its numbers, as in Grafana."""
    return "num" if any(isinstance(row.get(name), int | float) for row in content.rows) else ""


def _cell(value: Any, style: Style, most: float) -> str:
    text, color = style.text(value), style.color(value)
    look = ""
    numeric = "num" if isinstance(value, int | float) else ""
    match (style.custom.get("cellOptions") or {}).get("type", "auto"):
        case "color-background":
            look = f"background:{color};color:{ink_on(color)}"
        case "color-text":
            look = f"color:{color}"
        case "gauge" if isinstance(value, float):
            top = float(style.values.get("max") or most or 1.0)
            share = max(min(value / top if top else 0.0, 1.0), 0.0)
            return (
                f'<td><span class="meter"><b style="width:{share:.0%};background:{color}"></b></span>'
                f'<span class="num">{escape(text)}</span></td>'
            )
        case _:
            pass
    return f'<td class="{numeric}" style="{look}">{escape(text)}</td>'


def bar_chart(panel: Panel, content: Table, width: float, height: float, now: float) -> str:
    """Draw a group of upright bars for each row: the first column of words names it, the numbers are its bars."""
    numbers = [name for name in content.columns if any(isinstance(row.get(name), float) for row in content.rows)]
    numbers = [name for name in numbers if name != "Time"]
    named = next((name for name in content.columns if name not in {*numbers, "Time"}), "")
    if not content.rows or not numbers:
        return nothing(panel)
    stacked = panel["options"].get("stacking", "none") != "none"
    totals = [
        sum(row.get(n) or 0.0 for n in numbers) if stacked else max(row.get(n) or 0.0 for n in numbers)
        for row in content.rows
    ]
    most = max(totals) or 1.0
    common = style_of(panel, "", now=now)
    pieces = []
    plot = height - 40
    for figure in ticks(0.0, most, int(plot // 34)):
        y = plot - figure / most * plot + 8
        pieces.append(f'<line x1="50" x2="{width:.0f}" y1="{y:.0f}" y2="{y:.0f}" stroke="#2C3235"/>')
        pieces.append(words(44, y + 4, common.text(figure), anchor="end"))
    group = (width - 54) / len(content.rows)
    for place, row in enumerate(content.rows):
        x, base = 54 + place * group, plot + 8
        for number, name in enumerate(numbers):
            size = (row.get(name) or 0.0) / most * plot
            color = style_of(panel, name).color(row.get(name), number, name)
            bar = group * 0.8 if stacked else group * 0.8 / len(numbers)
            left = x + group * 0.1 + (0 if stacked else number * bar)
            spot = f'x="{left:.0f}" y="{base - size:.0f}" width="{bar:.0f}" height="{size:.0f}"'
            pieces.append(f'<rect {spot} fill="{color}"/>')
            base -= size if stacked else 0
        pieces.append(words(x + group / 2, plot + 26, str(row.get(named, "")), anchor="middle"))
    return f'<svg width="{width:.0f}" height="{height:.0f}">{"".join(pieces)}</svg>'


def legend(entries: Sequence[tuple[str, str, str]], *, right: bool, width: float) -> str:
    """Return the legend: name, color and figures of each series."""
    items = "".join(
        f'<span><i style="background:{color}"></i>{escape(name)}<em>{escape(figures)}</em></span>'
        for name, color, figures in entries
    )
    return f'<div class="legend {"right" if right else ""}" style="max-width:{width:.0f}px">{items}</div>'


def nothing(panel: Panel) -> str:
    """Return what a panel says when its queries came back empty."""
    said = panel.get("fieldConfig", {}).get("defaults", {}).get("noValue") or "No data"
    return f'<div class="nothing">{escape(str(said))}</div>'


def text(panel: Panel) -> str:
    """Return a text panel: headings, emphasis, links and lists of Markdown, no more."""
    content = escape(panel["options"].get("content", ""), quote=False)
    content = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"<a>\1</a>", content)
    content = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", content)
    content = re.sub(r"`([^`]+)`", r"<code>\1</code>", content)
    lines = []
    for line in content.splitlines():
        if line.startswith("#"):
            lines.append(f"<h3>{line.lstrip('# ')}</h3>")
        elif line.startswith(("- ", "* ")):
            lines.append(f"<div>• {line[2:]}</div>")
        else:
            lines.append(f"<div>{line or '&nbsp;'}</div>")
    return f'<div class="text">{"".join(lines)}</div>'
