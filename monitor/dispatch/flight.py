"""A run on its way in a worker, and the ways in which it can come down."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.dispatch.messages import Order
from monitor.domain.evidence import Evidence
from monitor.domain.journey import JourneyOutline
from monitor.execution.progress import Interruption, Progress

if TYPE_CHECKING:
    from monitor.dispatch.process import WorkerProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a worker and all that descends from it may use together."""

    memory_bytes: int
    processes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Obituary:
    """How a worker ended, in its keeper's words.

    Attributes:
        status: Its exit status, or a negative signal number; ``None`` where it was ended with its whole tree.
        reason: Why the keeper ended it: ``memory``, ``processes``, ``told``, or nothing.
        oom: Whether the kernel has killed a process for want of memory meanwhile.
        tail: The end of what was printed.
    """

    status: int | None = None
    reason: str = ""
    oom: bool = False
    tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A run was not over when it had to be."""


@dataclass(slots=True, kw_only=True, eq=False)
class Flight:
    """A run on its way in a worker.

    Attributes:
        started: The reading of the monotonic clock when it was ordered.
        told: What the worker has told of it, oldest first.
        landed: Its evidence, or what befell it.
    """

    order: Order
    outline: JourneyOutline
    worker: WorkerProcess
    started_at: dt.datetime
    started: float
    landed: asyncio.Future[Evidence | Interruption | Obituary | Overdue]
    told: list[Progress] = field(default_factory=list)

    @property
    def run_id(self) -> str:
        """Return the id of the run."""
        return self.order.assignment.run_id

    def land(self, result: Evidence | Interruption | Obituary | Overdue) -> None:
        """Give the run its result, if it has none yet."""
        if not self.landed.done():
            self.landed.set_result(result)
