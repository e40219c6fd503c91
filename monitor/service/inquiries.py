"""Runs that wait for their investigation: none waits for that of another check, and those of one keep their order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from monitor.domain.clock import Clock
from monitor.domain.outcome import Outcome
from monitor.domain.run import Run

_log = logging.getLogger(__name__)

# A check that fails faster than it can be looked into is told as it is.
_MOST_WAITING = 3


class Looks(Protocol):
    """Finds out more about a run."""

    async def investigate(self, run: Run) -> Run:
        """Return the run with what was found out."""
        ...

    def known(self, run: Run) -> Run:
        """Return a run whose investigation was cancelled, with what was found out so far."""
        ...


class Inquiries:
    """Hands each run on once it is looked into; one that passed, and waits for none before it, at once."""

    def __init__(
        self, looks: Looks, finish: Callable[[Run], None], *, clock: Clock, took: Callable[[float], None]
    ) -> None:
        """Have runs looked into by ``looks``, hand them to ``finish``, and tell ``took`` the seconds of each."""
        self._looks = looks
        self._finish = finish
        self._clock = clock
        self._took = took
        self._last: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, int] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._closing = False

    def take(self, run: Run) -> None:
        """Take a finished run; returns at once."""
        name = run.check.name
        before = self._last.get(name)
        if before is None and (run.outcome is Outcome.PASSED or self._closing):
            self._finish(run)
            return
        crowded = self._waiting.get(name, 0) >= _MOST_WAITING
        task = asyncio.create_task(self._through(run, before, crowded=crowded), name=f"inquiry into {run.run_id}")
        self._last[name] = task
        self._waiting[name] = self._waiting.get(name, 0) + 1
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._done(name, done))

    async def close(self) -> None:
        """End what is under way: each run is handed on with what is known of it, and later ones as they are."""
        self._closing = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _through(self, run: Run, before: asyncio.Task[None] | None, *, crowded: bool) -> None:
        found = run
        began = self._clock.elapsed()
        try:
            if before is not None:
                await asyncio.wait({before})
            if not self._closing and not crowded and run.outcome is not Outcome.PASSED:
                found = await self._looks.investigate(run)
                self._took(self._clock.elapsed() - began)
        except asyncio.CancelledError:
            found = self._looks.known(run)
        self._finish(found)

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._waiting[name] -= 1
        if self._last.get(name) is task:
            del self._last[name], self._waiting[name]
        if not task.cancelled() and task.exception() is not None:
            _log.error("a run was lost on its way", exc_info=task.exception())
