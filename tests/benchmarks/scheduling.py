"""Start lateness of many checks, the longest stall of the loop, and what scheduling and dispatch cost.

Run it with ``python -m tests.benchmarks.scheduling``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from monitor.config.settings import WorkerSettings
from monitor.dispatch.dispatcher import Dispatcher, Equipped
from monitor.dispatch.messages import LaneName
from monitor.domain.check import Schedule
from monitor.domain.clock import SystemClock
from monitor.domain.journey import JourneyOutline, ProbeKind, StepOutline
from monitor.domain.run import Slot
from monitor.scheduling.agenda import Due
from monitor.scheduling.scheduler import Scheduler
from tests.builders import a_check, a_target, an_assignment

SECONDS = 10


class FastBook:
    """Accepts everything, as a store does that is not what is measured."""

    async def plan(self, slots: Sequence[Slot]) -> Sequence[Slot]:
        return slots

    async def close(self, slots: Sequence[Slot]) -> None:
        pass


async def stalls(longest: list[float]) -> None:
    before = time.perf_counter()
    while True:
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest[0] = max(longest[0], now - before)
        before = now
        await asyncio.sleep(0.001)
        before = time.perf_counter()


async def measure(count: int, seconds_between: float) -> None:
    lateness: list[float] = []

    async def start(due: Due) -> None:
        lateness.append(time.time() - due.slot.scheduled_at.timestamp())

    schedule = Schedule(interval=dt.timedelta(seconds=seconds_between))
    checks = [a_check(name=f"check-{n}@shop/desktop", schedule=schedule) for n in range(count)]
    scheduler = Scheduler(start=start, book=FastBook(), clock=SystemClock())
    began = time.perf_counter()
    scheduler.replace(checks)
    scheduler.run()
    loading = time.perf_counter() - began
    await asyncio.sleep(1.5)
    gc.collect()
    gc.freeze()
    lateness.clear()
    longest = [0.0]
    watch = asyncio.create_task(stalls(longest))
    cpu = time.process_time()
    await asyncio.sleep(SECONDS)
    cpu = time.process_time() - cpu
    watch.cancel()
    await scheduler.close(1)
    lateness.sort()
    millis = [1_000 * lateness[int(len(lateness) * share)] for share in (0.5, 0.99, 0.999)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count:>6} checks every {seconds_between:>4} s: {len(lateness) / SECONDS:>6.0f} starts/s  "
        f"late p50 {millis[0]:.2f} p99 {millis[1]:.2f} p99.9 {millis[2]:.2f} max {1_000 * lateness[-1]:.2f} ms  "
        f"longest stall {1_000 * longest[0]:.1f} ms  CPU {100 * cpu / SECONDS:.1f} %  "
        f"loading {1_000 * loading:.0f} ms  peak memory {memory:.0f} MB"
    )


async def measure_dispatch(runs: int, at_a_time: int) -> None:
    """Dispatch runs whose probe touches nothing, so that what remains is dispatch and the execution of two steps."""
    with tempfile.TemporaryDirectory() as directory:
        equipped = Equipped(by="rig:equip", import_paths=(str(Path(__file__).parents[1] / "dispatch"),))
        dispatcher = Dispatcher(
            WorkerSettings(http_runs=at_a_time),
            journeys=Path(directory),
            clock=SystemClock(),
            directory=Path(directory) / "workers",
            equipment=equipped,
        )
        await dispatcher.start()
        steps = tuple(StepOutline(name=name, title=name) for name in ("look", "act"))
        outline = JourneyOutline(name="look", title="Look", probe=ProbeKind.HTTP, steps=steps, declarative=True)
        check = a_check(journey="look", target=a_target(concurrency=runs))
        now = dt.datetime.now(dt.UTC)
        template = an_assignment(check=check, not_after=now + dt.timedelta(minutes=5))
        await dispatcher.run(template, outline)
        await asyncio.sleep(3)
        workers = [each._process for each in dispatcher._lanes[LaneName.HTTP].staff.workers]
        here, there, began = time.process_time(), sum(map(cpu_of, workers)), time.perf_counter()
        assignments = (replace(template, run_id=f"run-{number}") for number in range(runs))
        await asyncio.gather(*(dispatcher.run(assignment, outline) for assignment in assignments))
        wall = time.perf_counter() - began
        here, there = time.process_time() - here, sum(map(cpu_of, workers)) - there
        print(
            f"{runs:>6} runs dispatched, {at_a_time} at a time: {runs / wall:.0f} runs/s, "
            f"main process {1e6 * here / runs:.0f} µs, worker {1e6 * there / runs:.0f} µs of CPU per run"
        )
        await dispatcher.close(1)


def cpu_of(process: int) -> float:
    fields = Path("/proc", str(process), "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main() -> None:
    for at_a_time in (20, 200):
        await measure_dispatch(5_000, at_a_time)
    for count, seconds_between in ((1_000, 60), (1_000, 10), (10_000, 60), (10_000, 10)):
        await measure(count, seconds_between)


if __name__ == "__main__":
    asyncio.run(main())
