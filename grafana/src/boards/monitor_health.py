"""The monitor itself: whether it looks, in time, and keeps and tells what it saw."""

from __future__ import annotations

from grafana.src import palette
from grafana.src.frame import Board, Section
from grafana.src.panels import Anything, Face, Query, lines, numbers, ranking, stacks, tiles, timeline
from grafana.src.promql import count, quantile
from grafana.src.tables import Column, rows

_JOB = 'job=~".*faultline.*"'


def monitor_health() -> Board:
    """Return the dashboard for those who run the monitor."""
    return Board(
        name="monitor-health",
        folder="Operations",
        title="Faultline / Monitor health",
        about="Whether the monitor can be believed: scheduling, workers, browsers, queues, store, delivery, series.",
        sections=(
            Section(title="Now", panels=(*_figures(), _configuration())),
            Section(title="In time", panels=(_lag(), _gaps(), _loop(), _tick())),
            Section(title="Workers and browsers", panels=(_workers(), _contexts(), _crashes(), _faults())),
            Section(title="Queues and store", panels=(_queues(), _ages(), _bytes(), _writable())),
            Section(title="Nothing lost", panels=(_dropped(), _notifications(), _truncated(), _clock())),
            Section(title="Series and scrapes", panels=(_series(), _scrapes(), _deployments())),
        ),
        choices=(),
        since="now-6h",
    )


def _figures() -> tuple[Anything, ...]:
    up = Face(
        title="Scraped",
        about="Whether Prometheus reaches every job with faultline in its name.",
        unit="none",
        width=4,
        height=4,
    )
    store = Face(title="Store writable", about="Whether the last write succeeded.", unit="none", width=4, height=4)
    return (
        tiles(up, Query(expr=f"min(up{{{_JOB}}})", legend="scraped"), marks=palette.YES_NO),
        tiles(store, Query(expr="min(faultline_store_writable)", legend="writable"), marks=palette.YES_NO),
        _figure("Checks that run", "Checks of the configuration.", 'max(faultline_checks{state="running"})'),
        _figure("Runs under way", "Journeys in a browser just now.", "sum(faultline_browser_contexts)"),
        _figure("Open incidents", "Incidents that are open.", "sum(max by (scope, cause) (faultline_open_incidents))"),
        _figure("Series", "Sets of label values held.", "max(faultline_series)"),
    )


def _figure(title: str, about: str, expr: str) -> Anything:
    return numbers(Face(title=title, about=about, width=4, height=4), Query(expr=expr, legend=title))


def _configuration() -> Anything:
    face = Face(
        title="Version and configuration",
        about="The version that runs, the address of its pages, and when its configuration was last loaded.",
        width=24,
        height=5,
    )
    columns = (
        Column(name="Instance", label="instance"),
        Column(name="Version", label="version"),
        Column(
            name="Running",
            expr="max by (instance, version) (faultline_build_info)",
            mappings=palette.states(palette.YES_NO),
            filled=True,
        ),
        Column(
            name="Last reload succeeded",
            expr=_versioned("faultline_config_last_reload_successful"),
            mappings=palette.states(palette.YES_NO),
            filled=True,
        ),
        Column(
            name="Configuration of",
            expr=f"{_versioned('faultline_config_last_reload_success_timestamp_seconds')} * 1000",
            unit="dateTimeAsIso",
        ),
    )
    return rows(face, columns, sort="Instance")


def _versioned(metric: str) -> str:
    return f"max by (instance, version) ({metric} * on (job, instance) group_left (version) faultline_build_info)"


def _lag() -> Anything:
    face = Face(title="How late runs start", about="Between a slot and the start of its run.", unit="s", step="5m")
    buckets = "faultline_scheduler_lag_seconds_bucket"
    return lines(
        face,
        Query(expr=quantile(0.5, buckets), legend="median"),
        Query(expr=quantile(0.95, buckets), legend="95th percentile"),
        Query(expr=quantile(0.99, buckets), legend="99th percentile"),
    )


def _gaps() -> Anything:
    face = Face(
        title="Slots without a result",
        about="Missed: not started in time. Lost: started, and brought no result. Skipped: left out on purpose.",
        step="15m",
    )
    kinds = ("missed", "lost", "skipped")
    return stacks(
        face,
        *(
            Query(
                expr=count(f"faultline_journey_runs_{kind}_total", "reason", "$__interval"),
                legend=f"{kind}: {{{{reason}}}}",
            )
            for kind in kinds
        ),
    )


def _loop() -> Anything:
    face = Face(
        title="Lag of the event loop",
        about="By how much the main process ran late at most. Above a second it does too much.",
        unit="s",
    )
    return lines(face, Query(expr="max by (instance) (faultline_event_loop_lag_seconds)", legend="{{instance}}"))


def _tick() -> Anything:
    face = Face(title="Time since the scheduler last planned", about="It should stay within seconds.", unit="s")
    expr = "time() - max by (instance) (faultline_scheduler_last_tick_timestamp_seconds)"
    return lines(face, Query(expr=expr, legend="{{instance}}"))


def _workers() -> Anything:
    face = Face(title="Workers", about="Worker processes by pool and state.")
    return stacks(face, Query(expr="sum by (pool, state) (faultline_workers)", legend="{{pool}} {{state}}"), bars=False)


def _contexts() -> Anything:
    face = Face(title="Journeys in a browser", about="Under way at each moment, each in a context of its own.")
    return lines(face, Query(expr="sum by (instance) (faultline_browser_contexts)", legend="{{instance}}"))


def _crashes() -> Anything:
    face = Face(
        title="Browsers that crashed, froze or were killed", about="The runs in them were inconclusive.", step="15m"
    )
    return stacks(
        face, Query(expr=count("faultline_browser_crashes_total", "instance", "$__interval"), legend="{{instance}}")
    )


def _faults() -> Anything:
    face = Face(title="Attempts in which we could not look", about="By what was wrong with ourselves.", step="15m")
    return stacks(
        face, Query(expr=f"{count('faultline_prober_faults_total', 'fault', '$__interval')} > 0", legend="{{fault}}")
    )


def _queues() -> Anything:
    face = Face(title="What waits", about="To be carried out, stored or published.")
    return lines(face, Query(expr="sum by (queue) (faultline_queue_length)", legend="{{queue}}"))


def _ages() -> Anything:
    face = Face(title="How long the oldest has waited", about="Age of the oldest entry of each queue.", unit="s")
    return lines(face, Query(expr="max by (queue) (faultline_queue_oldest_seconds)", legend="{{queue}}"))


def _bytes() -> Anything:
    face = Face(title="Size of the run store", about="Bytes on disk, by part of the store.", unit="bytes")
    return stacks(face, Query(expr="sum by (part) (faultline_store_bytes)", legend="{{part}}"), bars=False)


def _writable() -> Anything:
    face = Face(title="Store writable", about="Whether the last write succeeded, over time.", unit="none")
    query = Query(expr="min by (instance) (faultline_store_writable)", legend="{{instance}}")
    return timeline(face, query, marks=palette.YES_NO)


def _dropped() -> Anything:
    face = Face(
        title="Results that could not be kept or published",
        about="Dropped by reason, and runs that a destination did not take.",
        step="15m",
        nothing="none seen",
    )
    return stacks(
        face,
        Query(expr=count("faultline_results_dropped_total", "reason", "$__interval"), legend="dropped: {{reason}}"),
        Query(
            expr=count("faultline_publish_failures_total", "destination", "$__interval"),
            legend="not taken: {{destination}}",
        ),
    )


def _notifications() -> Anything:
    face = Face(
        title="Notifications of our own",
        about="Tried, and failed after all attempts. Those of Alertmanager are not among them.",
        step="15m",
        nothing="none sent",
    )
    return stacks(
        face,
        Query(expr=count("faultline_notifications_total", "receiver", "$__interval"), legend="{{receiver}}"),
        Query(
            expr=count("faultline_notification_failures_total", "receiver", "$__interval"), legend="{{receiver}} failed"
        ),
    )


def _truncated() -> Anything:
    face = Face(
        title="Cut short by a cap",
        about="Runs in which a cap cut something short, by what.",
        decimals=0,
        nothing="none seen",
    )
    return ranking(face, Query(expr=f"topk(12, {count('faultline_truncations_total', 'what')} > 0)", legend="{{what}}"))


def _clock() -> Anything:
    face = Face(
        title="Steps of the wall clock",
        about="Seconds by which the clock was stepped against the monotonic one.",
        unit="s",
        step="15m",
    )
    return stacks(
        face, Query(expr=count("faultline_clock_step_seconds_total", "instance", "$__interval"), legend="{{instance}}")
    )


def _series() -> Anything:
    face = Face(
        title="Sets of label values", about="Held for checks and third parties, and refused at the limit.", width=8
    )
    return lines(
        face,
        Query(expr="max by (instance) (faultline_series)", legend="held {{instance}}"),
        Query(
            expr=count("faultline_series_refused_total", "instance", "$__rate_interval"), legend="refused {{instance}}"
        ),
    )


def _scrapes() -> Anything:
    face = Face(
        title="Duration of scrapes",
        about="Of jobs with faultline in their name, as Prometheus measured them.",
        unit="s",
        width=8,
    )
    return lines(face, Query(expr=f"max by (instance) (scrape_duration_seconds{{{_JOB}}})", legend="{{instance}}"))


def _deployments() -> Anything:
    face = Face(
        title="Latest deployments",
        about="That the monitor was told of; they are drawn on all dashboards.",
        width=8,
        nothing="none reported",
    )
    columns = (
        Column(name="Service", label="service"),
        Column(name="Version", label="version"),
        Column(
            name="Deployed",
            expr="max by (service, version) (faultline_deployment_timestamp_seconds) * 1000",
            unit="dateTimeFromNow",
        ),
    )
    return rows(face, columns, sort="Deployed", descending=True)
