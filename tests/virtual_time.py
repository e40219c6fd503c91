"""Time that passes only while there is nothing to do, and then at once: no machine is too slow for it, no test waits.

It is for code that waits on its event loop alone; what happens in threads, processes and sockets takes real time.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import selectors
from collections.abc import Callable
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on which every wait ends at once, and has taken its time to the fraction of a second."""

    def __init__(self) -> None:
        self._moment = 1000.0
        super().__init__(_Impatient(self._pass))

    def time(self) -> float:
        """Return the reading of the loop's clock, which only waiting moves."""
        return self._moment

    def _pass(self, seconds: float) -> None:
        self._moment += seconds


class VirtualClock:
    """The clock of the loop that runs; the moment is that of its start and what was waited since."""

    _BEGAN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        """Return the present moment, aware, in UTC."""
        return self._BEGAN + dt.timedelta(seconds=self.elapsed())

    def elapsed(self) -> float:
        """Return the reading of the loop's clock."""
        return asyncio.get_running_loop().time()


class _Impatient(selectors.DefaultSelector):
    """Says instead of waiting how long it would have waited."""

    def __init__(self, let_pass: Callable[[float], None]) -> None:
        super().__init__()
        self._let_pass = let_pass

    def select(self, timeout: float | None = None) -> Any:
        """Return what is ready, and let the time pass in which nothing would have been."""
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self._let_pass(timeout)
        return ready
