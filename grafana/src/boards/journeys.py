"""All journeys: a table with a row for each check, and how they stood over time."""

from __future__ import annotations

from grafana.src import palette, promql
from grafana.src.frame import Board, Section, board_url, runs_url
from grafana.src.panels import COARSE, Anything, Face, Query, aside, by_mark, counters, lines, stacks, timeline
from grafana.src.promql import CHECK, at_check, at_place, count, of_team, quantile
from grafana.src.tables import Column, rows

_THIS = {
    "journey": "${__data.fields.Journey}",
    "target": "${__data.fields.Target}",
    "profile": "${__data.fields.Profile}",
}
_SERIES = {name: f"${{__field.labels.{name}}}" for name in ("journey", "target", "profile")}


def journeys() -> Board:
    """Return the overview for those who run the service."""
    return Board(
        name="journeys",
        folder="Journeys",
        title="Faultline / Journeys",
        about="Every check with its state, success beside coverage, speed, experience and budget. For SREs.",
        sections=(
            Section(title="Now", panels=(*_counts(), _table())),
            Section(title="Over time", panels=(_history(), _failures(), _durations(), _burn(), _gaps())),
        ),
    )


def _counts() -> tuple[Anything, ...]:
    told = {
        6: "Checks that fail at more than half of their locations.",
        5: "Checks that fail at some of their locations.",
        4: "Checks of which more than half of the runs of the last 30 minutes took longer than their budget.",
        3: "Checks of which nothing recent is known.",
        2: "Checks in a maintenance window.",
        1: "Checks of which the latest run got there in time.",
    }
    return tuple(_counted(code, about) for code, about in told.items())


def _counted(code: int, about: str) -> Anything:
    mark = palette.STATES[code]
    face = Face(title=f"Checks: {mark.word}", about=about, width=4, height=4)
    return counters(face, (Query(expr=f"sum(({promql.state()}) == bool {code})", legend=mark.word), mark))


def _table() -> Anything:
    face = Face(
        title="Checks",
        about="One row a check. Success is the share of conclusive runs that got there, over all locations; it reads "
        "'insufficient' where fewer than 90 % of the planned runs said anything. It is rounded down, never up.",
        width=24,
        height=11,
    )
    return rows(face, (*_who(), *_how()), sort="State", descending=True)


def _who() -> tuple[Column, ...]:
    detail = (("Open the journey", board_url("journey", **_THIS)), ("Runs of this check", runs_url(**_THIS)))
    return (
        Column(name="Journey", label="journey", links=detail),
        Column(name="Target", label="target"),
        Column(name="Profile", label="profile"),
        Column(name="Team", label="team"),
        Column(
            name="State",
            expr=promql.with_team(promql.state()),
            mappings=palette.states(palette.STATES),
            filled=True,
            width=130,
        ),
    )


def _how() -> tuple[Column, ...]:
    buckets = at_place("faultline_journey_duration_seconds_bucket")
    last = f"max by ({CHECK}) ({at_place('faultline_journey_last_run_timestamp_seconds')})"
    left = at_check("check:faultline_error_budget_remaining:ratio30d")
    return (
        _percent("Success 24 h", promql.with_team(promql.success("1d"))),
        _percent("Coverage 24 h", promql.with_team(promql.floored(promql.coverage("1d"))), width=130),
        _percent("Success 30 d", promql.with_team(promql.success("30d"))),
        _percent("Coverage 30 d", promql.with_team(promql.floored(promql.coverage("30d"))), width=130),
        _seconds("Median", quantile(0.5, buckets, CHECK, "$__range")),
        _seconds("P95", quantile(0.95, buckets, CHECK, "$__range")),
        Column(
            name="Apdex 24 h",
            expr=promql.with_team(at_check("check:faultline_experience_score:apdex1d")),
            unit="none",
            decimals=2,
            nothing="no threshold",
        ),
        Column(
            name="Budget left",
            expr=promql.with_team(promql.floored(left)),
            unit="percentunit",
            decimals=1,
            mappings=(palette.SPENT,),
            nothing="no objective",
        ),
        Column(
            name="Last run",
            expr=promql.with_team(f"{last} * 1000"),
            unit="dateTimeFromNow",
            width=150,
            links=(("The latest run", "${run_pages}/runs/latest?" + "&".join(f"{k}={v}" for k, v in _THIS.items())),),
        ),
    )


def _seconds(name: str, expr: str) -> Column:
    return Column(name=name, expr=promql.with_team(expr), unit="s")


def _percent(name: str, expr: str, *, width: int = 0) -> Column:
    return Column(name=name, expr=expr, unit="percentunit", decimals=3, width=width, mappings=(palette.INSUFFICIENT,))


def _history() -> Anything:
    face = Face(
        title="State of each check",
        about="What each check met over time. An empty stretch is a time of which nothing is known.",
        unit="none",
        width=24,
        height=10,
        step="2m",
        links=(("Runs of this check", runs_url(**_SERIES)),),
    )
    query = Query(expr=promql.state(), legend="{{journey}} · {{target}} · {{profile}}")
    return timeline(face, query, marks=palette.STATES)


def _failures() -> Anything:
    face = Face(title="Failed runs by cause", about="Failed runs in each interval, by whose they were.", step=COARSE)
    failed = at_place("faultline_journey_run_failures_total")
    expr = f"sum by (cause) ({of_team(count(failed, f'{CHECK}, cause', '$__interval'))})"
    return by_mark(stacks(face, Query(expr=expr, legend="{{cause}}")), palette.CAUSES)


def _durations() -> Anything:
    face = Face(
        title="95th percentile of each journey",
        about="Duration of runs that got there. The points on the lines lead to single runs.",
        unit="s",
        step=COARSE,
        links=(("Runs of this journey", runs_url(journey="${__field.labels.journey}")),),
    )
    buckets = at_place("faultline_journey_duration_seconds_bucket")
    return lines(face, Query(expr=quantile(0.95, buckets, "journey"), legend="{{journey}}", exemplar=True))


def _burn() -> Anything:
    face = Face(
        title="Burn rate, one hour",
        about="How many times faster than allowed the error budget is spent: at 1 it lasts its 30 days exactly, above "
        "14.4 somebody is paged.",
        unit="none",
        step="5m",
        nothing="no objective known",
    )
    expr = of_team(at_check("check:faultline_burn_rate:ratio1h"))
    paged = "somebody is paged"
    panel = lines(
        face,
        Query(expr=expr, legend="{{journey}} · {{target}} · {{profile}}"),
        Query(expr="vector(14.4)", legend=paged),
    )
    return aside(by_mark(panel, {paged: palette.Mark(word=paged, color=palette.FAILING.color)}))


def _gaps() -> Anything:
    face = Face(
        title="Runs that say nothing about customers",
        about="Slots that were skipped, missed or lost, and runs in which we could not look. They lower coverage.",
        step=COARSE,
    )
    kinds = {
        "skipped": at_check("faultline_journey_runs_skipped_total"),
        "missed": at_check("faultline_journey_runs_missed_total"),
        "lost": at_check("faultline_journey_runs_lost_total"),
        "inconclusive": at_place("faultline_journey_runs_inconclusive_total"),
    }
    queries = [
        Query(expr=f"sum({of_team(count(series, window='$__interval'))})", legend=name)
        for name, series in kinds.items()
    ]
    return stacks(face, *queries)
