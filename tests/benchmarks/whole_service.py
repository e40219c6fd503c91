"""A whole monitor in a process of its own, for benchmarks: ``whole_service.py URL CHECKS SECONDS``.

It prints ``ready``, waits for a line, works for a while, prints what it did as JSON, and waits for another line.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from monitor.config.settings import Settings, StorageSettings, WorkerSettings  # noqa: E402 - after the path is set
from monitor.diagnosis.names import load_names  # noqa: E402
from monitor.domain.check import Check, Schedule, Target  # noqa: E402
from monitor.domain.clock import SystemClock  # noqa: E402
from monitor.domain.profile import ClientProfile  # noqa: E402
from monitor.domain.secret import Redactor  # noqa: E402
from monitor.history import History, RunFilter  # noqa: E402
from monitor.publishing.run_log import JsonFormatter, spare_records  # noqa: E402
from monitor.service import Service  # noqa: E402
from monitor.service.startup import journeys_for  # noqa: E402


def settings_for(url: str, checks: int, interval: float, directory: Path) -> Settings:
    """Return settings with so many checks of one page."""
    target = Target(name="site", base_url=url, concurrency=100_000)
    many = tuple(
        Check(
            name=f"get@site/desktop-{number}",
            journey="get",
            target=target,
            profile=ClientProfile(name=f"desktop-{number}"),
            schedule=Schedule(interval=dt.timedelta(seconds=interval)),
            deadline=dt.timedelta(seconds=max(1.0, min(interval, 10.0))),
            attempts=1,
        )
        for number in range(checks)
    )
    return Settings(
        path=directory / "monitor.yaml",
        location="bench",
        journeys=HERE / "checks",
        checks=many,
        storage=StorageSettings(directory=directory / "data"),
        workers=WorkerSettings(http_runs=1000),
    )


def memory_of_tree() -> dict[str, int]:
    """Return proportional set sizes, in bytes, of this process and of all its descendants together."""
    sizes = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                session = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                rollup = (entry / "smaps_rollup").read_text()
            except (OSError, IndexError):
                continue
            pss = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            sizes[int(entry.name)] = (session, pss * 1024)
    mine = os.getpid()
    family, grown = {mine}, True
    while grown:
        found = {pid for pid, (parent, _) in sizes.items() if parent in family} - family
        family |= found
        grown = bool(found)
    return {"main": sizes[mine][1], "workers": sum(sizes[pid][1] for pid in family - {mine})}


def log_as_in_use() -> None:
    """Format and write each line, as where the log goes to a file or a pipe."""
    spare_records()
    nowhere = logging.FileHandler(os.devnull)
    nowhere.setFormatter(JsonFormatter(Redactor()))
    logging.basicConfig(level=logging.INFO, handlers=[nowhere])


async def main(url: str, checks: int, seconds: float) -> None:
    """Run the monitor, and say what it did."""
    log_as_in_use()
    interval = float(os.environ.get("INTERVAL", "1"))
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(url, checks, interval, Path(folder))
        clock = SystemClock()
        history = await History.open(settings.storage, clock=clock)
        catalogue = await journeys_for(settings, strict=False)
        service = Service(settings, catalogue, history, names=load_names(), clock=clock, read_settings=lambda: settings)
        await service.start()
        await settled(history)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        before, lags = await count(history), []
        end = clock.elapsed() + seconds
        while clock.elapsed() < end:
            asked = clock.elapsed()
            await asyncio.sleep(0.01)
            lags.append(clock.elapsed() - asked - 0.01)
        after = await count(history)
        lags.sort()
        told = {
            "runs": after - before,
            "memory": memory_of_tree(),
            "stall_p99": lags[int(len(lags) * 0.99)],
            "stall": lags[-1],
        }
        print(json.dumps(told), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        last = await history.runs(RunFilter(limit=200))
        bad = [run for run in last if run.outcome.value != "passed"]
        why = await history.run(bad[0].run_id) if bad else None
        await service.close(2)
        assert why is None, f"{len(bad)} of the last runs did not pass: {why.evidence.attempts}"


async def settled(history: History) -> None:
    """Wait until workers are ready and the first slots are planned as far ahead as they ever are."""
    before, planned = -1, 0
    while planned > 1.02 * before:
        await asyncio.sleep(5)
        before, planned = planned, await count(history, "planned")


async def count(history: History, state: str = "finished") -> int:
    """Return how many slots have been stored in a state."""
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    coverage = await history.coverage(None, dt.datetime(2020, 1, 1, tzinfo=dt.UTC), ahead)
    return dict(coverage.states).get(state, 0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
