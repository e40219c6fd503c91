"""Connects what decides who is told with what carries it, with history, and with the calendar of maintenance."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from monitor.config.settings import Settings
from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.journey import JourneyOutline
from monitor.domain.run import Run
from monitor.domain.secret import Redactor
from monitor.history import History, HistoryError, Unsent
from monitor.history.values import GroupBy
from monitor.investigation.correlation import Incident
from monitor.publishing.metrics import Metrics
from monitor.publishing.notifying.announcer import Announcer
from monitor.publishing.notifying.leftovers import Fate, fates_of
from monitor.publishing.notifying.notification import Notification, Status
from monitor.publishing.notifying.post import Post
from monitor.scheduling.maintenance import Maintenance
from monitor.scheduling.timetable import moment_of

_log = logging.getLogger(__name__)

# What failed longer ago than this does not count as open after a restart.
_LOOKED_BACK = dt.timedelta(days=14)
# So many windows of runs are replayed, for what fails now and then stays open over several of them.
_WINDOWS = 10
# The page that a message leads to is there once its run is stored; a disk that hangs holds back no message for longer.
_PATIENCE = 2.0


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
        self._taken: list[Unsent] = []
        self._held: dict[tuple[str, str], dict[str, Any]] = {}
        self._post = Post(clock=clock, told=self._told)
        self._announcer = Announcer(
            location=settings.location,
            web_url=settings.web.url,
            clock=clock,
            send=self._hold,
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
        """Find out from history what is open already, so that it is not told again, and send what still has to be.

        Costs nothing without receivers.
        """
        if not self._settings.notifications.receivers:
            return
        checks = {check.name for check in self._settings.checks}
        limit = _WINDOWS * self._settings.notifications.total
        try:
            failed = await self._history.causes(self._clock.now() - _LOOKED_BACK, GroupBy.CHECK)
            for name in sorted({share.key for share in failed} & checks):
                runs = await self._history.recent(name, limit)
                self._announcer.restore(name, runs, await self._history.bad_since(name))
            self._resume(await self._history.unsent())
        except HistoryError as error:
            _log.warning("what was told before the start is not known", extra={"error": str(error)})

    def take(self, run: Run) -> tuple[Unsent, ...]:
        """Take in a finished run; return what is told of it, to be stored with it until it has arrived.

        It is sent when :meth:`tell` is called, or soon after if nobody calls it.
        """
        try:
            self._announcer.take(run)
        except Exception:  # noqa: BLE001 - whatever it was, the run has its result and the next one must be taken
            _log.exception("nobody was told", extra={"run_id": run.run_id})
        taken, self._taken = tuple(self._taken), []
        if taken:
            asyncio.get_running_loop().call_later(_PATIENCE, self.tell, taken)
        return taken

    def tell(self, unsent: Iterable[Unsent]) -> None:
        """Send what was taken, once: the run that it leads to is stored, or will not be."""
        for each in unsent:
            data = self._held.pop((each.receiver, each.id), None)
            if data is not None:
                self._post.put(each.receiver, data)

    async def close(self, grace: float) -> None:
        """Go on delivering for ``grace`` seconds; what is left then is sent after the next start."""
        for (receiver, _), data in self._held.items():
            self._post.put(receiver, data)
        self._held.clear()
        await self._post.close(grace)

    def _hold(self, receiver: str, notification: Notification) -> None:
        data = self._post.draft(receiver, notification)
        if data is not None:
            body = json.dumps(data, ensure_ascii=False)
            self._held[receiver, data["id"]] = data
            self._taken.append(Unsent(receiver=receiver, id=data["id"], at=notification.at, body=body))

    def _told(self, receiver: str, number: str, delivered: bool) -> None:  # noqa: FBT001 - as the post calls it
        # One that is no more has no series, and must not get one by its last message.
        if any(receiver == each.name for each in self._settings.notifications.receivers):
            self._metrics.notified(receiver, delivered=delivered)
        self._history.notified(receiver, number)

    def _resume(self, unsent: Sequence[Unsent]) -> None:
        messages: list[tuple[str, dict[str, Any]]] = [(each.receiver, json.loads(each.body)) for each in unsent]
        ages = [(self._clock.now() - each.at).total_seconds() for each in unsent]
        fates = fates_of(messages, ages, failing=self._announcer.is_failing)
        for (receiver, data), age, fate in zip(messages, ages, fates, strict=True):
            match fate:
                case Fate.HOLDS:
                    # An end has all the time of a new message: late, it still closes what was opened.
                    self._post.put(receiver, data, age=age if data["status"] == Status.FAILING else 0.0)
                case Fate.OLD:
                    self._announcer.owe(receiver, (check["check"] for check in data["checks"]))
                    self._post.give_up(receiver, data["id"], "it has waited too long")
                case Fate.OVER:
                    self._post.give_up(receiver, data["id"], "it was over before it could be sent")
