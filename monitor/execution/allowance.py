"""The time of one run: what steps may use, and what is kept back for evidence and teardown."""

from __future__ import annotations

from monitor.domain.clock import Clock
from monitor.domain.journey import ProbeKind


class Allowance:
    """One deadline from which every part of a run draws."""

    def __init__(self, deadline: float, *, kind: ProbeKind, clock: Clock) -> None:
        """Start the run now; it has to be over in ``deadline`` seconds."""
        self._clock = clock
        self._kind = kind
        self.started = clock.elapsed()
        self.deadline = deadline
        self.for_steps = deadline - _reserve(deadline, kind)

    def now(self) -> float:
        """Return seconds since the start of the run."""
        return self._clock.elapsed() - self.started

    def left_for_steps(self) -> float:
        """Return the seconds that steps may still use; never negative."""
        return max(0.0, self.for_steps - self.now())

    def left(self) -> float:
        """Return the seconds until the run must be over; never negative."""
        return max(0.0, self.deadline - self.now())

    def for_closing(self, share: float, *, least: float = 0.0) -> float:
        """Return the seconds for one part of what comes after the steps: a share of what is left.

        A browser gets ``least`` even where that runs over: cut shorter, a busy machine would look like a sick browser.
        """
        part = self.left() * share
        match self._kind:
            case ProbeKind.HTTP:
                return part
            case ProbeKind.BROWSER:
                return max(part, least)


def _reserve(deadline: float, kind: ProbeKind) -> float:
    # A little less than each probe keeps back itself: one that gives up first can say what it was waiting for, and
    # the cut from here meets only steps that wait for something else.
    match kind:
        case ProbeKind.HTTP:
            return min(deadline * 0.08, 0.15)
        case ProbeKind.BROWSER:
            return min(max(deadline * 0.08, 0.2), 5.0, deadline / 2)
