"""Connects what decides who is told with what carries it, with history, and with the calendar of maintenance."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Sequence

from monitor.config.settings import Settings
from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.journey import JourneyOutline
from monitor.domain.run import Run
from monitor.domain.secret import Redactor
from monitor.history import History, HistoryError
from monitor.history.values import GroupBy
from monitor.investigation.correlation import Incident
from monitor.publishing.metrics import Metrics
from monitor.publishing.notifying.announcer import Announcer
from monitor.publishing.notifying.post import Post
from monitor.scheduling.maintenance import Maintenance
from monitor.scheduling.timetable import moment_of

_log = logging.getLogger(__name__)

# What failed longer ago than this does not count as open after a restart.
_LOOKED_BACK = dt.timedelta(days=14)
# So many windows of runs are replayed, for what fails now and then stays open over several of them.
_WINDOWS = 10


class Notifying:
    """Tells the receivers of the configuration; never makes a run wait and never raises into one."""

    def __init__(
        self,
        settings: Settings,
        history: History,
        *,
        clock: Clock,
        metrics: Metrics,
        incidents: Callable[[], Sequence[Incident]],
    ) -> None:
        """Prepare; nobody is told before :meth:`configure`."""
        self._history = history
        self._clock = clock
        self._metrics = metrics
        self._maintenance = Maintenance()
        self._settings = settings
        self._post = Post(clock=clock, told=lambda name, delivered: metrics.notified(name, delivered=delivered))
        self._announcer = Announcer(
            location=settings.location,
            web_url=settings.web.url,
            clock=clock,
            send=self._post.send,
            incidents=incidents,
            maintained=lambda check, moment: self._maintenance.covers(check, moment_of(moment)),
        )

    async def configure(self, settings: Settings, checks: Iterable[Check], journeys: Iterable[JourneyOutline]) -> None:
        """Take over receivers, condition, checks and maintenance windows."""
        self._settings = settings
        self._maintenance = Maintenance(settings.maintenance)
        receivers = settings.notifications.receivers
        await self._post.configure(receivers, Redactor(settings.secrets))
        self._metrics.receivers([receiver.name for receiver in receivers])
        titles = {journey.name: journey.title for journey in journeys}
        self._announcer.configure(settings.notifications, checks, titles)

    async def restore(self) -> None:
        """Find out from history what is open already, so that it is not told again; costs nothing without receivers."""
        if not self._settings.notifications.receivers:
            return
        checks = {check.name for check in self._settings.checks}
        limit = _WINDOWS * self._settings.notifications.total
        try:
            failed = await self._history.causes(self._clock.now() - _LOOKED_BACK, GroupBy.CHECK)
            for name in sorted({share.key for share in failed} & checks):
                runs = await self._history.recent(name, limit)
                self._announcer.restore(name, runs, await self._history.bad_since(name))
        except HistoryError as error:
            _log.warning("what was told before the start is not known", extra={"error": str(error)})

    def take(self, run: Run) -> None:
        """Take in a finished run."""
        try:
            self._announcer.take(run)
        except Exception:  # noqa: BLE001 - whatever it was, the run has its result and the next one must be taken
            _log.exception("nobody was told", extra={"run_id": run.run_id})

    async def close(self, grace: float) -> None:
        """Go on delivering for ``grace`` seconds, then give up what is left."""
        await self._post.close(grace)
