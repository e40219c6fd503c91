"""Time, as a value that is passed in."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """Tells moments and durations; a test passes one that it moves by hand."""

    def now(self) -> dt.datetime:
        """Return the present moment, aware, in UTC."""
        ...

    def elapsed(self) -> float:
        """Return seconds on a clock that never steps; only differences mean anything."""
        ...


class SystemClock:
    """The machine's wall clock and monotonic clock."""

    def now(self) -> dt.datetime:
        """Return the present moment, aware, in UTC."""
        return dt.datetime.now(dt.UTC)

    def elapsed(self) -> float:
        """Return seconds of the monotonic clock."""
        return time.monotonic()
