"""Runs that have begun and are not written down yet: a result that comes soon makes that needless."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from monitor.domain.outcome import SlotState
from monitor.history.entries import Row
from monitor.history.moments import micros

_Key = tuple[str, dt.datetime]


@dataclass(frozen=True, slots=True)
class Start:
    """A run that began to fill a slot."""

    check: str
    scheduled_at: dt.datetime
    run_id: str
    at: dt.datetime

    def row(self) -> Row:
        """Return the columns of the slot."""
        return {
            "scheduled_at": micros(self.scheduled_at),
            "state": SlotState.STARTED.value,
            "reason": None,
            "run_id": self.run_id,
            "started_at": micros(self.at),
        }


class Starts:
    """Holds each start for a while, and hands in those whose runs are not over by then."""

    def __init__(self, hand_in: Callable[[Iterable[Start]], None], *, linger: float) -> None:
        """Hand a start in after ``linger`` seconds, or up to twice as many."""
        self._hand_in = hand_in
        self._linger = linger
        self._loop = asyncio.get_running_loop()
        self._fresh: dict[_Key, Start] = {}
        self._aged: dict[_Key, Start] = {}
        self._turn: asyncio.TimerHandle | None = None

    def add(self, start: Start) -> None:
        """Hold a start."""
        self._fresh[start.check, start.scheduled_at] = start
        if self._turn is None:
            self._turn = self._loop.call_later(self._linger, self._age)

    def drop(self, check: str, scheduled_at: dt.datetime) -> Start | None:
        """Forget a start and return it, if it is still here."""
        key = (check, scheduled_at)
        return self._fresh.pop(key, None) or self._aged.pop(key, None)

    def release(self) -> None:
        """Hand in all there are."""
        if self._fresh or self._aged:
            self._hand_in((*self._aged.values(), *self._fresh.values()))
            self._fresh, self._aged = {}, {}
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def _age(self) -> None:
        if self._aged:
            self._hand_in(self._aged.values())
        self._fresh, self._aged = {}, self._fresh
        self._turn = self._loop.call_later(self._linger, self._age) if self._aged else None
