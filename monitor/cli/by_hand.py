"""Runs checks once, at a person's or a pipeline's request, without a schedule or a store."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from monitor.cli.exits import Exit, exit_of
from monitor.cli.telling import tell
from monitor.config.settings import Settings
from monitor.domain.check import Check
from monitor.domain.clock import SystemClock
from monitor.domain.run import Run
from monitor.domain.secret import Redactor
from monitor.publishing.run_json import to_json
from monitor.reading.suggestion import did_you_mean
from monitor.service import OneShot, StartupError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which checks to run, by name of check or journey, where their files go, and whether failures are looked into."""

    names: tuple[str, ...]
    profile: str | None = None
    artifacts: Path | None = None
    investigate: bool = True


def choose(settings: Settings, wanted: Wanted) -> tuple[Check, ...]:
    """Return the checks that are meant. Raises StartupError for a name that means none."""
    chosen: dict[str, Check] = {}
    refused = {check.name: check.reason for check in settings.refused}
    for name in wanted.names:
        for check, reason in refused.items():
            if name in {check, check.partition("@")[0]}:
                msg = f"{check} cannot run: {reason}"
                raise StartupError(msg)
        matching = [check for check in settings.checks if name in {check.name, check.journey}]
        if not matching:
            known = sorted({check.name for check in settings.checks} | {check.journey for check in settings.checks})
            hint = did_you_mean(name, known)
            msg = f"no check or journey is called '{name}'{hint or '; there are: ' + ', '.join(known)}"
            raise StartupError(msg)
        fitting = [check for check in matching if wanted.profile in {None, check.profile.name}]
        if not fitting:
            profiles = ", ".join(sorted({check.profile.name for check in matching}))
            msg = f"'{name}' has no check with the profile '{wanted.profile}'; it has: {profiles}"
            raise StartupError(msg)
        chosen |= {check.name: check for check in fitting}
    return tuple(chosen.values())


async def run_checks(settings: Settings, wanted: Wanted, *, as_json: bool, console: Console) -> Exit:
    """Run the chosen checks one after the other, print each as it ends, and return the exit status."""
    checks = choose(settings, wanted)
    folder = (wanted.artifacts or Path(tempfile.mkdtemp(prefix="faultline-run-"))).absolute()
    clock, redactor = SystemClock(), Redactor(settings.secrets)
    runs: list[Run] = []
    async with OneShot(settings, clock=clock, investigate=wanted.investigate) as shot:
        for number, check in enumerate(checks):
            place = folder / f"{number + 1}-{check.name.replace('@', '-').replace('/', '-')}"
            await asyncio.to_thread(place.mkdir, mode=0o700, parents=True, exist_ok=True)
            run = await shot.make(check, artifacts=place)
            runs.append(run)
            _print(run, redactor, as_json=as_json, console=console)
    _say_where(folder, runs, as_json=as_json, console=console)
    return exit_of(run.outcome for run in runs)


def _print(run: Run, redactor: Redactor, *, as_json: bool, console: Console) -> None:
    if as_json:
        print(json.dumps(to_json(run, redactor), ensure_ascii=False), flush=True)
        return
    for line in tell(run.check.name, run.run_id, run.judgement, run.evidence):
        console.print(line)


def _say_where(folder: Path, runs: Sequence[Run], *, as_json: bool, console: Console) -> None:
    if not any(run.evidence.artifacts for run in runs):
        shutil.rmtree(folder, ignore_errors=True)
    elif not as_json:
        console.print(f"files: {folder}")
