"""Ends runs that are not over when they have to be."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from monitor.dispatch.flight import Flight, Overdue
from monitor.domain.clock import Clock

if TYPE_CHECKING:
    from monitor.dispatch.process import WorkerProcess


class Deadlines:
    """Watches flights: of those with equal limits the first to start is the first to end, so one timer is enough.

    A timer for each would cost more than handing over the run, and is needed for hardly any.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin with no flight."""
        self._clock = clock
        self._rows: dict[float, deque[tuple[float, WorkerProcess, str]]] = {}

    def watch(self, flight: Flight, limit: float) -> None:
        """Land a flight as overdue ``limit`` seconds after it was ordered, if it is still under way."""
        row = self._rows.get(limit)
        if row is None:
            row = self._rows[limit] = deque()
            asyncio.get_running_loop().call_later(limit, self._look, limit)
        # The flight itself would keep its evidence here until its deadline.
        row.append((flight.started + limit, flight.worker, flight.run_id))

    def _look(self, limit: float) -> None:
        row, now = self._rows[limit], self._clock.elapsed()
        while row:
            due, worker, run_id = row[0]
            flight = worker.flights.get(run_id)
            if flight is not None and due > now:
                break
            row.popleft()
            if flight is not None:
                flight.land(Overdue())
        if row:
            asyncio.get_running_loop().call_later(row[0][0] - now, self._look, limit)
        else:
            del self._rows[limit]
