"""The wall: how customers fare just now, whose fault it is, and what it costs; read from across a room."""

from __future__ import annotations

from grafana.src import palette, promql
from grafana.src.frame import Board, Section, board_url
from grafana.src.panels import MINUTES, RUNS, Anything, Face, Query, by_mark, counters, numbers, ranking, rated, tiles
from grafana.src.promql import at_check, count, of_team

_ALERTS = 'count(ALERTS{alertname=~"Faultline.+", alertstate="firing", severity="%s"})'
_WORST = f"(max by (journey) ({promql.state()}))"


def command_centre() -> Board:
    """Return the dashboard: one screen of 1920 x 1080 without scrolling."""
    return Board(
        name="command-centre",
        folder="Command centre",
        title="Faultline / Customer command centre",
        about="For a screen on the wall: what customers meet just now, and whose it is. Open with ?kiosk.",
        sections=(
            Section(panels=(*_figures(), _journeys(), _causes(), _capabilities(), _vendors(), _teams(), _budgets())),
        ),
        refresh="30s",
        tags=("wallboard",),
        wall=True,
    )


def _figures() -> tuple[Anything, ...]:
    return (
        _counted("Failing", "Journeys that fail just now at more than half of their locations.", 6, palette.FAILING),
        _slow(),
        _counted(
            "No data",
            "Journeys of which nothing recent is known. They are not fine; we do not know.",
            3,
            palette.MISSING,
        ),
        _experience(),
        _minutes(),
        _cost(),
        _alerts(),
    )


def _counted(name: str, about: str, code: int, mark: palette.Mark) -> Anything:
    query = Query(expr=f"sum({_WORST} == bool {code})", legend=name)
    return counters(Face(title=name, about=about, width=2, height=4), (query, mark))


def _slow() -> Anything:
    face = Face(
        title="Slow, or failing in places",
        about="Journeys that are slow, and journeys that fail at half of their locations or fewer.",
        width=4,
        height=4,
    )
    slow = Query(expr=f"sum({_WORST} == bool 4)", legend="Slow")
    partly = Query(expr=f"sum({_WORST} == bool 5)", legend="In places")
    return counters(face, (slow, palette.SLOW), (partly, palette.PARTLY))


def _experience() -> Anything:
    score = f"avg({of_team(at_check('check:faultline_experience_score:apdex1h'))})"
    face = Face(
        title="Experience, 1 h",
        about="Apdex of the last hour, of journeys with a threshold: excellent from 0.94 on, good from 0.85, fair "
        "from 0.7, else poor. 1 is all satisfied.",
        unit="none",
        width=3,
        height=4,
        nothing="not configured",
    )
    return rated(face, Query(expr=score, legend="Experience"), palette.experienced())


def _minutes() -> Anything:
    face = Face(
        title="Minutes lost to failures, 24 h",
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
    face = Face(
        title="Open alerts",
        about="Alerts of Faultline that are firing just now: critical ones call somebody, warnings are tickets.",
        width=4,
        height=4,
    )
    told = tuple(
        (Query(expr=promql.zero_if_alive(_ALERTS % severity), legend=mark.word.capitalize()), mark)
        for severity, mark in (("critical", palette.CRITICAL), ("warning", palette.WARNINGS))
    )
    return counters(face, *told)


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
    expr = f"sort_desc(sum by (cause) ({promql.impact('1d')}) / 60)"
    return by_mark(ranking(face, Query(expr=expr, legend="{{cause}}"), big=True), palette.CAUSES)


def _budgets() -> Anything:
    face = Face(
        title="Error budget left, 30 d",
        about="Of the journey of each business process that has the least left; below zero the objective is broken. "
        "The five lowest.",
        unit="percentunit",
        width=6,
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


def _capabilities() -> Anything:
    face = Face(
        title="Which back-end capability broke its promise, 24 h",
        about="Failed runs of our own making, by the capability behind the step in which they ended. The five most.",
        unit=RUNS,
        width=6,
        height=11,
        decimals=0,
        nothing="none broke its promise",
        links=(("Root causes", board_url("root-causes")),),
    )
    return ranking(face, Query(expr=f"topk(5, {promql.broken_promises('1d')})", legend="{{capability}}"), big=True)


def _vendors() -> Anything:
    face = Face(
        title="Third parties now",
        about="By the share of their requests that failed in the last 15 minutes: failing above 25 %, some errors "
        "above 2 %. The six worst.",
        unit="none",
        width=6,
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
        width=6,
        height=11,
        decimals=0,
        nothing="nothing put down to a team",
        links=(("Team scorecard", board_url("team", team="${__field.labels.culprit}")),),
    )
    expr = f"topk(5, {promql.culprits('team', 'culprit', '1d')} / 60)"
    return ranking(face, Query(expr=expr, legend="{{culprit}}"), big=True)
