"""How values are written for a person: moments, seconds, sizes, causes."""

from __future__ import annotations

import datetime as dt

from monitor.domain.cause import Cause, Confidence
from monitor.domain.evidence import VantageHealth, Vitals

_CAUSES = {
    Cause.OWN_INFRASTRUCTURE: "own infrastructure",
    Cause.THIRD_PARTY: "third party",
    Cause.CLIENT_ENVIRONMENT: "client environment",
    Cause.UNDETERMINED: "undetermined",
}
_CONFIDENCES = {
    Confidence.CONFIRMED: "confirmed",
    Confidence.PROBABLE: "probable",
    Confidence.NONE: "",
}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_KIB = 1024


def moment(value: dt.datetime) -> str:
    """Write a moment, in UTC and to the second."""
    return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def seconds(value: float) -> str:
    """Write a duration with as many digits as mean something."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < _MINUTE else span(value)


def span(value: float) -> str:
    """Write a long duration in its largest unit."""
    if value < _MINUTE:
        return f"{value:.0f} s"
    if value < _HOUR:
        return f"{value / _MINUTE:.0f} min"
    return f"{value / _HOUR:.0f} h" if value < 2 * _DAY else f"{value / _DAY:.0f} days"


def size(value: int) -> str:
    """Write a number of bytes."""
    if value < _KIB:
        return f"{value} B"
    return f"{value / _KIB:.0f} KiB" if value < _KIB**2 else f"{value / _KIB**2:.1f} MiB"


def share(part: int, whole: int) -> str:
    """Write a share in percent, rounded down, so that only all of it reads as 100 %."""
    if whole == 0:
        return ""
    return "100 %" if part == whole else f"{int(1000 * part / whole) / 10:.1f} %"


def cause_word(cause: Cause | str) -> str:
    """Write a cause in plain words."""
    return _CAUSES[Cause(cause)]


def party_word(party: str) -> str:
    """Write a party in plain words; parties and causes share their names."""
    return party.replace("_", " ")


def confidence_word(confidence: Confidence) -> str:
    """Write how sure a diagnosis is."""
    return _CONFIDENCES[confidence]


def vitals(value: Vitals) -> list[tuple[str, str]]:
    """Write the Web Vitals that were measured, each with its usual abbreviation."""
    timed = (
        ("TTFB", value.time_to_first_byte),
        ("FCP", value.first_contentful_paint),
        ("LCP", value.largest_contentful_paint),
        ("INP", value.interaction_to_next_paint),
    )
    words = [(name, seconds(spent)) for name, spent in timed if spent is not None]
    if value.cumulative_layout_shift is not None:
        words.append(("CLS", f"{value.cumulative_layout_shift:.3f}"))
    if value.long_tasks:
        words.append(("long tasks", f"{value.long_tasks} ({seconds(value.long_task_seconds)})"))
    return words


def vantage(value: VantageHealth) -> str:
    """Write how we ourselves fared during a run."""
    parts = []
    if value.loop_lag_p50 is not None:
        parts.append(f"loop late by {seconds(value.loop_lag_p50)} (median)")
    if value.cpu_pressure is not None:
        parts.append(f"processor pressure {value.cpu_pressure:.0f} %")
    if value.memory_pressure is not None:
        parts.append(f"memory pressure {value.memory_pressure:.0f} %")
    if value.throttled_ratio:
        parts.append(f"throttled {100 * value.throttled_ratio:.0f} % of periods")
    return ", ".join(parts)
