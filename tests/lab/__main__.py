"""Runs the lab: ``python -m tests.lab [--only "O01 T"] [--seeds 1,2] [--jobs 2]``."""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from tests.lab.case import ROOT, _line
from tests.lab.manifest import Manifest, ManifestError, read_manifests
from tests.lab.namespaces import ENTERED, wrapper
from tests.lab.rejudge import keep, rejudge_all
from tests.lab.scoring.__main__ import main as score

_LIMIT = 480.0
_RESULTS = ROOT / "data" / "lab"
_UNSEEN = ("X",)


class Progress:
    """One line for each case as it ends, on standard error."""

    def __init__(self, total: int, stream: TextIO) -> None:
        """Count up to ``total``."""
        self._total = total
        self._stream = stream
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self.done = 0

    def tell(self, line: dict[str, Any]) -> None:
        """Say how a case ended."""
        with self._lock:
            self.done += 1
            head = f"{self.done:3}/{self._total} {time.monotonic() - self._began:5.0f}s"
            words = f"{line['scenario']} seed {line['seed']}  {_how(line)}"
            print(f"{head} {words}", file=self._stream, flush=True)


def _how(line: dict[str, Any]) -> str:
    if line["status"] != "counted":
        return f"{line['status']}: {line['reason'][:200]}"
    said, expected = line["said"], line["expected"]
    right = said["outcome"] == expected["outcome"] and said["detail"] == expected["detail"]
    told = f"{said['outcome']} {said['detail']} {said['confidence']} {said['rule']} {said['culprit']}"
    mark = "right" if right else "half " if said["detail"] in expected["accept"] else "MISS "
    return f"{mark} {told}" + ("" if right else f"  (expected {expected['outcome']} {expected['detail']})")


def run(manifest: Manifest, seed: int, block: int, keep: Path | None, *, warm_up: int = 0) -> dict[str, Any]:
    """Return the case of one scenario, carried out by a process of its own and cut at a time limit.

    ``warm_up`` is how many clean runs come first, where not as many as the scenario asks for.
    """
    front = wrapper(manifest)
    entered = "names netns" if "-n" in front else "names" if front else ""
    command = [*front, sys.executable, "-m", "tests.lab.case", manifest.id, str(seed), "--block", str(block)]
    if warm_up:
        command += ["--warm-up", str(warm_up)]
    if keep is not None:
        command += ["--keep", str(keep / f"{manifest.id}-{seed}")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True,
        env={**os.environ, ENTERED: entered, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        out, errors = process.communicate(timeout=_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return _line(manifest, seed) | {"status": "not_run", "reason": f"did not end within {_LIMIT:.0f} s"}
    try:
        told: dict[str, Any] = json.loads(out.splitlines()[-1])
    except (IndexError, ValueError):
        told = {"error": f"ended with status {process.returncode}: {errors[-600:]}"}
    if "error" in told:
        return _line(manifest, seed) | {"status": "not_run", "reason": told["error"]}
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; 0 where every case could be carried out, 2 for manifests that are not valid."""
    options = _options(arguments)
    try:
        manifests = read_manifests(tuple(options.only.replace(",", " ").split()))
        further = () if options.only or not options.check else read_manifests(_UNSEEN)
    except ManifestError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        print(f"{len(manifests) + len(further)} scenarios are valid")
        return 0
    if options.out is None:
        options.out = _RESULTS / ("unseen" if all(one.unseen for one in manifests) else "") / "runs.jsonl"
    if options.rejudge:
        return _tell_again(options)
    seeds = [int(seed) for seed in options.seeds.replace(",", " ").split()]
    cases = [(manifest, seed) for seed in seeds for manifest in manifests]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    progress = Progress(len(cases), sys.stderr)
    with options.out.open("w") as results:
        lines = _run_all(cases, options, progress, results)
    print(f"{options.out}", file=sys.stderr)
    if options.score:
        score([str(options.out), "--json", str(options.out.with_name("scores.json"))])
    return 0 if all(line["status"] != "not_run" for line in lines) else 1


def _tell_again(options: argparse.Namespace) -> int:
    """Judge what is stored by today's rules, and tell it as a run would."""
    lines = rejudge_all(options.out)
    progress = Progress(len(lines), sys.stderr)
    for line in lines:
        progress.tell(line)
    if options.score:
        score([str(options.out), "--json", str(options.out.with_name("scores.json"))])
    return 0


def _run_all(
    cases: Sequence[tuple[Manifest, int]], options: argparse.Namespace, progress: Progress, results: TextIO
) -> list[dict[str, Any]]:
    blocks = list(range(options.jobs))
    lock = threading.Lock()

    def one(case: tuple[Manifest, int]) -> dict[str, Any]:
        with lock:
            block = blocks.pop()
        try:
            line = run(*case, block, options.keep)
        finally:
            with lock:
                blocks.append(block)
        keep(line, options.out.parent / "evidence")
        with lock:
            print(json.dumps(line), file=results, flush=True)
        progress.tell(line)
        return line

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        return list(pool.map(one, cases))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description="Run labelled faults.")
    parser.add_argument("--only", default="", help="ids, or the beginning of some: 'O01 T'")
    parser.add_argument("--seeds", default="1", help="one or more: '1,2,3'")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="usually runs.jsonl below data/lab, or below data/lab/unseen")
    parser.add_argument("--keep", type=Path, help="keep the folders of each case below this one")
    parser.add_argument("--rejudge", action="store_true", help="judge the stored evidence of --out by today's rules")
    parser.add_argument("--score", action="store_true", help="print the scores at the end, and store them beside")
    parser.add_argument("--check", action="store_true", help="read the manifests, run nothing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
