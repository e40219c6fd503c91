"""One scenario with one seed: build the world, warm up, break it, have the run judged, mend it."""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from monitor.domain.cause import Detail
from monitor.domain.evidence import Evidence
from monitor.domain.outcome import Outcome
from monitor.execution.wire import Codec
from tests.lab.configuration import name_of, write_configuration
from tests.lab.decisive import found
from tests.lab.manifest import Manifest, manifest_of
from tests.lab.namespaces import Namespaces
from tests.lab.rejudge import CONFIGURATION, said
from tests.lab.scoring.case import SCHEMA
from tests.lab.world.machine import Machine
from tests.lab.world.world import World

ROOT = Path(__file__).parents[2]
_START = 180.0
_RUN = 200.0
_SPARE = 2
_SICK = "S0"


class LabError(Exception):
    """The lab, not the classifier, failed; the message says at what."""


class Observer:
    """The monitor's process, as long as the case lasts."""

    def __init__(self, configuration: Path, log: Path) -> None:
        """Start it; it knows its configuration and nothing of the case."""
        home = configuration.parent
        temporary = home / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        environment |= {"PYTHONPATH": str(ROOT), "HOME": str(home), "TMPDIR": str(temporary)}
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.observer", str(configuration)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, cwd=home, env=environment,
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """Return the id of its process."""
        return self._process.pid

    def __enter__(self) -> Self:
        """Wait until it is ready. Raises LabError."""
        self.checks = self._next(_START)["checks"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def run(self, check: int = 0) -> dict[str, Any]:
        """Have one run made and judged. Raises LabError."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"check": check}) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            msg = "the monitor has ended"
            raise LabError(msg) from error
        return self._next(_RUN)

    def _next(self, patience: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=patience)
        except queue.Empty:
            line = ""
        if not line:
            msg = f"the monitor said nothing: {Path(self._log.name).read_text()[-600:]}"
            raise LabError(msg)
        told: dict[str, Any] = json.loads(line)
        return told

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")


def run_case(manifest: Manifest, seed: int, *, block: int = 0, keep: Path | None = None) -> dict[str, Any]:
    """Return the case as one object for the results. Raises LabError where the lab itself failed."""
    namespaces = Namespaces(manifest)
    missing = namespaces.missing()
    if missing:
        return _line(manifest, seed) | {"status": "not_run", "reason": missing}
    namespaces.line_up()
    with (
        _directories(keep) as (ours, theirs),
        World(manifest, seed, ours, privileged=namespaces.privileged, block=block) as world,
    ):
        namespaces.enter(world, theirs, ours)
        configuration = write_configuration(world, theirs)
        machine = Machine(world.faults, world.names, disk=namespaces.disk, group=namespaces.group, home=theirs)
        with contextlib.closing(machine), Observer(configuration, ours / "monitor.log") as observer:
            machine.watch(observer.pid)
            line = _judged(manifest, seed, world, observer)
        files = {name: (theirs / name).read_text(encoding="utf-8") for name in CONFIGURATION}
        return line | {"configuration": files, "privileged": namespaces.privileged, "block": block}


def _judged(manifest: Manifest, seed: int, world: World, observer: Observer) -> dict[str, Any]:
    line = _line(manifest, seed, world)
    usual = _warm_up(manifest, observer)
    if isinstance(usual, str):
        return line | {"status": "no_impact", "reason": f"a clean run did not pass: {usual}"}
    changed = any(fault.what == "profile" for fault in manifest.faults)
    check = len(observer.checks) - 1 if changed else 0
    world.faults.begin()
    began = time.monotonic()
    try:
        if manifest.prime:
            observer.run()
        told, again = _run_again_if_sick(manifest, observer, check)
    finally:
        world.faults.end()
    evidence = Codec().decode(base64.b64decode(told["evidence"]), Evidence)
    line |= _said(told, evidence, usual) | {
        "seconds": round(time.monotonic() - began, 2),
        "again": again,
        "check": check,
    }
    line["decisive_found"] = found(manifest.decisive, evidence, told, world) if manifest.decisive else None
    reason = _without_impact(manifest, told, evidence)
    if reason:
        line |= {"status": "no_impact", "reason": reason}
    return line | {"evidence": told["evidence"]}


def _run_again_if_sick(manifest: Manifest, observer: Observer, check: int) -> tuple[dict[str, Any], int]:
    """Return the run, and how often it was made anew because our own machine was too busy to say anything.

    The monitor does so itself with its next run; a fault of the machine is taken as it comes.
    """
    expected = manifest.expect.detail
    again = 0
    while True:
        told = observer.run(check)
        said = told["run"]["diagnosis"] or {}
        sick = said.get("rule") == _SICK and expected not in {Detail.CLIENT_DEVICE, Detail.CLIENT_PROBER}
        if not sick or again == _SPARE:
            return told, again
        again += 1


def _warm_up(manifest: Manifest, observer: Observer) -> int | str:
    """Return the requests of a usual run, or why clean runs do not pass; a few may fail on a busy machine."""
    passed, requests, spare = 0, 0, _SPARE + manifest.warm_up // 2
    while passed < manifest.warm_up:
        told = observer.run()
        if told["run"]["outcome"] == "passed":
            passed += 1
            requests = len(Codec().decode(base64.b64decode(told["evidence"]), Evidence).exchanges)
            continue
        spare -= 1
        if spare < 0:
            steps = [step for step in told["run"]["steps"] if step["error"]]
            return f"{told['run']['outcome']}: {steps or told['run']['diagnosis']}"
    return requests


def _without_impact(manifest: Manifest, told: dict[str, Any], evidence: Evidence) -> str:
    """Return why the fault does not count; nothing where it hurt, or did not where it must not."""
    raw = evidence.last.outcome if evidence.attempts else Outcome.INCONCLUSIVE
    if manifest.negative:
        # What the monitor says is its own matter; the journey itself must have come through.
        return "" if raw in {Outcome.PASSED, Outcome.DEGRADED} else f"the journey did not pass: {told['run']['steps']}"
    return "the journey passed all the same" if raw is Outcome.PASSED and told["run"]["outcome"] == "passed" else ""


def _line(manifest: Manifest, seed: int, world: World | None = None) -> dict[str, Any]:
    expect = manifest.expect
    culprit = name_of(world, expect.culprit) if world is not None and expect.culprit else ""
    return {
        "schema": SCHEMA,
        "scenario": manifest.id,
        "seed": seed,
        "title": manifest.title,
        "group": manifest.group,
        "status": "counted",
        "reason": "",
        "expected": {
            "outcome": expect.outcome.value,
            "validity": expect.validity.value,
            "detail": expect.detail.value if expect.detail else "",
            "culprit": culprit,
            "accept": [detail.value for detail in manifest.accept],
            "at_most": expect.at_most or "",
            "decisive": "; ".join(_words(event.model_dump(exclude_defaults=True)) for event in manifest.decisive),
            "twins": manifest.twins,
        },
    }


def _words(event: dict[str, Any]) -> str:
    return " ".join(f"{name}={getattr(value, 'value', value)}" for name, value in event.items())


def _said(told: dict[str, Any], evidence: Evidence, usual: int) -> dict[str, Any]:
    run = told["run"]
    diagnosis = run["diagnosis"] or {}
    made = evidence.experiments
    return {
        "said": said(run),
        "first_seconds": round(told["first_seconds"], 3),
        "final_seconds": round(told["final_seconds"], 3),
        "journeys": sum(not one.kind.is_look for one in made),
        "requests": sum(one.requests or int(one.kind.is_look) for one in made if one.kind.is_look),
        "all_requests": sum(one.requests or int(one.kind.is_look) for one in made),
        "usual_requests": usual,
        "facts": told["facts"],
        "steps": run["steps"],
        "experiments": run["experiments"],
        "evidence_said": diagnosis.get("evidence", []),
        "alternatives": diagnosis.get("alternatives", []),
        "collateral": run["collateral"],
    }


@contextlib.contextmanager
def _directories(keep: Path | None) -> Iterator[tuple[Path, Path]]:
    """Lend a folder for the world and one for the monitor; neither has a telling name."""
    ours, theirs = Path(tempfile.mkdtemp(prefix="w")), Path(tempfile.mkdtemp(prefix="m"))
    try:
        yield ours, theirs / "home"
    finally:
        if keep is not None:
            shutil.copytree(theirs, keep / "monitor", dirs_exist_ok=True, ignore=shutil.ignore_patterns("tmp"))
            shutil.copytree(ours, keep / "world", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.pem"))
        for folder in (ours, theirs):
            shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run one case in this process and print its line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario")
    parser.add_argument("seed", type=int)
    parser.add_argument("--block", type=int, default=0)
    parser.add_argument("--warm-up", type=int, help="how many clean runs come first")
    parser.add_argument("--keep", type=Path, help="keep the folders of monitor and world here")
    options = parser.parse_args()
    try:
        manifest = manifest_of(options.scenario)
        if options.warm_up:
            manifest = manifest.model_copy(update={"warm_up": options.warm_up})
        line = run_case(manifest, options.seed, block=options.block, keep=options.keep)
    except (LabError, OSError, ValueError) as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        return 1
    print(json.dumps(line))
    return 0


if __name__ == "__main__":
    # Threads of servers that still hold a client must not keep the process.
    code = main()
    sys.stdout.flush()
    os._exit(code)
