"""Crontab expressions: the five standard fields, and nothing that two programs would read differently."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from monitor.reading.problem import quoted
from monitor.reading.suggestion import did_you_mean

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MINUTES_OF_DAY = 24 * 60
_FIELDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    first_name: int = 0


_MINUTE = _Field(name="minute", lowest=0, highest=59)
_HOUR = _Field(name="hour", lowest=0, highest=23)
_DAY = _Field(name="day of the month", lowest=1, highest=31)
_MONTH = _Field(name="month", lowest=1, highest=12, names=_MONTHS, first_name=1)
_WEEKDAY = _Field(name="day of the week", lowest=0, highest=7, names=_DAYS)


def check_cron(value: str) -> str:
    """Return a crontab expression in a form that every reader takes alike: weekdays by name, never by number.

    Raises ValueError where it is none, never comes true, or names both a day of the month and a day of the week:
    crontab then takes either, other readers take both.
    """
    parts = value.split()
    if value.startswith("@") or len(parts) != _FIELDS:
        msg = f"{quoted(value)} is not a crontab expression; write five fields: minute hour day month weekday"
        raise ValueError(msg)
    fields = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)
    _, _, days, months, weekdays = (_values(text, field) for text, field in zip(parts, fields, strict=True))
    if parts[2] != "*" and parts[4] != "*":
        msg = f"{quoted(value)} names a day of the month and of the week; readers differ on that: use two checks"
        raise ValueError(msg)
    if all(min(days) > _LONGEST_MONTH[month - 1] for month in months):
        msg = f"{quoted(value)} never comes: no such month has a day {min(days)}"
        raise ValueError(msg)
    if parts[4] != "*":
        parts[4] = ",".join(_DAYS[day] for day in sorted({day % 7 for day in weekdays}))
    return " ".join(parts).lower()


def shortest_gap_minutes(cron: str) -> int:
    """Return the least number of minutes between two moments of a valid expression, as if it held on every day."""
    minutes, hours = (_values(text, field) for text, field in zip(cron.split()[:2], (_MINUTE, _HOUR), strict=True))
    moments = sorted(hour * 60 + minute for hour in hours for minute in minutes)
    following = [*moments[1:], moments[0] + _MINUTES_OF_DAY]
    return min(after - before for before, after in zip(moments, following, strict=True))


@functools.lru_cache(maxsize=1024)
def moments_per_year(cron: str) -> int:
    """Return how often a valid expression comes true in a year of 365 days that starts on a Thursday."""
    fields = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)
    minutes, hours, days, months, weekdays = (
        _values(text, field) for text, field in zip(cron.split(), fields, strict=True)
    )
    dates = (dt.date(2026, 1, 1) + dt.timedelta(days=number) for number in range(365))
    named = sum(date.month in months and date.day in days and date.isoweekday() % 7 in weekdays for date in dates)
    return named * len(hours) * len(minutes)


def _values(text: str, field: _Field) -> frozenset[int]:
    return frozenset(value for item in text.split(",") for value in _item(item, field))


def _item(item: str, field: _Field) -> Iterator[int]:
    span, slash, step_text = item.partition("/")
    step = 1
    if slash:
        if span != "*" and "-" not in span:
            msg = f"{quoted(item)} in the {field.name} is ambiguous; write {span}-{field.highest}/{step_text}"
            raise ValueError(msg)
        step = _number(step_text, field, item)
        if not 0 < step <= field.highest:
            msg = f"the step of {quoted(item)} in the {field.name} must be from 1 to {field.highest}"
            raise ValueError(msg)
    first, last = _span(span, field, item)
    if first > last:
        msg = f"{quoted(item)} in the {field.name} runs backwards; write two ranges with a comma"
        raise ValueError(msg)
    yield from range(first, last + 1, step)


def _span(span: str, field: _Field, item: str) -> tuple[int, int]:
    if span == "*":
        return field.lowest, min(field.highest, 6) if field is _WEEKDAY else field.highest
    first, dash, last = span.partition("-")
    start = _value(first, field, item)
    return start, _value(last, field, item) if dash else start


def _value(text: str, field: _Field, item: str) -> int:
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.first_name
    number = _number(text, field, item)
    if not field.lowest <= number <= field.highest:
        msg = f"{quoted(text)} is no {field.name}; write {field.lowest} to {field.highest}"
        raise ValueError(msg)
    return number


def _number(text: str, field: _Field, item: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 2:  # noqa: PLR2004 - no field has more digits
        return int(text)
    hint = did_you_mean(text, field.names)
    msg = f"{quoted(item)} in the {field.name} is not a number, range, list or step{hint or '; write *, 5, 1-5, */15'}"
    raise ValueError(msg)


Cron = Annotated[
    str, Field(max_length=200, json_schema_extra={"examples": ["0 6 * * mon-fri"]}), AfterValidator(check_cron)
]
