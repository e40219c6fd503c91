"""Processor time of a whole HTTP run (schedule, probe, judge, count, store) beside blackbox_exporter's probe alone.

Both walk the same page at the same rate, in turns. Ours counts every process: main, keepers and worker.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from browser_journey import ACCOUNTING, Group
from http_probe import BLACKBOX, certificates, cpu_of, drive, exporter, server

HERE = Path(__file__).parent
MUST = 0.75


def ours(rate: int, seconds: float) -> dict[str, float]:
    """Run a whole monitor with one check per second for each run per second."""
    group = Group("whole")
    with server(None) as (port, _):
        child = subprocess.Popen(
            [sys.executable, str(HERE / "whole_service.py"), f"http://127.0.0.1:{port}", str(rate), str(seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=group.enter,  # noqa: PLW1509 - it only writes a process id before exec
        )  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "ready", "the monitor did not start"
        before = group.seconds()
        child.stdin.write("go\n")
        child.stdin.flush()
        told = json.loads(child.stdout.readline())
        spent = group.seconds() - before
        child.communicate("done\n")
        assert child.returncode == 0, "runs did not pass"
    group.remove()
    return {"runs": told["runs"], "cpu_ms": 1000 * spent / told["runs"], "stall_ms": 1000 * told["stall"]}


def theirs(rate: int, seconds: float, directory: Path) -> float:
    """Return blackbox_exporter's processor milliseconds per probe."""
    count = int(rate * seconds)
    _, authority = certificates(directory)
    with server(None) as (port, _), exporter(authority) as (own_port, pid):
        url = f"http://127.0.0.1:{port}"
        asyncio.run(drive(own_port, url, "50", 30, "warm"))
        before = cpu_of(pid)
        asyncio.run(drive(own_port, url, str(rate), count, "bb"))
        return 1000 * (cpu_of(pid) - before) / count


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    if shutil.which(BLACKBOX) is None or not os.access(ACCOUNTING, os.W_OK):
        print(f"skipped: needs {BLACKBOX} and a writable cpuacct control group")
        return 0
    mine, other = [], []
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(chosen.rounds):
            mine.append(ours(chosen.rate, chosen.seconds))
            other.append(theirs(chosen.rate, chosen.seconds, Path(directory)))
    cpu, blackbox = statistics.median(one["cpu_ms"] for one in mine), statistics.median(other)
    stored = statistics.median(one["runs"] for one in mine) / chosen.seconds
    print(f"asked for {chosen.rate}/s, stored {stored:.0f}/s, longest stall of the main loop "
          f"{max(one['stall_ms'] for one in mine):.0f} ms")  # fmt: skip
    print(f"whole run {cpu:.3f} ms, blackbox's probe {blackbox:.3f} ms, ratio {cpu / blackbox:.2f}, must {MUST}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
