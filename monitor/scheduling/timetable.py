"""The moments at which a check is due: arithmetic on a fixed grid, and crontab expressions in a time zone."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Protocol

from apscheduler.triggers.cron import CronTrigger

from monitor.domain.check import Schedule

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
_FIELDS = 5
_A_LEAP_YEAR = 1_704_067_200_000


class ScheduleError(ValueError):
    """A schedule names no moments; the message says why and what to write instead."""


class Timetable(Protocol):
    """An endless or ending row of moments, in whole milliseconds since 1970."""

    @property
    def interval(self) -> int | None:
        """Return the milliseconds between two moments, or ``None`` where they are not evenly spaced."""
        ...

    def following(self, moment: int) -> int | None:
        """Return the first moment after ``moment``."""
        ...


def moment_of(when: dt.datetime) -> int:
    """Return an aware datetime as whole milliseconds since 1970."""
    return (when - _EPOCH) // _MILLISECOND


def datetime_of(moment: int) -> dt.datetime:
    """Return milliseconds since 1970 as a datetime in UTC."""
    return _EPOCH + dt.timedelta(milliseconds=moment)


def timetable_of(name: str, schedule: Schedule) -> Timetable:
    """Return the timetable of the check ``name``. Raises ScheduleError where the schedule names no moments."""
    if schedule.interval is not None:
        return Grid(name, schedule.interval)
    if schedule.cron is not None:
        return Crontab(schedule.cron, schedule.timezone)
    msg = "the schedule has neither an interval nor a crontab expression; give one of them"
    raise ScheduleError(msg)


class Grid:
    """Every ``interval`` since 1970, moved by an offset that depends on the name alone.

    So checks spread evenly, and each keeps its phase over restarts and whatever other checks there are.
    """

    def __init__(self, name: str, interval: dt.timedelta) -> None:
        """Lay the grid. Raises ScheduleError for an interval below a millisecond."""
        self._interval = interval // _MILLISECOND
        if self._interval <= 0:
            msg = f"an interval of {interval} is too short; write at least 1s"
            raise ScheduleError(msg)
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        self.offset = int.from_bytes(digest, "big") * self._interval >> 64

    @property
    def interval(self) -> int:
        """Return the milliseconds between two moments."""
        return self._interval

    def following(self, moment: int) -> int:
        """Return the first moment of the grid after ``moment``."""
        return moment + self._interval - (moment - self.offset) % self._interval


class Crontab:
    """The moments of a crontab expression of five fields in a time zone; weekdays are named, not numbered.

    A local time that the change to summer time leaves out comes once, as much later as the clock was put forward; one
    that comes twice in autumn counts the first time only, unless the expression means every hour.
    """

    def __init__(self, expression: str, timezone: str) -> None:
        """Read the expression. Raises ScheduleError where it cannot be understood, or never comes."""
        fields = expression.split()
        if len(fields) != _FIELDS or any(letter.isdecimal() for letter in fields[-1].partition("/")[0]):
            # APScheduler counts weekdays from Monday, crontab from Sunday: a number would be taken for another day.
            msg = f"'{expression}' is not minute, hour, day, month and weekday, the last by name: '0 6 * * mon-fri'"
            raise ScheduleError(msg)
        try:
            self._trigger = CronTrigger.from_crontab(expression, timezone=timezone)
        except (ValueError, LookupError) as error:
            msg = f"'{expression}' in time zone '{timezone}' is not a crontab expression: {error}"
            raise ScheduleError(msg) from error
        self._every_hour = fields[1].startswith("*")
        if self.following(_A_LEAP_YEAR) is None:
            msg = f"'{expression}' never comes; look at its day and month"
            raise ScheduleError(msg)

    @property
    def interval(self) -> None:
        """Return nothing: the moments are not evenly spaced."""
        return

    def following(self, moment: int) -> int | None:
        """Return the first moment after ``moment``."""
        while True:
            found = self._trigger.get_next_fire_time(None, datetime_of(moment + 1))
            if found is None:
                return None
            moment = moment_of(found.astimezone(dt.UTC))
            if self._every_hour or not found.fold:
                return moment


def longest_gap(schedule: Schedule, now: dt.datetime, moments: int = 64) -> dt.timedelta:
    """Return the longest time between two slots, of an interval at once and of a crontab by its next ``moments``."""
    timetable = timetable_of("", schedule)
    if timetable.interval is not None:
        return timetable.interval * _MILLISECOND
    longest, before = 0, moment_of(now)
    for _ in range(moments):
        following = timetable.following(before)
        if following is None:
            break
        longest, before = max(longest, following - before), following
    return longest * _MILLISECOND
