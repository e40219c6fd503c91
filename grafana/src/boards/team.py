"""One team: what its systems did to customers, how its own journeys fare, and what has changed."""

from __future__ import annotations

from grafana.src import palette, promql
from grafana.src.frame import Board, Choice, Section, board_url
from grafana.src.panels import COUNT, MINUTES, RUNS, Anything, Face, Query, by_mark, counters, numbers, ranking, stacks
from grafana.src.promql import CHECK, at_check, at_place, count, joined, of_team
from grafana.src.tables import Column, rows

_ESTIMATE = "Estimate: failed runs times the planned interval."


def team() -> Board:
    """Return the scorecard of one team."""
    return Board(
        name="team",
        folder="Teams",
        title="Faultline / Team scorecard",
        about="What a team contributes: the failures that are put down to it, and the journeys that it answers for.",
        sections=(
            Section(title="What is put down to $team", panels=(*_figures(), _trend(), _hurt(), _capabilities())),
            Section(title="The journeys of $team", panels=(_journeys(), _causes(), _cost())),
            Section(title="All teams", panels=(_compared(),)),
        ),
        choices=(Choice.TEAM, Choice.JOURNEY, Choice.TARGET, Choice.PROFILE, Choice.LOCATION),
        single=Choice.TEAM,
        since="now-7d",
        refresh="5m",
    )


def _all(kind: str = "team", window: str = "$__range", culprit: str = "", offset: str = "") -> str:
    matchers = [f'kind="{kind}"', *([f'culprit="{culprit}"'] if culprit else [])]
    selector = f"faultline_journey_run_culprits_total{{{', '.join(matchers)}}}"
    failed = promql.count(selector, f"{CHECK}, culprit, cause", window) if not offset else ""
    earlier = f"sum by ({CHECK}, culprit, cause) (increase({selector}[{window}] offset {offset}))"
    return f"({failed or earlier}) * on ({CHECK}) group_left () ({promql.WEIGHT})"


def _figures() -> tuple[Anything, ...]:
    mine, everything = (
        _all(culprit="$team"),
        promql.added_up("check_cause:faultline_impact_seconds:increase1h", "$__range"),
    )
    before = f"sum({_all(culprit='$team', offset='$__range')}) / 60"
    none = "nothing put down to it"
    return (
        numbers(
            Face(
                title="Minutes lost by it", about=_ESTIMATE, unit=MINUTES, width=6, height=5, decimals=0, nothing=none
            ),
            Query(expr=f"sum({mine}) / 60", legend="this time"),
            Query(expr=before, legend="the time before"),
        ),
        numbers(
            Face(
                title="Share of all minutes lost",
                about="Of what all journeys lost, by whatever cause.",
                unit="percentunit",
                width=6,
                height=5,
                decimals=1,
                nothing=none,
            ),
            Query(expr=f"sum({mine}) / (sum({everything}) > 0)", legend="share"),
        ),
        numbers(
            Face(
                title="Journeys hurt by it", about="Journeys that failed by its fault.", width=6, height=5, nothing=none
            ),
            Query(expr=f"count(sum by (journey) ({mine}) > 0)", legend="journeys"),
        ),
        counters(
            Face(
                title="Its own journeys failing now",
                about="Checks that the team answers for and that fail at more than half of their locations.",
                width=6,
                height=5,
                nothing="no journey known",
            ),
            (Query(expr=f"sum(({promql.state()}) == bool 6)", legend="failing"), palette.FAILING),
        ),
    )


def _trend() -> Anything:
    face = Face(
        title="Minutes lost by it, by journey hurt",
        about=f"By hour. {_ESTIMATE}",
        unit=MINUTES,
        width=24,
        step="1h",
        nothing="nothing put down to it",
    )
    expr = f"sum by (journey) ({_all(window='$__interval', culprit='$team')}) / 60"
    return stacks(face, Query(expr=expr, legend="{{journey}}"))


def _hurt() -> Anything:
    face = Face(
        title="Whose journeys it hurt",
        about=f"Minutes lost by the team that answers for the journey. {_ESTIMATE}",
        unit=MINUTES,
        height=6,
        decimals=0,
        nothing="nothing put down to it",
    )
    expr = f"topk(10, sum by (team) ({joined(_all(culprit='$team'), 'team')}) / 60 > 0)"
    return ranking(face, Query(expr=expr, legend="{{team}}"))


def _capabilities() -> Anything:
    face = Face(
        title="Steps and capabilities that failed in its journeys",
        about="Failed runs of our own making, by the step in which they ended and the capability behind it.",
        unit=RUNS,
        height=6,
        decimals=0,
        nothing="no failure seen",
    )
    failed = count(at_place("faultline_step_failures_total", 'cause="own_infrastructure"'), f"{CHECK}, step")
    info = f"max by ({CHECK}, step, capability) ({at_check('faultline_step_info')})"
    known = f"({of_team(failed)}) * on ({CHECK}, step) group_left (capability) {info}"
    expr = f"topk(10, sum by (step, capability) ({known}) > 0)"
    return ranking(face, Query(expr=expr, legend="{{step}} ({{capability}})"))


def _journeys() -> Anything:
    face = Face(
        title="Its checks",
        about="Success over 30 days is rounded down and reads 'insufficient' below 90 % coverage.",
        width=24,
        height=8,
        nothing="no journey known",
    )
    detail = (("Open the journey", board_url("journey", journey="${__data.fields.Journey}")),)
    columns = (
        Column(name="Journey", label="journey", links=detail),
        Column(name="Target", label="target"),
        Column(name="Profile", label="profile"),
        Column(name="State", expr=promql.state(), mappings=palette.states(palette.STATES), filled=True, width=130),
        Column(
            name="Success 30 d",
            expr=of_team(promql.success("30d")),
            unit="percentunit",
            decimals=3,
            mappings=(palette.INSUFFICIENT,),
        ),
        Column(
            name="Coverage 30 d", expr=of_team(promql.floored(promql.coverage("30d"))), unit="percentunit", decimals=3
        ),
        Column(
            name="Budget left",
            expr=of_team(promql.floored(at_check("check:faultline_error_budget_remaining:ratio30d"))),
            unit="percentunit",
            decimals=1,
            mappings=(palette.SPENT,),
        ),
        Column(
            name="Minutes lost 30 d",
            expr=f"sum by ({CHECK}) ({promql.impact('30d')}) / 60",
            unit=MINUTES,
            decimals=0,
        ),
    )
    return rows(face, columns, sort="State", descending=True)


def _causes() -> Anything:
    face = Face(title="By whose fault its journeys failed", about="Failed runs by cause.", width=16, step="1h")
    failed = at_place("faultline_journey_run_failures_total")
    expr = f"sum by (cause) ({of_team(count(failed, f'{CHECK}, cause', '$__interval'))})"
    return by_mark(stacks(face, Query(expr=expr, legend="{{cause}}")), palette.CAUSES)


def _cost() -> Anything:
    face = Face(
        title="Estimated cost of its journeys' failures, 30 d",
        about="Estimate, where configured: customers per hour times the value of one times the hours lost.",
        width=8,
        decimals=0,
        nothing="not configured",
    )
    return numbers(
        face, Query(expr=f"sum by (currency) ({promql.cost('30d')})", legend="{{currency}}, estimate"), named=True
    )


def _compared() -> Anything:
    face = Face(
        title="What each team contributes",
        about=f"Minutes lost that are put down to each team's systems, and to how many journeys. {_ESTIMATE}",
        width=24,
        nothing="nothing put down to a team",
    )
    columns = (
        Column(name="Team", label="culprit", links=(("Its scorecard", board_url("team", team="${__value.raw}")),)),
        Column(name="Minutes lost", expr=f"sum by (culprit) ({_all()}) / 60", unit=MINUTES, decimals=0, bar=True),
        Column(
            name="The time before",
            expr=f"sum by (culprit) ({_all(offset='$__range')}) / 60",
            unit=MINUTES,
            decimals=0,
        ),
        Column(
            name="Journeys hurt",
            expr=f"count by (culprit) (sum by (culprit, journey) ({_all()}) > 0)",
            unit=COUNT,
            decimals=0,
        ),
    )
    return rows(face, columns, sort="Minutes lost", descending=True)
