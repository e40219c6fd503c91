"""How the monitor itself is, as a value that the service states now and then."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


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
    """The state of the monitor's parts; ``None`` leaves what was stated before."""

    loop_lag: float | None = None
    scheduler_tick: dt.datetime | None = None
    workers: tuple[WorkerCount, ...] | None = None
    queues: tuple[QueueState, ...] | None = None
    store_writable: bool | None = None
    store_bytes: tuple[tuple[str, int], ...] | None = None
    checks_running: int | None = None
    checks_refused: int | None = None
    checks_disabled: int | None = None
