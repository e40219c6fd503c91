"""The time of one run: what steps may use, and what is kept back for evidence and teardown."""

from __future__ import annotations

from monitor.domain.clock import Clock

_RESERVE = 0.1
_LEAST_RESERVE = 0.5
_MOST_RESERVE = 5.0


class Allowance:
    """One deadline from which every part of a run draws."""

    def __init__(self, deadline: float, *, clock: Clock) -> None:
        """Start the run now; it has to be over in ``deadline`` seconds."""
        self._clock = clock
        self.started = clock.elapsed()
        self.deadline = deadline
        reserve = min(max(deadline * _RESERVE, _LEAST_RESERVE), _MOST_RESERVE, deadline / 2)
        self.for_steps = deadline - reserve

    def now(self) -> float:
        """Return seconds since the start of the run."""
        return self._clock.elapsed() - self.started

    def left_for_steps(self) -> float:
        """Return the seconds that steps may still use; never negative."""
        return max(0.0, self.for_steps - self.now())

    def left(self) -> float:
        """Return the seconds until the run must be over; never negative."""
        return max(0.0, self.deadline - self.now())
