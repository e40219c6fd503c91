"""Says now and then how the parts of the monitor fare, in the numbers that are published."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable

from monitor.config.settings import Settings
from monitor.dispatch import Dispatcher
from monitor.domain.clock import Clock
from monitor.history import History, HistoryError
from monitor.investigation.correlation import Incident
from monitor.publishing.health import Health
from monitor.publishing.metrics import Metrics
from monitor.scheduling.scheduler import Scheduler
from monitor.service.workload import browser_journeys, queues_of, worker_counts

_log = logging.getLogger(__name__)

_REVIEWS = 60.0


class VitalSigns:
    """Reads the parts and states how they are; verdicts that people reviewed are looked up once a minute."""

    def __init__(
        self, metrics: Metrics, *, history: History, scheduler: Scheduler, dispatcher: Dispatcher, clock: Clock
    ) -> None:
        """Read these parts; state what they say in ``metrics``."""
        self._metrics = metrics
        self._history = history
        self._scheduler = scheduler
        self._dispatcher = dispatcher
        self._clock = clock
        self._clock_stepped = 0.0
        self._reviewed_at: float | None = None

    async def state(self, settings: Settings, *, healthy: bool, incidents: Iterable[Incident], loop_lag: float) -> None:
        """Say how everything is; ``loop_lag`` is in seconds."""
        store, workers, scheduler = self._history.status(), self._dispatcher.status(), self._scheduler.status()
        self._metrics.clock_stepped(scheduler.clock_stepped - self._clock_stepped)
        self._clock_stepped = scheduler.clock_stepped
        enabled = sum(check.enabled for check in settings.checks)
        self._metrics.set_health(
            Health(
                healthy=healthy,
                loop_lag=loop_lag,
                scheduler_tick=self._clock.now() - dt.timedelta(seconds=scheduler.turned),
                workers=worker_counts(workers),
                queues=queues_of(workers),
                store_writable=store.healthy,
                store_bytes=(("database", store.size_bytes or 0), ("wal", store.wal_bytes or 0)),
                checks_running=enabled,
                checks_refused=len(settings.refused),
                checks_disabled=len(settings.checks) - enabled,
                browser_contexts=browser_journeys(workers),
                incidents=tuple((incident.scope.value, incident.cause.value) for incident in incidents),
                maintained=self._scheduler.under_maintenance(),
                reviewed=await self._reviewed(settings),
            )
        )

    async def _reviewed(self, settings: Settings) -> tuple[tuple[str, int], ...] | None:
        now = self._clock.elapsed()
        if self._reviewed_at is not None and now - self._reviewed_at < _REVIEWS:
            return None
        self._reviewed_at = now
        try:
            told = await self._history.field_accuracy(self._clock.now() - settings.storage.keep_runs)
        except HistoryError as error:
            _log.warning("reviewed verdicts could not be counted", extra={"error": str(error)})
            return None
        return ("right", told.right), ("wrong", told.false_blame + told.missed), ("undetermined", told.undetermined)
