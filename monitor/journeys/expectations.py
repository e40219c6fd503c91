"""Statements about what a step sees. One that is false fails the step, and says what was seen instead."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from monitor.journeys.jsonpath import path_of
from monitor.journeys.patterns import pattern_of
from monitor.probes.http.ledger import ExchangeFailed
from monitor.probes.http.response import Response
from monitor.probes.http.waiting import until
from monitor.probes.session import ExpectationFailed
from monitor.reading.quantities import parse_duration, show_duration

T = TypeVar("T")

_EXCERPT = 160
_ABSENT = object()
_NOT_YET = (ExpectationFailed, ExchangeFailed)


@dataclass(frozen=True, slots=True)
class ExpectedValue:
    """A value that something is expected of. Each method returns it again, so that expectations can be chained."""

    value: object
    name: str

    def equals(self, expected: object) -> ExpectedValue:
        """Expect the very value."""
        return self._expect(self.value == expected, f"to be {_shown(expected)}")

    def differs_from(self, other: object) -> ExpectedValue:
        """Expect any value but this one."""
        return self._expect(self.value != other, f"to differ from {_shown(other)}")

    def is_true(self) -> ExpectedValue:
        """Expect something that counts as true: not empty, not zero, not missing."""
        return self._expect(bool(self.value), "to be true")

    def is_present(self) -> ExpectedValue:
        """Expect anything but ``None``."""
        return self._expect(self.value is not None, "to be there")

    def contains(self, part: object) -> ExpectedValue:
        """Expect a text to hold a text, or a collection to hold a value."""
        found = False
        match self.value:
            case str() as text:
                found = isinstance(part, str) and part in text
            case dict() | list() | tuple() | set() | frozenset() as held:
                found = part in held
        return self._expect(found, f"to contain {_shown(part)}")

    def matches(self, pattern: str) -> ExpectedValue:
        """Expect a match of a regular expression (RE2) anywhere in the text, in bounded time."""
        found = isinstance(self.value, str) and pattern_of(pattern).search(self.value) is not None
        return self._expect(found, f"to match {pattern!r}")

    def is_at_least(self, least: float) -> ExpectedValue:
        """Expect a number that is not smaller."""
        return self._expect(_number(self.value) and self.value >= least, f"to be at least {least}")  # type: ignore[operator]  # a number by then

    def is_at_most(self, most: float) -> ExpectedValue:
        """Expect a number that is not greater."""
        return self._expect(_number(self.value) and self.value <= most, f"to be at most {most}")  # type: ignore[operator]  # a number by then

    def has_length(self, length: int) -> ExpectedValue:
        """Expect so many characters or entries."""
        seen = len(self.value) if isinstance(self.value, str | list | tuple | dict) else None
        return self._expect(seen == length, f"to have length {length}")

    def _expect(self, holds: bool, what: str) -> ExpectedValue:  # noqa: FBT001 - private, and reads as the sentence it is
        if not holds:
            msg = f"expected {self.name} {what}, saw {_shown(self.value)}"
            raise ExpectationFailed(msg)
        return self


@dataclass(frozen=True, slots=True)
class ExpectedResponse:
    """An answer that something is expected of. Each method returns it again, so that expectations can be chained."""

    response: Response

    def has_status(self, *allowed: int) -> ExpectedResponse:
        """Expect one of these statuses."""
        if self.response.status not in allowed:
            self._fail(f"status {' or '.join(str(one) for one in allowed)}", self._status())
        return self

    def has_status_below(self, limit: int) -> ExpectedResponse:
        """Expect a status below a limit: 400 for whatever is no error."""
        if self.response.status >= limit:
            self._fail(f"a status below {limit}", self._status())
        return self

    def has_header(self, name: str, value: str | None = None, *, matching: str | None = None) -> ExpectedResponse:
        """Expect a header to be there, to contain a text (whatever the case), or to match a regular expression."""
        seen = self.response.headers.get(name)
        if seen is None:
            self._fail(f"a header '{name}'", "none")
        if value is not None and value.casefold() not in seen.casefold():
            self._fail(f"header '{name}' to contain {value!r}", _shown(seen))
        if matching is not None and pattern_of(matching).search(seen) is None:
            self._fail(f"header '{name}' to match {matching!r}", _shown(seen))
        return self

    def has_no_header(self, name: str) -> ExpectedResponse:
        """Expect that a header is not there."""
        seen = self.response.headers.get(name)
        if seen is not None:
            self._fail(f"no header '{name}'", _shown(seen))
        return self

    def has_text(self, *texts: str) -> ExpectedResponse:
        """Expect the body to contain each text."""
        body = self.response.text
        for text in texts:
            if text not in body:
                self._fail(f"the body to contain {text!r}", excerpt(body))
        return self

    def lacks_text(self, *texts: str) -> ExpectedResponse:
        """Expect the body to contain none of the texts."""
        body = self.response.text
        for text in texts:
            position = body.find(text)
            if position >= 0:
                self._fail(f"the body not to contain {text!r}", excerpt(body[max(0, position - 40) :]))
        return self

    def matches(self, *patterns: str) -> ExpectedResponse:
        """Expect each regular expression (RE2) to match somewhere in the body, in bounded time."""
        body = self.response.text
        for pattern in patterns:
            if pattern_of(pattern).search(body) is None:
                self._fail(f"the body to match {pattern!r}", excerpt(body))
        return self

    def has_json(self, path: str, value: object = _ABSENT) -> ExpectedResponse:
        """Expect a value at a path in the JSON body, and, where it is given, this very value."""
        seen = self.json(path)
        if value is not _ABSENT and not _same(seen, value):
            self._fail(f"JSON '{path}' to be {_shown(value)}", _shown(seen))
        return self

    def json(self, path: str = "") -> object:
        """Return the value at a path in the JSON body; that it is there is an expectation, too."""
        try:
            return path_of(path).of(self.response.json())
        except ExpectationFailed as failed:
            msg = f"{failed} {self._source()}"
            raise ExpectationFailed(msg) from None

    def came_within(self, limit: str | dt.timedelta) -> ExpectedResponse:
        """Expect the answer to have come in this time, from the start of the request to the last byte."""
        allowed = _duration(limit)
        took = self.response.exchange.timings.total
        if took > allowed.total_seconds():
            self._fail(f"an answer within {show_duration(allowed)}", f"{took:.3f} s")
        return self

    def certificate_lasts(self, *, days: float) -> ExpectedResponse:
        """Expect the server's certificate to be valid for at least so many days more."""
        left = self.response.certificate_days_left
        if left is None or left < days:
            seen = "no certificate" if left is None else f"{left:.1f} days left"
            self._fail(f"a certificate that lasts {days:g} days", seen)
        return self

    def _source(self) -> str:
        exchange = self.response.exchange
        return f"from {exchange.method} {exchange.url} (status {self.response.status})"

    def _status(self) -> str:
        status = f"{self.response.status} {self.response.exchange.reason}".strip()
        return f"{status}, {excerpt(self.response.text)}"

    def _fail(self, what: str, seen: str) -> NoReturn:
        msg = f"expected {what}, saw {seen} {self._source()}"
        raise ExpectationFailed(msg)


def expect_that(value: object, name: str = "the value") -> ExpectedValue:
    """Begin an expectation about a value; ``name`` is what the failure calls it."""
    return ExpectedValue(value, name)


def expect_response(response: Response) -> ExpectedResponse:
    """Begin an expectation about an answer over HTTP."""
    return ExpectedResponse(response)


async def eventually(
    ask: Callable[[], Awaitable[T]], *, within: str | dt.timedelta, every: str | dt.timedelta = "1s"
) -> T:
    """Ask again and again until no expectation fails, and return what was answered then.

    An exchange that fails counts as "not yet", too; anything else that ``ask`` raises ends the waiting at once. When
    the time is over, what failed last is raised.
    """
    return await until(ask, lambda _: True, within=_duration(within), every=_duration(every), tolerated=_NOT_YET)


def excerpt(text: str) -> str:
    """Return the beginning of a body, on one line, fit for a message."""
    flat = re.sub(r"\s+", " ", text[: _EXCERPT * 4]).strip()
    if not flat:
        return "an empty body"
    return repr(flat if len(flat) <= _EXCERPT else flat[: _EXCERPT - 1] + "…")


def _duration(value: str | dt.timedelta) -> dt.timedelta:
    return parse_duration(value) if isinstance(value, str) else value


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _EXCERPT else shown[: _EXCERPT - 1] + "…"


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(seen: object, expected: object) -> bool:
    # Python takes True for 1; JSON does not.
    return seen == expected and isinstance(seen, bool) == isinstance(expected, bool)
