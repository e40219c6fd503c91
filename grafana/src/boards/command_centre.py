"""The wall: how customers fare just now, whose fault it is, and what it costs; read from across a room."""

from __future__ import annotations

from grafana.src import palette, promql
from grafana.src.frame import Board, Section, board_url
from grafana.src.panels import MINUTES, Anything, Face, Query, by_mark, numbers, ranking, tiles
from grafana.src.promql import at_check, count, of_team

_ALERTS = 'count(ALERTS{alertname=~"Faultline.+", alertstate="firing", severity=~"critical|warning"})'


def command_centre() -> Board:
    """Return the dashboard: one screen of 1920 x 1080 without scrolling."""
    return Board(
        name="command-centre",
        folder="Command centre",
        title="Faultline / Customer command centre",
        about="For a screen on the wall: what customers meet just now, and whose it is. Open with ?kiosk.",
        sections=(Section(panels=(*_figures(), _journeys(), _causes(), _budgets(), _vendors(), _teams())),),
        refresh="30s",
        tags=("wallboard",),
        wall=True,
    )


def _figures() -> tuple[Anything, ...]:
    return (
        _counted("Failing", "Journeys that fail just now at half of their locations or more.", "%s == bool 6", 2),
        _counted(
            "Slow or partly failing",
            "Journeys that are slow, or fail at some of their locations.",
            "abs(%s - 4.5) < bool 1",
            4,
        ),
        _counted(
            "No data",
            "Journeys of which nothing recent is known. They are not fine; we do not know.",
            "%s == bool 3",
            2,
        ),
        _experience(),
        _minutes(),
        _cost(),
        _alerts(),
    )


def _counted(name: str, about: str, condition: str, width: int) -> Anything:
    expr = f"sum({condition % f'max by (journey) ({promql.state()})'})"
    # The words under a title of Grafana's 14 pixels are the ones that are read from across the room: they have to fit.
    query = Query(expr=expr, legend=name.removesuffix(" failing"))
    return numbers(Face(title=name, about=about, width=width, height=4), query, big=True)


def _experience() -> Anything:
    score = of_team(at_check("check:faultline_experience_score:apdex1h"))
    then = of_team(f"{at_check('check:faultline_experience_score:apdex1h')} offset 1w")
    face = Face(
        title="Experience",
        about="Apdex of the last hour, of journeys with a threshold: 1 is all satisfied, below 0.7 is poor. "
        "Beside it the same hour a week ago.",
        unit="none",
        width=5,
        height=4,
        decimals=2,
        nothing="not configured",
    )
    return numbers(
        face,
        Query(expr=f"avg({score})", legend="Experience"),
        Query(expr=f"avg({then})", legend="A week ago"),
        big=True,
    )


def _minutes() -> Anything:
    face = Face(
        title="Minutes lost, 24 h",
        about="Estimate: each failed run counts as one planned interval in which this journey failed its customers.",
        unit=MINUTES,
        width=4,
        height=4,
        decimals=0,
    )
    expr = f"sum({promql.impact('1d')}) / 60"
    return numbers(face, Query(expr=expr, legend="Lost, 24 h"), big=True)


def _cost() -> Anything:
    face = Face(
        title="Estimated cost, 24 h",
        about="Estimate, where configured: customers per hour times the value of one times the hours lost.",
        width=5,
        height=4,
        decimals=0,
        nothing="not configured",
    )
    expr = f"sum by (currency) ({promql.cost('1d')})"
    return numbers(face, Query(expr=expr, legend="{{currency}}, estimate"), big=True)


def _alerts() -> Anything:
    face = Face(title="Alerts", about="Alerts of Faultline that are firing just now.", width=2, height=4)
    return numbers(face, Query(expr=promql.zero_if_alive(_ALERTS), legend="Alerts"), big=True)


def _journeys() -> Anything:
    face = Face(
        title="Journeys now",
        about="The worst state of each journey's checks: OK, maintenance, no data, slow, failing in places, failing. "
        "With more than eighteen journeys, the worst eighteen.",
        unit="none",
        width=16,
        height=11,
        links=(("Open the journey", board_url("journey", journey="${__field.labels.journey}")),),
    )
    return tiles(face, Query(expr=f"topk(18, max by (journey) ({promql.state()}))", legend="{{journey}}"), big=True)


def _causes() -> Anything:
    face = Face(
        title="Whose fault, 24 h",
        about="Minutes lost in the last 24 hours by cause (estimate: failed runs times planned interval).",
        unit=MINUTES,
        width=8,
        height=11,
        decimals=0,
        links=(("Root causes", board_url("root-causes")),),
    )
    expr = f"sum by (cause) ({promql.impact('1d')}) / 60"
    return by_mark(ranking(face, Query(expr=expr, legend="{{cause}}"), big=True), palette.CAUSES)


def _budgets() -> Anything:
    face = Face(
        title="Error budget left, 30 d",
        about="Of the journey of each business process that has the least left; below zero the objective is broken. "
        "The five lowest.",
        unit="percentunit",
        width=8,
        height=11,
        decimals=0,
        nothing="no objective known",
    )
    left = promql.of_team(at_check("check:faultline_error_budget_remaining:ratio30d"))
    owned = promql.joined(left, "business_process")
    named = f'label_replace({owned}, "business_process", "other journeys", "business_process", "")'
    lowest = f"bottomk(5, min by (business_process) ({named}))"
    panel = ranking(face, Query(expr=lowest, legend="{{business_process}}"), big=True, top=1)
    return panel.mappings([palette.SPENT, *palette.unknown(face.nothing)])


def _vendors() -> Anything:
    face = Face(
        title="Third parties now",
        about="By the share of their requests that failed in the last 15 minutes: failing above 25 %, some errors "
        "above 2 %. The six worst.",
        unit="none",
        width=8,
        height=11,
        links=(("Third parties", board_url("third-parties")),),
    )
    asked = count('faultline_third_party_requests_total{location=~"$location"}', "third_party", "15m")
    failed = count('faultline_third_party_failures_total{location=~"$location"}', "third_party", "15m")
    state = promql.vendor_state(asked, failed)
    query = Query(expr=f"topk(6, {state})", legend="{{third_party}}")
    return tiles(face, query, marks=palette.VENDOR_STATES, big=True)


def _teams() -> Anything:
    face = Face(
        title="What each team contributes, 24 h",
        about="Minutes lost in the last 24 hours that are put down to a team's own systems (estimate). The five most.",
        unit=MINUTES,
        width=8,
        height=11,
        decimals=0,
        nothing="nothing put down to a team",
        links=(("Team scorecard", board_url("team", team="${__field.labels.culprit}")),),
    )
    expr = f"topk(5, {promql.culprits('team', 'culprit', '1d')} / 60)"
    return ranking(face, Query(expr=expr, legend="{{culprit}}"), big=True)
