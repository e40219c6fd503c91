"""Metrics of all runs and of ourselves, in a registry of our own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from monitor.config.settings import MetricsDetail
from monitor.diagnosis.context import Context
from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.journey import JourneyOutline
from monitor.domain.outcome import Outcome, SlotState
from monitor.domain.ownership import Ownership
from monitor.domain.run import Run, Slot
from monitor.publishing import counting, of_checks, of_ourselves, of_surroundings, surroundings
from monitor.publishing.culprits import CulpritNames
from monitor.publishing.exposition import expose, negotiate
from monitor.publishing.health import Health
from monitor.publishing.ourselves import Ourselves
from monitor.publishing.preparing import Prepared, place_of, prepare, stated, threshold_of
from monitor.publishing.series import Family
from monitor.publishing.vendors import VendorList

SERIES_LIMIT = 500_000
VENDOR_LIMIT = 50
_GRACE = 60.0
_CRON_GAP = dt.timedelta(days=1)
_INTERVALS = 3

_SLOT_FAMILIES = {
    SlotState.SKIPPED: of_checks.SKIPPED,
    SlotState.MISSED: of_checks.MISSED,
    SlotState.LOST: of_checks.LOST,
}


@dataclass(slots=True)
class _Known:
    """What is remembered of the configuration between two scrapes."""

    checks: dict[str, Check] = field(default_factory=dict)
    contexts: Mapping[str, Context] = field(default_factory=dict)
    gaps: Mapping[str, dt.timedelta] = field(default_factory=dict)
    thresholds: Mapping[str, float | None] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()


class Metrics(Ourselves, Collector):
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
        external_url: str = "",
        detail: MetricsDetail = MetricsDetail.FULL,
        series_limit: int = SERIES_LIMIT,
        vendor_limit: int = VENDOR_LIMIT,
    ) -> None:
        """Prepare the families; ``detail`` is how much is counted of each check."""
        super().__init__(
            clock=clock,
            location=location,
            version=version,
            external_url=external_url,
            detail=detail,
            series_limit=series_limit,
        )
        self._vendors = VendorList(vendor_limit)
        self._culprits = CulpritNames(vendor_limit)
        self._known = _Known()
        self._maintained: frozenset[str] = frozenset()
        self._expiry: dict[tuple[str, ...], float] = {}
        self._stated: dict[tuple[str, ...], tuple[tuple[Family, tuple[str, ...]], ...]] = {}
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
        currency: str | None = None,
    ) -> None:
        """Take over a configuration: its series start at zero, and those of removed checks vanish.

        ``contexts`` name third parties; ``gaps`` are the longest times between two slots of checks with a crontab.
        """
        running = {check.name: check for check in checks if check.enabled}
        owned = ownership or Ownership()
        journeys = {outline.name: outline for outline in outlines}
        with self._lock:
            self._known = _Known(
                checks=running,
                contexts=contexts or {},
                gaps=gaps or {},
                thresholds={name: threshold_of(check, journeys.get(check.journey)) for name, check in running.items()},
                hosts=_hosts(running.values(), owned),
            )
            self._culprits.configure(running.values(), owned, self._known.hosts)
            self._forget(running.values())
            self._prepare_vendors(owned)
        known = Prepared(
            location=self._location, currency=currency or "", maintained=self._maintained, gaps=self._known.gaps
        )
        for check in running.values():
            # One check at a time, so that a large configuration does not keep a run from being counted.
            with self._lock:
                self._state(check, journeys.get(check.journey), known)
                prepare(self._tables, check, known, rated=self._known.thresholds[check.name] is not None)

    def _state(self, check: Check, outline: JourneyOutline | None, known: Prepared) -> None:
        """Say what the configuration says of a check, and no longer what it said before."""
        statements = tuple(stated(check, outline, known))
        now = {(family.name, values) for family, values, _ in statements}
        for family, values in self._stated.get(place_of(check), ()):
            if (family.name, values) not in now:
                self._tables.value(family).drop(*values)
        for family, values, number in statements:
            self._tables.value(family).at(*values).set(number)
        self._stated[place_of(check)] = tuple((family, values) for family, values, _ in statements)

    def _forget(self, checks: Iterable[Check]) -> None:
        """Let everything of checks that are no more vanish, and what a configuration states and a next one may not."""
        places: set[tuple[str, ...]] = {place_of(check) for check in checks}
        names = {place[0] for place in places}
        self._tables.keep_checks(places.__contains__)
        self._stated = {place: statements for place, statements in self._stated.items() if place in places}
        self._tables.value(of_surroundings.CERTIFICATE).keep(lambda values: values[0] in self._known.hosts)
        self._tables.value(of_surroundings.VENDOR_FAILURES).keep(lambda values: values[2] in names)
        self._expiry = {place: end for place, end in self._expiry.items() if place[:3] in places}

    def _prepare_vendors(self, ownership: Ownership) -> None:
        self._vendors.admit(vendor.name for vendor in ownership.vendors)
        objectives = {vendor.name for vendor in ownership.vendors if vendor.objective is not None}
        self._tables.value(of_surroundings.VENDOR_OBJECTIVE).keep(lambda values: values[0] in objectives)
        for vendor in ownership.vendors:
            self._tables.value(of_surroundings.VENDOR_REQUESTS).at(vendor.name, self._location)
            self._tables.spread(of_surroundings.VENDOR_DURATION).at(vendor.name, self._location)
            if vendor.objective is not None:
                self._tables.value(of_surroundings.VENDOR_OBJECTIVE).at(vendor.name).set(vendor.objective)

    def publish(self, run: Run) -> None:
        """Count one finished run. Counting the same run once is the caller's promise."""
        context = self._known.contexts.get(run.check.name)
        told = counting.told_of(run)
        with self._lock:
            counted = run.check.name in self._known.checks
            if counted:
                self._count(run, told, context)
            surroundings.count_ourselves(self._tables, run)
            surroundings.note_certificates(self._tables, run, self._known.hosts)
            if context is not None:
                owner_at = context.owners.owner_at
                transfer = surroundings.count_requests(self._tables, run, owner_at, self._vendors)
                if counted and transfer.pages and run.outcome is not Outcome.INCONCLUSIVE:
                    self._count_transfer(told, transfer)

    def _count(self, run: Run, told: counting.Told, context: Context | None) -> None:
        culprit = self._culprits.label(run.judgement.diagnosis, context)
        counting.count_outcome(self._tables, run, told, culprit)
        if self._tables.more:
            counting.count_experience(self._tables, run, told, self._known.thresholds.get(run.check.name))
        if self._tables.steps:
            counting.count_details(self._tables, run, told)
        if run.outcome is not Outcome.INCONCLUSIVE:
            self._note_state(told.place, run.check, told.ended, good=run.outcome is not Outcome.FAILED)

    def _note_state(self, place: tuple[str, ...], check: Check, ended: float, *, good: bool) -> None:
        """Let the newest conclusive run speak for now, until it is too old for it."""
        age = max(0.0, self._clock.now().timestamp() - ended)
        self._expiry[place] = self._clock.elapsed() + self._too_old(check) - age
        self._tables.value(of_checks.SUCCESS).at(*place).set(1.0 if good else 0.0)

    def _count_transfer(self, told: counting.Told, transfer: surroundings.Transfer) -> None:
        if self._tables.steps:
            received = self._tables.spread(of_checks.TRANSFER)
            received.at(*told.place, "first").observe(transfer.first)
            received.at(*told.place, "third").observe(transfer.third)

    def _too_old(self, check: Check) -> float:
        gap = check.interval or self._known.gaps.get(check.name, _CRON_GAP)
        until_next = (gap + check.deadline).total_seconds() + _GRACE
        # The longest pause of a crontab may be a weekend: three of them would keep a state for a week.
        return until_next if check.interval is None else max(_INTERVALS * gap.total_seconds(), until_next)

    def restore(
        self,
        check: Check,
        *,
        last_run: dt.datetime | None,
        last_success: dt.datetime | None,
        conclusive: tuple[dt.datetime, bool] | None = None,
    ) -> None:
        """State after a restart what the history knows, so that no alert on age flaps and none on a state ends.

        ``conclusive`` is when the newest run that says something ended, and whether it was good; it speaks for now as
        long as it would have without the restart.
        """
        here = (*place_of(check), self._location)
        with self._lock:
            if last_run is not None:
                self._tables.value(of_checks.LAST_RUN).at(*here).set(last_run.timestamp())
            if last_success is not None:
                self._tables.value(of_checks.LAST_SUCCESS).at(*here).set(last_success.timestamp())
            if conclusive is not None:
                ended, good = conclusive
                self._note_state(here, check, ended.timestamp(), good=good)

    def slot_closed(self, slot: Slot) -> None:
        """Count a slot that reached its end, whatever it was."""
        check = self._known.checks.get(slot.check)
        if check is None or not self._tables.more:
            return
        family = _SLOT_FAMILIES.get(slot.state)
        with self._lock:
            self._tables.value(of_checks.SLOTS).at(*place_of(check)).add()
            if family is not None:
                reason = slot.reason.value if slot.reason else "unknown"
                self._tables.value(family).at(*place_of(check), reason).add()

    def set_health(self, health: Health) -> None:
        """State how the monitor's parts are, and which checks are under maintenance."""
        super().set_health(health)
        if health.maintained is not None:
            with self._lock:
                self._set_maintained(health.maintained)

    def _set_maintained(self, names: frozenset[str]) -> None:
        table = self._tables.value(of_checks.MAINTENANCE)
        for name in names ^ self._maintained:
            check = self._known.checks.get(name)
            if check is not None:
                table.at(*place_of(check)).set(float(name in names))
        self._maintained = names

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
                self._tables.value(of_checks.SUCCESS).drop(*place)
            self._tables.value(of_ourselves.SERIES).at().set(self._tables.room.taken)
            refused = self._tables.value(of_ourselves.SERIES_REFUSED).at()
            refused.add(self._tables.room.refused - refused.value)


def _hosts(checks: Iterable[Check], ownership: Ownership) -> frozenset[str]:
    """Return the hosts that the configuration names exactly: the only ones that may become a label."""
    targets = {urlsplit(check.target.base_url).hostname or "" for check in checks}
    stated = {host for vendor in ownership.vendors for host in vendor.hosts} | {own.host for own in ownership.hosts}
    return frozenset(host for host in targets | stated if host and not host.startswith("*."))
