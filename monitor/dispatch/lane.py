"""One lane: each run is handed to a worker of one kind, and ended by its deadline."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.dispatch import verdicts
from monitor.dispatch.deadlines import Deadlines
from monitor.dispatch.flight import Flight, Obituary, Overdue
from monitor.dispatch.messages import LaneName, Order
from monitor.dispatch.process import WorkerProcess, WorkerState
from monitor.dispatch.repetition import joined
from monitor.dispatch.staff import LanePlan, Staff
from monitor.domain.clock import Clock
from monitor.domain.evidence import Evidence
from monitor.domain.journey import JourneyOutline
from monitor.domain.outcome import SlotReason
from monitor.execution.progress import Interruption, effects_begun, partial_evidence

_log = logging.getLogger(__name__)

_WORTH_REPEATING = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStatus:
    """How a lane fares. ``waited`` is the seconds that runs have waited for a worker, all together."""

    lane: LaneName
    ready: int
    starting: int
    running: int
    queued: int
    capacity: int
    runs: int
    restarts: int
    kills: int
    waited: float
    memory_bytes: int
    engine: str
    trouble: str


@dataclass(slots=True, eq=False)
class _Waiter:
    order: Order
    outline: JourneyOutline
    turn: asyncio.Future[Flight | Interruption | SlotReason]


class Lane:
    """Hands runs to workers, first come first served; what is done in the background waits for all others."""

    def __init__(self, plan: LanePlan, *, directory: Path, clock: Clock) -> None:
        """Prepare the lane; its workers start with the first run, or with :meth:`open`."""
        self.staff = Staff(plan, directory=directory, clock=clock, changed=self._serve_waiters)
        self._name = plan.setup.lane
        self._clock = clock
        self._deadlines = Deadlines(clock)
        self._waiters: deque[_Waiter] = deque()
        self._runs = 0
        self._waited = 0.0

    def open(self) -> None:
        """Start the workers that are missing."""
        self.staff.open()

    async def run(self, order: Order, outline: JourneyOutline, *, patience: float) -> Evidence | SlotReason:
        """Carry out a run; it waits at most ``patience`` seconds for a worker."""
        ended = await self._once(order, outline, patience)
        if not isinstance(ended, _Lost):
            return ended
        again = self._again(order, ended)
        if again is None:
            return ended.evidence
        _log.info("run is dispatched again", extra={"run_id": order.assignment.run_id})
        second = await self._once(again, outline, again.assignment.check.deadline.total_seconds() / 2)
        if isinstance(second, SlotReason):
            return ended.evidence
        return joined(ended.evidence, second.evidence if isinstance(second, _Lost) else second)

    async def close(self, grace: float) -> None:
        """Start nothing more, give runs ``grace`` seconds, then end every worker and its files."""
        self.staff.closing = True
        while self._waiters:
            _settle(self._waiters.popleft(), SlotReason.SHUTDOWN)
        await self.staff.close(grace)

    def status(self) -> LaneStatus:
        """Return how the lane fares."""
        states = [worker.state for worker in self.staff.workers]
        every = self.staff.every
        return LaneStatus(
            lane=self._name,
            ready=states.count(WorkerState.READY),
            starting=states.count(WorkerState.STARTING),
            running=self.staff.running(),
            queued=len(self._waiters),
            capacity=self.staff.plan.capacity,
            runs=self._runs,
            restarts=self.staff.restarts,
            kills=self.staff.kills,
            waited=self._waited,
            memory_bytes=sum(worker.memory for worker in every),
            engine=next((worker.engine for worker in every if worker.engine), ""),
            trouble=self.staff.trouble.text if self.staff.trouble else "",
        )

    async def _once(self, order: Order, outline: JourneyOutline, patience: float) -> Evidence | SlotReason | _Lost:
        turn = await self._turn(order, outline, patience)
        if isinstance(turn, SlotReason):
            return turn
        if isinstance(turn, Interruption):
            return partial_evidence(
                outline.steps, (), turn, started_at=self._clock.now(), duration=0.0, worker=self._name.value
            )
        limit = order.assignment.check.deadline.total_seconds() + self.staff.plan.grace
        self._deadlines.watch(turn, limit)
        try:
            landed = await turn.landed
        except asyncio.CancelledError:
            self.staff.abandon(turn)
            raise
        return self._conclude(turn, landed)

    def _conclude(
        self, flight: Flight, landed: Evidence | Interruption | Obituary | Overdue
    ) -> Evidence | SlotReason | _Lost:
        match landed:
            case Evidence():
                return landed
            case Interruption():
                return self._partial(flight, landed)
            case Obituary():
                if self.staff.closing:
                    return SlotReason.SHUTDOWN
                interruption = verdicts.of_death(landed, self._name, self.staff.plan.limits)
                return _Lost(flight=flight, evidence=self._partial(flight, interruption))
            case Overdue():
                evidence = self._partial(flight, verdicts.of_overdue(flight, self._name))
                self.staff.abandon(flight)
                return evidence

    def _partial(self, flight: Flight, interruption: Interruption) -> Evidence:
        return partial_evidence(
            flight.outline.steps,
            flight.told,
            interruption,
            started_at=flight.started_at,
            duration=self._clock.elapsed() - flight.started,
            engine=flight.worker.engine,
            worker=flight.worker.setup.name,
        )

    def _again(self, order: Order, lost: _Lost) -> Order | None:
        """Return the order to repeat a run whose shared worker died, unless it may have changed something."""
        flight = lost.flight
        check = order.assignment.check
        left = check.deadline.total_seconds() - (self._clock.elapsed() - flight.started)
        shared = self.staff.plan.at_a_time > 1
        if not shared or left < _WORTH_REPEATING or effects_begun(flight.outline.steps, flight.told):
            return None
        shorter = replace(check, deadline=dt.timedelta(seconds=left))
        return replace(order, assignment=replace(order.assignment, check=shorter))

    async def _turn(self, order: Order, outline: JourneyOutline, patience: float) -> Flight | Interruption | SlotReason:
        if self.staff.closing:
            return SlotReason.SHUTDOWN
        self.open()
        worker = None if self._waiters else self.staff.free()
        if worker is not None:
            return self._hand(worker, order, outline)
        if (trouble := self.staff.hopeless()) is not None:
            return trouble
        return await self._wait(order, outline, patience)

    async def _wait(self, order: Order, outline: JourneyOutline, patience: float) -> Flight | Interruption | SlotReason:
        loop = asyncio.get_running_loop()
        waiter = _Waiter(order, outline, loop.create_future())
        timer = loop.call_later(patience, self._give_up, waiter)
        self._line_up(waiter)
        since = self._clock.elapsed()
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.cancelled():
                with suppress(ValueError):
                    self._waiters.remove(waiter)
            elif isinstance(got := waiter.turn.result(), Flight):
                self.staff.abandon(got)
            raise
        finally:
            timer.cancel()
            self._waited += self._clock.elapsed() - since

    def _line_up(self, waiter: _Waiter) -> None:
        """Have a run wait behind all others, but before what is done in the background."""
        due = [not each.order.assignment.background for each in self._waiters]
        behind = len(due) if waiter.order.assignment.background else sum(due)
        self._waiters.insert(behind, waiter)

    def _give_up(self, waiter: _Waiter) -> None:
        if not waiter.turn.done():
            self._waiters.remove(waiter)
            waiter.turn.set_result(SlotReason.BUSY)

    def _hand(self, worker: WorkerProcess, order: Order, outline: JourneyOutline) -> Flight:
        self._runs += 1
        return worker.carry_out(order, outline)

    def _serve_waiters(self) -> None:
        while self._waiters:
            if self._waiters[0].turn.done():
                self._waiters.popleft()
            elif (worker := self.staff.free()) is not None:
                waiter = self._waiters.popleft()
                waiter.turn.set_result(self._hand(worker, waiter.order, waiter.outline))
            elif (trouble := self.staff.hopeless()) is not None:
                _settle(self._waiters.popleft(), trouble)
            else:
                return


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lost:
    """A run whose worker died, with what is known of it."""

    flight: Flight
    evidence: Evidence


def _settle(waiter: _Waiter, result: Interruption | SlotReason) -> None:
    if not waiter.turn.done():
        waiter.turn.set_result(result)
