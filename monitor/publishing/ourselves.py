"""What the monitor counts and states of itself."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from threading import Lock
from urllib.parse import urlsplit

from monitor.config.settings import MetricsDetail
from monitor.domain.cause import Cause, Confidence
from monitor.domain.clock import Clock
from monitor.domain.evidence import ProberFault
from monitor.domain.experiment import Experiment
from monitor.investigation.correlation import Scope
from monitor.publishing import of_ourselves, of_surroundings
from monitor.publishing.health import Health, numbers_of
from monitor.publishing.tables import Tables

SERVICE_LIMIT = 200


class Ourselves:
    """Counts what the parts of the monitor do, and states how they are; holds the tables of everything else too."""

    def __init__(
        self, *, clock: Clock, location: str, version: str, external_url: str, detail: MetricsDetail, series_limit: int
    ) -> None:
        """Prepare the tables, and what is known to exist of ourselves at zero."""
        self._clock = clock
        self._location = location
        self._lock = Lock()
        self._tables = Tables(lock=self._lock, limit=series_limit, detail=detail)
        self._deployed: dict[str, tuple[str, float]] = {}
        self._prepare(version, external_url)

    def _prepare(self, version: str, external_url: str) -> None:
        value = self._tables.value
        value(of_ourselves.BUILD).at(version)
        value(of_ourselves.STARTED_AT).at().set(self._clock.now().timestamp())
        if external_url:
            value(of_ourselves.WEB).at(_plain_address(external_url))
        for fault in ProberFault:
            value(of_ourselves.PROBER_FAULTS).at(fault.value)
        for cause in Cause:
            for confidence in Confidence:
                value(of_ourselves.DIAGNOSES).at(cause.value, confidence.value)
            for scope in Scope:
                value(of_ourselves.OPEN_INCIDENTS).at(scope.value, cause.value)
        for family in (of_ourselves.SCHEDULER_LAG, of_ourselves.INVESTIGATION):
            self._tables.spread(family).at()
        for plain in (of_ourselves.CLOCK_OFFSET, of_ourselves.BROWSER_CRASHES, of_ourselves.SERIES_REFUSED):
            value(plain).at()

    def started(self, lateness: float) -> None:
        """Take in by how many seconds a run started after its slot."""
        with self._lock:
            self._tables.spread(of_ourselves.SCHEDULER_LAG).at().observe(max(0.0, lateness))

    def clock_stepped(self, seconds: float) -> None:
        """Count a step of the wall clock."""
        with self._lock:
            self._tables.value(of_ourselves.CLOCK_OFFSET).at().add(abs(seconds))

    def reloaded(self, *, successful: bool) -> None:
        """State how the last attempt to load the configuration ended."""
        with self._lock:
            self._tables.value(of_ourselves.RELOADED).at().set(1.0 if successful else 0.0)
            if successful:
                self._tables.value(of_ourselves.RELOADED_AT).at().set(self._clock.now().timestamp())

    def experiment(self, experiment: Experiment) -> None:
        """Count an experiment that was made; one of an earlier run that a later one goes by is made only once."""
        with self._lock:
            self._tables.value(of_ourselves.EXPERIMENTS).at(experiment.kind.value, experiment.outcome.value).add()

    def investigated(self, seconds: float) -> None:
        """Take in how many seconds after a run its verdict stood."""
        with self._lock:
            self._tables.spread(of_ourselves.INVESTIGATION).at().observe(seconds)

    def dropped(self, reason: str) -> None:
        """Count a result that could not be kept; ``reason`` is one of a few fixed words."""
        with self._lock:
            self._tables.value(of_ourselves.DROPPED).at(reason).add()

    def publish_failed(self, destination: str) -> None:
        """Count a run that a destination did not take."""
        with self._lock:
            self._tables.value(of_ourselves.PUBLISH_FAILURES).at(destination).add()

    def receivers(self, names: Iterable[str]) -> None:
        """Make the series of those who are notified, at zero; others are forgotten."""
        wanted = {(name,) for name in names}
        with self._lock:
            for family in (of_ourselves.NOTIFICATIONS, of_ourselves.NOTIFICATION_FAILURES):
                table = self._tables.value(family)
                table.keep(wanted.__contains__)
                for labels in wanted:
                    table.at(*labels)

    def notified(self, receiver: str, *, delivered: bool) -> None:
        """Count a notification when it has been delivered, or when it has been given up."""
        with self._lock:
            self._tables.value(of_ourselves.NOTIFICATIONS).at(receiver).add()
            if not delivered:
                self._tables.value(of_ourselves.NOTIFICATION_FAILURES).at(receiver).add()

    def deployed(self, service: str, version: str, at: dt.datetime) -> None:
        """State a deployment, unless a later one of the service is known; of each service only the latest is told."""
        moment = at.timestamp()
        known = self._deployed.get(service)
        if (known and known[1] > moment) or (known is None and len(self._deployed) >= SERVICE_LIMIT):
            return
        self._deployed[service] = version, moment
        with self._lock:
            table = self._tables.value(of_surroundings.DEPLOYMENT)
            if known:
                table.drop(service, known[0])
            table.at(service, version).set(moment)

    def set_health(self, health: Health) -> None:
        """State how the monitor's parts are."""
        with self._lock:
            for family, labels, value in numbers_of(health):
                self._tables.value(family).at(*labels).set(value)
            if health.healthy:
                self._tables.value(of_ourselves.HEARTBEAT).at(self._location).set(self._clock.now().timestamp())
            if health.incidents is not None:
                self._set_incidents(Counter(health.incidents))

    def _set_incidents(self, counts: Counter[tuple[str, str]]) -> None:
        table = self._tables.value(of_ourselves.OPEN_INCIDENTS)
        for scope in Scope:
            for cause in Cause:
                labels = scope.value, cause.value
                table.at(*labels).set(counts[labels])


def _plain_address(url: str) -> str:
    """Return an address without user information, query and fragment: what may stand in a label."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/")
