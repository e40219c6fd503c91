"""Objectives and error budgets: what is left, how fast it goes, and by whose fault."""

from __future__ import annotations

from grafana.src import palette, promql
from grafana.src.frame import Board, Section, board_url
from grafana.src.panels import DAYS, Anything, Face, Query, aside, by_mark, counters, lines, numbers, stacks
from grafana.src.promql import CHECK, at_check, floored, of_team
from grafana.src.tables import Column, rows

_NAME = "{{journey}} · {{target}} · {{profile}}"
_NONE = "no objective known"
_LEFT = of_team(at_check("check:faultline_error_budget_remaining:ratio30d"))
_SPENT = of_team(at_check("check_cause:faultline_error_budget_spent:ratio30d"))
_WINDOWS = {"1h": 14.4, "6h": 6.0, "1d": 3.0, "3d": 1.0}


def objectives() -> Board:
    """Return the dashboard for those who promise, and those who keep the promise."""
    return Board(
        name="objectives",
        folder="Objectives",
        title="Faultline / Objectives and error budgets",
        about="Objective against what was met, the budget of failures over 30 days, how fast it goes, and whose fault.",
        sections=(
            Section(title="Now", panels=(*_figures(), _table())),
            Section(title="Budget", panels=(_down(), _causes())),
            Section(title="How fast it goes", panels=tuple(_burn(window) for window in _WINDOWS)),
            Section(title="Experience and cost", panels=(_experience(), _ratings(), _cost(), _cost_by_cause())),
        ),
        since="now-30d",
        refresh="5m",
    )


def _figures() -> tuple[Anything, ...]:
    return (
        numbers(
            Face(title="Objectives", about="Checks that have an objective.", width=6, height=4, nothing=_NONE),
            Query(expr=f"count({_LEFT})", legend="objectives"),
        ),
        counters(
            Face(title="Spent", about="Checks whose budget of 30 days is spent.", width=6, height=4, nothing=_NONE),
            (Query(expr=f"sum(({_LEFT}) <= bool 0)", legend="spent"), palette.OVERSPENT),
        ),
        counters(
            Face(
                title="At risk",
                about="Checks whose budget is spent within three days if it goes on as in the last six hours.",
                width=6,
                height=4,
                nothing=_NONE,
            ),
            (Query(expr=f"sum(({_days('6h')}) < bool 3)", legend="at risk"), palette.AT_RISK),
        ),
        numbers(
            Face(
                title="Lowest budget left",
                about="Of all checks with an objective, rounded down.",
                unit="percentunit",
                width=6,
                height=4,
                decimals=1,
                nothing=_NONE,
            ),
            Query(expr=floored(f"min({_LEFT})"), legend="lowest"),
            mappings=(palette.SPENT,),
        ),
    )


def _days(window: str) -> str:
    burn = at_check(f"check:faultline_burn_rate:ratio{window}")
    return f"clamp_min({_LEFT}, 0) * 30 / on ({CHECK}) ({burn})"


def _table() -> Anything:
    face = Face(
        title="Objectives",
        about="Met: share of conclusive runs that got there in 30 days, rounded down; 'insufficient' below 90 % "
        "coverage. Days left: how long the budget lasts if it goes on as in the last day.",
        width=24,
        height=10,
        nothing=_NONE,
    )
    this = {"journey": "${__data.fields.Journey}", "target": "${__data.fields.Target}"}
    columns = (
        Column(name="Journey", label="journey", links=(("Open the journey", board_url("journey", **this)),)),
        Column(name="Target", label="target"),
        Column(name="Profile", label="profile"),
        _percent("Objective", of_team(f"max by ({CHECK}) ({at_check('faultline_journey_slo_objective_ratio')})")),
        _percent("Met 30 d", of_team(promql.success("30d"))),
        _percent("Coverage 30 d", of_team(floored(promql.coverage("30d")))),
        Column(name="Budget left", expr=floored(_LEFT), unit="percentunit", decimals=1, mappings=(palette.SPENT,)),
        Column(name="Days left", expr=_days("1d"), unit=DAYS, decimals=1, mappings=(palette.ENDLESS, palette.SPENT)),
        Column(name="Burn 1 h", expr=_burning("1h"), unit="none", decimals=2),
        Column(name="Burn 1 d", expr=_burning("1d"), unit="none", decimals=2),
    )
    return rows(face, columns, sort="Budget left")


def _burning(window: str) -> str:
    return of_team(at_check(f"check:faultline_burn_rate:ratio{window}"))


def _percent(name: str, expr: str) -> Column:
    return Column(name=name, expr=expr, unit="percentunit", decimals=3, mappings=(palette.INSUFFICIENT,))


def _down() -> Anything:
    face = Face(
        title="Burn-down",
        about="What is left of the budget of the 30 days before each moment. At zero it is spent; below, the objective "
        "is broken.",
        unit="percentunit",
        height=10,
        step="1h",
        nothing=_NONE,
    )
    return aside(lines(face, Query(expr=_LEFT, legend=_NAME), ceiling=1, floor=None))


def _causes() -> Anything:
    face = Face(
        title="Budget spent, by cause",
        about="Mean over the chosen checks: the share of the budget that each cause took. Above 100 % it is spent.",
        unit="percentunit",
        height=10,
        step="1h",
        nothing=_NONE,
    )
    return by_mark(
        stacks(face, Query(expr=f"avg by (cause) ({_SPENT})", legend="{{cause}}"), bars=False), palette.CAUSES
    )


def _burn(window: str) -> Anything:
    limit = _WINDOWS[window]
    face = Face(
        title=f"Burn rate, {window}",
        about=f"How many times faster than allowed the budget goes. Somebody is told above {limit:g}.",
        unit="none",
        step="5m",
        nothing=_NONE,
    )
    told = f"told above {limit:g}"
    panel = lines(face, Query(expr=_burning(window), legend=_NAME), Query(expr=f"vector({limit:g})", legend=told))
    return aside(by_mark(panel, {told: palette.Mark(word=told, color=palette.FAILING.color)}))


def _experience() -> Anything:
    face = Face(
        title="Experience, over a day",
        about="Apdex of checks with a threshold: 1 is all satisfied, below 0.7 is poor. Failed counts as frustrated.",
        unit="none",
        step="1h",
        decimals=2,
        nothing="no threshold known",
    )
    expr = of_team(at_check("check:faultline_experience_score:apdex1d"))
    return aside(lines(face, Query(expr=expr, legend=_NAME), ceiling=1))


def _ratings() -> Anything:
    face = Face(
        title="How runs would be rated",
        about="Satisfied within the threshold, tolerating up to four times it, frustrated above or failed.",
        step="1h",
        nothing="no threshold known",
    )
    expr = promql.count(promql.at_place("faultline_journey_experience_runs_total"), "rating", "$__interval")
    return by_mark(stacks(face, Query(expr=expr, legend="{{rating}}")), palette.RATINGS)


def _cost() -> Anything:
    face = Face(
        title="Estimated cost, 30 d",
        about="Estimate, where customers per hour and the value of one are configured: customers per hour "
        "times value times hours lost. It assumes that every customer in those hours left.",
        width=8,
        decimals=0,
        nothing="not configured",
    )
    return numbers(
        face, Query(expr=f"sum by (currency) ({promql.cost('30d')})", legend="{{currency}}, estimate"), named=True
    )


def _cost_by_cause() -> Anything:
    face = Face(
        title="Estimated cost by cause, 24 h before each moment",
        about="Estimate, where configured; see the figure beside.",
        width=16,
        step="1h",
        nothing="not configured",
    )
    expr = f"sum by (cause) ({promql.cost('1d')})"
    return by_mark(stacks(face, Query(expr=expr, legend="{{cause}}"), bars=False), palette.CAUSES)
