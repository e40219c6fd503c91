"""Plays the script with the product's own metrics: a monitor at each place, scraped by the minute."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from monitor.diagnosis.judge import judge
from monitor.diagnosis.names import load_names
from monitor.domain.check import Check
from monitor.domain.evidence import Evidence
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome, SlotReason, SlotState
from monitor.domain.run import Judgement, Run, Slot
from monitor.publishing.exposition import Format
from monitor.publishing.health import Health, QueueState, WorkerCount
from monitor.publishing.metrics import Metrics
from tests.grafana.live import cast, history, script
from tests.grafana.live.remote_write import RemoteWriter, Series, moment, sample_of
from tests.grafana.live.scenes import Scene, Stagehand

SCRAPE_INTERVAL = 60
FLUSH_EVERY = 30
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_JOB = "faultline"


class HandClock:
    """A clock that the script moves."""

    def __init__(self, now: dt.datetime) -> None:
        self._now = now
        self._start = now

    def now(self) -> dt.datetime:
        """Return the moment of the script."""
        return self._now

    def elapsed(self) -> float:
        """Return seconds since the curtain rose."""
        return (self._now - self._start).total_seconds()

    def move(self, to: dt.datetime) -> None:
        """Go on to a later moment."""
        self._now = to


@dataclass(slots=True)
class Monitor:
    """The monitor of one place: its metrics, and what Prometheus saw of it at the last scrape."""

    place: str
    metrics: Metrics
    seen: dict[str, tuple[Series, bytes]] = field(default_factory=dict)
    up: bool = True


class Stage:
    """Plays the whole day into a Prometheus."""

    def __init__(self, writer: RemoteWriter, ending: dt.datetime) -> None:
        """Set the stage; the day ends at a full minute."""
        self._writer = writer
        self._ending = ending
        self._clock = HandClock(ending - dt.timedelta(minutes=script.LENGTH))
        self._contexts = cast.contexts(load_names())
        self._random = Random(20260302)
        self._hand = Stagehand(self._random, ending)
        self._checks = list(cast.CHECKS)
        self._monitors = {place: Monitor(place, self._metrics(place)) for place in cast.PLACES}
        self._last: dict[tuple[str, str], tuple[dt.datetime | None, dt.datetime | None]] = {}
        self._plain: dict[str, Judgement] = {}
        self._known: dict[tuple[str, str], Series] = {}
        self.runs = 0

    def play(self) -> None:
        """Play from the first minute to the last."""
        for minute in range(script.LENGTH, -1, -1):
            self._clock.move(self._ending - dt.timedelta(minutes=minute))
            self._change(minute)
            if minute < script.OFTEN or minute % 2 == 0:
                for monitor in self._monitors.values():
                    self._scrape(monitor, minute)
            if minute % FLUSH_EVERY == 0:
                self._writer.flush()
            for end, place, check, run in sorted(self._runs(minute), key=lambda each: each[:2]):
                self._clock.move(max(end, self._clock.now()))
                self._publish(self._monitors[place], check, run)

    def remember(self, days: int) -> None:
        """Write the days before the first minute, coarsely."""
        start = self._clock.now().timestamp()
        for monitor in self._monitors.values():
            text, _ = monitor.metrics.render(Format.OPENMETRICS.value)
            history.write(self._writer, text.decode(), _target(monitor), start=start, days=days)

    def _metrics(self, place: str) -> Metrics:
        metrics = Metrics(clock=self._clock, location=place, version="1.0.0", external_url=cast.RUN_PAGES)
        metrics.receivers(("operations",))
        for minutes, service, version in script.DEPLOYMENTS:
            if self._ending - dt.timedelta(minutes=minutes) <= self._clock.now():
                metrics.deployed(service, version, self._ending - dt.timedelta(minutes=minutes))
        self._configure(metrics)
        return metrics

    def _configure(self, metrics: Metrics) -> None:
        metrics.configure(
            self._checks, cast.OUTLINES, ownership=cast.OWNERSHIP, contexts=self._contexts, currency="EUR"
        )
        metrics.reloaded(successful=True)

    def _change(self, minute: int) -> None:
        """Let happen what is not a run: a restart, a removed check, the state of the monitor's parts."""
        if minute == script.REMOVED_AT:
            self._checks.remove(script.REMOVED)
            for monitor in self._monitors.values():
                self._configure(monitor.metrics)
        for at, service, version in script.DEPLOYMENTS:
            if at == minute:
                for monitor in self._monitors.values():
                    monitor.metrics.deployed(service, version, self._clock.now())
        for monitor in self._monitors.values():
            if minute in script.NOTIFIED:
                monitor.metrics.notified("operations", delivered=minute != script.NOTIFIED[0])
            self._rise_and_fall(monitor, minute)
            monitor.metrics.set_health(self._health(monitor, minute))

    def _rise_and_fall(self, monitor: Monitor, minute: int) -> None:
        down = script.RESTART.place == monitor.place and script.RESTART.covers(minute)
        if monitor.up and down:
            monitor.up = False
        elif not monitor.up and not down:
            monitor.up, monitor.metrics = True, self._restarted(monitor.place)

    def _restarted(self, place: str) -> Metrics:
        metrics = self._metrics(place)
        for (where, name), (last_run, last_success) in self._last.items():
            if where == place and name in {check.name for check in self._checks}:
                metrics.restore(cast.BY_NAME[name], last_run=last_run, last_success=last_success)
                # What was under way when it ended is found at the next start, and said to be lost.
                lost = Slot(
                    check=name, scheduled_at=self._clock.now(), state=SlotState.LOST, reason=SlotReason.CRASH
                )  # fmt: skip
                metrics.slot_closed(lost)
        return metrics

    def _health(self, monitor: Monitor, minute: int) -> Health:
        sick = script.scene_of(cast.CHECKOUT, monitor.place, minute) is Scene.SICK
        unhealthy = script.UNHEALTHY.place == monitor.place and script.UNHEALTHY.covers(minute)
        since = script.UNHEALTHY.begins - minute
        return Health(
            healthy=not unhealthy,
            browser_contexts=1 + minute % 2,
            incidents=tuple(
                (scope, cause) for begins, ends, scope, cause in script.INCIDENTS if ends < minute <= begins
            ),
            maintained=frozenset(each.check.name for each in script.MAINTENANCE if each.covers(minute) and each.check),
            reviewed=(("right", 41 + (script.LENGTH - minute) // 300), ("wrong", 1), ("undetermined", 2)),
            loop_lag=1.4 if sick else 0.002 + self._random.random() * 0.004,
            scheduler_tick=self._clock.now() - dt.timedelta(minutes=since if unhealthy else 0),
            workers=tuple(WorkerCount(pool=pool, state="ready", count=n) for pool, n in (("browser", 2), ("http", 1))),
            queues=(
                QueueState(queue="dispatch", length=6 if sick else minute % 3, oldest_seconds=40.0 if sick else 0.5),
                QueueState(queue="store", length=minute % 2),
            ),
            store_writable=True,
            store_bytes=(("runs", 40_000_000 + (script.LENGTH - minute) * 9_000), ("artifacts", 310_000_000)),
            checks_running=len(self._checks),
            checks_refused=0,
            checks_disabled=1,
        )  # fmt: skip

    def _runs(self, minute: int) -> Iterator[tuple[dt.datetime, str, Check, Run | None]]:
        """Yield what is due in this minute at each place: a finished run, or a slot without one."""
        for number, check in enumerate(self._checks):
            interval = check.interval
            assert interval is not None
            if minute <= 0 or minute % (interval.total_seconds() / 60):
                continue
            due = self._ending - dt.timedelta(minutes=minute) + dt.timedelta(seconds=2 + 3 * number)
            for place in cast.PLACES:
                if not self._monitors[place].up:
                    continue
                run = self._run(check, place, due, minute) if self._without_run(check, place, minute) is None else None
                ended = due if run is None else run.started_at + dt.timedelta(seconds=run.duration)
                yield ended, place, check, run

    def _run(self, check: Check, place: str, due: dt.datetime, minute: int) -> Run:
        scene = script.scene_of(check, place, minute)
        evidence = self._hand.evidence(check, scene, due)
        self.runs += 1
        return Run(
            run_id=f"{place}-{self.runs:06d}",
            check=check,
            location=place,
            scheduled_at=due,
            evidence=evidence,
            judgement=self._judged(check, scene, evidence),
        )

    def _judged(self, check: Check, scene: Scene, evidence: Evidence) -> Judgement:
        """Judge a run; one plain run of a check is judged for all of them."""
        if scene is not Scene.HEALTHY:
            return judge(evidence, self._contexts[check.name])
        if check.name not in self._plain:
            self._plain[check.name] = judge(evidence, self._contexts[check.name])
        return self._plain[check.name]

    def _without_run(self, check: Check, place: str, minute: int) -> tuple[SlotState, SlotReason] | None:
        if any(each.check is check and each.covers(minute) for each in script.MAINTENANCE):
            return SlotState.SKIPPED, SlotReason.MAINTENANCE
        still = script.STANDSTILL
        if still.check is check and still.covers(minute):
            return SlotState.MISSED, SlotReason.BUSY
        return None

    def _publish(self, monitor: Monitor, check: Check, run: Run | None) -> None:
        if run is None:
            minute = -((self._clock.now() - self._ending) // dt.timedelta(minutes=1))
            state, reason = self._without_run(check, monitor.place, minute) or (SlotState.MISSED, SlotReason.LATE)
            slot = Slot(check=check.name, scheduled_at=self._clock.now(), state=state, reason=reason)
            monitor.metrics.slot_closed(slot)
            return
        monitor.metrics.started(self._random.expovariate(60.0))
        monitor.metrics.publish(run)
        monitor.metrics.slot_closed(
            Slot(check=check.name, scheduled_at=run.scheduled_at, state=SlotState.FINISHED, run_id=run.run_id)
        )
        good = run.outcome in {Outcome.PASSED, Outcome.DEGRADED}
        previous = self._last.get((monitor.place, check.name), (None, None))
        self._last[monitor.place, check.name] = (self._clock.now(), self._clock.now() if good else previous[1])
        if run.outcome is not Outcome.PASSED:
            monitor.metrics.investigated(1.0 + self._random.expovariate(0.3))
            outcome = Outcome.FAILED if run.outcome is Outcome.FAILED else Outcome.PASSED
            monitor.metrics.experiment(
                Experiment(kind=ExperimentKind.REPROBE, subject="host", outcome=outcome, duration=0.2)
            )

    def _scrape(self, monitor: Monitor, minute: int) -> None:
        """Do what Prometheus does at a scrape: take the samples in, and end the series that are no longer there."""
        now = self._clock.now().timestamp()
        at = moment(now)
        before, monitor.seen = monitor.seen, {}
        if monitor.up:
            # Exemplars are of the later part of the day; without them a scrape costs half.
            wanted = Format.OPENMETRICS if minute < script.OFTEN else Format.TEXT
            text, _ = monitor.metrics.render(wanted.value)
            self._take(monitor, text.decode(), before, at)
        here = {id(series) for series, _ in monitor.seen.values()}
        for series, _ in before.values():
            if id(series) not in here:
                series.end(at)
        figures = {
            "up": float(monitor.up),
            "scrape_duration_seconds": 0.012 if monitor.up else 0.0,
            "scrape_samples_scraped": float(len(monitor.seen)),
            "scrape_samples_post_metric_relabeling": float(len(monitor.seen)),
        }
        for name, value in figures.items():
            self._writer.series(__name__=name, **_target(monitor)).add(at, value)

    def _take(self, monitor: Monitor, text: str, before: dict[str, tuple[Series, bytes]], at: bytes) -> None:
        for line in text.splitlines():
            if line[0] == "#":
                continue
            # Most lines are those of the last scrape, and need not be read again.
            known = before.get(line) or self._read(monitor, line)
            monitor.seen[line] = known
            known[0].pending.append(known[1] + at)

    def _read(self, monitor: Monitor, line: str) -> tuple[Series, bytes]:
        sample, _, exemplar = line.partition(" # ")
        key, _, value = sample.rpartition(" ")
        series = self._known.get((monitor.place, key))
        if series is None:
            series = self._known[monitor.place, key] = self._series(monitor, key)
        if exemplar:
            labels, _, rest = exemplar.rpartition("} ")
            amount, _, seconds = rest.partition(" ")
            # Prometheus takes an exemplar once, however often it is exposed.
            if self._clock.now().timestamp() - float(seconds) <= 2 * SCRAPE_INTERVAL:
                series.mark(dict(_LABEL.findall(labels)), float(amount), float(seconds))
        return series, sample_of(float(value))

    def _series(self, monitor: Monitor, key: str) -> Series:
        name, _, inside = key.partition("{")
        labels = {label: _plain(value) for label, value in _LABEL.findall(inside)}
        return self._writer.series(__name__=name, **labels, **_target(monitor))


def _target(monitor: Monitor) -> dict[str, str]:
    return {"job": _JOB, "instance": f"{monitor.place}:9488"}


def _plain(value: str) -> str:
    return value.replace(r"\"", '"').replace(r"\n", "\n").replace("\\\\", "\\")
