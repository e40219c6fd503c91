"""Nothing outlives the main process, however it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE, until

_MAIN = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = [{root!r}, {rig!r}]
from tests.dispatch.conftest import Bench
from monitor.config.settings import WorkerSettings

async def main():
    bench = Bench(Path({directory!r}), WorkerSettings(), "equip")
    await bench.dispatcher.start()
    await bench.run("start-a-daemon")
    runs = [asyncio.create_task(bench.run(name)) for name in ("wait-long", "block")]
    await bench.until(lambda: bench.dispatcher.status().lanes[1].running == 2)
    print("ready", flush=True)
    await asyncio.gather(*runs)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_outlives_a_main_process_that_is_killed(tmp_path, processes_of, how):
    directory = tmp_path / "workers"
    here = Path(__file__).parent
    code = _MAIN.format(root=str(here.parents[1]), rig=str(here), directory=str(directory))
    main = await asyncio.to_thread(_start, code)
    with main:
        assert len(processes_of(directory)) >= 5
        os.kill(main.pid, how)
        await asyncio.to_thread(main.wait, PATIENCE)
    await until(lambda: not processes_of(directory), "all its processes are gone")
    await until(lambda: not list(directory.iterdir()), "all their folders are gone")


@pytest.mark.asyncio(loop_scope="module")
async def test_what_a_killed_keeper_leaves_behind_is_found_and_ended(bench, processes_of):
    await bench.evidence("start-a-daemon")
    assert "sleep" in [_name(pid) for pid in processes_of(bench.directory)], "there is nothing to be left behind"
    keepers = bench.keepers()
    for keeper in keepers:
        os.kill(keeper, signal.SIGKILL)
    await bench.until(lambda: not set(keepers) & set(bench.keepers()) and len(bench.workers()) == 3)
    await bench.until(lambda: "sleep" not in [_name(pid) for pid in processes_of(bench.directory)])


def _name(pid: int) -> str:
    try:
        return Path("/proc", str(pid), "comm").read_text(encoding="utf-8").strip()
    except OSError:
        # It ended since it was found.
        return ""


def _start(code: str) -> subprocess.Popen[bytes]:
    main = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert main.stdout is not None
    assert main.stdout.readline() == b"ready\n"
    return main
