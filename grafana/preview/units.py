"""Numbers as Grafana writes them: by unit and decimals."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_SHORT = ("", " K", " Mil", " Bil", " Tri")
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")
_DECIMAL_BYTES = ("B", "kB", "MB", "GB", "TB")
_MINUTE, _HOUR, _DAY, _WEEK, _YEAR = 60.0, 3600.0, 86400.0, 604800.0, 31557600.0
_SPANS = (
    (_YEAR, "year"), (_WEEK, "week"), (_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "min"), (1.0, "s"), (0.001, "ms"),
    (0.000001, "µs"),
)  # fmt: skip
_WORDS = frozenset({"year", "week", "day", "hour", "min"})
_SCALED = {
    "short": (_SHORT, 1000.0),
    "bytes": (tuple(f" {name}" for name in _BYTES), 1024.0),
    "decbytes": (tuple(f" {name}" for name in _DECIMAL_BYTES), 1000.0),
    "binBps": (tuple(f" {name}/s" for name in _BYTES), 1024.0),
}
_MOMENTS = frozenset({"dateTimeFromNow", "dateTimeAsIso", "dateTimeAsSystem", "dateTimeAsLocal"})
_OF_SECONDS = {"s": 1.0, "ms": 0.001, "m": _MINUTE, "h": _HOUR, "d": _DAY, "µs": 0.000001}


def written(value: float, unit: str = "", decimals: int | None = None, *, now: float = 0.0) -> str:
    """Return a value in its unit; ``now`` is the moment that ``dateTimeFromNow`` counts from, in seconds."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if unit in _OF_SECONDS:
        return _span(value * _OF_SECONDS[unit], decimals)
    if unit in _SCALED:
        names, factor = _SCALED[unit]
        return _scaled(value, decimals, names, factor)
    if unit in _MOMENTS:
        return _from_now(value / 1000.0 - now) if unit == "dateTimeFromNow" else _moment(value)
    if unit in {"percentunit", "percent"}:
        return f"{plain(value * 100 if unit == 'percentunit' else value, decimals)}%"
    return _named(value, unit, decimals)


def _moment(value: float) -> str:
    return datetime.fromtimestamp(value / 1000.0, UTC).strftime("%Y-%m-%d %H:%M")


def _named(value: float, unit: str, decimals: int | None) -> str:
    """Write ``suffix:runs``, ``prefix:€`` and ``currencyEUR``; what is not known stands behind the number."""
    if unit in {"", "none"}:
        return plain(value, decimals)
    if unit == "locale":
        return f"{value:,.{decimals or 0}f}"
    kind, _, word = unit.partition(":")
    if kind == "prefix":
        return f"{word}{plain(value, decimals)}"
    if kind == "suffix":
        return f"{plain(value, decimals)}{word if word.startswith(' ') or not word.isalpha() else ' ' + word}"
    if kind.startswith("currency"):
        sign = {"EUR": "€", "USD": "$", "GBP": "£"}.get(kind.removeprefix("currency"), kind.removeprefix("currency"))
        return f"{sign}{_scaled(value, decimals, _SHORT, 1000.0)}"
    known = {"reqps": " req/s", "ops": " ops/s", "cps": " c/s", "runs": " runs"}
    return f"{plain(value, decimals)}{known.get(unit, ' ' + unit)}"


def plain(value: float, decimals: int | None) -> str:
    """Return a number with its decimals, or with as many as tell it apart."""
    if decimals is not None:
        return f"{value:.{decimals}f}"
    size = abs(value)
    if size == 0 or value == round(value):
        return f"{value:.0f}"
    places = max(2 - math.floor(math.log10(size)), 0)
    text = f"{value:.{min(places, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scaled(value: float, decimals: int | None, names: tuple[str, ...], factor: float) -> str:
    place = 0
    while abs(value) >= factor and place < len(names) - 1:
        value /= factor
        place += 1
    return f"{plain(value, decimals)}{names[place]}"


def _span(seconds: float, decimals: int | None) -> str:
    if seconds == 0:
        return "0 s" if decimals is None else f"{plain(0.0, decimals)} s"
    size, name = next(((size, name) for size, name in _SPANS if abs(seconds) >= size), _SPANS[-1])
    amount = plain(seconds / size, decimals)
    plural = "s" if name in _WORDS and amount != "1" else ""
    return f"{amount} {name}{plural}"


def _from_now(seconds: float) -> str:
    size, name = next(((size, name) for size, name in _SPANS if abs(seconds) >= size), (1.0, "s"))
    words = {"s": "second", "min": "minute", "ms": "second", "µs": "second"}.get(name, name)
    amount = max(round(abs(seconds) / size), 1)
    text = f"{amount} {words}{'s' if amount > 1 else ''}" if abs(seconds) >= _MINUTE else "a few seconds"
    return f"in {text}" if seconds > 0 else f"{text} ago"
