"""How much an investigation may cost, and how much all investigations together may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.config.settings import InvestigationSettings
from monitor.domain.check import Check
from monitor.domain.clock import Clock

SHARE = 0.05
LOOK_COST = 0.1
_ONE_INVESTIGATION = 10.0
_HOUR = 3600.0
_ASSUMED_INTERVAL = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left: journeys, single requests, and seconds."""

    journeys: int
    requests: int
    seconds: float


class Budget:
    """What one investigation may spend."""

    def __init__(self, settings: InvestigationSettings, clock: Clock) -> None:
        """Begin to count now."""
        self._clock = clock
        self._until = clock.elapsed() + settings.time_limit.total_seconds()
        self._journeys = settings.journeys
        self._requests = settings.requests

    def left(self) -> Left:
        """Return what is left."""
        return Left(
            journeys=self._journeys, requests=self._requests, seconds=max(0.0, self._until - self._clock.elapsed())
        )

    def spend(self, *, journeys: int = 0, requests: int = 0) -> None:
        """Count what is about to be done."""
        self._journeys -= journeys
        self._requests -= requests


class Throttle:
    """What all investigations together may spend: a share of the normal load, saved up for at most an hour.

    Costs are counted in runs. However small the load is, one whole investigation can be saved up.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin with everything that can be saved up."""
        self._clock = clock
        self._rate = 0.0
        self._most = _ONE_INVESTIGATION
        self._saved = self._most
        self._counted = clock.elapsed()

    def configure(self, checks: Iterable[Check]) -> None:
        """Take the normal load from what is scheduled."""
        self._count()
        before = self._most
        runs = sum(1 / (check.interval or _ASSUMED_INTERVAL).total_seconds() for check in checks if check.enabled)
        self._rate = SHARE * runs
        self._most = max(_ONE_INVESTIGATION, self._rate * _HOUR)
        self._saved = min(self._most, self._saved + max(0.0, self._most - before))

    def allows(self, cost: float) -> bool:
        """Take ``cost`` runs from what is saved up, or say that there is not so much."""
        self._count()
        if self._saved < cost:
            return False
        self._saved -= cost
        return True

    def _count(self) -> None:
        now = self._clock.elapsed()
        self._saved = min(self._most, self._saved + (now - self._counted) * self._rate)
        self._counted = now
