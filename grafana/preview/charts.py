"""Charts as SVG: series over time, states over time, heat maps and shares."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

from grafana.preview.answers import Line
from grafana.preview.boards import Panel
from grafana.preview.resolving import Window
from grafana.preview.styles import Style, named, style_of
from grafana.preview.units import written

_FAINT = "#2C3235"
_WORDS = "#8E8E98"
_LETTER = 7.1
_HOURS = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 604800)
_SHADES = ("#440154", "#414487", "#2A788E", "#22A884", "#7AD151", "#FDE725")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The room of a drawing in pixels, and that of its plot inside."""

    width: float
    height: float
    left: float
    top: float = 6.0
    right: float = 8.0
    bottom: float = 20.0

    def x(self, moment: float, window: Window) -> float:
        """Return where a moment stands."""
        share = (moment - window.start) / window.seconds
        return self.left + share * (self.width - self.left - self.right)

    def y(self, value: float, least: float, most: float) -> float:
        """Return where a value stands."""
        share = (value - least) / (most - least or 1.0)
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)


def _svg(box: Box, pieces: Sequence[str]) -> str:
    return (
        f'<svg width="{box.width:.0f}" height="{box.height:.0f}" viewBox="0 0 {box.width:.0f} {box.height:.0f}">'
        f"{''.join(pieces)}</svg>"
    )


def words(x: float, y: float, text: str, *, anchor: str = "start", color: str = _WORDS, size: float = 12) -> str:
    """Return one line of text."""
    look = f'fill="{color}" font-size="{size:.0f}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'


def _times(box: Box, window: Window) -> Iterator[str]:
    most = max((box.width - box.left) / 75, 2) if window.seconds < 3 * 86400 else min(window.seconds / 86400, 10)
    step = next((step for step in _HOURS if window.seconds / step <= most), _HOURS[-1])
    moment = math.ceil(window.start / step) * step
    while moment <= window.end:
        x = box.x(moment, window)
        when = datetime.fromtimestamp(moment, UTC)
        text = when.strftime("%m/%d") if step >= 86400 else when.strftime("%H:%M")
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{box.top}" y2="{box.height - box.bottom}" stroke="{_FAINT}"/>'
        if x < box.width - 16:
            yield words(x, box.height - 5, text, anchor="middle")
        moment += step


def ticks(least: float, most: float, wanted: int, decimals: int | None = None) -> list[float]:
    """Return round figures between two values, none finer than ``decimals``."""
    span = most - least or 1.0
    rough = span / max(wanted, 1)
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    if decimals is not None:
        step = max(step, 10.0**-decimals)
    first = math.ceil(least / step - 1e-9)
    return [number * step for number in range(first, math.floor(most / step + 1e-9) + 1)]


def _range(stacks: Sequence[Sequence[tuple[float, float]]], style: Style) -> tuple[float, float]:
    values = [value for points in stacks for _, value in points if math.isfinite(value)] or [0.0, 1.0]
    limits = style.values
    least = float(limits["min"]) if limits.get("min") is not None else min(values)
    most = float(limits["max"]) if limits.get("max") is not None else max(values)
    least = min(least, float(style.custom.get("axisSoftMin", least)))
    most = max(most, float(style.custom.get("axisSoftMax", most)))
    if least == most:
        least, most = (0.0, most or 1.0) if most >= 0 else (least, 0.0)
    if limits.get("min") is None and limits.get("max") is None and least > 0 and least < 0.6 * most:
        least = 0.0
    return least, most if limits.get("max") is not None else most + 0.04 * (most - least)


def over_time(panel: Panel, lines: Sequence[Line], window: Window, width: float, height: float) -> str:
    """Draw series over time: lines, bars or points, stacked where the panel says so."""
    common = style_of(panel, "")
    stacked = common.custom.get("stacking", {}).get("mode", "none") != "none"
    drawn = _stacked(lines) if stacked else [(line.points, ()) for line in lines]
    least, most = _range([points for points, _ in drawn], common)
    if stacked:
        least = min(least, 0.0)
    counted = common.values.get("unit") == "locale"
    figures = ticks(least, most, int(height // 34), common.values.get("decimals") if counted else None)
    labels = [common.text(figure) for figure in figures]
    box = Box(width=width, height=height, left=10 + max([len(text) for text in labels] or [0]) * _LETTER)
    pieces = [*_times(box, window)]
    for figure, text in zip(figures, labels, strict=True):
        y = box.y(figure, least, most)
        pieces.append(f'<line x1="{box.left}" x2="{width - box.right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_FAINT}"/>')
        pieces.append(words(box.left - 6, y + 4, text, anchor="end"))
    for place, (line, (points, below)) in enumerate(zip(lines, drawn, strict=True)):
        style = style_of(panel, line.name, ref=line.ref)
        color = style.color(points[-1][1] if points else None, place, line.name)
        pieces.extend(_drawn(points, below, style, color, box, window, (least, most)))
    pieces.extend(_limits(common, box, least, most))
    return _svg(box, pieces)


def _limits(style: Style, box: Box, least: float, most: float) -> Iterator[str]:
    if style.custom.get("thresholdsStyle", {}).get("mode", "off") == "off":
        return
    for step in style.values.get("thresholds", {}).get("steps", ()):
        if step.get("value") is not None and least <= step["value"] <= most:
            y = box.y(step["value"], least, most)
            across = f'x1="{box.left}" x2="{box.width - box.right}" y1="{y:.1f}" y2="{y:.1f}"'
            yield f'<line {across} stroke="{named(step["color"])}" stroke-dasharray="6 4"/>'


def _stacked(lines: Sequence[Line]) -> list[tuple[tuple[tuple[float, float], ...], tuple[float, ...]]]:
    sums: dict[float, float] = {}
    found = []
    for line in lines:
        points, below = [], []
        for moment, value in line.points:
            under = sums.get(moment, 0.0)
            sums[moment] = under + (value if math.isfinite(value) else 0.0)
            points.append((moment, sums[moment]))
            below.append(under)
        found.append((tuple(points), tuple(below)))
    return found


def _drawn(
    points: Sequence[tuple[float, float]],
    below: Sequence[float],
    style: Style,
    color: str,
    box: Box,
    window: Window,
    limits: tuple[float, float],
) -> Iterator[str]:
    least, most = limits
    floor = box.y(max(least, 0.0), least, most)
    spots = [
        (box.x(moment, window), box.y(value, least, most), box.y(below[place], least, most) if below else floor, moment)
        for place, (moment, value) in enumerate(points)
        if math.isfinite(value) and moment >= window.start - 1
    ]
    opacity = style.custom.get("fillOpacity", 0) / 100
    step = min((b[3] - a[3] for a, b in pairwise(spots)), default=window.seconds / 90)
    match style.custom.get("drawStyle", "line"):
        case "bars":
            wide = max((box.width - box.left - box.right) * step / window.seconds * 0.85, 1.0)
            for x, y, under, _ in spots:
                if under > y:
                    spot = f'x="{x - wide:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{under - y:.1f}"'
                    yield f'<rect {spot} fill="{color}" fill-opacity="{max(opacity, 0.2)}"/>'
        case "points":
            for x, y, _, _ in spots:
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'
        case _:
            thick = style.custom.get("lineWidth", 1)
            for part in _unbroken(spots, step, joined=bool(style.custom.get("spanNulls"))):
                line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in part)
                if opacity:
                    back = " ".join(f"{x:.1f},{low:.1f}" for x, _, low, _ in reversed(part))
                    yield f'<polygon points="{line} {back}" fill="{color}" fill-opacity="{opacity}"/>'
                yield f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="{thick}"/>'
                if len(part) == 1:
                    yield f'<circle cx="{part[0][0]:.1f}" cy="{part[0][1]:.1f}" r="2" fill="{color}"/>'


Spot = tuple[float, float, float, float]


def _unbroken(spots: Sequence[Spot], step: float, *, joined: bool) -> Iterator[list[Spot]]:
    part: list[Spot] = []
    for spot in spots:
        if part and not joined and spot[3] - part[-1][3] > 1.5 * step:
            yield part
            part = []
        part.append(spot)
    if part:
        yield part


def states(panel: Panel, lines: Sequence[Line], window: Window, width: float, height: float) -> str:
    """Draw what state each series was in over time; nothing is drawn where nothing is known."""
    left = min(16 + max([len(line.name) for line in lines] or [0]) * _LETTER, width * 0.4)
    box = Box(width=width, height=height, left=left)
    row = (height - box.top - box.bottom) / max(len(lines), 1)
    pieces = [*_times(box, window)]
    for place, line in enumerate(lines):
        y = box.top + place * row
        style = style_of(panel, line.name, ref=line.ref)
        size = min(12.0, row * 0.95)
        pieces.append(words(left - 8, y + row / 2 + size / 3, line.name, anchor="end", color="#CCCCDC", size=size))
        for start, end, value in _spans(line, style):
            x = max(box.x(start, window), left)
            wide = box.x(min(end, window.end), window) - x
            color = style.color(value, place, line.name)
            if wide <= 0:
                continue
            pieces.append(
                f'<rect x="{x:.1f}" y="{y + row * 0.08:.1f}" width="{wide:.1f}" height="{row * 0.84:.1f}" '
                f'fill="{color}" fill-opacity="{style.custom.get("fillOpacity", 70) / 100}"/>'
            )
            text = style.text(value)
            if wide > len(text) * _LETTER + 8 and row > 14:
                pieces.append(words(x + 4, y + row / 2 + 4, text, color="#0B0C0E" if _bright(color) else "#FFFFFF"))
    return _svg(box, pieces)


def _spans(line: Line, style: Style) -> Iterator[tuple[float, float, float]]:
    """Join points of one value that follow each other without a gap."""
    step = min((b[0] - a[0] for a, b in pairwise(line.points)), default=60.0)
    start, before, value = None, 0.0, 0.0
    for moment, now in line.points:
        gap = start is not None and moment - before > 1.5 * step
        if start is not None and (gap or style.text(now) != style.text(value)):
            yield start, before + step if gap else moment, value
            start = None
        if start is None:
            start, value = moment, now
        before = moment
    if start is not None:
        yield start, before + step, value


def _bright(color: str) -> bool:
    if not color.startswith("#") or len(color) != 7:
        return False
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return red * 0.299 + green * 0.587 + blue * 0.114 > 180


def ink_on(color: str) -> str:
    """Return the dark or the light color in which Grafana writes on a color: not always the one that reads best."""
    return "#202226" if _bright(color) else "#F7F8FA"


def heat(panel: Panel, lines: Sequence[Line], window: Window, width: float, height: float) -> str:
    """Draw a heat map of a histogram whose buckets count upward."""
    unit = panel.get("options", {}).get("yAxis", {}).get("unit", "") or style_of(panel, "").values.get("unit", "")
    rows = _buckets(lines)
    names = ["+Inf" if math.isinf(le) else written(le, unit) for le, _ in rows]
    box = Box(width=width, height=height, left=12 + max([len(name) for name in names] or [0]) * _LETTER)
    most = max((count for _, counts in rows for count in counts.values()), default=1.0) or 1.0
    row = (height - box.top - box.bottom) / max(len(rows), 1)
    pieces = [*_times(box, window)]
    moments = sorted({moment for _, counts in rows for moment in counts})
    step = min((b - a for a, b in pairwise(moments)), default=60.0)
    wide = (width - box.left - box.right) * step / window.seconds
    for place, ((_, counts), name) in enumerate(zip(rows, names, strict=True)):
        y = height - box.bottom - (place + 1) * row
        pieces.append(words(box.left - 6, y + row / 2 + 4, name, anchor="end"))
        for moment, count in counts.items():
            x = box.x(moment, window) - wide
            if count > 1e-9 and x >= box.left - wide:
                shade = _SHADES[min(int((count / most) ** 0.5 * (len(_SHADES) - 1) + 0.5), len(_SHADES) - 1)]
                pieces.append(
                    f'<rect x="{max(x, box.left):.1f}" y="{y:.1f}" width="{max(wide - 1, 1):.1f}" '
                    f'height="{row - 1:.1f}" fill="{shade}"/>'
                )
    return _svg(box, pieces)


def _buckets(lines: Sequence[Line]) -> list[tuple[float, dict[float, float]]]:
    ordered = sorted(((float(line.labels.get("le", "inf")), line) for line in lines), key=lambda pair: pair[0])
    below: dict[float, float] = {}
    rows = []
    for le, line in ordered:
        counts = {moment: value for moment, value in line.points if math.isfinite(value)}
        rows.append((le, {moment: max(value - below.get(moment, 0.0), 0.0) for moment, value in counts.items()}))
        below = counts
    return rows


def shares(parts: Sequence[tuple[str, float, str]], size: float, *, ring: bool) -> str:
    """Draw a pie, or a ring, of named and colored parts."""
    total = sum(value for _, value, _ in parts) or 1.0
    center, radius, angle, pieces = size / 2, size / 2 - 4, -math.pi / 2, []
    for _, value, color in parts:
        turn = min(value / total, 0.9999) * 2 * math.pi
        x1, y1 = center + radius * math.cos(angle), center + radius * math.sin(angle)
        x2, y2 = center + radius * math.cos(angle + turn), center + radius * math.sin(angle + turn)
        large = int(turn > math.pi)
        pieces.append(
            f'<path d="M{center:.1f},{center:.1f} L{x1:.1f},{y1:.1f} A{radius:.1f},{radius:.1f} 0 {large} 1 '
            f'{x2:.1f},{y2:.1f} Z" fill="{color}"/>'
        )
        if value / total > 0.06:
            middle = angle + turn / 2
            far = radius * (0.8 if ring else 0.65)
            pieces.append(
                words(
                    center + far * math.cos(middle),
                    center + far * math.sin(middle) + 4,
                    f"{value / total:.0%}",
                    anchor="middle",
                    color=ink_on(color),
                )
            )
        angle += turn
    if ring:
        pieces.append(f'<circle cx="{center}" cy="{center}" r="{radius * 0.58:.1f}" fill="#181B1F"/>')
    return _svg(Box(width=size, height=size, left=0), pieces)
