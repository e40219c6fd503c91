"""Times in which planned slots are skipped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from monitor.domain.check import MaintenanceWindow
from monitor.scheduling.timetable import Crontab, ScheduleError, moment_of

_WILD = frozenset("*?[")


@dataclass(slots=True)
class _Recurring:
    """A window that comes back. What was found last is kept, for the next question is mostly about the same time."""

    window: MaintenanceWindow
    crontab: Crontab
    length: int
    asked: int = 0
    begins: int | None = None

    def covers(self, moment: int) -> bool:
        since = moment - self.length
        if self.begins is None or not self.asked <= since < self.begins:
            self.asked = since
            self.begins = self.crontab.following(since)
        return self.begins is not None and self.begins <= moment


class Maintenance:
    """Says whether a check is under maintenance at a moment."""

    def __init__(self, windows: Iterable[MaintenanceWindow] = ()) -> None:
        """Prepare the windows. Raises ScheduleError where the crontab of one cannot be understood."""
        self._once: list[tuple[MaintenanceWindow, int, int]] = []
        self._recurring: list[_Recurring] = []
        for window in windows:
            self._add(window)

    def covers(self, check: str, moment: int) -> bool:
        """Say whether a window that holds for ``check`` covers the moment, given in milliseconds."""
        return any(begin <= moment < end and _concerns(window, check) for window, begin, end in self._once) or any(
            _concerns(window.window, check) and window.covers(moment) for window in self._recurring
        )

    def covered(self, checks: Iterable[str], moment: int) -> frozenset[str]:
        """Return those of many checks that are covered at a moment, given in milliseconds."""
        active = [window for window, begin, end in self._once if begin <= moment < end]
        active += [recurring.window for recurring in self._recurring if recurring.covers(moment)]
        if not active:
            return frozenset()
        # Names are looked up and only patterns are tried, for a window may name each of ten thousand checks.
        named = {name for window in active for name in window.checks}
        patterns = [name for name in named if not _WILD.isdisjoint(name)]
        every = any(not window.checks for window in active)
        return frozenset(
            check
            for check in checks
            if every or check in named or any(fnmatchcase(check, pattern) for pattern in patterns)
        )

    def _add(self, window: MaintenanceWindow) -> None:
        if window.cron is not None and window.cron.cron is not None and window.duration is not None:
            crontab = Crontab(window.cron.cron, window.cron.timezone)
            length = window.duration // dt.timedelta(milliseconds=1)
            self._recurring.append(_Recurring(window, crontab, length))
        elif window.start is not None and window.end is not None:
            self._once.append((window, moment_of(window.start), moment_of(window.end)))
        else:
            msg = f"maintenance window '{window.name}' needs start and end, or cron and duration"
            raise ScheduleError(msg)


def _concerns(window: MaintenanceWindow, check: str) -> bool:
    return not window.checks or any(fnmatchcase(check, pattern) for pattern in window.checks)
