"""Root causes: whose failures they were, over time and month on month, and how far our own verdicts can be trusted."""

from __future__ import annotations

from grafana.src import palette, promql
from grafana.src.frame import Board, Section, runs_url
from grafana.src.panels import MINUTES, RUNS, Anything, Face, Query, by_mark, lines, numbers, ranking, stacks
from grafana.src.promql import CHECK, at_check, at_place, count, joined, of_team, quantile, ratio
from grafana.src.tables import Column, rows

_FAILED = f"({of_team(count(at_place('faultline_journey_run_failures_total'), f'{CHECK}, cause'))})"
_HOURLY = at_check("check_cause:faultline_impact_seconds:increase1h")
_LOST = of_team(promql.added_up(_HOURLY, "$__range"))
_ESTIMATE = "Estimate: failed runs times the planned interval."
_NO_PAST = "nothing recorded then"


def root_causes() -> Board:
    """Return the dashboard for the review of our own service, and of our own verdicts."""
    return Board(
        name="root-causes",
        folder="Causes",
        title="Faultline / Root causes",
        about="Own infrastructure, third parties, the customer's environment, and what we could not tell.",
        sections=(
            Section(title="Whose failures", panels=(*_figures(), _over_time(), _rolling(), _months())),
            Section(title="Put down to whom", panels=(_by("team"), _by("vendor"), _by("environment"))),
            Section(title="Who was hurt, and by what", panels=(_services(), _capabilities(), _teams(), _details())),
            Section(
                title="How far to trust the verdicts",
                panels=(_undetermined(), _confidence(), _reviewed(), _experiments(), _time_to_verdict(), _collateral()),
            ),
            Section(title="Open now", panels=(_incidents(),)),
        ),
        since="now-7d",
        refresh="5m",
    )


def _figures() -> tuple[Anything, ...]:
    total = numbers(
        Face(title="Failed runs", about="Failed runs in the time shown.", width=4, height=5, decimals=0),
        Query(expr=f"sum({_FAILED})", legend="failed runs"),
    )
    lost = numbers(
        Face(title="Minutes lost", about=_ESTIMATE, unit=MINUTES, width=4, height=5, decimals=0),
        Query(expr=f"sum({_LOST}) / 60", legend="minutes lost"),
    )
    face = Face(
        title="Share of failed runs by cause",
        about="Of all failed runs in the time shown; nothing where no run failed.",
        unit="percentunit",
        width=16,
        height=5,
        decimals=1,
        nothing="no failed run seen",
    )
    share = f"sum by (cause) ({_FAILED}) / scalar(sum({_FAILED}) > 0)"
    shares = numbers(face, Query(expr=share, legend="{{cause}}"))
    return total, lost, by_mark(shares, palette.CAUSES)


def _over_time() -> Anything:
    face = Face(
        title="Minutes lost by cause",
        about=f"What happens now counts in full within the hour. {_ESTIMATE}",
        unit=MINUTES,
        width=16,
        height=9,
        step="1h",
        links=(("Runs of this cause", runs_url(cause="${__field.labels.cause}")),),
    )
    summed = of_team(promql.added_up(_HOURLY, "$__interval"))
    return by_mark(stacks(face, Query(expr=f"sum by (cause) ({summed}) / 60", legend="{{cause}}")), palette.CAUSES)


def _months() -> Anything:
    face = Face(
        title="Month on month",
        about="Minutes lost by cause in the last 30 days, in the 30 days before them, and how many more (or, with a "
        f"minus, fewer) they have become. {_ESTIMATE}",
        unit=MINUTES,
        width=24,
        height=6,
    )
    now = f"sum by (cause) ({promql.impact('30d')}) / 60"
    recorded = at_check("check_cause:faultline_impact_seconds:increase30d")
    then = f"sum by (cause) ({of_team(f'{recorded} offset 30d')}) / 60"
    columns = (
        Column(name="Cause", label="cause", mappings=(palette.renamed(),), filled=True),
        Column(name="Last 30 days", expr=now, unit=MINUTES, decimals=0),
        Column(name="The 30 days before", expr=then, unit=MINUTES, decimals=0, nothing=_NO_PAST),
        Column(name="More or fewer", expr=f"({now}) - ({then})", unit=MINUTES, decimals=0, nothing=_NO_PAST),
    )
    return rows(face, columns, sort="Last 30 days", descending=True)


def _rolling() -> Anything:
    face = Face(
        title="Minutes lost in 30 days",
        about=f"At each moment, the 30 days before it. {_ESTIMATE}",
        unit=MINUTES,
        width=8,
        height=9,
        step="1h",
    )
    expr = f"sum by (cause) ({promql.impact('30d')}) / 60"
    return by_mark(lines(face, Query(expr=expr, legend="{{cause}}")), palette.CAUSES)


_KINDS = {
    "team": ("Own teams", "Minutes lost that are put down to systems of a team of ours.", "nothing put down to a team"),
    "vendor": (
        "Third parties",
        "Minutes lost that are put down to a third party.",
        "nothing put down to a third party",
    ),
    "environment": (
        "Parts of the customer's environment",
        "Minutes lost that are put down to the network, the resolver, the browser or the clock where we look from.",
        "nothing put down to the environment",
    ),
}


def _by(kind: str) -> Anything:
    title, about, nothing = _KINDS[kind]
    face = Face(title=title, about=f"{about} {_ESTIMATE}", unit=MINUTES, width=8, height=7, decimals=0, nothing=nothing)
    expr = f"topk(10, {promql.culprits(kind, 'culprit')} / 60)"
    return ranking(face, Query(expr=expr, legend="{{culprit}}"))


def _services() -> Anything:
    return _largest("service", f"The service whose customers were hurt, not the one at fault. {_ESTIMATE}")


def _largest(label: str, about: str) -> Anything:
    face = Face(
        title=f"Ten largest by {label} of the journey and cause",
        about=about,
        unit=MINUTES,
        width=8,
        height=12,
    )
    columns = (
        Column(name=label.capitalize(), label=label),
        Column(name="Cause", label="cause", mappings=(palette.renamed(),), filled=True),
        Column(
            name="Minutes lost",
            expr=f"topk(10, sum by ({label}, cause) ({joined(_LOST, label)}) / 60 > 0)",
            unit=MINUTES,
            decimals=0,
            bar=True,
        ),
    )
    return rows(face, columns, sort="Minutes lost", descending=True)


def _capabilities() -> Anything:
    face = Face(
        title="Which back-end capability broke its promise",
        about="Failed runs of our own making, by the capability behind the step in which they ended.",
        unit=RUNS,
        width=8,
        height=12,
        decimals=0,
        nothing="no failure seen",
    )
    return ranking(face, Query(expr=f"topk(10, {promql.broken_promises()})", legend="{{capability}}"))


def _teams() -> Anything:
    return _largest("team", f"The team that answers for the journeys that were hurt. {_ESTIMATE}")


def _details() -> Anything:
    face = Face(
        title="Failed runs by detail",
        about="The second level of the cause; docs/causes.md explains each.",
        unit=RUNS,
        width=24,
        decimals=0,
        nothing="no failed run seen",
    )
    details = at_place("faultline_journey_run_failure_details_total")
    expr = f"topk(15, sum by (detail) ({of_team(count(details, f'{CHECK}, detail'))}) > 0)"
    return ranking(face, Query(expr=expr, legend="{{detail}}"))


def _undetermined() -> Anything:
    face = Face(
        title="Undetermined share",
        about="Share of failed runs whose cause we could not tell. It measures us; above 20 % we are told.",
        unit="percentunit",
        width=8,
        step="1h",
        nothing="no failed run seen",
    )
    failed = at_place("faultline_journey_run_failures_total")
    unknown = at_place("faultline_journey_run_failures_total", 'cause="undetermined"')
    share = ratio(f"sum({of_team(count(unknown, window='1d'))})", f"sum({of_team(count(failed, window='1d'))})")
    return lines(face, Query(expr=share, legend="undetermined, over a day"), ceiling=1)


def _confidence() -> Anything:
    face = Face(
        title="Verdicts by confidence",
        about="Confirmed rests on an experiment or on two independent families of evidence; probable on less.",
        width=8,
        step="1h",
    )
    return stacks(
        face, Query(expr=count("faultline_diagnoses_total", "confidence", "$__interval"), legend="{{confidence}}")
    )


def _reviewed() -> Anything:
    face = Face(
        title="What people found when they checked",
        about="Verdicts that people reviewed, by whether they found them right.",
        width=8,
        decimals=0,
        nothing="nothing reviewed yet",
    )
    return ranking(face, Query(expr="max by (review) (faultline_reviewed_verdicts)", legend="{{review}}"))


def _experiments() -> Anything:
    face = Face(
        title="Experiments",
        about="What was tried to tell causes apart, by kind and by what came of it.",
        width=8,
        decimals=0,
        nothing="no experiment seen",
    )
    expr = f"topk(12, {count('faultline_experiments_total', 'kind, outcome')} > 0)"
    return ranking(face, Query(expr=expr, legend="{{kind}} {{outcome}}"))


def _time_to_verdict() -> Anything:
    face = Face(
        title="Time to verdict",
        about="How long after a run that did not pass its verdict stood.",
        unit="s",
        width=8,
        step="1h",
        nothing="no failed run seen",
    )
    buckets = "faultline_investigation_seconds_bucket"
    return lines(
        face,
        Query(expr=quantile(0.5, buckets), legend="median"),
        Query(expr=quantile(0.95, buckets), legend="95th percentile"),
    )


def _collateral() -> Anything:
    face = Face(
        title="Defects that did not hurt",
        about="Defects seen in runs without hurting the journey, by whose they were. Never counted as failures.",
        width=8,
        step="1h",
        nothing="none seen",
    )
    expr = count(at_place("faultline_collateral_total"), "cause", "$__interval")
    return by_mark(stacks(face, Query(expr=expr, legend="{{cause}}")), palette.CAUSES)


def _incidents() -> Anything:
    face = Face(
        title="Open incidents",
        about="Incidents that are open, by whose failure they are.",
        width=24,
        height=6,
        step="5m",
        decimals=0,
        nothing="none known",
    )
    expr = "sum by (cause) (max by (scope, cause) (faultline_open_incidents))"
    panel = stacks(face, Query(expr=expr, legend="{{cause}}"), bars=False).axis_soft_max(2)
    return by_mark(panel, palette.CAUSES)
