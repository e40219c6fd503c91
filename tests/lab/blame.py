"""The blame matrix: what a sick monitor says of a site that is well, down, or hurt by a third party.

``python -m tests.lab.blame`` fills all cells and prints the matrix. A cell is *wrong* where a sick monitor names the
site or a vendor that is well, or calls a site well that is down; nothing else is, abstentions included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lab.case import ROOT, LabError, run_case
from tests.lab.manifest import Manifest
from tests.lab.namespaces import ENTERED, wrapper

SEED = 5
_LIMIT = 480.0
SITES: Mapping[str, list[dict[str, Any]]] = {
    "well": [],
    "down": [{"where": ["@own", "@api"], "what": "status", "with": {"status": 503, "body": "down"}}],
    "vendor down": [{"where": "@pay", "what": "stopped"}],
}
MONITORS: Mapping[str, Mapping[str, Any]] = {
    "well": {"faults": []},
    "browser dead": {"faults": [{"where": "@monitor", "what": "machine", "with": {"kind": "kill-browser"}}]},
    "browser frozen": {"faults": [{"where": "@monitor", "what": "machine", "with": {"kind": "freeze-browser"}}]},
    "names dead": {"journey": "api", "faults": [{"where": "@r1", "what": "dns", "with": {"answer": "drop"}}]},
    "offline": {"needs": ["netns"], "faults": [{"where": "@link", "what": "machine", "with": {"kind": "down"}}]},
    "disk full": {
        "needs": ["tmpfs"],
        "faults": [{"where": "@monitor", "what": "machine", "with": {"kind": "fill-disk"}}],
    },
    "starved": {
        "needs": ["cgroup"],
        "faults": [{"where": "@monitor", "what": "machine", "with": {"kind": "starve", "percent": 8}}],
    },
    "clock wrong": {"faults": [{"where": "@everyone", "what": "clock", "with": {"days": 1095}}]},
}
_RIGHT = {"well": "", "down": "own", "vendor down": "tp"}


def manifest_of(site: str, monitor: str) -> Manifest:
    """Return the scenario of one cell; where neither is sick, the journey must pass."""
    sick = MONITORS[monitor]
    faults = [*SITES[site], *sick["faults"]] or [{"where": "@ana", "what": "stopped"}]
    needs = [*sick.get("needs", []), *(["names"] if monitor == "names dead" else [])]
    return Manifest.model_validate(
        {
            "id": "Z01",
            "title": f"site {site}, monitor {monitor}",
            "journey": sick.get("journey", "buy"),
            "faults": faults,
            "needs": needs,
            "expect": {"outcome": "passed"},
            "warm_up": 1,
        }
    )


def is_wrong(site: str, said: Mapping[str, Any]) -> bool:
    """Say whether somebody innocent was named, or a site that is down called well."""
    side = said["detail"].partition(".")[0]
    if side in {"own", "tp"} and side != _RIGHT[site]:
        return True
    return site == "down" and said["outcome"] in {"passed", "degraded"}


def fill(site: str, monitor: str) -> dict[str, Any]:
    """Return what is said in one cell, asked in a process and namespaces of its own; ``error`` where nothing was."""
    manifest = manifest_of(site, monitor)
    front = wrapper(manifest)
    entered = "names netns" if "-n" in front else "names" if front else ""
    command = [*front, sys.executable, "-m", "tests.lab.blame", "--cell", f"{site}/{monitor}"]
    environment = {**os.environ, ENTERED: entered, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=_LIMIT, check=False
        )
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        return {"error": f"{type(error).__name__}"}
    return told


def _cell(name: str) -> dict[str, Any]:
    site, _, monitor = name.partition("/")
    try:
        line = run_case(manifest_of(site, monitor), SEED)
    except (LabError, OSError, ValueError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    if "said" not in line:
        return {"error": line["reason"]}
    return dict(line["said"])


def main() -> int:
    """Fill the matrix and print it; 0 where no cell is wrong and every cell was filled."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.blame", description="Fill the blame matrix.")
    parser.add_argument("--cell", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="write what was said in each cell here, as JSON")
    options = parser.parse_args()
    if options.cell:
        print(json.dumps(_cell(options.cell)))
        return 0
    cells, bad = {}, 0
    for monitor in MONITORS:
        for site in SITES:
            said = cells[f"{monitor} / {site}"] = fill(site, monitor)
            wrong = "error" not in said and is_wrong(site, said)
            bad += wrong or "error" in said
            words = said.get("error") or f"{said['outcome']} {said['detail']} {said['confidence']} {said['rule']}"
            print(f"{'WRONG' if wrong else '     '} monitor {monitor:14} site {site:12} {words}", flush=True)
    if options.out:
        options.out.write_text(json.dumps(cells, indent=1))
    print(f"{len(cells)} cells, {bad} wrong or not filled")
    return 1 if bad else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
