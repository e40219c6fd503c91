"""How the monitor itself is, as a value that the service states now and then, and the numbers that it becomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from monitor.publishing import of_ourselves
from monitor.publishing.series import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCount:
    """How many workers of a pool are in a state: ``ready`` or ``starting``."""

    pool: str
    state: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """How much waits in a queue, and for how long the oldest has."""

    queue: str
    length: int
    oldest_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of the monitor's parts; ``None`` leaves what was stated before.

    Attributes:
        healthy: Whether scheduler, store and workers do their work.
        browser_contexts: How many journeys are under way in a browser.
        incidents: The scope and the cause of each incident that is open.
        maintained: The names of the checks that a maintenance window covers.
        reviewed: How many verdicts people reviewed, by what they found.
    """

    healthy: bool | None = None
    loop_lag: float | None = None
    scheduler_tick: dt.datetime | None = None
    workers: tuple[WorkerCount, ...] | None = None
    queues: tuple[QueueState, ...] | None = None
    store_writable: bool | None = None
    store_bytes: tuple[tuple[str, int], ...] | None = None
    checks_running: int | None = None
    checks_refused: int | None = None
    checks_disabled: int | None = None
    browser_contexts: int | None = None
    incidents: tuple[tuple[str, str], ...] | None = None
    maintained: frozenset[str] | None = None
    reviewed: tuple[tuple[str, int], ...] | None = None


_Number = Callable[[Health], float | None]
_PLAIN: tuple[tuple[Family, _Number], ...] = (
    (of_ourselves.HEALTHY, lambda health: health.healthy),
    (of_ourselves.LOOP_LAG, lambda health: health.loop_lag),
    (of_ourselves.SCHEDULER_ALIVE, lambda health: health.scheduler_tick.timestamp() if health.scheduler_tick else None),
    (of_ourselves.STORE_WRITABLE, lambda health: health.store_writable),
    (of_ourselves.BROWSER_CONTEXTS, lambda health: health.browser_contexts),
)


def numbers_of(health: Health) -> Iterator[tuple[Family, tuple[str, ...], float]]:
    """Yield what a statement says, each number with its family and label values; incidents and checks are not here."""
    for family, number in _PLAIN:
        value = number(health)
        if value is not None:
            yield family, (), float(value)
    for worker in health.workers or ():
        yield of_ourselves.WORKERS, (worker.pool, worker.state), float(worker.count)
    for queue in health.queues or ():
        yield of_ourselves.QUEUE, (queue.queue,), float(queue.length)
        yield of_ourselves.QUEUE_AGE, (queue.queue,), queue.oldest_seconds
    for part, size in health.store_bytes or ():
        yield of_ourselves.STORE_BYTES, (part,), float(size)
    for review, count in health.reviewed or ():
        yield of_ourselves.REVIEWED, (review,), float(count)
    counts = (("running", health.checks_running), ("refused", health.checks_refused), ("off", health.checks_disabled))
    for state, checks in counts:
        if checks is not None:
            yield of_ourselves.CHECKS, (state,), float(checks)
