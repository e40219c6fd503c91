"""How late runs started, counted in classes."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatenessCounts:
    """A histogram: ``counts[i]`` starts were at most ``bounds[i]`` seconds late, the last count is of later ones.

    Attributes:
        counts: Not cumulative.
        total: Seconds of all starts together.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


class Lateness:
    """Counts how late runs started."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._counts = [0] * (len(BOUNDS) + 1)
        self._total = 0.0

    def add(self, seconds: float) -> None:
        """Count one start."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._total += seconds

    def counts(self) -> LatenessCounts:
        """Return what was counted so far."""
        return LatenessCounts(bounds=BOUNDS, counts=tuple(self._counts), total=self._total)
