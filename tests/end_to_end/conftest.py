"""The program as a user starts it: a process of its own, against the bundled shop on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from monitor.demo import Ports, Shop
from tests.servers import free_port

CHECKS = Path(__file__).parents[2] / "checks"
PATIENCE = 90.0
# A check in a browser comes round less often, and each of its runs has to pass on a machine that may be busy.
BROWSER_PATIENCE = 240.0
PASSWORD = "correct-horse-battery-staple-9137"

CONFIG = """\
location: lab
journeys: {checks}
storage: {{directory: data}}
targets:
  shop: {{base_url: "{shop}", extra_ca: ca.pem, concurrency: 2}}
  shop-api: {{base_url: "{api}", extra_ca: ca.pem, concurrency: 4}}
defaults: {{deadline: 30s}}
checks:
  - {{journey: api, target: shop-api, every: 2s, deadline: 2s, attempts: 1, team: catalog}}
  - {{journey: order, target: shop-api, every: 3s, deadline: 3s, attempts: 1, team: fulfillment}}
"""
SEARCH = "  - {journey: search, target: shop, every: 25s, deadline: 25s, attempts: 1}\n"
LOGIN = (
    "  - {journey: login, target: shop, every: 20s, deadline: 20s, attempts: 1,"
    ' values: {email: ada@example.com}, secrets: {password: "${SHOP_PASSWORD}"}}\n'
)
OWNERSHIP = """\
domains: [shop.localhost]
default_team: storefront
vendors:
  Example Pay: {hosts: ["*.examplepay.localhost"], critical: true}
  Example ID: {hosts: ["*.exampleid.localhost"], critical: true}
  Example CDN: {hosts: ["*.examplecdn.localhost"], critical: true}
"""


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> object:
    """Wait until something is so; the machine may be busy, so the patience is long and the look is cheap."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with contextlib.suppress(OSError, urllib.error.URLError, json.JSONDecodeError):
            if found := condition():
                return found
        time.sleep(0.2)
    pytest.fail(f"after {patience} s still not: {what}")


class Program:
    """A running ``faultline serve``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "serve.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, **environ: str) -> None:
        command = [sys.executable, "-m", "monitor.cli", "serve", "--config", str(self.folder / "monitor.yaml")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--listen", f"127.0.0.1:{self.port}"],
                stdout=log, stderr=log, env={**os.environ, **environ}, cwd=self.folder, start_new_session=True,
            )  # fmt: skip

    def get(self, path: str, *, accept: str = "") -> str:
        request = urllib.request.Request(self.url + path, headers={"Accept": accept} if accept else {})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return str(answer.read().decode())

    def post(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, method="POST"), timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def runs(self, check: str = "") -> list[dict[str, object]]:
        query = f"&check={check}" if check else ""
        found: list[dict[str, object]] = json.loads(self.get(f"/api/v1/runs?limit=100{query}"))["runs"]
        return found

    def wait_for_run(self, check: str, outcome: str = "passed", patience: float = PATIENCE) -> str:
        def found() -> object:
            return next((run["run_id"] for run in self.runs(check) if run["outcome"] == outcome), None)

        what = f"a {outcome} run of {check}; the log says:\n{self.log.read_text()[-2000:]}"
        return str(until(found, what, patience))

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = 30) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(tmp_path / "shop", ports=Ports.free()) as shop:
        yield shop


@pytest.fixture
def folder(tmp_path: Path, shop: Shop) -> Path:
    """A configuration for the shop: two HTTP checks; a test adds what else it wants."""
    (tmp_path / "ca.pem").write_text(shop.ca_pem)
    config = CONFIG.format(checks=CHECKS, shop=shop.url("shop"), api=shop.url("api"))
    (tmp_path / "monitor.yaml").write_text(config)
    (tmp_path / "ownership.yaml").write_text(OWNERSHIP)
    return tmp_path


@pytest.fixture
def program(folder: Path) -> Iterator[Program]:
    program = Program(folder)
    yield program
    program.close()


async def command(folder: Path, *arguments: str, **environ: str) -> tuple[int, str, str]:
    """Run one ``faultline`` command and return its exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor.cli", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=folder, env={**os.environ, **environ},
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()
