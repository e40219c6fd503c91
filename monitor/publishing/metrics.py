"""Metrics of all runs and of ourselves, in a registry of our own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from monitor.diagnosis.context import Context
from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.evidence import ProberFault
from monitor.domain.experiment import Experiment
from monitor.domain.journey import JourneyOutline
from monitor.domain.outcome import Outcome, SlotState
from monitor.domain.ownership import Ownership
from monitor.domain.run import Run, Slot
from monitor.publishing import catalogue, counting
from monitor.publishing.exposition import expose, negotiate
from monitor.publishing.health import Health
from monitor.publishing.series import Family
from monitor.publishing.tables import Tables
from monitor.publishing.vendors import VendorList

SERIES_LIMIT = 500_000
VENDOR_LIMIT = 50
_GRACE = 60.0
_CRON_GAP = dt.timedelta(days=1)
_INTERVALS = 3

_SLOT_FAMILIES = {
    SlotState.SKIPPED: catalogue.SKIPPED,
    SlotState.MISSED: catalogue.MISSED,
    SlotState.LOST: catalogue.LOST,
}


@dataclass(slots=True)
class _Known:
    """What is remembered of the configuration between two scrapes."""

    checks: dict[str, Check] = field(default_factory=dict)
    contexts: Mapping[str, Context] = field(default_factory=dict)
    gaps: Mapping[str, dt.timedelta] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()


class Metrics(Collector):
    """Counts runs and slots, states how the monitor is, and renders both for a scrape.

    Counting takes microseconds and is meant for the main loop. :meth:`render` may take tens of milliseconds, and
    :meth:`configure` a tenth of one for each check: call both in a thread.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        location: str,
        version: str,
        full: bool = True,
        series_limit: int = SERIES_LIMIT,
        vendor_limit: int = VENDOR_LIMIT,
    ) -> None:
        """Prepare the families; ``full=False`` leaves each check its twelve core series."""
        self._clock = clock
        self._location = location
        self._lock = Lock()
        self._tables = Tables(lock=self._lock, limit=series_limit, full=full)
        self._vendors = VendorList(vendor_limit)
        self._known = _Known()
        self._expiry: dict[tuple[str, ...], float] = {}
        self._tables.value(catalogue.BUILD).at(version)
        for fault in ProberFault:
            self._tables.value(catalogue.PROBER_FAULTS).at(fault.value)
        self._tables.spread(catalogue.SCHEDULER_LAG).at()
        self._tables.spread(catalogue.INVESTIGATION).at()
        self._tables.value(catalogue.CLOCK_OFFSET).at()
        self._tables.value(catalogue.SERIES_REFUSED).at()
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)

    def configure(
        self,
        checks: Iterable[Check],
        outlines: Iterable[JourneyOutline] = (),
        *,
        ownership: Ownership | None = None,
        contexts: Mapping[str, Context] | None = None,
        gaps: Mapping[str, dt.timedelta] | None = None,
    ) -> None:
        """Take over a configuration: its series start at zero, and those of removed checks vanish.

        ``contexts`` name third parties; ``gaps`` are the longest times between two slots of checks with a crontab.
        """
        running = {check.name: check for check in checks if check.enabled}
        stated = ownership or Ownership()
        probes = {outline.name: outline for outline in outlines}
        with self._lock:
            hosts = _hosts(running.values(), stated)
            self._known = _Known(checks=running, contexts=contexts or {}, gaps=gaps or {}, hosts=hosts)
            self._vendors.admit(vendor.name for vendor in stated.vendors)
            places: set[tuple[str, ...]] = {_place(check) for check in running.values()}
            self._tables.keep_checks(places)
            self._tables.value(catalogue.CERTIFICATE).keep_only({(host,) for host in hosts}, 1)
            self._tables.value(catalogue.INFO).keep_only(set(), len(catalogue.CHECK))
            self._expiry = {place: end for place, end in self._expiry.items() if place[:3] in places}
        for check in running.values():
            # One check at a time, so that a large configuration does not keep a run from being counted.
            with self._lock:
                self._prepare(check, probes.get(check.journey))

    def _prepare(self, check: Check, outline: JourneyOutline | None) -> None:
        place = _place(check)
        here = (*place, self._location)
        value = self._tables.value
        for family in (catalogue.RUNS, catalogue.INCONCLUSIVE):
            value(family).at(*here)
        for cause in counting.CAUSES:
            value(catalogue.FAILURES).at(*here, cause.value)
        if check.interval is not None:
            value(catalogue.INTERVAL).at(*place).set(check.interval.total_seconds())
        value(catalogue.OBJECTIVE).at(*place).set(check.objective)
        probe = outline.probe.value if outline else ""
        value(catalogue.INFO).at(
            *place,
            check.name,
            probe,
            check.team or "",
            check.service or "",
            str(check.tier),
            "",
        )
        if self._tables.full:
            for family in (catalogue.DEGRADED, catalogue.RECOVERED):
                value(family).at(*here)
            value(catalogue.SLOTS).at(*place)
            self._tables.spread(catalogue.DURATION).at(*here)

    def publish(self, run: Run) -> None:
        """Count one finished run. Counting the same run once is the caller's promise."""
        context = self._known.contexts.get(run.check.name)
        with self._lock:
            if run.check.name in self._known.checks:
                self._count(run)
            counting.count_ourselves(self._tables, run)
            counting.note_certificates(self._tables, run, self._known.hosts)
            if context is not None:
                counting.count_vendors(self._tables, run, context.owners.owner_at, self._vendors)

    def _count(self, run: Run) -> None:
        place, ended = counting.identity(run), counting.ended_at(run)
        counting.count_outcome(self._tables, run, place, ended)
        if self._tables.full:
            counting.count_experience(self._tables, run, place, ended)
        if run.outcome is not Outcome.INCONCLUSIVE:
            age = max(0.0, self._clock.now().timestamp() - ended)
            self._expiry[place] = self._clock.elapsed() + self._too_old(run.check) - age
            self._tables.value(catalogue.SUCCESS).at(*place).set(1.0 if run.outcome is not Outcome.FAILED else 0.0)

    def _too_old(self, check: Check) -> float:
        gap = check.interval or self._known.gaps.get(check.name, _CRON_GAP)
        seconds = gap.total_seconds()
        return max(_INTERVALS * seconds, seconds + check.deadline.total_seconds() + _GRACE)

    def restore(self, check: Check, *, last_run: dt.datetime | None, last_success: dt.datetime | None) -> None:
        """State after a restart what the history knows, so that no alert on age fires or flaps."""
        here = (*_place(check), self._location)
        with self._lock:
            if last_run is not None:
                self._tables.value(catalogue.LAST_RUN).at(*here).set(last_run.timestamp())
            if last_success is not None:
                self._tables.value(catalogue.LAST_SUCCESS).at(*here).set(last_success.timestamp())

    def slot_closed(self, slot: Slot) -> None:
        """Count a slot that reached its end, whatever it was."""
        check = self._known.checks.get(slot.check)
        if check is None or not self._tables.full:
            return
        family = _SLOT_FAMILIES.get(slot.state)
        with self._lock:
            self._tables.value(catalogue.SLOTS).at(*_place(check)).add()
            if family is not None:
                reason = slot.reason.value if slot.reason else "unknown"
                self._tables.value(family).at(*_place(check), reason).add()

    def started(self, lateness: float) -> None:
        """Take in by how many seconds a run started after its slot."""
        with self._lock:
            self._tables.spread(catalogue.SCHEDULER_LAG).at().observe(max(0.0, lateness))

    def clock_stepped(self, seconds: float) -> None:
        """Count a step of the wall clock."""
        with self._lock:
            self._tables.value(catalogue.CLOCK_OFFSET).at().add(abs(seconds))

    def reloaded(self, *, successful: bool) -> None:
        """State how the last attempt to load the configuration ended."""
        with self._lock:
            self._tables.value(catalogue.RELOADED).at().set(1.0 if successful else 0.0)
            if successful:
                self._tables.value(catalogue.RELOADED_AT).at().set(self._clock.now().timestamp())

    def experiment(self, experiment: Experiment) -> None:
        """Count an experiment that was made; one of an earlier run that a later one goes by is made only once."""
        with self._lock:
            self._tables.value(catalogue.EXPERIMENTS).at(experiment.kind.value, experiment.outcome.value).add()

    def investigated(self, seconds: float) -> None:
        """Take in how many seconds after a run its verdict stood."""
        with self._lock:
            self._tables.spread(catalogue.INVESTIGATION).at().observe(seconds)

    def dropped(self, reason: str) -> None:
        """Count a result that could not be kept; ``reason`` is one of a few fixed words."""
        with self._lock:
            self._tables.value(catalogue.DROPPED).at(reason).add()

    def publish_failed(self, destination: str) -> None:
        """Count a run that a destination did not take."""
        with self._lock:
            self._tables.value(catalogue.PUBLISH_FAILURES).at(destination).add()

    def set_health(self, health: Health) -> None:
        """State how the monitor's parts are."""
        with self._lock:
            for family, value in _plain(health):
                self._tables.value(family).at().set(value)
            for family, label, value in _labelled(health):
                self._tables.value(family).at(*label).set(value)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return what a scrape receives, and its content type."""
        self._age()
        chosen = negotiate(accept)
        return expose(self._tables.all(), chosen), chosen.value

    def collect(self) -> Iterator[Metric]:
        """Yield the same numbers in the form of prometheus_client."""
        self._age()
        for table in self._tables.all():
            metric = table.metric()
            if metric.samples:
                yield metric

    def _age(self) -> None:
        """Let the state of a check vanish when its latest run is too old to speak for now."""
        with self._lock:
            now = self._clock.elapsed()
            for place in [place for place, end in self._expiry.items() if end < now]:
                del self._expiry[place]
                self._tables.value(catalogue.SUCCESS).drop(*place)
            self._tables.value(catalogue.SERIES).at().set(self._tables.room.taken)
            refused = self._tables.value(catalogue.SERIES_REFUSED).at()
            refused.add(self._tables.room.refused - refused.value)


def _place(check: Check) -> tuple[str, str, str]:
    return check.journey, check.target.name, check.profile.name


def _hosts(checks: Iterable[Check], ownership: Ownership) -> frozenset[str]:
    """Return the hosts that the configuration names exactly: the only ones that may become a label."""
    targets = {urlsplit(check.target.base_url).hostname or "" for check in checks}
    stated = {host for vendor in ownership.vendors for host in vendor.hosts} | {own.host for own in ownership.hosts}
    return frozenset(host for host in targets | stated if host and not host.startswith("*."))


_Number = Callable[[Health], float | None]
_PLAIN: tuple[tuple[Family, _Number], ...] = (
    (catalogue.LOOP_LAG, lambda health: health.loop_lag),
    (catalogue.SCHEDULER_ALIVE, lambda health: health.scheduler_tick.timestamp() if health.scheduler_tick else None),
    (catalogue.STORE_WRITABLE, lambda health: None if health.store_writable is None else float(health.store_writable)),
)


def _plain(health: Health) -> Iterator[tuple[Family, float]]:
    for family, number in _PLAIN:
        value = number(health)
        if value is not None:
            yield family, value


def _labelled(health: Health) -> Iterator[tuple[Family, tuple[str, ...], float]]:
    for worker in health.workers or ():
        yield catalogue.WORKERS, (worker.pool, worker.state), float(worker.count)
    for queue in health.queues or ():
        yield catalogue.QUEUE, (queue.queue,), float(queue.length)
        yield catalogue.QUEUE_AGE, (queue.queue,), queue.oldest_seconds
    for part, size in health.store_bytes or ():
        yield catalogue.STORE_BYTES, (part,), float(size)
    counts = (("running", health.checks_running), ("refused", health.checks_refused), ("off", health.checks_disabled))
    for state, count in counts:
        if count is not None:
            yield catalogue.CHECKS, (state,), float(count)
