"""The monitor's side: a process that knows a configuration and makes the runs it is asked for, one line each."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sys
import time
from pathlib import Path

from monitor.diagnosis.context import context_for
from monitor.diagnosis.names import load_names
from monitor.domain.clock import SystemClock
from monitor.domain.evidence import Evidence
from monitor.domain.run import Run
from monitor.execution.wire import Codec
from monitor.publishing.run_json import to_json
from monitor.service import OneShot, read_settings
from tests.lab.rejudge import cited_hosts
from tests.lab.scoring.facts import facts_of


async def observe(path: Path) -> None:
    """Answer each line of standard input, which names a check by its place, with a run."""
    settings = read_settings(path, {})
    names, codec = load_names(), Codec()
    loop = asyncio.get_running_loop()
    async with OneShot(settings, clock=SystemClock()) as shot:
        _say({"ready": True, "checks": [check.name for check in settings.checks]})
        number = 0
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            check = settings.checks[int(json.loads(line)["check"])]
            number += 1
            artifacts = path.parent / "artifacts" / str(number)
            artifacts.mkdir(parents=True)
            run = await shot.make(check, artifacts=artifacts)
            ended = time.time()
            context = context_for(check, settings.ownership, names)
            _say(_told(run, ended, codec) | {"facts": facts_of(run.evidence, context.owners)})


def _told(run: Run, ended: float, codec: Codec) -> dict[str, object]:
    evidence = run.evidence
    failed = _failed_at(evidence)
    began = evidence.started_at.timestamp()
    return {
        "run": to_json(run),
        "evidence": base64.b64encode(codec.encode(evidence)).decode(),
        "cited_hosts": cited_hosts(run),
        "first_seconds": evidence.duration - failed,
        "final_seconds": ended - began - failed,
    }


def _failed_at(evidence: Evidence) -> float:
    """Return the second of the run at which its deciding step ended, or the run where none failed."""
    bad = [step.started + step.duration for step in evidence.last.steps if step.error is not None]
    return min(bad[0], evidence.duration) if bad else evidence.duration


def _say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    asyncio.run(observe(Path(sys.argv[1])))
