"""Where runs are carried out: in worker processes on this machine, each run in the lane that suits its journey."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.config.settings import WorkerSettings
from monitor.dispatch import scratch
from monitor.dispatch.flight import Limits
from monitor.dispatch.gates import TargetGates
from monitor.dispatch.lane import Lane, LaneStatus
from monitor.dispatch.messages import LaneName, Order, Setup
from monitor.dispatch.staff import LanePlan
from monitor.domain.assignment import Assignment
from monitor.domain.check import Target
from monitor.domain.clock import Clock
from monitor.domain.evidence import Evidence, ProberFault
from monitor.domain.journey import JourneyOutline, ProbeKind
from monitor.domain.outcome import SlotReason, SlotState
from monitor.execution.progress import Interruption, partial_evidence

_log = logging.getLogger(__name__)

_LOOK = 0.5
_STANDSTILL = 2.0
_HTTP_GRACE = 0.25
_BROWSER_GRACE = 2.0
_SILENCE = 5.0
_FEW = 64
_MANY = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipped:
    """What makes a worker's equipment: ``module:function``, and where its modules are found beside the installed."""

    by: str = "monitor.dispatch.equipping:equip"
    import_paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoResult:
    """A slot that brought no evidence: it was not started, or was cut short by our own end. Its state is final."""

    reason: SlotReason
    state: SlotState = SlotState.MISSED


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherStatus:
    """How dispatch fares. Lanes that nobody has used yet have no workers."""

    lanes: tuple[LaneStatus, ...]
    waiting_for_target: int


class Dispatcher:
    """Carries assignments out in worker processes, and has evidence of each by its deadline whatever they do."""

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        journeys: Path,
        clock: Clock,
        directory: Path | None = None,
        equipment: Equipped = Equipped(),
    ) -> None:
        """Prepare to start workers that load ``journeys``.

        Their temporary files live below ``directory``, which nobody else may use; a fresh one when ``None``.
        """
        self._clock = clock
        self._directory = directory or scratch.place()
        self._equipment = equipment
        self._settings = settings
        self._journeys = journeys
        self._gates = TargetGates()
        plans = _plans(settings, journeys, equipment)
        self._lanes = {plan.setup.lane: Lane(plan, directory=self._directory, clock=clock) for plan in plans}
        self._seen = _fingerprint(journeys)
        self._watch: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self, lanes: Iterable[LaneName] = ()) -> None:
        """Clear away what a killed monitor left, and start the workers of these lanes; others start when needed."""
        await asyncio.to_thread(scratch.prepare, self._directory)
        self._watch = asyncio.create_task(self._look(), name="watch over workers")
        for name in lanes:
            self._lanes[name].open()

    async def run(self, assignment: Assignment, outline: JourneyOutline) -> Evidence | NoResult:
        """Carry out one run; never raises, and returns by the deadline and a small grace once the run has started."""
        if self._closing:
            return NoResult(reason=SlotReason.SHUTDOWN)
        try:
            return await self._through_gate(assignment, outline)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here is ours, and is said to be
            _log.exception("dispatch failed", extra={"run_id": assignment.run_id})
            interruption = Interruption(fault=ProberFault.INTERNAL, text=f"dispatch failed: {type(error).__name__}")
            return partial_evidence(outline.steps, (), interruption, started_at=self._clock.now(), duration=0.0)

    def reload(self, settings: WorkerSettings | None = None, *, journeys: Path | None = None) -> None:
        """Look at settings and journeys anew: where they have changed, fresh workers take over run by run."""
        self._settings = settings or self._settings
        self._journeys = journeys or self._journeys
        seen = _fingerprint(self._journeys)
        for plan in _plans(self._settings, self._journeys, self._equipment):
            self._lanes[plan.setup.lane].staff.follow(plan, anew=seen != self._seen)
        self._seen = seen

    async def close(self, grace: float) -> None:
        """Start nothing more, give runs ``grace`` seconds, end the rest, and leave no process and no file."""
        self._closing = True
        await asyncio.gather(*(lane.close(grace) for lane in self._lanes.values()))
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    def status(self) -> DispatcherStatus:
        """Return how dispatch fares."""
        lanes = tuple(lane.status() for lane in self._lanes.values())
        return DispatcherStatus(lanes=lanes, waiting_for_target=self._gates.waiting())

    async def _through_gate(self, assignment: Assignment, outline: JourneyOutline) -> Evidence | NoResult:
        patience = self._patience(assignment)
        if patience <= 0:
            return NoResult(reason=SlotReason.LATE)
        target: Target = assignment.check.target
        if not await self._gates.enter(target, patience=patience):
            return NoResult(reason=SlotReason.BUSY)
        try:
            lane = self._lanes[lane_of(outline)]
            order = Order(assignment=assignment, source=outline.source)
            result = await lane.run(order, outline, patience=self._patience(assignment))
        finally:
            self._gates.leave(target)
        match result:
            case SlotReason.SHUTDOWN:
                return NoResult(reason=result, state=SlotState.LOST)
            case SlotReason():
                return NoResult(reason=result)
            case Evidence():
                return result

    def _patience(self, assignment: Assignment) -> float:
        return (assignment.not_after - self._clock.now()).total_seconds()

    async def _look(self) -> None:
        before = self._clock.elapsed()
        while True:
            await asyncio.sleep(_LOOK)
            now = self._clock.elapsed()
            for lane in self._lanes.values():
                lane.staff.look(stood_still=now - before > _STANDSTILL)
            before = now


def lane_of(outline: JourneyOutline) -> LaneName:
    """Return the lane that carries out a journey: foreign code never shares a process."""
    if outline.probe is ProbeKind.BROWSER:
        return LaneName.BROWSER
    return LaneName.HTTP if outline.declarative else LaneName.SCRIPT


def _plans(settings: WorkerSettings, journeys: Path, equipment: Equipped) -> tuple[LanePlan, ...]:
    setup = _setup(settings, journeys, equipment)
    small = Limits(memory_bytes=settings.worker_memory_bytes, processes=_FEW)
    large = Limits(memory_bytes=settings.browser_memory_bytes, processes=_MANY)
    http = LanePlan(
        setup=replace(setup, lane=LaneName.HTTP),
        workers=1,
        spares=1,
        at_a_time=settings.http_runs,
        grace=_HTTP_GRACE,
        silence=_SILENCE,
        limits=small,
        runs_per_worker=1_000_000,
    )
    script = replace(
        http,
        setup=replace(setup, lane=LaneName.SCRIPT),
        workers=settings.scripts,
        at_a_time=1,
        runs_per_worker=1_000,
    )
    # A warm browser in reserve would cost more memory than the second it saves is worth.
    browser = replace(
        script,
        setup=replace(setup, lane=LaneName.BROWSER),
        workers=settings.browsers,
        spares=0,
        grace=_BROWSER_GRACE,
        limits=large,
    )
    return http, script, browser


def _setup(settings: WorkerSettings, journeys: Path, equipment: Equipped) -> Setup:
    return Setup(
        name="",
        lane=LaneName.HTTP,
        equipment=equipment.by,
        journeys=str(journeys.absolute()),
        runs_per_browser=settings.runs_per_browser,
        chromium=_text(settings.chromium),
        headless_shell=_text(settings.headless_shell),
        firefox=_text(settings.firefox),
        webhook_host=settings.webhook_host,
        webhook_url=settings.webhook_url,
        import_paths=equipment.import_paths,
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _fingerprint(folder: Path) -> frozenset[tuple[str, int, int]]:
    with suppress(OSError):
        files = ((path, path.stat()) for path in folder.rglob("*") if path.suffix in {".py", ".yaml", ".yml"})
        return frozenset((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in files)
    return frozenset()
