"""Durations and sizes as people write them, for pydantic models."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from pydantic import BeforeValidator, InstanceOf, WithJsonSchema

from monitor.reading.problem import quoted

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)")
_SIZES = {"kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(kbit/s|Mbit/s|Gbit/s)")
_RATES = {"kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9}
_LONGEST = dt.timedelta(days=3660)


def parse_duration(value: object) -> dt.timedelta:
    """Return the time that ``30s``, ``5m`` or ``1h30m`` means. Raises ValueError."""
    if not isinstance(value, str) or len(value) > 40 or not re.fullmatch(rf"(?:{_PART.pattern})+", value):  # noqa: PLR2004 - longer than any duration
        msg = f"{quoted(value)} is not a duration; write 30s, 5m or 1h"
        raise ValueError(msg)
    seconds = sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(value))
    if not 0 < seconds <= _LONGEST.total_seconds():
        msg = f"{quoted(value)} must be more than 0s and at most {_LONGEST.days}d"
        raise ValueError(msg)
    return dt.timedelta(seconds=seconds)


def show_duration(duration: dt.timedelta) -> str:
    """Return a duration as it would be written in a file."""
    seconds = duration.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"


def parse_size(value: object) -> int:
    """Return the bytes that ``500MB`` or ``2GiB`` means. Raises ValueError."""
    matched = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if matched is None or float(matched[1]) <= 0:
        msg = f"{quoted(value)} is not a size; write 500MB or 2GiB"
        raise ValueError(msg)
    return int(float(matched[1]) * _SIZES[matched[2]])


def parse_rate(value: object) -> int:
    """Return the bits per second that ``400kbit/s`` or ``5Mbit/s`` means. Raises ValueError."""
    matched = _RATE.fullmatch(value) if isinstance(value, str) else None
    if matched is None or float(matched[1]) <= 0:
        msg = f"{quoted(value)} is not a rate; write 400kbit/s or 5Mbit/s"
        raise ValueError(msg)
    return int(float(matched[1]) * _RATES[matched[2]])


def _schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$", "examples": list(examples)})


Duration = Annotated[
    InstanceOf[dt.timedelta], BeforeValidator(parse_duration), _schema(f"(?:{_PART.pattern})+", "30s", "5m", "1h30m")
]
Size = Annotated[int, BeforeValidator(parse_size), _schema(_SIZE.pattern, "500MB", "2GiB")]
Rate = Annotated[int, BeforeValidator(parse_rate), _schema(_RATE.pattern, "400kbit/s", "5Mbit/s")]
