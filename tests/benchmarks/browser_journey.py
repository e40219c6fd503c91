"""Processor time of a three-step browser journey: ours, fully recorded, beside two peers that start anew for each run.

Processor time is read from a control group, so that every process of a browser counts, however it was started.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
PEERS = HERE.parent.parent / ".cache" / "peers"
ACCOUNTING = Path("/sys/fs/cgroup/cpuacct")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal belongs to the table."""


@contextlib.contextmanager
def a_site() -> Iterator[str]:
    """Serve the small site of the journey on a free port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(HERE / "site")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()


class Group:
    """A control group that counts the processor time of everything started in it."""

    def __init__(self, name: str) -> None:
        self._path = ACCOUNTING / f"faultline-bench-{name}-{os.getpid()}"
        self._path.mkdir()

    def enter(self) -> None:
        (self._path / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self) -> float:
        return int((self._path / "cpuacct.usage").read_text()) / 1e9

    def remove(self) -> None:
        for _ in range(50):
            try:
                self._path.rmdir()
            except OSError:
                time.sleep(0.1)
            else:
                return


def peers_are_there() -> bool:
    """Install the peers from npm, once."""
    if (PEERS / "node_modules" / ".bin" / "playwright").exists():
        return True
    if shutil.which("npm") is None:
        print("npm is missing: the peers cannot be measured")
        return False
    PEERS.mkdir(parents=True, exist_ok=True)
    shutil.copytree(HERE / "peers", PEERS, dirs_exist_ok=True)
    environ = {**os.environ, "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=PEERS, env=environ, check=False
    )
    return done.returncode == 0


def peer(name: str, url: str) -> tuple[float, float]:
    """Run a peer once; return processor seconds and wall seconds."""
    chromium = shutil.which("chromium") or "chromium"
    options = json.dumps({"executablePath": chromium, "chromiumSandbox": False})
    commands = {
        "elastic-synthetics": ["npx", "elastic-synthetics", "journeys", "--params", json.dumps({"url": url}),
                               "--playwright-options", options, "--rich-events"],
        "playwright test": ["npx", "playwright", "test", "-c", "playwright.config.js"],
    }  # fmt: skip
    group = Group(name.split(maxsplit=1)[0])
    with tempfile.TemporaryDirectory() as output:
        environ = {**os.environ, "SITE_URL": url, "CHROMIUM": chromium, "OUTPUT_DIR": output}
        began = time.perf_counter()
        subprocess.run(commands[name], cwd=PEERS, env=environ, check=True, capture_output=True, preexec_fn=group.enter)
        wall = time.perf_counter() - began
    spent = group.seconds()
    group.remove()
    return spent, wall


async def ours(url: str, runs: int) -> list[float]:
    """Make runs in this process, which has entered a group of its own; print how long each took."""
    from monitor.domain.clock import SystemClock
    from monitor.domain.outcome import Outcome
    from monitor.execution.run import execute
    from monitor.journeys.files import load
    from monitor.probes.browser.probe import BrowserProbe
    from tests.builders import a_check, a_target, an_assignment

    with tempfile.TemporaryDirectory() as temporary:
        probe = BrowserProbe(directory=Path(temporary), runs_per_browser=1000)
        journey = load(HERE / "checks", "three")
        check = a_check(journey="three", target=a_target(base_url=url), deadline=dt.timedelta(seconds=30))
        walls = []
        for number in range(runs):
            if number == 1:
                print("warm", flush=True)
                sys.stdin.readline()
            began = time.perf_counter()
            assignment = an_assignment(run_id=f"r{number}", check=check, artifact_directory=temporary)
            evidence = await execute(assignment, journey, probe, clock=SystemClock())
            walls.append(time.perf_counter() - began)
            assert evidence.last.outcome is Outcome.PASSED, evidence.last
            assert len(evidence.exchanges) >= 3, "the run was not recorded"
        print(json.dumps(walls[1:]), flush=True)
        sys.stdin.readline()
        await probe.close()
    return walls


def measure_ours(url: str, runs: int) -> tuple[float, float]:
    """Return processor seconds and median wall seconds per warm run."""
    group = Group("ours")
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve()), "--as-prober", url, "--runs", str(runs + 1)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=group.enter,  # noqa: PLW1509 - it only writes a process id before exec
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "warm", "the prober did not start"
    before = group.seconds()
    child.stdin.write("go\n")
    child.stdin.flush()
    walls = json.loads(child.stdout.readline())
    spent = (group.seconds() - before) / runs
    child.communicate("done\n")
    group.remove()
    return spent, statistics.median(walls)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--as-prober", metavar="URL")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.as_prober:
        asyncio.run(ours(arguments.as_prober, arguments.runs))
        return 0
    if not os.access(ACCOUNTING, os.W_OK):
        print("skipped: processor time of a whole process tree needs the cpuacct control group, writable")
        return 0
    figures: dict[str, list[tuple[float, float]]] = {}
    with a_site() as url:
        names = ("elastic-synthetics", "playwright test") if peers_are_there() else ()
        for _ in range(arguments.rounds):
            for name in names:
                figures.setdefault(name, []).append(peer(name, url))
            figures.setdefault("faultline, warm", []).append(measure_ours(url, arguments.runs))
    report(figures)
    return 0


def report(figures: dict[str, list[tuple[float, float]]]) -> None:
    """Print medians over the rounds, and our ratio to each peer."""
    medians = {
        name: (statistics.median(cpu for cpu, _ in rounds), statistics.median(wall for _, wall in rounds))
        for name, rounds in figures.items()
    }
    mine = medians["faultline, warm"][0]
    print(f"{'one run of three steps':26} {'CPU s':>8} {'wall s':>8} {'ours ÷ it':>10}")
    for name, (cpu, wall) in medians.items():
        print(f"{name:26} {cpu:8.3f} {wall:8.3f} {mine / cpu:10.3f}")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent))
    sys.exit(main())
