"""What the address of a list of runs asks for: filters, a span of time, and where to go on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from monitor.domain.cause import Cause
from monitor.domain.outcome import Outcome
from monitor.history.values import RunFilter
from monitor.reading.problem import quoted
from monitor.reading.suggestion import did_you_mean

E = TypeVar("E", Outcome, Cause)

FILTERS = ("check", "journey", "target", "profile", "location", "outcome", "cause", "from", "to")
CURSOR = "cursor"
# What a dashboard writes for a variable that is not narrowed down.
_ANY = frozenset({"", "All", "$__all", ".*", ".+"})
_MOST_VALUES, _LONGEST = 50, 250
_RELATIVE = re.compile(r"now(?:-(\d{1,6})([smhdw]))?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MILLISECONDS = re.compile(r"\d{10,14}")
_INCLUDED = dt.timedelta(microseconds=1)
_FAR = dt.timedelta(days=3660)
_SEPARATOR = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsQuery:
    """One question for runs.

    Attributes:
        given: The parameters that narrow the list, in a fixed order, as they were written.
        cursor: Where the list goes on; empty at its beginning.
    """

    wanted: RunFilter
    given: tuple[tuple[str, str], ...] = ()
    cursor: str = ""

    def values(self, name: str) -> tuple[str, ...]:
        """Return what was asked of one property."""
        return tuple(value for key, value in self.given if key == name)

    def without(self, name: str, value: str | None = None) -> str:
        """Return the address without one value of a property, or without any."""
        return address((key, kept) for key, kept in self.given if key != name or value not in (None, kept))

    def only(self, name: str, value: str) -> str:
        """Return the address with one value of a property in place of whatever it has."""
        return address([*((key, kept) for key, kept in self.given if key != name), (name, value)])


def address(given: Iterable[tuple[str, str]], path: str = "/runs") -> str:
    """Return the address of a list."""
    query = urlencode(list(given))
    return f"{path}?{query}" if query else path


def read_query(parameters: Iterable[tuple[str, str]], now: dt.datetime, *, others: Iterable[str] = ()) -> RunsQuery:
    """Return what is asked. Raises ValueError with one sentence; ``others`` are parameters that are read elsewhere."""
    found: dict[str, list[str]] = {name: [] for name in FILTERS}
    cursor = ""
    ignored = frozenset(others)
    for name, value in parameters:
        if name == CURSOR:
            cursor = value
        elif name in found:
            if value not in _ANY and value not in found[name]:
                found[name].append(_bounded(name, value))
        elif name not in ignored:
            msg = f"a list of runs knows no {quoted(name)}{_hint(name, FILTERS)}"
            raise ValueError(msg)
    if any(len(values) > _MOST_VALUES for values in found.values()):
        msg = f"at most {_MOST_VALUES} values of one property can be asked for"
        raise ValueError(msg)
    given = tuple((name, value) for name in FILTERS for value in found[name])
    return RunsQuery(wanted=_filter(found, cursor, now), given=given, cursor=cursor)


def cursor_after(scheduled_at: dt.datetime, check: str) -> str:
    """Return where a list goes on whose last run is this one."""
    return f"{scheduled_at.isoformat()}{_SEPARATOR}{check}"


def _filter(found: dict[str, list[str]], cursor: str, now: dt.datetime) -> RunFilter:
    since, until = _moment("from", found["from"], now), _moment("to", found["to"], now)
    if since is not None and until is not None and since > until:
        msg = "'from' is later than 'to'; exchange the two"
        raise ValueError(msg)
    return RunFilter(
        check=_single("check", found["check"]),
        journeys=tuple(found["journey"]),
        targets=tuple(found["target"]),
        profiles=tuple(found["profile"]),
        locations=tuple(found["location"]),
        outcomes=_known("outcome", found["outcome"], Outcome),
        causes=_known("cause", found["cause"], Cause),
        since=since,
        before=until + _INCLUDED if until is not None else None,
        beyond=_beyond(cursor) if cursor else None,
    )


def _bounded(name: str, value: str) -> str:
    if len(value) > _LONGEST or not value.isprintable():
        msg = f"'{name}' holds a value that no run can have: at most {_LONGEST} visible characters"
        raise ValueError(msg)
    return value


def _single(name: str, values: list[str]) -> str | None:
    if len(values) > 1:
        msg = f"'{name}' can be given once"
        raise ValueError(msg)
    return values[0] if values else None


def _known(name: str, values: list[str], kind: type[E]) -> tuple[E, ...]:
    names = [member.value for member in kind]
    for value in values:
        if value not in names:
            msg = f"{quoted(value)} is no {name}{_hint(value, names)}"
            raise ValueError(msg)
    return tuple(kind(value) for value in values)


def _hint(word: str, known: Sequence[str]) -> str:
    return did_you_mean(word, known) or f"; known are {', '.join(known)}"


def _moment(name: str, values: list[str], now: dt.datetime) -> dt.datetime | None:
    written = _single(name, values)
    if written is None:
        return None
    try:
        found = _parsed(written, now)
    except (ValueError, OverflowError):
        found = None
    if found is None or abs(found - now) > _FAR:
        msg = (
            f"'{name}' is {quoted(written)}, which is no moment of the last years; "
            "write 2026-11-26T04:00:00Z, milliseconds since 1970, or now-6h"
        )
        raise ValueError(msg)
    return found


def _parsed(written: str, now: dt.datetime) -> dt.datetime | None:
    relative = _RELATIVE.fullmatch(written)
    if relative is not None:
        return now - dt.timedelta(seconds=int(relative[1] or 0) * _UNITS[relative[2] or "s"])
    if _MILLISECONDS.fullmatch(written):
        return dt.datetime.fromtimestamp(int(written) / 1000, dt.UTC)
    found = dt.datetime.fromisoformat(written)
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)


def _beyond(cursor: str) -> tuple[dt.datetime, str]:
    moment, _, check = cursor[: 2 * _LONGEST].partition(_SEPARATOR)
    try:
        found = dt.datetime.fromisoformat(moment)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not check:
        msg = "'cursor' is not one that a list gave; leave it out to begin at the newest run"
        raise ValueError(msg)
    return found, check
