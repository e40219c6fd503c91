"""One lane: workers of one kind, kept ready, each run handed to one of them and ended by its deadline."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import logging
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.dispatch import verdicts
from monitor.dispatch.messages import LaneName, Order, Setup
from monitor.dispatch.process import Flight, Limits, Obituary, Overdue, WorkerProcess, WorkerState
from monitor.dispatch.repetition import joined
from monitor.domain.clock import Clock
from monitor.domain.evidence import Evidence
from monitor.domain.journey import JourneyOutline
from monitor.domain.outcome import SlotReason
from monitor.execution.progress import Interruption, effects_begun, partial_evidence

_log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_START_SECONDS = 30.0
_WORTH_REPEATING = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePlan:
    """How a lane works.

    Attributes:
        workers: How many work at the same time.
        spares: How many more stand ready for when one is lost.
        at_a_time: How many runs one worker carries out at the same time.
        grace: Seconds after its deadline in which a run may still end by itself.
        silence: Seconds without a word after which an idle or a shared worker counts as hung.
        runs_per_worker: After so many runs a worker is replaced by a fresh one.
    """

    setup: Setup
    workers: int
    spares: int
    at_a_time: int
    grace: float
    silence: float
    limits: Limits
    runs_per_worker: int

    @property
    def capacity(self) -> int:
        """Return how many runs the lane carries out at the same time."""
        return self.workers * self.at_a_time


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
    """Hands runs to workers, first come first served."""

    def __init__(self, plan: LanePlan, *, directory: Path, clock: Clock) -> None:
        """Prepare the lane; its workers start with the first run, or with :meth:`open`."""
        self._plan = plan
        self._name = plan.setup.lane
        self._directory = directory
        self._clock = clock
        self._workers: list[WorkerProcess] = []
        self._leaving: set[WorkerProcess] = set()
        self._waiters: deque[_Waiter] = deque()
        self._numbers = itertools.count(1)
        self._starts: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._resume: asyncio.TimerHandle | None = None
        self._trouble: Interruption | None = None
        self._closing = False
        self._runs = self._restarts = self._kills = 0
        self._waited = 0.0

    def open(self) -> None:
        """Start the workers that are missing."""
        missing = self._plan.workers + self._plan.spares - len(self._workers)
        if self._closing or self._resume is not None:
            return
        for _ in range(missing):
            self._start()

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

    def look(self, *, stood_still: bool) -> None:
        """End workers that are hung. Where we ourselves stood still, nothing was heard for no fault of theirs."""
        now = self._clock.elapsed()
        for worker in (*self._workers, *self._leaving):
            if stood_still:
                worker.heard = now
            alone = self._plan.at_a_time == 1 and worker.flights
            limit = _START_SECONDS if worker.state is WorkerState.STARTING else self._plan.silence
            if not alone and worker.state is not WorkerState.ENDED and worker.silence() > limit:
                _log.warning("worker is hung", extra={"worker": worker.setup.name, "silence": worker.silence()})
                self._kill(worker)

    def follow(self, plan: LanePlan, *, anew: bool) -> None:
        """Work by another plan; where it differs, or ``anew``, fresh workers take over as runs come to their end."""
        if anew or plan != self._plan:
            self._plan = plan
            for worker in tuple(self._workers):
                self._let_go(worker)

    async def close(self, grace: float) -> None:
        """Start nothing more, give runs ``grace`` seconds, then end every worker and its files."""
        self._closing = True
        if self._resume is not None:
            self._resume.cancel()
        for waiter in self._waiters:
            _settle(waiter, SlotReason.SHUTDOWN)
        workers = (*self._workers, *self._leaving)
        flights = [flight.landed for worker in workers for flight in worker.flights.values()]
        if flights:
            await asyncio.wait(flights, timeout=grace)
        if self._starts:
            await asyncio.wait(self._starts)
        for worker in (*self._workers, *self._leaving):
            if worker.flights or worker in self._leaving:
                self._kill(worker)
            else:
                self._let_go(worker)
        await asyncio.gather(*(worker.gone.wait() for worker in (*self._workers, *self._leaving)))

    def status(self) -> LaneStatus:
        """Return how the lane fares."""
        states = [worker.state for worker in self._workers]
        every = (*self._workers, *self._leaving)
        return LaneStatus(
            lane=self._name,
            ready=states.count(WorkerState.READY),
            starting=states.count(WorkerState.STARTING),
            running=self._running(),
            queued=len(self._waiters),
            capacity=self._plan.capacity,
            runs=self._runs,
            restarts=self._restarts,
            kills=self._kills,
            waited=self._waited,
            memory_bytes=sum(worker.memory for worker in every),
            engine=next((worker.engine for worker in every if worker.engine), ""),
            trouble=self._trouble.text if self._trouble else "",
        )

    async def _once(self, order: Order, outline: JourneyOutline, patience: float) -> Evidence | SlotReason | _Lost:
        turn = await self._turn(order, outline, patience)
        if isinstance(turn, SlotReason):
            return turn
        if isinstance(turn, Interruption):
            return partial_evidence(
                outline.steps, (), turn, started_at=self._clock.now(), duration=0.0, worker=self._name.value
            )
        limit = order.assignment.check.deadline.total_seconds() + self._plan.grace
        timer = asyncio.get_running_loop().call_later(limit, turn.land, Overdue())
        try:
            landed = await turn.landed
        except asyncio.CancelledError:
            self._abandon(turn)
            raise
        finally:
            timer.cancel()
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
                if self._closing:
                    return SlotReason.SHUTDOWN
                interruption = verdicts.of_death(landed, self._name, self._plan.limits)
                return _Lost(flight=flight, evidence=self._partial(flight, interruption))
            case Overdue():
                evidence = self._partial(flight, verdicts.of_overdue(flight, self._name))
                self._abandon(flight)
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
        if self._plan.at_a_time == 1 or left < _WORTH_REPEATING or effects_begun(flight.outline.steps, flight.told):
            return None
        shorter = replace(check, deadline=dt.timedelta(seconds=left))
        return replace(order, assignment=replace(order.assignment, check=shorter))

    async def _turn(self, order: Order, outline: JourneyOutline, patience: float) -> Flight | Interruption | SlotReason:
        if self._closing:
            return SlotReason.SHUTDOWN
        self.open()
        worker = None if self._waiters else self._free()
        if worker is not None:
            return self._hand(worker, order, outline)
        if self._trouble is not None and not self._workers:
            return self._trouble
        loop = asyncio.get_running_loop()
        waiter = _Waiter(order, outline, loop.create_future())
        timer = loop.call_later(patience, _settle, waiter, SlotReason.BUSY)
        self._waiters.append(waiter)
        since = self._clock.elapsed()
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled() and isinstance(got := waiter.turn.result(), Flight):
                self._abandon(got)
            raise
        finally:
            timer.cancel()
            self._waited += self._clock.elapsed() - since
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _hand(self, worker: WorkerProcess, order: Order, outline: JourneyOutline) -> Flight:
        self._runs += 1
        return worker.carry_out(order, outline)

    def _running(self) -> int:
        return sum(len(worker.flights) for worker in self._workers)

    def _free(self) -> WorkerProcess | None:
        if self._running() >= self._plan.capacity:
            return None
        for worker in self._workers:
            if worker.state is WorkerState.READY and len(worker.flights) < self._plan.at_a_time:
                return worker
        return None

    def _abandon(self, flight: Flight) -> None:
        """Give up a run: a worker of its own is ended with it, a shared one that answers goes when it is empty."""
        worker = flight.worker
        if self._plan.at_a_time == 1 or worker.silence() > self._plan.silence / 2 or worker.is_stopped():
            self._kill(worker)
        elif worker in self._workers:
            self._let_go(worker)
        worker.forget(flight)

    def _kill(self, worker: WorkerProcess) -> None:
        self._kills += 1
        self._let_go(worker)
        worker.kill()

    def _let_go(self, worker: WorkerProcess) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
            self._leaving.add(worker)
            self._restarts += 1
            worker.retire()
            self.open()

    def _start(self) -> None:
        number = next(self._numbers)
        worker = WorkerProcess(
            replace(self._plan.setup, name=f"{self._name}-{number}"),
            limits=self._plan.limits,
            directory=self._directory / f"{self._name}-{number}",
            clock=self._clock,
            changed=self._changed,
        )
        self._workers.append(worker)
        task = asyncio.create_task(self._launch(worker))
        self._starts.add(task)
        task.add_done_callback(self._starts.discard)

    async def _launch(self, worker: WorkerProcess) -> None:
        try:
            await worker.start()
        except OSError as error:
            _log.warning("worker cannot be started", extra={"worker": worker.setup.name, "error": str(error)})
            worker.obituary = Obituary(tail=f"{type(error).__name__}: {error}")
            worker.state = WorkerState.ENDED
            worker.gone.set()
            self._changed(worker)

    def _changed(self, worker: WorkerProcess) -> None:
        match worker.state:
            case WorkerState.READY:
                self._failures = 0
                self._trouble = None
                if worker.spent or worker.runs >= self._plan.runs_per_worker:
                    self._let_go(worker)
            case WorkerState.ENDED:
                self._lost(worker)
            case WorkerState.STARTING:
                pass
        self._serve_waiters()

    def _lost(self, worker: WorkerProcess) -> None:
        self._leaving.discard(worker)
        if worker not in self._workers:
            return
        self._workers.remove(worker)
        self._restarts += 1
        if worker.engine or worker.runs:
            _log.warning("worker is lost", extra={"worker": worker.setup.name, "status": worker.obituary.status})
            self.open()
            return
        self._trouble = worker.refusal or verdicts.of_failed_start(worker.obituary)
        _log.error("worker did not start: %s", self._trouble.text, extra={"worker": worker.setup.name})
        if self._resume is None and not self._closing:
            pause = min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE)
            self._failures += 1
            self._resume = asyncio.get_running_loop().call_later(pause, self._resume_starting)

    def _resume_starting(self) -> None:
        self._resume = None
        self.open()

    def _serve_waiters(self) -> None:
        while self._waiters:
            if self._waiters[0].turn.done():
                self._waiters.popleft()
            elif (worker := self._free()) is not None:
                waiter = self._waiters.popleft()
                waiter.turn.set_result(self._hand(worker, waiter.order, waiter.outline))
            elif self._trouble is not None and not self._workers:
                _settle(self._waiters.popleft(), self._trouble)
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
