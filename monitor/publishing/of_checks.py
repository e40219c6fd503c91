"""The families that each check has, from the fewest to all."""

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
INCONCLUSIVE = Family(
    name="faultline_journey_runs_inconclusive_total",
    kind=Kind.COUNTER,
    labels=PLACE,
    help="Runs in which we could not look, or only the monitor was affected. They count for nothing but coverage.",
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
LONGEST_GAP = Family(
    name="faultline_journey_longest_gap_seconds",
    kind=Kind.GAUGE,
    labels=CHECK,
    help="Longest time without a finished run that crontab and deadline allow; absent where there is an interval.",
)
OBJECTIVE = Family(
    name="faultline_journey_slo_objective_ratio",
    kind=Kind.GAUGE,
    labels=CHECK,
    help="Share of runs that should succeed.",
)
MAINTENANCE = Family(
    name="faultline_journey_maintenance",
    kind=Kind.GAUGE,
    labels=CHECK,
    help="Whether a maintenance window covers the check just now.",
)
INFO = Family(
    name="faultline_journey_info",
    kind=Kind.INFO,
    labels=(*CHECK, "check", "probe", "team", "service", "tier", "business_process"),
    help="What is configured about a check, for joins.",
)
FAILURE_DETAILS = Family(
    name="faultline_journey_run_failure_details_total",
    kind=Kind.COUNTER,
    labels=(*PLACE, "detail"),
    help="Failed runs by the second level of their cause; a series appears with its first failure.",
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
    coarse=(0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    help="Duration of runs that passed or were degraded.",
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
STEP_FAILURES = Family(
    name="faultline_step_failures_total",
    kind=Kind.COUNTER,
    labels=(*PLACE, "step", "cause"),
    help="Failed runs by the step that failed; a series appears with its first failure.",
)
COLLATERAL = Family(
    name="faultline_collateral_total",
    kind=Kind.COUNTER,
    labels=(*PLACE, "cause"),
    help="Defects that were seen and did not hurt the journey; never failures.",
)
STEP_DURATION = Family(
    name="faultline_step_duration_seconds",
    kind=Kind.SUMMARY,
    labels=(*PLACE, "step"),
    help="Duration of steps that passed or were degraded.",
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
    buckets=(0.5, 1.0, 1.8, 2.5, 4.0, 10.0),
    help="Largest Contentful Paint of the run's first page; good up to 2.5 s, poor above 4 s.",
)
FCP = Family(
    name="faultline_first_contentful_paint_seconds",
    kind=Kind.HISTOGRAM,
    labels=PLACE,
    buckets=(0.3, 0.6, 1.0, 1.8, 3.0, 8.0),
    help="First Contentful Paint of the run's first page; good up to 1.8 s, poor above 3 s.",
)
TTFB = Family(
    name="faultline_time_to_first_byte_seconds",
    kind=Kind.HISTOGRAM,
    labels=PLACE,
    buckets=(0.1, 0.2, 0.4, 0.8, 1.8, 5.0),
    help="Time to First Byte of the run's first page; good up to 0.8 s, poor above 1.8 s.",
)
INP = Family(
    name="faultline_interaction_to_next_paint_seconds",
    kind=Kind.HISTOGRAM,
    labels=PLACE,
    buckets=(0.05, 0.1, 0.2, 0.35, 0.5, 1.0),
    help="Interaction to Next Paint of the run's first page; good up to 0.2 s, poor above 0.5 s.",
)
CLS = Family(
    name="faultline_cumulative_layout_shift",
    kind=Kind.HISTOGRAM,
    labels=PLACE,
    buckets=(0.01, 0.05, 0.1, 0.18, 0.25, 0.5),
    help="Cumulative Layout Shift of the run's first page, without a unit; good up to 0.1, poor above 0.25.",
)
TRANSFER = Family(
    name="faultline_page_transfer_bytes",
    kind=Kind.SUMMARY,
    labels=(*PLACE, "party"),
    help="Bytes that a browser run received, from own hosts (first) and from all others (third).",
)

CORE: tuple[Family, ...] = (
    RUNS,
    FAILURES,
    INCONCLUSIVE,
    SUCCESS,
    LAST_RUN,
    LAST_SUCCESS,
    INTERVAL,
    LONGEST_GAP,
    OBJECTIVE,
    MAINTENANCE,
    INFO,
)
"""What every check has: thirteen series. All that an alert must not be without is among them."""
MORE: tuple[Family, ...] = (
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
    CUSTOMERS,
    CUSTOMER_VALUE,
    CULPRITS,
    STEP_INFO,
    STEP_FAILURES,
    COLLATERAL,
)
"""What a check has by default, beside the core."""
MOST: tuple[Family, ...] = (
    STEP_DURATION,
    PHASES,
    LCP,
    FCP,
    TTFB,
    INP,
    CLS,
    TRANSFER,
)
"""What only a check that is counted in full has."""
