"""The time that the scheduler lives in: it reads like the wall clock and runs like the clock that never steps."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from monitor.domain.clock import Clock

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_STEP = 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStep:
    """The wall clock was set: what the timeline read before, and what it reads since, in milliseconds."""

    before: float
    after: float

    @property
    def seconds(self) -> float:
        """Return by how much it was set forward; negative where it was set back."""
        return (self.after - self.before) / 1_000


class Timeline:
    """Milliseconds since 1970, carried by the monotonic clock between two looks at the wall clock."""

    def __init__(self, clock: Clock) -> None:
        """Set the timeline by the wall clock."""
        self._clock = clock
        self._ahead = self._wall() - clock.elapsed() * 1_000

    def now(self) -> float:
        """Return the present moment in milliseconds; between two calls of :meth:`compare` it never steps."""
        return self._clock.elapsed() * 1_000 + self._ahead

    def datetime(self) -> dt.datetime:
        """Return the present moment as a datetime in UTC."""
        return _EPOCH + dt.timedelta(milliseconds=self.now())

    def compare(self) -> ClockStep | None:
        """Follow the wall clock, and say so where it was set by a second or more; less is the clock being tuned."""
        before = self.now()
        after = self._wall()
        self._ahead += after - before
        return ClockStep(before=before, after=after) if abs(after - before) >= _STEP else None

    def _wall(self) -> float:
        return (self._clock.now() - _EPOCH) / dt.timedelta(milliseconds=1)
