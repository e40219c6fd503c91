"""The workers of one lane: started, kept ready, replaced, and sent off."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.dispatch import verdicts
from monitor.dispatch.flight import Flight, Limits, Obituary
from monitor.dispatch.messages import Setup
from monitor.dispatch.process import WorkerProcess, WorkerState
from monitor.domain.clock import Clock
from monitor.execution.progress import Interruption

_log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_START_SECONDS = 30.0


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


class Staff:
    """As many workers as the plan says, and some more for when one is lost."""

    def __init__(self, plan: LanePlan, *, directory: Path, clock: Clock, changed: Callable[[], None]) -> None:
        """Prepare to start workers; ``changed`` is called when one becomes free or is lost."""
        self.plan = plan
        self.workers: list[WorkerProcess] = []
        self.leaving: set[WorkerProcess] = set()
        self.trouble: Interruption | None = None
        self.closing = False
        self.restarts = self.kills = 0
        self._directory = directory
        self._clock = clock
        self._announce = changed
        self._numbers = itertools.count(1)
        self._starts: set[asyncio.Task[None]] = set()
        self._seen_off: set[WorkerProcess] = set()
        self._failures = 0
        self._resume: asyncio.TimerHandle | None = None

    @property
    def every(self) -> tuple[WorkerProcess, ...]:
        """Return all workers, those that are on their way out among them."""
        return (*self.workers, *self.leaving)

    def open(self) -> None:
        """Start the workers that are missing."""
        missing = self.plan.workers + self.plan.spares - len(self.workers)
        if self.closing or self._resume is not None:
            return
        for _ in range(missing):
            self._start()

    def running(self) -> int:
        """Return how many runs are under way."""
        return sum(len(worker.flights) for worker in self.workers)

    def free(self) -> WorkerProcess | None:
        """Return a worker that may be given a run now."""
        if self.running() >= self.plan.capacity:
            return None
        for worker in self.workers:
            if worker.state is WorkerState.READY and len(worker.flights) < self.plan.at_a_time:
                return worker
        return None

    def hopeless(self) -> Interruption | None:
        """Return why there is no worker, where none is about to come either."""
        return None if self.workers else self.trouble

    def abandon(self, flight: Flight) -> None:
        """Give up a run: a worker of its own is ended with it, a shared one that answers goes when it is empty."""
        worker = flight.worker
        if worker.flights.get(flight.run_id) is not flight:
            return
        if self.plan.at_a_time == 1 or worker.silence() > self.plan.silence / 2 or worker.is_stopped():
            self.kill(worker)
        else:
            self.let_go(worker)
        worker.forget(flight)

    def kill(self, worker: WorkerProcess) -> None:
        """End a worker now."""
        self.kills += 1
        self.let_go(worker)
        worker.kill()

    def let_go(self, worker: WorkerProcess) -> None:
        """Have a worker leave when its runs are over, and a fresh one take its place."""
        if worker in self.workers:
            self.workers.remove(worker)
            self.leaving.add(worker)
            self.restarts += 1
            worker.retire()
            self.open()

    def follow(self, plan: LanePlan, *, anew: bool) -> None:
        """Work by another plan; where it differs, or ``anew``, fresh workers take over as runs come to their end."""
        if anew or plan != self.plan:
            self.plan = plan
            for worker in tuple(self.workers):
                self.let_go(worker)

    def look(self, *, stood_still: bool) -> None:
        """End workers that are hung. Where we ourselves stood still, nothing was heard for no fault of theirs."""
        now = self._clock.elapsed()
        for worker in self.every:
            if stood_still:
                worker.heard = now
            alone = self.plan.at_a_time == 1 and worker.flights
            limit = _START_SECONDS if worker.state is WorkerState.STARTING else self.plan.silence
            if not alone and worker.state is not WorkerState.ENDED and worker.silence() > limit:
                _log.warning("worker is hung", extra={"worker": worker.setup.name, "silence": worker.silence()})
                self.kill(worker)

    async def close(self, grace: float) -> None:
        """Start nothing more, give runs ``grace`` seconds, then end every worker and its files."""
        self.closing = True
        if self._resume is not None:
            self._resume.cancel()
        flights = [flight.landed for worker in self.every for flight in worker.flights.values()]
        if flights:
            await asyncio.wait(flights, timeout=grace)
        if self._starts:
            await asyncio.wait(self._starts)
        for worker in self.every:
            if worker.flights or worker in self.leaving:
                self.kill(worker)
            else:
                self.let_go(worker)
        # Of one that has just ended by itself, process and files are on their way out still.
        await asyncio.gather(*(worker.gone.wait() for worker in (*self.every, *self._seen_off)))

    def _start(self) -> None:
        name = f"{self.plan.setup.lane}-{next(self._numbers)}"
        worker = WorkerProcess(
            replace(self.plan.setup, name=name),
            limits=self.plan.limits,
            directory=self._directory / name,
            clock=self._clock,
            changed=self._changed,
        )
        self.workers.append(worker)
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
                self.trouble = None
                if worker.spent or worker.runs >= self.plan.runs_per_worker:
                    self.let_go(worker)
            case WorkerState.ENDED:
                self._lost(worker)
            case WorkerState.STARTING:
                pass
        self._announce()

    def _lost(self, worker: WorkerProcess) -> None:
        self._seen_off = {each for each in (*self._seen_off, worker) if not each.gone.is_set()}
        self.leaving.discard(worker)
        if worker not in self.workers:
            return
        self.workers.remove(worker)
        self.restarts += 1
        if worker.engine or worker.runs:
            _log.warning("worker is lost", extra={"worker": worker.setup.name, "status": worker.obituary.status})
            self.open()
            return
        self.trouble = worker.refusal or verdicts.of_failed_start(worker.obituary)
        _log.error("worker did not start: %s", self.trouble.text, extra={"worker": worker.setup.name})
        if self._resume is None and not self.closing:
            pause = min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE)
            self._failures += 1
            self._resume = asyncio.get_running_loop().call_later(pause, self._resume_starting)

    def _resume_starting(self) -> None:
        self._resume = None
        self.open()
