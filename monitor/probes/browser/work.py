"""Where the main thread's time went: Chromium's long animation frames, summed by script and step."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable

from monitor.domain.script_time import ScriptTime

_MOST = 20
_SUMS = 500
_TELLINGS = 2000
_PARTS = 3


class WorkWatch:
    """Adds up what pages tell of their long frames; what makes no sense is dropped, as a page can tell anything."""

    def __init__(self, clean_url: Callable[[str], str]) -> None:
        self._clean_url = clean_url
        self._begun: list[float] = []
        self._steps: list[str] = []
        self._seconds: dict[tuple[str, str], float] = {}
        self._tellings = 0

    def begin_step(self, name: str, moment: float) -> None:
        """Say that what starts from now on, in seconds of the wall clock, belongs to this step."""
        self._begun.append(moment)
        self._steps.append(name)

    def take(self, told: object) -> None:
        """Take in a list of URL, moment at which the script started, and seconds of work."""
        self._tellings += 1
        if self._tellings > _TELLINGS or not isinstance(told, list):
            return
        for entry in told[:_MOST]:
            if isinstance(entry, list) and len(entry) == _PARTS:
                self._add(*entry)

    def scripts(self) -> tuple[ScriptTime, ...]:
        """Return the scripts with the most work, the longest first."""
        longest = sorted(self._seconds.items(), key=lambda found: -found[1])[:_MOST]
        return tuple(ScriptTime(url=url, seconds=seconds, step=step) for (url, step), seconds in longest)

    def _add(self, url: object, moment: object, seconds: object) -> None:
        if not (isinstance(url, str) and isinstance(moment, int | float) and isinstance(seconds, int | float)):
            return
        if not (math.isfinite(moment) and math.isfinite(seconds) and seconds > 0):
            return
        key = self._clean_url(url), self._step_at(moment)
        if key in self._seconds or len(self._seconds) < _SUMS:
            self._seconds[key] = self._seconds.get(key, 0.0) + seconds

    def _step_at(self, moment: float) -> str:
        place = bisect.bisect_right(self._begun, moment)
        return self._steps[place - 1] if place else ""
