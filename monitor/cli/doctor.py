"""Looks at this machine and this installation, and says what would keep Faultline from working."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from rich.text import Text

from monitor.config.settings import Settings, WorkerSettings
from monitor.domain.journey import JourneyCatalogue, ProbeKind
from monitor.domain.profile import Engine
from monitor.probes.browser.executables import Executables
from monitor.probes.browser.launch import LaunchPlan
from monitor.probes.browser.probe import BrowserProbe
from monitor.probes.session import ProberError
from monitor.service import StartupChoices, StartupError, prepare

_LEAST_DISK = 1_000_000_000
_LEAST_FILES = 1024
_STEADY = 0.05
_CROWDED = 2
_PLANS = {
    "headless Chromium": LaunchPlan(),
    "full Chromium": LaunchPlan(full_browser=True),
    "Firefox": LaunchPlan(engine=Engine.FIREFOX),
    "WebKit": LaunchPlan(engine=Engine.WEBKIT),
}
# Nobody is told that a browser is missing which Debian does not have and no profile wants.
_RARE = frozenset({"WebKit"})


class Grade(Enum):
    """How a finding is meant."""

    GOOD = ("✔", "green")
    WARNING = ("!", "yellow")
    BAD = ("✖", "red")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    grade: Grade
    text: str

    @property
    def bad(self) -> bool:
        """Say whether it keeps Faultline from working."""
        return self.grade is Grade.BAD

    @property
    def line(self) -> Text:
        """Return it as a line for a terminal."""
        sign, style = self.grade.value
        return Text.assemble((sign, style), f" {self.text}")


def good(text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(grade=Grade.GOOD, text=text)


async def examine(config: Path, environ: Mapping[str, str], data: Path | None = None) -> AsyncIterator[Finding]:
    """Look at everything, tell each finding as it comes, and go on after a bad one."""
    yield good(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")
    yield await _clock()
    yield _files()
    yield load_finding(os.getloadavg()[1], os.cpu_count() or 1)
    workers, needed = WorkerSettings(), frozenset[str]()
    try:
        settings, catalogue = await prepare(config, environ, StartupChoices(data=data))
    except StartupError as error:
        for line in error.lines:
            yield Finding(grade=Grade.BAD, text=line)
    else:
        yield good(
            f"{config}: {_counted(len(settings.checks), 'check')}, {_counted(len(catalogue.journeys), 'journey')}"
        )
        for check in settings.refused:
            yield Finding(grade=Grade.WARNING, text=f"{check.name} does not run: {check.reason}")
        yield _disk(settings.storage.directory)
        workers, needed = settings.workers, browsers_needed(settings, catalogue)
    async for finding in _browsers(workers, needed):
        yield finding


def browsers_needed(settings: Settings, catalogue: JourneyCatalogue) -> frozenset[str]:
    """Return the browsers without which checks that are enabled could not run."""
    in_browser = {journey.name for journey in catalogue.journeys if journey.probe is ProbeKind.BROWSER}
    profiles = [check.profile for check in settings.checks if check.enabled and check.journey in in_browser]
    wanted = {(profile.engine, profile.full_browser and profile.engine is Engine.CHROMIUM) for profile in profiles}
    return frozenset(name for name, plan in _PLANS.items() if (plan.engine, plan.full_browser) in wanted)


def load_finding(load: float, processors: int) -> Finding:
    """Judge the load of the last five minutes: a machine that is short of processors makes every page look slow."""
    said = f"load {load:.1f} on {_counted(processors, 'processor')}"
    if load > _CROWDED * processors:
        remedy = "pages will look slow and runs be inconclusive; give the monitor a machine with more room"
        return Finding(grade=Grade.WARNING, text=f"{said}: {remedy}")
    return good(said)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


async def _clock() -> Finding:
    wall, steady = time.time(), time.monotonic()
    await asyncio.sleep(0.2)
    drift = abs((time.time() - wall) - (time.monotonic() - steady))
    if drift > _STEADY:
        return Finding(
            grade=Grade.WARNING, text=f"the clock moved by {drift:.2f} s while it was watched; is it being set?"
        )
    return good(f"clock steady, {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC")


def _files() -> Finding:
    limit = os.sysconf("SC_OPEN_MAX")
    if limit < _LEAST_FILES:
        return Finding(grade=Grade.WARNING, text=f"only {limit} open files are allowed; raise it with ulimit -n 8192")
    return good(f"{limit} open files allowed")


def _disk(directory: Path) -> Finding:
    place = next(parent for parent in (directory, *directory.absolute().parents) if parent.exists())
    if not os.access(place, os.W_OK):
        return Finding(grade=Grade.BAD, text=f"{place} cannot be written; history would have no place")
    free = shutil.disk_usage(place).free
    grade = Grade.GOOD if free > _LEAST_DISK else Grade.WARNING
    return Finding(grade=grade, text=f"{directory}: {free / 1e9:.1f} GB free")


async def _browsers(workers: WorkerSettings, needed: frozenset[str]) -> AsyncIterator[Finding]:
    paths = Executables(chromium=workers.chromium, headless_shell=workers.headless_shell, firefox=workers.firefox)
    with tempfile.TemporaryDirectory(prefix="faultline-doctor-") as folder:
        for name, plan in _PLANS.items():
            if name in needed or name not in _RARE:
                yield await _browser(name, plan, BrowserProbe(Path(folder), executables=paths), needed=name in needed)


async def _browser(name: str, plan: LaunchPlan, probe: BrowserProbe, *, needed: bool) -> Finding:
    try:
        engine = await probe.self_test(plan)
    except ProberError as error:
        return missing_browser(name, str(error), needed=needed)
    finally:
        await probe.close()
    return good(f"{name} starts and shows a page: {engine}")


def missing_browser(name: str, why: str, *, needed: bool) -> Finding:
    """Judge a browser that does not start: it matters where a check needs it."""
    if needed:
        return Finding(grade=Grade.BAD, text=f"{name}, which checks need: {why}")
    return Finding(grade=Grade.WARNING, text=f"{name}, which no check needs: {why}")
