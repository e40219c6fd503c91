"""Runs checks once, at a person's or a pipeline's request, without a schedule or a store."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.text import Text

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


class Shelf:
    """Where files of runs go, a folder for each; those that stayed empty are taken away afterwards.

    A folder that somebody named is theirs, and whatever is in it stays. ``used`` says whether a run left a file.
    """

    def __init__(self, chosen: Path | None) -> None:
        """Use the folder that was chosen, or else a new temporary one."""
        self.folder = (chosen or Path(tempfile.mkdtemp(prefix="faultline-run-"))).absolute()
        self._own = chosen is None
        self._places: list[Path] = []
        self.used = False

    def __enter__(self) -> Self:
        """Return the shelf itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Take away the folders that nothing was put into."""
        for place in self._places:
            with contextlib.suppress(OSError):
                place.rmdir()
        if self._own and not self.used:
            shutil.rmtree(self.folder, ignore_errors=True)

    def place_for(self, check: Check) -> Path:
        """Make a folder for the next run. Raises StartupError where that cannot be."""
        name = f"{len(self._places) + 1}-{check.name.replace('@', '-').replace('/', '-')}"
        place = self.folder / name
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            msg = f"--artifacts: {place} cannot be made: {error.strerror}"
            raise StartupError(msg) from error
        self._places.append(place)
        return place


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
    redactor = Redactor(settings.secrets)
    runs: list[Run] = []
    with Shelf(wanted.artifacts) as shelf:
        async with OneShot(settings, clock=SystemClock(), investigate=wanted.investigate) as shot:
            for check in checks:
                run = await shot.make(check, artifacts=await asyncio.to_thread(shelf.place_for, check))
                runs.append(run)
                shelf.used |= bool(run.evidence.artifacts)
                _print(run, redactor, as_json=as_json, console=console)
    if not as_json:
        for line in _last_words(shelf, len(runs)):
            console.print(line)
    return exit_of(run.outcome for run in runs)


def _last_words(shelf: Shelf, runs: int) -> Iterator[Text]:
    if shelf.used:
        yield Text(f"files: {shelf.folder}")
    them = "this run" if runs == 1 else "these runs"
    yield Text(f"{them} went into no history: 'faultline explain' knows those of 'faultline serve'", "dim")


def _print(run: Run, redactor: Redactor, *, as_json: bool, console: Console) -> None:
    if as_json:
        print(json.dumps(to_json(run, redactor), ensure_ascii=False), flush=True)
        return
    for line in tell(run.check.name, run.run_id, run.judgement, run.evidence):
        console.print(line)
