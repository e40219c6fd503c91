"""One journey: where it breaks, for whom, how long it takes, and what stands behind each step."""

from __future__ import annotations

from grafana.src import palette, promql
from grafana.src.boards.journey_speed import durations, page
from grafana.src.frame import Board, Choice, Section, runs_url
from grafana.src.panels import (
    COARSE,
    COUNT,
    MINUTES,
    Anything,
    Face,
    Query,
    by_mark,
    numbers,
    ranking,
    stacks,
    tiles,
    timeline,
)
from grafana.src.promql import CHECK, at_check, at_place, count, mean
from grafana.src.tables import Column, rows

_RUNS = runs_url(journey="${journey}")
_AT = runs_url(journey="${journey}", location="${__field.labels.location}")
_CHECK_LEGEND = "{{target}} · {{profile}}"
_NOT_COUNTED = "not counted"
_STEP_INFO = f"max by ({CHECK}, step, position, capability) ({at_check('faultline_step_info')})"


def journey() -> Board:
    """Return the dashboard for whoever is on call."""
    return Board(
        name="journey",
        folder="Journeys",
        title="Faultline / One journey",
        about="One journey in full: places, steps with the capability behind each, phases, vitals, causes, runs.",
        sections=(
            Section(title="How it stands", panels=(_state(), *_figures())),
            Section(title="Where it breaks", panels=(_funnel(), _step_failures(), _places())),
            Section(title="Why", panels=(_causes(), _culprits(), _details(), _recent())),
            Section(title="How long it takes", panels=durations()),
            Section(title="What the page does", panels=page()),
        ),
        choices=(Choice.JOURNEY, Choice.TARGET, Choice.PROFILE, Choice.LOCATION, Choice.TEAM),
        single=Choice.JOURNEY,
    )


def _state() -> Anything:
    face = Face(
        title="State now",
        about="The state of each check of this journey, by target and profile.",
        unit="none",
        width=8,
        height=5,
        links=(("Runs", _RUNS),),
    )
    return tiles(face, Query(expr=promql.state(), legend=_CHECK_LEGEND))


def _figures() -> tuple[Anything, ...]:
    success = Face(
        title="Success, 24 h",
        about="Share of conclusive runs that got there, rounded down; 'insufficient' below 90 % coverage.",
        unit="percentunit",
        width=4,
        height=5,
        decimals=3,
    )
    covered = Face(
        title="Coverage, 24 h",
        about="Conclusive runs over planned ones. Without it the figure of success says nothing.",
        unit="percentunit",
        width=4,
        height=5,
        decimals=3,
    )
    budget = Face(
        title="Error budget left, 30 d",
        about="What is left of the share of runs that may fail.",
        unit="percentunit",
        width=4,
        height=5,
        decimals=1,
        nothing="no objective known",
    )
    lost = Face(
        title="Minutes lost, 24 h",
        about="Estimate: failed runs times the planned interval.",
        unit=MINUTES,
        width=4,
        height=5,
        decimals=0,
    )
    left = promql.floored(at_check("check:faultline_error_budget_remaining:ratio30d"))
    return (
        numbers(success, Query(expr=promql.success("1d"), legend=_CHECK_LEGEND), mappings=(palette.INSUFFICIENT,)),
        numbers(covered, Query(expr=promql.floored(promql.coverage("1d")), legend=_CHECK_LEGEND)),
        numbers(budget, Query(expr=left, legend=_CHECK_LEGEND), mappings=(palette.SPENT,)),
        numbers(lost, Query(expr=f"sum by (target, profile) ({promql.impact('1d')}) / 60", legend=_CHECK_LEGEND)),
    )


def _funnel() -> Anything:
    face = Face(
        title="Funnel of steps",
        about="Of all conclusive runs, how many got past each step; the capability behind it; and the failed runs "
        "that ended in it, by whose fault it was. What got past and durations need metrics.detail: full.",
        width=24,
        height=8,
    )
    by = "position, step, capability"
    passed = _by_step(count(at_place("faultline_step_duration_seconds_count"), f"{CHECK}, step"), by)
    all_runs = f"scalar(sum({count(at_place('faultline_journey_runs_total'))}))"
    spent = mean(at_place("faultline_step_duration_seconds%s"), f"{CHECK}, step", "$__range")
    causes = tuple(
        Column(name=mark.word, expr=_failed(cause, by), unit=COUNT, decimals=0)
        for cause, mark in palette.CAUSES.items()
    )
    columns = (
        Column(name="#", label="position", width=50),
        Column(name="Step", label="step"),
        Column(name="Capability", label="capability"),
        Column(
            name="Got past",
            expr=f"{passed} / {all_runs}",
            unit="percentunit",
            decimals=1,
            bar=True,
            most=1,
            nothing=_NOT_COUNTED,
        ),
        *causes,
        Column(name="Mean duration", expr=f"avg by ({by}) ({_joined(spent)})", unit="s", nothing=_NOT_COUNTED),
    )
    return rows(face, columns, sort="#")


def _joined(expr: str) -> str:
    return f"({expr}) * on ({CHECK}, step) group_left (position, capability) {_STEP_INFO}"


def _by_step(expr: str, by: str) -> str:
    return f"sum by ({by}) ({_joined(expr)})"


def _failed(cause: str, by: str) -> str:
    failed = count(at_place("faultline_step_failures_total", f'cause="{cause}"'), f"{CHECK}, step")
    return f"{_by_step(failed, by)} or sum by ({by}) ({_STEP_INFO}) * 0"


def _step_failures() -> Anything:
    face = Face(
        title="Failed runs by step",
        about="In which step runs ended, over time.",
        step=COARSE,
        nothing="no failed run seen",
        links=(("Failed runs", runs_url(journey="${journey}", outcome="failed")),),
    )
    expr = count(at_place("faultline_step_failures_total"), "step", "$__interval")
    return stacks(face, Query(expr=expr, legend="{{step}}"))


def _places() -> Anything:
    face = Face(
        title="By location",
        about="What each location met over time. An empty stretch is a time of which nothing is known.",
        unit="none",
        step="1m",
        links=(("Runs there", _AT),),
    )
    return timeline(face, Query(expr=promql.state_at_place(), legend="{{location}} · {{target}} · {{profile}}"))


def _causes() -> Anything:
    face = Face(
        title="Failed runs by cause",
        about="Failed runs in each interval, by whose they were.",
        step=COARSE,
        links=(("Runs", runs_url(journey="${journey}", cause="${__field.labels.cause}")),),
    )
    expr = count(at_place("faultline_journey_run_failures_total"), "cause", "$__interval")
    return by_mark(stacks(face, Query(expr=expr, legend="{{cause}}")), palette.CAUSES)


def _culprits() -> Anything:
    face = Face(
        title="Put down to",
        about="Failed runs by the team, the third party or the part of the environment that they are put down to.",
        nothing="no failed run seen",
    )
    columns = (
        Column(name="Team, third party or part", label="culprit"),
        Column(name="Cause", label="cause", mappings=(palette.renamed(),), filled=True),
        Column(
            name="Failed runs",
            expr=f"{count(at_place('faultline_journey_run_culprits_total'), 'culprit, cause')} > 0",
            unit=COUNT,
            decimals=0,
            bar=True,
        ),
    )
    return rows(face, columns, sort="Failed runs", descending=True)


def _details() -> Anything:
    face = Face(
        title="Failed runs by detail",
        about="The second level of the cause; docs/causes.md explains each.",
        decimals=0,
        nothing="no failed run seen",
    )
    expr = f"sort_desc({count(at_place('faultline_journey_run_failure_details_total'), 'detail')} > 0)"
    return ranking(face, Query(expr=expr, legend="{{detail}}"))


def _recent() -> Anything:
    face = Face(
        title="Recovered, slow, and with defects that did not hurt",
        about="Runs that passed on a later attempt, runs over budget, and defects seen beside: signs that come before "
        "failures.",
        step=COARSE,
    )
    kinds = {
        "recovered": "faultline_journey_runs_recovered_total",
        "over budget": "faultline_journey_runs_degraded_total",
        "collateral defects": "faultline_collateral_total",
    }
    queries = [
        Query(expr=f"sum({count(at_place(metric), window='$__interval')})", legend=name)
        for name, metric in kinds.items()
    ]
    return stacks(face, *queries)
