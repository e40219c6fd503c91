"""Prometheus, Alertmanager and the blackbox exporter as processes of their own, for tests against the real thing."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".venv" / "servers" / "bin"
PATIENCE = 60.0
# Below the ports that connections go out from, and above those that the lab draws.
_PORTS = range(29_100, 32_700)
REMEDY = "run ./setup.sh dev, which unpacks it into .venv/servers/bin"

# The oldest version whose behavior the tests are written for, and the names under which Debian installs it.
_WANTED: Mapping[str, tuple[tuple[int, int], tuple[str, ...]]] = {
    "prometheus": ((3, 0), ("prometheus",)),
    "promtool": ((3, 0), ("promtool",)),
    "alertmanager": ((0, 27), ("alertmanager", "prometheus-alertmanager")),
    "amtool": ((0, 27), ("amtool",)),
    "blackbox-exporter": ((0, 25), ("blackbox-exporter", "blackbox_exporter", "prometheus-blackbox-exporter")),
}


@functools.cache
def _found(name: str) -> Path | None:
    oldest, names = _WANTED[name]
    candidates = [str(FOLDER / name), *filter(None, (shutil.which(each) for each in names))]
    for candidate in candidates:
        if not os.access(candidate, os.X_OK):
            continue
        told = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
        version = re.search(r"version (\d+)\.(\d+)", told.stdout + told.stderr)
        if version and (int(version[1]), int(version[2])) >= oldest:
            return Path(candidate)
    return None


def binary(name: str) -> Path:
    """Return the path of a server or its tool; without it the test is skipped, but where CI is set it fails."""
    if found := _found(name):
        return found
    oldest = ".".join(map(str, _WANTED[name][0]))
    reason = f"{name} {oldest} or newer is neither in {FOLDER.relative_to(ROOT)} nor on the PATH: {REMEDY}"
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason)
    pytest.skip(reason)


@functools.cache
def _own_ports() -> Iterator[int]:
    """Return without end the ports that this worker of pytest alone hands out."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    own = _PORTS[number % count :: count]
    # Another pytest on this machine begins elsewhere.
    start = random.randrange(len(own))
    return itertools.cycle((*own[start:], *own[:start]))


def free_port() -> int:
    """Return a loopback port that nobody listens on, for a server that binds it later.

    Not one that the system chooses: that it may give to any connection before the server comes.
    """
    for port in itertools.islice(_own_ports(), len(_PORTS)):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    pytest.fail(f"all ports from {_PORTS[0]} to {_PORTS[-1]} are in use")


def promtool(*arguments: str | Path, content: str | None = None, timeout: float = 300.0) -> str:
    """Run promtool and return what it printed; a failure of it is a failure of the test, with its words."""
    return _tool("promtool", *arguments, content=content, timeout=timeout)


def amtool(*arguments: str | Path, content: str | None = None, timeout: float = 60.0) -> str:
    """Run amtool and return what it printed; a failure of it is a failure of the test, with its words."""
    return _tool("amtool", *arguments, content=content, timeout=timeout)


def _tool(name: str, *arguments: str | Path, content: str | None, timeout: float) -> str:
    command = [str(binary(name)), *map(str, arguments)]
    done = subprocess.run(command, input=content, capture_output=True, text=True, check=False, timeout=timeout)
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{name} {' '.join(map(str, arguments))} ended with {done.returncode}:\n{said[-4000:]}"
    return said


@dataclass(slots=True)
class Server:
    """A running server: its address, its log, and the means to stop it."""

    name: str
    url: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        """The loopback port it listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def address(self) -> str:
        """Host and port, as a scrape or an alerting target names them."""
        return self.url.removeprefix("http://")

    def reload(self) -> None:
        """Have it read its configuration anew."""
        request = urllib.request.Request(f"{self.url}/-/reload", method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE):
            pass

    def stop(self) -> None:
        """End it and wait until it is gone; a second call does nothing."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def tail(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


@contextlib.contextmanager
def _running(name: str, folder: Path, arguments: Sequence[str], *, port: int, ready: str) -> Iterator[Server]:
    program, log = binary(name), folder / f"{name}.log"
    # Where setup.sh unpacked it, Alertmanager finds its own templates by a path relative to that folder.
    home = FOLDER.parent if program.is_relative_to(FOLDER) else folder
    with log.open("ab") as out:
        process = subprocess.Popen([str(program), *arguments], stdout=out, stderr=out, cwd=home, start_new_session=True)
    server = Server(name=name, url=f"http://127.0.0.1:{port}", log=log, process=process)
    try:
        _await_ready(server, ready)
        yield server
    finally:
        server.stop()


def _await_ready(server: Server, path: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.process.poll() is None:
        with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(server.url + path, timeout=5):
            return
        time.sleep(0.05)
    pytest.fail(f"{server.name} did not come up (exit status {server.process.poll()}); its log says:\n{server.tail()}")


def _written(folder: Path, name: str, content: str | Mapping[str, Any] | Path) -> Path:
    if isinstance(content, Path):
        return content
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(dict(content), sort_keys=False))
    return path


@contextlib.contextmanager
def prometheus(
    folder: Path,
    config: str | Mapping[str, Any] | Path = "{}",
    *,
    data: Path | None = None,
    port: int | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[Server]:
    """Run Prometheus with this configuration; data and log lie in the folder, exemplars are stored."""
    port = port or free_port()
    options = (
        f"--config.file={_written(folder, 'prometheus.yml', config).absolute()}",
        f"--storage.tsdb.path={(data or folder / 'prometheus').absolute()}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.retention.time=100y",
        "--enable-feature=exemplar-storage",
        "--web.enable-lifecycle",
        *arguments,
    )
    with _running("prometheus", folder, options, port=port, ready="/-/ready") as server:
        yield server


@contextlib.contextmanager
def alertmanager(
    folder: Path, config: str | Mapping[str, Any] | Path, *, port: int | None = None, arguments: Sequence[str] = ()
) -> Iterator[Server]:
    """Run Alertmanager, alone in its cluster, with this configuration."""
    port = port or free_port()
    options = (
        f"--config.file={_written(folder, 'alertmanager.yml', config).absolute()}",
        f"--storage.path={(folder / 'alertmanager').absolute()}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        *arguments,
    )
    with _running("alertmanager", folder, options, port=port, ready="/-/ready") as server:
        yield server


@contextlib.contextmanager
def blackbox_exporter(
    folder: Path, config: str | Mapping[str, Any] | Path, *, port: int | None = None, arguments: Sequence[str] = ()
) -> Iterator[Server]:
    """Run the blackbox exporter with these modules."""
    port = port or free_port()
    options = (
        f"--config.file={_written(folder, 'blackbox.yml', config).absolute()}",
        f"--web.listen-address=127.0.0.1:{port}",
        *arguments,
    )
    with _running("blackbox-exporter", folder, options, port=port, ready="/-/healthy") as server:
        yield server


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer: its labels, and its values by time in seconds."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def value(self) -> float:
        """The latest value."""
        return self.points[-1][1]


class Prometheus:
    """Asks a running Prometheus; what it refuses is a failed test with its words."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=PATIENCE, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self._client.aclose()

    async def ask(self, path: str, **fields: str | float) -> Any:
        """Return the ``data`` of an answer of ``/api/v1/<path>``."""
        answer = await self._client.get(f"/api/v1/{path}", params=fields)
        body = answer.json()
        assert body["status"] == "success", f"{path} {fields}: {body.get('errorType')}: {body.get('error')}"
        return body["data"]

    async def query(self, expression: str, at: float | None = None) -> tuple[Sample, ...]:
        """Return the instant answer, now or at a time in seconds; a scalar is one sample without labels."""
        moment = {} if at is None else {"time": at}
        data = await self.ask("query", query=expression, **moment)
        if data["resultType"] in {"scalar", "string"}:
            return (_sample({}, [data["result"]]),)
        return tuple(_sample(each["metric"], each.get("values") or [each["value"]]) for each in data["result"])

    async def value(self, expression: str, at: float | None = None) -> float | None:
        """Return the only value of an instant answer, nothing for an empty one; several are an error."""
        found = await self.query(expression, at)
        assert len(found) <= 1, f"{expression} has {len(found)} answers: {found[:5]}"
        return found[0].value if found else None

    async def become(
        self, expression: str, wanted: Callable[[float], bool] = bool, patience: float = PATIENCE
    ) -> float:
        """Wait until an expression has one value that is wanted, and return it; after the patience the test fails."""
        end, value = time.monotonic() + patience, None
        while time.monotonic() < end:
            value = await self.value(expression)
            if value is not None and wanted(value):
                return value
            await asyncio.sleep(0.1)
        pytest.fail(f"after {patience} s {expression} is {value}; the targets are {await self.targets()}")

    async def query_range(self, expression: str, *, start: float, end: float, step: float) -> tuple[Sample, ...]:
        """Return the answer over a time, in seconds."""
        data = await self.ask("query_range", query=expression, start=start, end=end, step=step)
        return tuple(_sample(each["metric"], each["values"]) for each in data["result"])

    async def exemplars(self, expression: str, *, start: float, end: float) -> tuple[Mapping[str, Any], ...]:
        """Return the exemplars of the series, each as Prometheus gives it: labels, value, timestamp."""
        data = await self.ask("query_exemplars", query=expression, start=start, end=end)
        return tuple(exemplar for series in data for exemplar in series["exemplars"])

    async def targets(self) -> tuple[Mapping[str, Any], ...]:
        """Return the active targets with their health and last error."""
        return tuple((await self.ask("targets", state="active"))["activeTargets"])

    async def rules(self) -> tuple[Mapping[str, Any], ...]:
        """Return all rules of all groups with their health and last error."""
        return tuple(rule for group in (await self.ask("rules"))["groups"] for rule in group["rules"])

    async def alerts(self) -> tuple[Mapping[str, Any], ...]:
        """Return the alerts that are pending or firing."""
        return tuple((await self.ask("alerts"))["alerts"])

    async def metadata(self) -> Mapping[str, Any]:
        """Return type, unit and help by name of the metric."""
        data: Mapping[str, Any] = await self.ask("metadata")
        return data


def _sample(labels: Mapping[str, str], values: Sequence[Sequence[Any]]) -> Sample:
    return Sample(labels=labels, points=tuple((float(moment), float(value)) for moment, value in values))
