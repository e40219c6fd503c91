"""Equips a worker with the probe of its lane and the journeys of a folder; loaded in workers only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from monitor.dispatch.equipment import Equipment
from monitor.dispatch.messages import LaneName, Setup
from monitor.domain.clock import SystemClock
from monitor.domain.journey import Journey
from monitor.journeys.files import JourneyFolder
from monitor.journeys.looking import BUILTIN
from monitor.probes.session import Probe
from monitor.probes.vantage.health import HealthSampler


class FreshJourneys:
    """Loads journeys, and loads them again once their file has changed."""

    def __init__(self, folder: Path) -> None:
        """Say where the journeys are."""
        self._folder = folder
        self._journeys = JourneyFolder(folder)
        self._changed: dict[str, int] = {}
        self._loaded: dict[tuple[str, str], Journey] = {}
        self._places: dict[str, str] = {}

    def load(self, name: str, source: str) -> Journey:
        """Return the journey of a name. Raises UnusableFileError."""
        if source == BUILTIN:
            return self._journeys.load(name, source)
        changed = self._changed_at(source)
        if self._changed.setdefault(source, changed) != changed:
            self._journeys = JourneyFolder(self._folder)
            self._changed = {source: changed}
            self._loaded.clear()
        journey = self._loaded.get((name, source))
        if journey is None:
            journey = self._loaded[name, source] = self._journeys.load(name, source)
        return journey

    def _changed_at(self, source: str) -> int:
        place = self._places.get(source)
        if place is None:
            place = self._places[source] = str(self._folder / Path(source).name)
        try:
            return os.stat(place).st_mtime_ns  # noqa: PTH116 - in every run, and pathlib costs more than the call itself
        except OSError:
            return 0


async def equip(setup: Setup) -> Equipment:
    """Return what a worker of a lane works with; a browser starts when first asked for."""
    sampler = HealthSampler(clock=SystemClock(), directory=Path(tempfile.gettempdir()))
    sampler.start()
    probe = _browser_probe(setup) if setup.lane is LaneName.BROWSER else _http_probe(setup)
    return Equipment(probe=probe, load=FreshJourneys(Path(setup.journeys)).load, vantage=sampler)


# Each lane loads only the libraries of its own probe.


def _browser_probe(setup: Setup) -> Probe:
    from monitor.probes.browser.executables import Executables  # noqa: PLC0415
    from monitor.probes.browser.probe import BrowserProbe  # noqa: PLC0415

    executables = Executables(
        chromium=_path(setup.chromium),
        headless_shell=_path(setup.headless_shell),
        firefox=_path(setup.firefox),
    )
    directory = Path(tempfile.gettempdir()) / "browsers"
    directory.mkdir(exist_ok=True)
    return BrowserProbe(directory, executables=executables, runs_per_browser=setup.runs_per_browser)


def _http_probe(setup: Setup) -> Probe:
    from monitor.probes.http.probe import HttpProbe  # noqa: PLC0415
    from monitor.probes.http.webhook import WebhookAddress  # noqa: PLC0415
    from monitor.probes.vantage.resolver import Resolver  # noqa: PLC0415

    clock = SystemClock()
    webhooks = WebhookAddress(host=setup.webhook_host, url=setup.webhook_url)
    return HttpProbe(clock=clock, resolver=Resolver(elapsed=clock.elapsed), webhooks=webhooks)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
