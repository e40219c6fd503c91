"""Looks at controls are shared: what one check learnt of the way out a moment ago holds for all that take it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace

from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.experiment import Experiment
from monitor.domain.run import Run
from monitor.investigation.experiments import Look

SHARED_SECONDS = 30.0
_MOST = 1_000


@dataclass(slots=True)
class _Seen:
    at: float
    task: asyncio.Task[Experiment]


class Controls:
    """Remembers for half a minute what controls answered, by URL and by the way that was taken."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing."""
        self._clock = clock
        self._seen: dict[Hashable, _Seen] = {}

    async def look(self, look: Look, run: Run, make: Callable[[], Awaitable[Experiment]]) -> Experiment:
        """Return what the control answered: to a look under way or of the last half minute, else to a new one."""
        now = self._clock.elapsed()
        self._forget(now)
        key = (look.url, *way_of(look, run.check))
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = _Seen(at=now, task=asyncio.ensure_future(_made(make)))
            # One that broke says nothing; the next check shall ask again.
            seen.task.add_done_callback(lambda task: self._keep_good(key, task))
            return await asyncio.shield(seen.task)
        answer = await asyncio.shield(seen.task)
        age = max(0.0, now - seen.at)
        since = (self._clock.now() - run.evidence.started_at).total_seconds() - (self._clock.elapsed() - seen.at)
        return replace(answer, started=round(since, 3), requests=0, note=f"shared with other checks, {age:.0f} s old")

    async def close(self) -> None:
        """End what is under way."""
        for seen in self._seen.values():
            seen.task.cancel()
        await asyncio.gather(*(seen.task for seen in self._seen.values()), return_exceptions=True)
        self._seen.clear()

    def _forget(self, now: float) -> None:
        old = [key for key, seen in self._seen.items() if seen.task.done() and now - seen.at > SHARED_SECONDS]
        for key in old[: len(old)]:
            del self._seen[key]
        while len(self._seen) >= _MOST:
            self._seen.pop(next(iter(self._seen)))

    def _keep_good(self, key: Hashable, task: asyncio.Task[Experiment]) -> None:
        seen = self._seen.get(key)
        broke = task.cancelled() or task.exception() is not None or not task.result().exchanges
        if broke and seen is not None and seen.task is task:
            del self._seen[key]


async def _made(make: Callable[[], Awaitable[Experiment]]) -> Experiment:
    return await make()


def way_of(look: Look, check: Check) -> tuple[Hashable, ...]:
    """Return what the way out depends on: looks that agree in all of it see the same."""
    profile, target = look.profile, check.target
    return (
        profile.proxy,
        profile.resolver,
        profile.hosts,
        profile.extra_ca,
        profile.ip_family,
        profile.network,
        target.hosts,
        target.extra_ca,
        target.allowed_private,
    )
