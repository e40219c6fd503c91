"""The pieces that expressions are made of: selectors, joins and the states that a check can be in."""

from __future__ import annotations

CHECK = "journey, target, profile"
_OF_CHECK = 'journey=~"$journey", target=~"$target", profile=~"$profile"'
_INFO = f'faultline_journey_info{{{_OF_CHECK}, team=~"$team"}}'

_BORN_WITH_AN_EVENT = frozenset(
    {
        "faultline_collateral_total",
        "faultline_experiments_total",
        "faultline_journey_run_culprits_total",
        "faultline_journey_run_failure_details_total",
        "faultline_journey_runs_lost_total",
        "faultline_journey_runs_missed_total",
        "faultline_journey_runs_skipped_total",
        "faultline_step_failures_total",
        "faultline_third_party_failures_total",
    }
)
ENOUGH_COVERAGE = 0.9
SLOW_SHARE = 0.5
# Seconds that one failed run stands for.
WEIGHT = "check:faultline_journey_interval_seconds:max / check:faultline_locations:avg1d"
_NOW = "30m"


def at_check(metric: str, *matchers: str) -> str:
    """Return the series of the chosen checks, of a metric without a location."""
    return f"{metric}{{{', '.join((_OF_CHECK, *matchers))}}}"


def at_place(metric: str, *matchers: str) -> str:
    """Return the series of the chosen checks at the chosen locations."""
    return at_check(metric, 'location=~"$location"', *matchers)


def of_team(expr: str) -> str:
    """Return what belongs to checks of the chosen teams; checks without a team belong to "All"."""
    return f"({expr}) and on ({CHECK}) {_INFO}"


def count(selector: str, by: str = CHECK, window: str = "$__range") -> str:
    """Return how much a counter rose within the window, summed; the rise that made a series appear counts too."""
    return f"sum by ({by}) ({risen(selector, window)})"


def risen(selector: str, window: str) -> str:
    """Return the rise of each series; of one that appears with its first event, that event is part of it."""
    rise = f"increase({selector}[{window}])"
    if selector.partition("{")[0] not in _BORN_WITH_AN_EVENT:
        return rise
    return f"{rise} + clamp_max({selector} unless {selector} offset {window}, 1) or {rise}"


def ratio(part: str, whole: str) -> str:
    """Return a share; without a whole there is none."""
    return f"({part}) / ({whole} > 0)"


def mean(summary: str, by: str, window: str = "$__rate_interval") -> str:
    """Return the mean of a summary or a histogram over the window; ``summary`` holds ``%s`` for the suffix."""
    part, whole = (f"sum by ({by}) (rate({summary % suffix}[{window}]))" for suffix in ("_sum", "_count"))
    return ratio(part, whole)


def quantile(share: float, histogram: str, by: str = "", window: str = "$__rate_interval") -> str:
    """Return a quantile of a histogram's buckets."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}[{window}])))"


def floored(expr: str) -> str:
    """Return a ratio rounded down to a thousandth of a percent, so that 99.9996 % is never shown as 100 %."""
    return f"floor(({expr}) * 100000 + 0.000001) / 100000"


def guarded(availability: str, coverage: str) -> str:
    """Return an availability where coverage suffices, and -1 ("insufficient") where it does not."""
    enough = f"({coverage}) >= {ENOUGH_COVERAGE}"
    return f"({floored(availability)} and on ({CHECK}) ({enough})) or (({coverage}) < {ENOUGH_COVERAGE}) * 0 - 1"


def success(window: str) -> str:
    """Return the share of runs that succeeded over a recorded window (1d or 30d), guarded by coverage."""
    failures = at_check(f"check:faultline_run_failures_per_runs:ratio_rate{window}")
    return guarded(f"1 - {failures}", coverage(window))


def coverage(window: str) -> str:
    """Return the recorded coverage of a window."""
    return at_check(f"check:faultline_coverage:ratio_rate{window}")


def impact(window: str, *matchers: str) -> str:
    """Return the recorded estimate of seconds in which customers were hurt, by check and cause, of the chosen teams."""
    return of_team(at_check(f"check_cause:faultline_impact_seconds:increase{window}", *matchers))


def added_up(hourly: str, window: str) -> str:
    """Return the sum of a recorded hourly increase over a window: four looks at each hour, as rules do for 3 days."""
    return f"sum_over_time({hourly}[{window}:15m]) / 4"


def cost(window: str) -> str:
    """Return what the impact cost, by check, cause and currency: an estimate, and only where it is configured."""
    customers = f"max by ({CHECK}) ({at_check('faultline_journey_customers_per_hour')})"
    value = f"max by ({CHECK}, currency) ({at_check('faultline_journey_value_per_customer')})"
    worth = f"{value} * on ({CHECK}) group_left () {customers}"
    return f"({impact(window)}) / 3600 * on ({CHECK}) group_left (currency) ({worth})"


def vendor_state(asked: str, failed: str) -> str:
    """Return the state of each third party as a code: see ``palette.VENDOR_STATES``."""
    share = ratio(failed, asked)
    return f"({share} > 0.25) * 0 + 6 or ({share} > 0.02) * 0 + 4 or ({asked} > 0) * 0 + 1 or {asked} * 0 + 3"


def culprits(kind: str, by: str, window: str = "$__range", culprit: str = "") -> str:
    """Return seconds of impact by whom failed runs are put down to, weighed as the recorded impact is."""
    matchers = (f'kind="{kind}"', *((f'culprit=~"{culprit}"',) if culprit else ()))
    failed = count(at_place("faultline_journey_run_culprits_total", *matchers), f"{CHECK}, culprit, cause", window)
    return f"sum by ({by}) (({of_team(failed)}) * on ({CHECK}) group_left () ({WEIGHT}))"


def broken_promises(window: str = "$__range") -> str:
    """Return failed runs of our own making, by the back-end capability behind the step in which they ended."""
    failed = count(at_place("faultline_step_failures_total", 'cause="own_infrastructure"'), f"{CHECK}, step", window)
    named = at_check("faultline_step_info", 'capability!=""')
    info = f"max by ({CHECK}, step, capability) ({named})"
    return f"sum by (capability) (({of_team(failed)}) * on ({CHECK}, step) group_left (capability) {info}) > 0"


def with_team(expr: str) -> str:
    """Return what belongs to checks of the chosen teams, with the team as a label."""
    return f'({expr}) * on ({CHECK}) group_left (team) check:faultline_journey_info:max{{team=~"$team"}}'


def joined(expr: str, *labels: str) -> str:
    """Return an expression about checks with labels that are known of each check, such as its service."""
    return f"({expr}) * on ({CHECK}) group_left ({', '.join(labels)}) check:faultline_journey_info:max"


def state() -> str:
    """Return the state of every chosen check as a code: see ``palette.STATES``."""
    passing = f"avg by ({CHECK}) ({at_place('faultline_journey_success')})"
    every = f"max by ({CHECK}) ({at_check('faultline_journey_info')})"
    slow = ratio(
        count(at_place("faultline_journey_runs_degraded_total"), window=_NOW),
        count(at_place("faultline_journey_runs_total"), window=_NOW),
    )
    maintained = f"max by ({CHECK}) ({at_check('faultline_journey_maintenance')}) == 1"
    return of_team(
        f"({maintained}) * 2"
        f" or ({passing} < 0.5) * 0 + 6"
        f" or ({passing} < 1) * 0 + 5"
        f" or ({every} unless on ({CHECK}) {passing}) * 0 + 3"
        f" or ({slow} > {SLOW_SHARE}) * 0 + 4"
        f" or {every} * 0 + 1"
    )


def state_at_place() -> str:
    """Return what each check met at each location: 0 failing, 1 OK, 2 maintenance; nothing where nothing is known."""
    outcome = f"max by ({CHECK}, location) ({at_place('faultline_journey_success')})"
    maintained = f"max by ({CHECK}) ({at_check('faultline_journey_maintenance')}) == 1"
    known = f"max by ({CHECK}, location) ({at_place('faultline_journey_last_run_timestamp_seconds')})"
    return of_team(f"({known} and on ({CHECK}) ({maintained})) * 0 + 2 or {outcome}")


def zero_if_alive(expr: str) -> str:
    """Return a count that is zero where nothing is counted, but nothing at all where the monitor is not scraped."""
    return f"({expr}) or on () (0 * count(faultline_build_info))"
