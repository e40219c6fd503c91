"""The families of the monitor itself."""

from __future__ import annotations

from monitor.publishing.series import Family, Kind

BUILD = Family(
    name="faultline_build_info",
    kind=Kind.INFO,
    labels=("version",),
    help="The version that is running.",
)
RELOADED = Family(
    name="faultline_config_last_reload_successful",
    kind=Kind.GAUGE,
    help="Whether the last attempt to load the configuration succeeded.",
)
RELOADED_AT = Family(
    name="faultline_config_last_reload_success_timestamp_seconds",
    kind=Kind.GAUGE,
    help="When the configuration was last loaded.",
)
STARTED_AT = Family(
    name="faultline_process_start_time_seconds",
    kind=Kind.GAUGE,
    help="When the monitor was started.",
)
CHECKS = Family(
    name="faultline_checks",
    kind=Kind.GAUGE,
    labels=("state",),
    help="Checks of the configuration that run, and those that were refused or switched off.",
)
LOOP_LAG = Family(
    name="faultline_event_loop_lag_seconds",
    kind=Kind.GAUGE,
    help="By how much the main process's event loop ran late at most since the last report.",
)
CLOCK_OFFSET = Family(
    name="faultline_clock_step_seconds_total",
    kind=Kind.COUNTER,
    help="Seconds by which the wall clock was stepped against the monotonic one, forward or back.",
)
SCHEDULER_LAG = Family(
    name="faultline_scheduler_lag_seconds",
    kind=Kind.HISTOGRAM,
    buckets=(0.001, 0.01, 0.1, 0.5, 2.0, 5.0, 30.0, 300.0),
    help="How late runs started after their slot.",
)
SCHEDULER_ALIVE = Family(
    name="faultline_scheduler_last_tick_timestamp_seconds",
    kind=Kind.GAUGE,
    help="When the scheduler last planned.",
)
WORKERS = Family(
    name="faultline_workers",
    kind=Kind.GAUGE,
    labels=("pool", "state"),
    help="Worker processes by pool and state.",
)
QUEUE = Family(
    name="faultline_queue_length",
    kind=Kind.GAUGE,
    labels=("queue",),
    help="What waits to be carried out, stored or published.",
)
QUEUE_AGE = Family(
    name="faultline_queue_oldest_seconds",
    kind=Kind.GAUGE,
    labels=("queue",),
    help="How long the oldest has waited.",
)
STORE_WRITABLE = Family(
    name="faultline_store_writable",
    kind=Kind.GAUGE,
    help="Whether the last write to the run store succeeded.",
)
STORE_BYTES = Family(
    name="faultline_store_bytes",
    kind=Kind.GAUGE,
    labels=("part",),
    help="Size of the run store.",
)
PROBER_FAULTS = Family(
    name="faultline_prober_faults_total",
    kind=Kind.COUNTER,
    labels=("fault",),
    help="Attempts in which we could not look, by what was wrong with ourselves.",
)
EXPERIMENTS = Family(
    name="faultline_experiments_total",
    kind=Kind.COUNTER,
    labels=("kind", "outcome"),
    help="What was tried beside failed runs to tell causes apart; a series appears with its first experiment.",
)
INVESTIGATION = Family(
    name="faultline_investigation_seconds",
    kind=Kind.HISTOGRAM,
    buckets=(0.5, 2.0, 5.0, 10.0, 30.0, 60.0),
    help="How long after a run that did not pass its verdict stood.",
)
TRUNCATIONS = Family(
    name="faultline_truncations_total",
    kind=Kind.COUNTER,
    labels=("what",),
    help="Runs in which a cap cut something short.",
)
DROPPED = Family(
    name="faultline_results_dropped_total",
    kind=Kind.COUNTER,
    labels=("reason",),
    help="Results that could not be kept.",
)
PUBLISH_FAILURES = Family(
    name="faultline_publish_failures_total",
    kind=Kind.COUNTER,
    labels=("destination",),
    help="Runs that could not be handed to a destination.",
)
HEALTHY = Family(
    name="faultline_healthy",
    kind=Kind.GAUGE,
    help="Whether scheduler, store and workers do their work, as /-/healthy says.",
)
HEARTBEAT = Family(
    name="faultline_location_last_heartbeat_timestamp_seconds",
    kind=Kind.GAUGE,
    labels=("location",),
    help="When the monitor at a location was last able to make runs, as its scheduler, store and workers said.",
)
BROWSER_CRASHES = Family(
    name="faultline_browser_crashes_total",
    kind=Kind.COUNTER,
    help="Attempts in which the browser crashed or froze, or its driver died; they say nothing about customers.",
)
BROWSER_CONTEXTS = Family(
    name="faultline_browser_contexts",
    kind=Kind.GAUGE,
    help="Journeys that are under way in a browser just now, each in a context of its own.",
)
OPEN_INCIDENTS = Family(
    name="faultline_open_incidents",
    kind=Kind.GAUGE,
    labels=("scope", "cause"),
    help="Incidents that are open just now, by how far they reach and by whose failure they are.",
)
DIAGNOSES = Family(
    name="faultline_diagnoses_total",
    kind=Kind.COUNTER,
    labels=("cause", "confidence"),
    help="Verdicts on failed runs, by cause and by how sure they are.",
)
REVIEWED = Family(
    name="faultline_reviewed_verdicts",
    kind=Kind.GAUGE,
    labels=("review",),
    help="Verdicts in the history that people have reviewed: right, wrong, or left undetermined by us.",
)
WEB = Family(
    name="faultline_web_info",
    kind=Kind.INFO,
    labels=("external_url",),
    help="The address under which people reach the pages, so that alerts can link to a run.",
)
NOTIFICATIONS = Family(
    name="faultline_notifications_total",
    kind=Kind.COUNTER,
    labels=("receiver",),
    help="Notifications that we tried to deliver ourselves, each counted once.",
)
NOTIFICATION_FAILURES = Family(
    name="faultline_notification_failures_total",
    kind=Kind.COUNTER,
    labels=("receiver",),
    help="Notifications that could not be delivered, after all attempts.",
)
SERIES = Family(
    name="faultline_series",
    kind=Kind.GAUGE,
    help="Series held for checks and what they depend on; the limit on series holds for these.",
)
SERIES_REFUSED = Family(
    name="faultline_series_refused_total",
    kind=Kind.COUNTER,
    help="How often a new set of label values was refused because the limit was reached.",
)

FAMILIES: tuple[Family, ...] = (
    BUILD,
    RELOADED,
    RELOADED_AT,
    STARTED_AT,
    CHECKS,
    LOOP_LAG,
    CLOCK_OFFSET,
    SCHEDULER_LAG,
    SCHEDULER_ALIVE,
    WORKERS,
    QUEUE,
    QUEUE_AGE,
    STORE_WRITABLE,
    STORE_BYTES,
    PROBER_FAULTS,
    EXPERIMENTS,
    INVESTIGATION,
    TRUNCATIONS,
    DROPPED,
    PUBLISH_FAILURES,
    HEALTHY,
    HEARTBEAT,
    BROWSER_CRASHES,
    BROWSER_CONTEXTS,
    OPEN_INCIDENTS,
    DIAGNOSES,
    REVIEWED,
    WEB,
    NOTIFICATIONS,
    NOTIFICATION_FAILURES,
    SERIES,
    SERIES_REFUSED,
)
"""All of them."""
