"""The running monitor: every part, connected."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import gc
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import urlsplit

import monitor
from monitor.config.settings import Settings
from monitor.diagnosis.context import Context
from monitor.diagnosis.names import Names
from monitor.dispatch import Dispatcher, NoResult
from monitor.domain.clock import Clock
from monitor.domain.deployment import Deployment
from monitor.domain.journey import JourneyCatalogue
from monitor.domain.outcome import Outcome, SlotReason, SlotState
from monitor.domain.run import Run, Slot
from monitor.domain.secret import Redactor
from monitor.history import History, RunSummary, StoredRun, Unsent
from monitor.investigation.correlation import Incident
from monitor.investigation.drill_reports import DrillReports
from monitor.probes.blackbox.probe import Blackbox
from monitor.probes.http.probe import USER_AGENT
from monitor.publishing.metrics import Metrics
from monitor.publishing.publishers import Publisher, Publishers
from monitor.publishing.run_json import to_json
from monitor.publishing.run_log import RunLog
from monitor.scheduling.agenda import Due
from monitor.scheduling.scheduler import Scheduler
from monitor.scheduling.timetable import longest_gap
from monitor.service.book import Book
from monitor.service.deploying import Deployments
from monitor.service.drilling import Driller
from monitor.service.illness import health_of
from monitor.service.inquiries import Inquiries
from monitor.service.insight import LAST_GOOD, Insight
from monitor.service.nightly import Nightly
from monitor.service.notifying import Notifying
from monitor.service.revising import Revisions
from monitor.service.runs import Runs, recorded
from monitor.service.startup import StartupError, journeys_for, new_run_id
from monitor.service.tracing import open_traces
from monitor.service.vital_signs import VitalSigns
from monitor.web.monitor import Health
from monitor.web.run_view import OwnerName

_log = logging.getLogger(__name__)

_HOUSEKEEPING = 5.0
_RETENTION = dt.timedelta(hours=1)
_FAREWELL = 3.0
_REAP_GRACE = dt.timedelta(minutes=5)
_DAY = dt.timedelta(days=1)
# How far back the newest good run is looked for after a start: two runs of a check that runs once a week.
_REMEMBERED = 15 * _DAY
_GOOD = frozenset({Outcome.PASSED, Outcome.DEGRADED})
# A run makes hundreds of objects and hardly a cycle, so there is little to be found so often.
_COLLECT = (20_000, 20, 100)


class Service:
    """A running monitor: plans, runs, judges, stores and publishes, until it is closed."""

    def __init__(
        self,
        settings: Settings,
        catalogue: JourneyCatalogue,
        history: History,
        *,
        names: Names,
        clock: Clock,
        read_settings: Callable[[], Settings],
    ) -> None:
        """Connect the parts; nothing runs before :meth:`start`."""
        self.settings = settings
        self.catalogue = catalogue
        self.history = history
        self.clock = clock
        self._names = names
        self._read_settings = read_settings
        self.in_force_since: Mapping[str, dt.datetime] = {}
        self._contexts: Mapping[str, Context] = {}
        self._metrics = Metrics(
            clock=clock,
            location=settings.location,
            version=monitor.__version__,
            external_url=settings.web.url,
            detail=settings.metrics.detail,
            series_limit=settings.metrics.series_limit,
        )
        self._traces = open_traces(settings, self._metrics.publish_failed)
        destinations: dict[str, Publisher] = {"metrics": self._metrics, "log": RunLog(logging.getLogger("monitor.run"))}
        if self._traces is not None:
            destinations["traces"] = self._traces
        self._publishers = Publishers(destinations, on_failure=self._metrics.publish_failed)
        self._dispatcher = Dispatcher(
            settings.workers,
            journeys=settings.journeys,
            directory=settings.storage.directory / "workers",
            clock=clock,
        )
        self._runs = Runs(self._dispatcher, location=settings.location)
        self._insight = Insight(
            settings,
            self._runs,
            clock=clock,
            directory=settings.storage.directory / LAST_GOOD,
            history=history,
            noted=self._metrics.experiment,
        )
        self._revisions = Revisions(history)
        self._deployments = Deployments(history, self._insight.investigator, stated=self._metrics.deployed)
        self._notifying = Notifying(
            settings, history, clock=clock, metrics=self._metrics, incidents=self.open_incidents
        )
        self._inquiries = Inquiries(self._deployments, self._finish, clock=clock, took=self._metrics.investigated)
        self._nightly = self._drills()
        self._scheduler = Scheduler(start=self._carry_out, book=Book(history, self._metrics), clock=clock)
        self._vital_signs = VitalSigns(
            self._metrics, history=history, scheduler=self._scheduler, dispatcher=self._dispatcher, clock=clock
        )
        self._housekeeping: asyncio.Task[None] | None = None
        self._retained_at = clock.elapsed()
        self._loop_lag = 0.0
        self._reloading = asyncio.Lock()
        self._last_reload: tuple[str, ...] = ()

    def _drills(self) -> Nightly:
        settings, clock = self.settings, self.clock
        context_of = lambda check: self._contexts.get(check)  # noqa: E731, PLW0108 - a reload replaces the mapping
        driller = Driller(self._runs, clock=clock, location=settings.location, context_of=context_of)
        reports = DrillReports(settings.storage.directory)
        return Nightly(lambda: self.settings, drill=driller.drill, reports=reports, clock=clock)

    @functools.cached_property
    def blackbox(self) -> Blackbox:
        """Return what probes targets on request."""
        return Blackbox(user_agent=USER_AGENT, now=self.clock.now, at_once=self.settings.probe.at_once)

    async def start(self) -> None:
        """Close what an earlier process left open, take up the configuration, and begin to run."""
        await self._take_over(self.settings, self.catalogue)
        for slot in await self.history.reap(self.clock.now()):
            self._metrics.slot_closed(slot)
        await self._restore()
        await self._notifying.restore()
        targets = lambda: {check.target.name for check in self.settings.checks}  # noqa: E731 - a reload replaces them
        await self._deployments.start(self.settings, clock=self.clock, targets=targets)
        await self._dispatcher.start(self._runs.lanes(self.settings))
        self._scheduler.run()
        await _whatever_comes("state our health", self._state_health())
        self._housekeeping = asyncio.create_task(self._keep_house())
        self._nightly.start()
        # What is loaded by now stays; the collector need not walk it again and again while runs are due.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT)

    async def close(self, grace: float) -> None:
        """Give runs in flight ``grace`` seconds, record those that do not end as lost, and stop everything."""
        if self._housekeeping is not None:
            self._housekeeping.cancel()
        await self._nightly.close()
        await self._deployments.close()
        # Runs that end within the grace are told as they are: there is no time left to look into them.
        await self._inquiries.close()
        for slot in await self._scheduler.close(grace):
            await self.history.closed(slot.check, slot.scheduled_at, SlotState.LOST, SlotReason.SHUTDOWN)
        await self._dispatcher.close(0)
        await self._notifying.close(_FAREWELL)
        await self._insight.close()
        await self._revisions.close()
        self.blackbox.close()
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)
        await self.history.close()

    async def reload(self) -> tuple[str, ...]:
        """Read the configuration anew; where something is wrong, return the problems and change nothing."""
        async with self._reloading:
            try:
                settings = await asyncio.to_thread(self._read_settings)
                catalogue = await journeys_for(settings)
                await self._take_over(settings, catalogue)
            except StartupError as error:
                self._last_reload = error.lines
            else:
                self._last_reload = ()
                self._dispatcher.reload(settings.workers, journeys=settings.journeys)
            self._metrics.reloaded(successful=not self._last_reload)
            words = "the configuration was not reloaded" if self._last_reload else "configuration reloaded"
            _log.warning(words, extra={"problems": len(self._last_reload), "checks": len(self.settings.checks)})
            return self._last_reload

    def health(self) -> Health:
        """Say how the monitor is, from what it did lately. A target that is down is not our illness."""
        return health_of(
            self._scheduler.status(), self.history.status(), self._dispatcher.status(), tuple(self._notices())
        )

    def _notices(self) -> list[str]:
        notices = [f"{check.name} does not run: {check.reason}" for check in self.settings.refused]
        notices += [f"{problem.source}: {problem.message}" for problem in self.catalogue.problems]
        if self._last_reload:
            notices.append(f"the last reload was refused: {self._last_reload[0]}")
        return notices

    def open_incidents(self) -> tuple[Incident, ...]:
        """Return what is wrong just now, the oldest first; each open episode belongs to one incident."""
        return self._insight.correlator.open_incidents()

    async def deployed(self, deployment: Deployment) -> bool:
        """Keep a deployment; say whether it was not known yet. Raises HistoryError where it cannot be kept."""
        return await self._deployments.add(deployment)

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """Render the metrics; called in a thread."""
        return self._metrics.render(accept)

    def run_json(self, stored: StoredRun) -> Mapping[str, object]:
        """Return a stored run in the form of ``faultline run --json``."""
        return to_json(recorded(stored), self._redactor)

    def owner_of(self, url: str, stored: StoredRun) -> OwnerName:
        """Return whose the host of a URL is; of a check that is gone only what its own names tell."""
        context = self._contexts.get(stored.summary.check)
        if context is None:
            return OwnerName(party="", name=urlsplit(url).hostname or "")
        owner = context.owners.owner_of(url)
        return OwnerName(party=owner.party.value, name=owner.name)

    async def _take_over(self, settings: Settings, catalogue: JourneyCatalogue) -> None:
        """Put a configuration into force, whole or, where the scheduler refuses it, not at all."""
        known = {journey.name for journey in catalogue.journeys}
        checks = [check for check in settings.checks if check.journey in known]
        self._scheduler.replace([check for check in checks if check.enabled], settings.maintenance)
        self.settings, self.catalogue = settings, catalogue
        self._redactor = Redactor(settings.secrets)
        self._contexts = self._runs.configure(settings, catalogue, self._names)
        await self._insight.configure(settings, self._contexts)
        await self._notifying.configure(settings, checks, catalogue.journeys)
        now = self.clock.now()
        enabled = [check.name for check in settings.checks if check.enabled]
        self.in_force_since = {name: self.in_force_since.get(name, now) for name in enabled}
        # A second of work for ten thousand checks, in which runs are due.
        await asyncio.to_thread(
            self._metrics.configure,
            checks,
            catalogue.journeys,
            ownership=settings.ownership,
            contexts=self._contexts,
            gaps={check.name: longest_gap(check.schedule, now) for check in checks if check.interval is None},
            currency=settings.currency,
        )

    async def _restore(self) -> None:
        """State what history knows of each check, so that ages do not start anew with the process."""
        checks = {check.name: check for check in self.settings.checks}
        since = self.clock.now() - _REMEMBERED
        good = await self.history.latest_with(_GOOD, since)
        told = await self.history.latest_with({*_GOOD, Outcome.FAILED}, since)
        for state in await self.history.latest():
            check, run = checks.get(state.check), state.run
            if check is not None and run is not None:
                best, newest = good.get(check.name), told.get(check.name)
                self._metrics.restore(
                    check,
                    last_run=_end_of(run),
                    last_success=_end_of(best) if best else None,
                    conclusive=(_end_of(newest), newest.outcome in _GOOD) if newest else None,
                )

    async def _carry_out(self, due: Due) -> None:
        """Fill one slot: run it, or say why not."""
        check, at = due.check, due.slot.scheduled_at
        now = self.clock.now()
        run_id = new_run_id(now)
        self._metrics.started((now - at).total_seconds())
        # The run does not wait for the disk: the slot was written down before, and the writer keeps the order.
        self.history.started(check.name, at, run_id, now)
        artifacts, wanted = "", self._insight.last_good.wanted(check)
        if self._runs.in_browser(check):
            artifacts, archive = await asyncio.gather(self._artifact_folder(run_id), wanted)
        else:
            archive = await wanted
        answer = await self._runs.make(
            check,
            run_id=run_id,
            scheduled_at=at,
            not_after=due.not_after,
            artifacts=artifacts,
            archive_to=archive,
        )
        if isinstance(answer, NoResult):
            await self._close(Slot(check=check.name, scheduled_at=at, state=answer.state, reason=answer.reason))
        else:
            # What a failure is due to may take a minute to find out, which neither this slot nor the next waits for.
            self._inquiries.take(answer)

    async def _artifact_folder(self, run_id: str) -> str:
        try:
            return str(await asyncio.to_thread(self.history.artifacts.directory, run_id))
        except OSError as error:
            # A full disk costs the pictures, not the run.
            _log.warning("no folder for the files of a run", extra={"run_id": run_id, "error": str(error)})
            return ""

    def _finish(self, run: Run) -> None:
        self._metrics.slot_closed(
            Slot(check=run.check.name, scheduled_at=run.scheduled_at, state=SlotState.FINISHED, run_id=run.run_id)
        )
        self._publishers.publish(run)
        unsent: tuple[Unsent, ...] = ()
        try:
            revised = self._insight.note(run)
            # After the runs of all checks were put side by side, so that what has one cause is told once.
            unsent = self._notifying.take(run)
        finally:
            # Nor does the check's next run: checks go on while the database is in trouble.
            self.history.keep(run, lost=self._lose, unsent=unsent, settled=lambda: self._notifying.tell(unsent))
        self._revisions.take(revised)

    def _lose(self, run: Run, error: Exception) -> None:
        self._metrics.dropped("store")
        _log.error("a result was lost", extra={"run_id": run.run_id, "error": str(error)})

    async def _close(self, slot: Slot) -> None:
        self._metrics.slot_closed(slot)
        await self.history.closed(slot.check, slot.scheduled_at, slot.state, slot.reason or SlotReason.LATE)

    async def _keep_house(self) -> None:
        while True:
            before = self.clock.elapsed()
            await asyncio.sleep(_HOUSEKEEPING)
            self._loop_lag = max(0.0, self.clock.elapsed() - before - _HOUSEKEEPING)
            await _whatever_comes("state our health", self._state_health())
            await _whatever_comes("close forgotten slots", self._reap())
            if self.clock.elapsed() - self._retained_at > _RETENTION.total_seconds():
                self._retained_at = self.clock.elapsed()
                await _whatever_comes("remove what is too old", self.history.retain(self.clock.now()))

    async def _reap(self) -> None:
        longest = max((check.deadline for check in self.settings.checks), default=dt.timedelta())
        for slot in await self.history.reap(self.clock.now(), grace=longest + _REAP_GRACE):
            self._metrics.slot_closed(slot)

    async def _state_health(self) -> None:
        healthy, incidents = not self.health().problems, self.open_incidents()
        await self._vital_signs.state(self.settings, healthy=healthy, incidents=incidents, loop_lag=self._loop_lag)


def _end_of(run: RunSummary) -> dt.datetime:
    return run.started_at + dt.timedelta(seconds=run.duration)


async def _whatever_comes(what: str, work: Coroutine[Any, Any, object]) -> None:
    """Keep house even when one chore fails: it is logged, and tried again at the next turn."""
    try:
        await work
    except Exception:  # noqa: BLE001 - whatever it was, it is logged with its traceback
        _log.exception("could not %s", what)
