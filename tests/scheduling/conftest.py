"""A clock that is moved by hand, and a slot book in memory."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence

import pytest

from monitor.domain.run import Slot
from tests.builders import A_MOMENT


class HandClock:
    """A wall clock and a monotonic clock; only ``step`` moves them apart."""

    def __init__(self) -> None:
        self.wall = A_MOMENT
        self.monotonic = 1_000.0

    def now(self) -> dt.datetime:
        return self.wall

    def elapsed(self) -> float:
        return self.monotonic

    def pass_time(self, seconds: float) -> None:
        self.wall += dt.timedelta(seconds=seconds)
        self.monotonic += seconds

    def step(self, seconds: float) -> None:
        self.wall += dt.timedelta(seconds=seconds)


class MemoryBook:
    """Keeps slots by their identity, as the store does, and can be broken."""

    def __init__(self) -> None:
        self.slots: dict[tuple[str, dt.datetime], Slot] = {}
        self.error: Exception | None = None
        self.changed = asyncio.Condition()

    async def plan(self, slots: Sequence[Slot]) -> Sequence[Slot]:
        if self.error is not None:
            raise self.error
        new = [slot for slot in slots if (slot.check, slot.scheduled_at) not in self.slots]
        self.slots |= {(slot.check, slot.scheduled_at): slot for slot in new}
        async with self.changed:
            self.changed.notify_all()
        return new

    async def written(self, count: int) -> None:
        """Wait until so many slots are in the book."""
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(lambda: len(self.slots) >= count)

    async def close(self, slots: Sequence[Slot]) -> None:
        if self.error is not None:
            raise self.error
        for slot in slots:
            self.slots[slot.check, slot.scheduled_at] = slot


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def book() -> MemoryBook:
    return MemoryBook()
