"""What the pages need of the running monitor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.config.settings import Settings
from monitor.domain.clock import Clock
from monitor.domain.deployment import Deployment
from monitor.domain.journey import JourneyCatalogue
from monitor.history import History
from monitor.history.values import StoredRun
from monitor.investigation.correlation import Incident
from monitor.probes.blackbox.probe import Blackbox
from monitor.web.run_view import OwnerName


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the monitor itself is.

    Attributes:
        problems: What does not work, each in one sentence; empty where all does.
        waiting: What has to happen before the monitor is ready.
        notices: What a person should know although the monitor works.
    """

    problems: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


class Monitor(Protocol):
    """The running monitor, as far as its pages are concerned."""

    @property
    def settings(self) -> Settings:
        """Return the configuration in force."""
        ...

    @property
    def catalogue(self) -> JourneyCatalogue:
        """Return the journeys that were found."""
        ...

    @property
    def in_force_since(self) -> Mapping[str, dt.datetime]:
        """Return for each check since when it has been to run, without a break, in this process."""
        ...

    @property
    def history(self) -> History:
        """Return the store of runs."""
        ...

    @property
    def clock(self) -> Clock:
        """Return the clock in use."""
        ...

    @property
    def blackbox(self) -> Blackbox:
        """Return what probes targets on request."""
        ...

    def health(self) -> Health:
        """Say how the monitor is, from what it did lately."""
        ...

    def open_incidents(self) -> Sequence[Incident]:
        """Return what is wrong just now, the oldest first."""
        ...

    async def deployed(self, deployment: Deployment) -> bool:
        """Keep a deployment; say whether it was not known yet. Raises HistoryError where it cannot be kept."""
        ...

    async def reload(self) -> Sequence[str]:
        """Read the configuration anew; return the problems because of which the old one stays."""
        ...

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """Render the metrics; called in a thread, because that takes time."""
        ...

    def run_json(self, stored: StoredRun) -> Mapping[str, object]:
        """Return a stored run in the form of ``faultline run --json``."""
        ...

    def owner_of(self, url: str, stored: StoredRun) -> OwnerName:
        """Return whose the host of a URL is, as far as is known."""
        ...
