"""Where the scheduler's slots are written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from monitor.domain.outcome import SlotReason
from monitor.domain.run import Slot
from monitor.history import History
from monitor.publishing.metrics import Metrics


class Book:
    """Where the scheduler's slots are written: the store, and the counters beside it."""

    def __init__(self, history: History, metrics: Metrics) -> None:
        """Write to both."""
        self._history = history
        self._metrics = metrics

    async def plan(self, slots: Sequence[Slot]) -> Sequence[Slot]:
        """Write slots down before they run; one that has ended before stays so in the store, whatever comes."""
        await self._history.plan(slots)
        return slots

    async def close(self, slots: Sequence[Slot]) -> None:
        """Note slots that ended without a run."""
        for slot in slots:
            self._metrics.slot_closed(slot)
        await asyncio.gather(
            *(
                self._history.closed(slot.check, slot.scheduled_at, slot.state, slot.reason or SlotReason.LATE)
                for slot in slots
            )
        )
