"""Deployments that we are told of: kept, stated as metrics, and laid beside runs that did not pass."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from monitor.config.settings import Settings
from monitor.diagnosis.deployed import LATELY
from monitor.domain.clock import Clock
from monitor.domain.deployment import Deployment
from monitor.domain.outcome import Outcome
from monitor.domain.run import Run
from monitor.history import History, HistoryError
from monitor.service.event_file import EventFile
from monitor.service.inquiries import Looks

_log = logging.getLogger(__name__)

_MOST_SERVICES = 200
_MOST_BESIDE_A_RUN = 20
_BAD = frozenset({Outcome.FAILED, Outcome.DEGRADED})


class Deployments:
    """Looks at runs as ``looks`` does, after adding what was deployed before them; and takes deployments in."""

    def __init__(self, history: History, looks: Looks, *, stated: Callable[[str, str, datetime], None]) -> None:
        """Keep deployments in ``history``; have the latest of each service ``stated``."""
        self._history = history
        self._looks = looks
        self._stated = stated
        self._any = False
        self._file: EventFile | None = None

    async def start(self, settings: Settings, *, clock: Clock, targets: Callable[[], Collection[str]]) -> None:
        """State what history knows, and begin to follow the file that the configuration names."""
        for deployment in await self._history.latest_deployments(_MOST_SERVICES):
            self._take_in(deployment)
        if settings.events_file is not None:
            keep = settings.storage.keep_runs
            self._file = EventFile(settings.events_file, self.add, clock=clock, targets=targets, keep=keep)
            self._file.start()

    async def close(self) -> None:
        """Stop following the file."""
        if self._file is not None:
            await self._file.close()

    async def add(self, deployment: Deployment) -> bool:
        """Keep a deployment; say whether it was not known yet. Raises HistoryError where it cannot be kept."""
        new = await self._history.deployed(deployment)
        self._take_in(deployment)
        if new:
            extra = {"service": deployment.service, "version": deployment.version, "target": deployment.target}
            _log.info("deployed", extra=extra)
        return new

    async def investigate(self, run: Run) -> Run:
        """Return the run with what was deployed before it and what else was found out."""
        return await self._looks.investigate(await self._with_deployments(run))

    def known(self, run: Run) -> Run:
        """Return a run whose investigation was cancelled, with what was found out so far."""
        return self._looks.known(run)

    def _take_in(self, deployment: Deployment) -> None:
        self._any = True
        self._stated(deployment.service, deployment.version, deployment.at)

    async def _with_deployments(self, run: Run) -> Run:
        if not self._any or run.outcome not in _BAD:
            return run
        try:
            earlier = await self._history.bad_since(run.check.name)
            first = min(earlier or run.started_at, run.started_at)
            found = await self._history.deployments(first - LATELY, first, limit=_MOST_BESIDE_A_RUN)
        except HistoryError as error:
            _log.warning("what was deployed is not known", extra={"run_id": run.run_id, "error": str(error)})
            return run
        target = run.check.target.name
        concerned = tuple(one for one in found if one.target in ("", target))
        return replace(run, evidence=replace(run.evidence, deployments=concerned, failing_since=first))
