"""Writes slots down before they may start, and closes those that brought no result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from monitor.domain.clock import Clock
from monitor.domain.run import Slot
from monitor.scheduling.agenda import Planned

_log = logging.getLogger(__name__)

_RETRY = 1.0
_LAST_WORDS = 5.0


class SlotBook(Protocol):
    """Where slots are kept."""

    async def plan(self, slots: Sequence[Slot]) -> Sequence[Slot]:
        """Write slots down as planned and return those that may run: new ones, and those that were still planned."""
        ...

    async def close(self, slots: Sequence[Slot]) -> None:
        """Note that slots ended without a run, with their state and reason."""
        ...


class Ledger:
    """One task that does all the writing, in order; what could not be written is tried again each second."""

    def __init__(
        self,
        book: SlotBook,
        clock: Clock,
        *,
        extend: Callable[[], tuple[Planned, ...]],
        admit: Callable[[Iterable[Planned]], None],
    ) -> None:
        """Ask ``extend`` for slots to write down, and hand to ``admit`` those that were."""
        self._book = book
        self._clock = clock
        self._extend = extend
        self._admit = admit
        self._wanted = asyncio.Event()
        self._unwritten: tuple[Planned, ...] = ()
        self._unclosed: list[Slot] = []
        self._waiting_since: float | None = None
        self._task: asyncio.Task[None] | None = None
        self.faults = 0

    def run(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write(), name="slot ledger")

    def refill(self) -> None:
        """Ask soon for slots to write down."""
        self._wanted.set()

    def close_slots(self, slots: Iterable[Slot]) -> None:
        """Write soon that slots ended without a run."""
        self._unclosed += slots
        if self._unclosed:
            self._wanted.set()

    def waiting(self) -> float:
        """Return for how many seconds the book has owed an answer."""
        return 0.0 if self._waiting_since is None else self._clock.elapsed() - self._waiting_since

    async def close(self) -> None:
        """Stop planning, and write what is still to be closed if the book lets us within seconds."""
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self._close_all()
        except Exception:  # noqa: BLE001 - whatever the book raises, the slots are said to be open
            _log.exception("slots could not be closed", extra={"slots": len(self._unclosed)})

    async def _write(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._waiting_since = self._waiting_since or self._clock.elapsed()
            try:
                await self._close_all()
                await self._plan_all()
            except Exception:  # noqa: BLE001 - whatever the book raises, writing is tried again
                self.faults += 1
                _log.exception("slots could not be written down; trying again")
                self._wanted.set()
                await asyncio.sleep(_RETRY)
            else:
                self._waiting_since = None

    async def _close_all(self) -> None:
        while self._unclosed:
            batch = tuple(self._unclosed)
            await self._book.close(batch)
            del self._unclosed[: len(batch)]

    async def _plan_all(self) -> None:
        while planned := self._unwritten or self._extend():
            self._unwritten = planned
            slots = [one.slot for one in planned]
            accepted = await self._book.plan(slots)
            self._unwritten = ()
            self._admit(planned if len(accepted) == len(slots) else _among(planned, accepted))
            # What waits to be closed is not kept waiting by a long row of slots to plan.
            await self._close_all()


def _among(planned: Sequence[Planned], accepted: Sequence[Slot]) -> list[Planned]:
    keys = {(slot.check, slot.scheduled_at) for slot in accepted}
    return [one for one in planned if (one.slot.check, one.slot.scheduled_at) in keys]
