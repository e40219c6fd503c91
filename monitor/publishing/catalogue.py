"""Every metric family that is exposed; ``docs/metrics.md`` explains them, and a committed list holds them still."""

from __future__ import annotations

from monitor.publishing.series import Family, Kind

CHECK = ("journey", "target", "profile")
PLACE = (*CHECK, "location")

RUNS = Family(
    name="faultline_journey_runs_total",
    kind=Kind.COUNTER,
    labels=PLACE,
    help="Finished runs that say something about customers: passed, degraded or failed.",
)
FAILURES = Family(
    name="faultline_journey_run_failures_total",
    kind=Kind.COUNTER,
    labels=(*PLACE, "cause"),
    help="Failed runs by whose failure it was; the sum over causes is the number of failed runs.",
)
FAILURE_DETAILS = Family(
    name="faultline_journey_run_failure_details_total",
    kind=Kind.COUNTER,
    labels=(*PLACE, "detail"),
    help="Failed runs by the second level of their cause; a series appears with its first failure.",
)
INCONCLUSIVE = Family(
    name="faultline_journey_runs_inconclusive_total",
    kind=Kind.COUNTER,
    labels=PLACE,
    help="Runs in which we could not look, or only the monitor was affected. They count for nothing but coverage.",
)
DEGRADED = Family(
    name="faultline_journey_runs_degraded_total",
    kind=Kind.COUNTER,
    labels=PLACE,
    help="Runs that got there over budget.",
)
RECOVERED = Family(
    name="faultline_journey_runs_recovered_total",
    kind=Kind.COUNTER,
    labels=PLACE,
    help="Runs that passed only after an attempt that did not.",
)
SLOTS = Family(
    name="faultline_journey_slots_total",
    kind=Kind.COUNTER,
    labels=CHECK,
    help="Planned slots that reached their end, whatever it was. Coverage is conclusive runs over these.",
)
SKIPPED = Family(
    name="faultline_journey_runs_skipped_total",
    kind=Kind.COUNTER,
    labels=(*CHECK, "reason"),
    help="Slots that were left out on purpose.",
)
MISSED = Family(
    name="faultline_journey_runs_missed_total",
    kind=Kind.COUNTER,
    labels=(*CHECK, "reason"),
    help="Slots that were not started in time.",
)
LOST = Family(
    name="faultline_journey_runs_lost_total",
    kind=Kind.COUNTER,
    labels=(*CHECK, "reason"),
    help="Slots that were started and brought no result.",
)
DURATION = Family(
    name="faultline_journey_duration_seconds",
    kind=Kind.HISTOGRAM,
    labels=PLACE,
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0),
    help="Duration of runs that passed or were degraded.",
)
SUCCESS = Family(
    name="faultline_journey_success",
    kind=Kind.GAUGE,
    labels=PLACE,
    help="State now: 1 if the latest conclusive run passed or was degraded, 0 if it failed; absent when it is too old.",
)
LAST_RUN = Family(
    name="faultline_journey_last_run_timestamp_seconds",
    kind=Kind.GAUGE,
    labels=PLACE,
    help="When the latest run ended, whatever its outcome.",
)
LAST_SUCCESS = Family(
    name="faultline_journey_last_success_timestamp_seconds",
    kind=Kind.GAUGE,
    labels=PLACE,
    help="When the latest run that passed or was degraded ended.",
)
INTERVAL = Family(
    name="faultline_journey_interval_seconds",
    kind=Kind.GAUGE,
    labels=CHECK,
    help="Planned time between two runs; absent where a crontab decides.",
)
OBJECTIVE = Family(
    name="faultline_journey_slo_objective_ratio",
    kind=Kind.GAUGE,
    labels=CHECK,
    help="Share of runs that should succeed.",
)
INFO = Family(
    name="faultline_journey_info",
    kind=Kind.INFO,
    labels=(*CHECK, "check", "probe", "team", "service", "tier", "business_process"),
    help="What is configured about a check, for joins.",
)
EXPERIENCE = Family(
    name="faultline_journey_experience_runs_total",
    kind=Kind.COUNTER,
    labels=(*PLACE, "rating"),
    help="Conclusive runs by how customers would rate them (Apdex), of checks with a threshold; failed is frustrated.",
)
LATENCY_THRESHOLD = Family(
    name="faultline_journey_slo_latency_threshold_seconds",
    kind=Kind.GAUGE,
    labels=CHECK,
    help="Up to this duration a run is satisfying, up to four times it tolerable; absent where none is configured.",
)
MAINTENANCE = Family(
    name="faultline_journey_maintenance",
    kind=Kind.GAUGE,
    labels=CHECK,
    help="Whether a maintenance window covers the check just now.",
)
CUSTOMERS = Family(
    name="faultline_journey_customers_per_hour",
    kind=Kind.GAUGE,
    labels=CHECK,
    help="Customers who take this journey in an hour, as configured; absent where it is not.",
)
CUSTOMER_VALUE = Family(
    name="faultline_journey_value_per_customer",
    kind=Kind.GAUGE,
    labels=(*CHECK, "currency"),
    help="What one customer's journey is worth, as configured, in the currency of the label; absent where it is not.",
)
CULPRITS = Family(
    name="faultline_journey_run_culprits_total",
    kind=Kind.COUNTER,
    labels=(*PLACE, "cause", "kind", "culprit"),
    help="Failed runs by whom they are put down to; a series appears with its first failure.",
)
STEP_INFO = Family(
    name="faultline_step_info",
    kind=Kind.INFO,
    labels=(*CHECK, "step", "position", "capability"),
    help="Where a step stands in its journey, from 1, and the capability behind it, for joins.",
)
STEP_DURATION = Family(
    name="faultline_step_duration_seconds",
    kind=Kind.SUMMARY,
    labels=(*PLACE, "step"),
    help="Duration of steps that passed or were degraded.",
)
STEP_FAILURES = Family(
    name="faultline_step_failures_total",
    kind=Kind.COUNTER,
    labels=(*PLACE, "step", "cause"),
    help="Failed runs by the step that failed; a series appears with its first failure.",
)
PHASES = Family(
    name="faultline_http_phase_duration_seconds",
    kind=Kind.SUMMARY,
    labels=(*PLACE, "phase"),
    help="Time by phase of an HTTP journey's requests, or of a browser journey's first page.",
)
LCP = Family(
    name="faultline_largest_contentful_paint_seconds",
    kind=Kind.HISTOGRAM,
    labels=PLACE,
    buckets=(0.5, 1.0, 1.8, 2.5, 4.0),
    help="Largest Contentful Paint of the run's first page; good up to 2.5 s, poor above 4 s.",
)
FCP = Family(
    name="faultline_first_contentful_paint_seconds",
    kind=Kind.HISTOGRAM,
    labels=PLACE,
    buckets=(0.3, 0.6, 1.0, 1.8, 3.0),
    help="First Contentful Paint of the run's first page; good up to 1.8 s, poor above 3 s.",
)
TTFB = Family(
    name="faultline_time_to_first_byte_seconds",
    kind=Kind.HISTOGRAM,
    labels=PLACE,
    buckets=(0.1, 0.2, 0.4, 0.8, 1.8),
    help="Time to First Byte of the run's first page; good up to 0.8 s, poor above 1.8 s.",
)
INP = Family(
    name="faultline_interaction_to_next_paint_seconds",
    kind=Kind.HISTOGRAM,
    labels=PLACE,
    buckets=(0.05, 0.1, 0.2, 0.35, 0.5),
    help="Interaction to Next Paint of the run's first page; good up to 0.2 s, poor above 0.5 s.",
)
CLS = Family(
    name="faultline_cumulative_layout_shift",
    kind=Kind.HISTOGRAM,
    labels=PLACE,
    buckets=(0.01, 0.05, 0.1, 0.18, 0.25),
    help="Cumulative Layout Shift of the run's first page, without a unit; good up to 0.1, poor above 0.25.",
)
TRANSFER = Family(
    name="faultline_page_transfer_bytes",
    kind=Kind.SUMMARY,
    labels=(*PLACE, "party"),
    help="Bytes that a browser run received, from own hosts (first) and from all others (third).",
)
CERTIFICATE = Family(
    name="faultline_tls_certificate_expiry_timestamp_seconds",
    kind=Kind.GAUGE,
    labels=("host",),
    help="When the first certificate of a configured host's chain expires.",
)
COLLATERAL = Family(
    name="faultline_collateral_total",
    kind=Kind.COUNTER,
    labels=(*PLACE, "cause"),
    help="Defects that were seen and did not hurt the journey; never failures.",
)
VENDOR_REQUESTS = Family(
    name="faultline_third_party_requests_total",
    kind=Kind.COUNTER,
    labels=("third_party", "location"),
    help="Requests to third parties; those beyond the list of names are counted as other.",
)
VENDOR_FAILURES = Family(
    name="faultline_third_party_failures_total",
    kind=Kind.COUNTER,
    labels=("third_party", "location", "journey", "reason"),
    help="Failed requests to third parties, whether or not they hurt the journey.",
)
VENDOR_DURATION = Family(
    name="faultline_third_party_request_duration_seconds",
    kind=Kind.SUMMARY,
    labels=("third_party", "location"),
    help="Duration of requests to third parties that were answered.",
)
VENDOR_OBJECTIVE = Family(
    name="faultline_third_party_objective_ratio",
    kind=Kind.GAUGE,
    labels=("third_party",),
    help="Share of requests that a third party should answer, as the ownership file states it.",
)
DEPLOYMENT = Family(
    name="faultline_deployment_timestamp_seconds",
    kind=Kind.GAUGE,
    labels=("service", "version"),
    help="When a service was last deployed, as far as we were told; the latest version of each service only.",
)
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
    buckets=(0.001, 0.01, 0.1, 0.5, 2.0, 5.0),
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
HEARTBEAT = Family(
    name="faultline_location_last_heartbeat_timestamp_seconds",
    kind=Kind.GAUGE,
    labels=("location",),
    help="When the monitor at a location last said that it is able to make runs.",
)
BROWSER_CRASHES = Family(
    name="faultline_browser_crashes_total",
    kind=Kind.COUNTER,
    help="Browsers that crashed, froze, or had to be killed; the runs in them were inconclusive.",
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
    help="Verdicts in the history that people have reviewed, by whether they found them right.",
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
    help="Sets of label values held for checks and third parties, each with one or more series.",
)
SERIES_REFUSED = Family(
    name="faultline_series_refused_total",
    kind=Kind.COUNTER,
    help="How often a new set of label values was refused because the limit was reached.",
)

CORE: tuple[Family, ...] = (
    RUNS,
    FAILURES,
    INCONCLUSIVE,
    SUCCESS,
    LAST_RUN,
    LAST_SUCCESS,
    INTERVAL,
    OBJECTIVE,
    INFO,
)
VITALS: tuple[Family, ...] = (LCP, FCP, TTFB, INP, CLS)
OF_CHECKS: tuple[Family, ...] = (
    *CORE,
    FAILURE_DETAILS,
    DEGRADED,
    RECOVERED,
    SLOTS,
    SKIPPED,
    MISSED,
    LOST,
    DURATION,
    EXPERIENCE,
    LATENCY_THRESHOLD,
    MAINTENANCE,
    CUSTOMERS,
    CUSTOMER_VALUE,
    CULPRITS,
    STEP_INFO,
    STEP_DURATION,
    STEP_FAILURES,
    PHASES,
    *VITALS,
    TRANSFER,
    COLLATERAL,
)
OF_VENDORS: tuple[Family, ...] = (
    CERTIFICATE,
    VENDOR_REQUESTS,
    VENDOR_FAILURES,
    VENDOR_DURATION,
    VENDOR_OBJECTIVE,
    DEPLOYMENT,
)
OF_OURSELVES: tuple[Family, ...] = (
    BUILD,
    RELOADED,
    RELOADED_AT,
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
FAMILIES: tuple[Family, ...] = (*OF_CHECKS, *OF_VENDORS, *OF_OURSELVES)
