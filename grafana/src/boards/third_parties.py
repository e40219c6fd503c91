"""Third parties: how they do against what they promise, and which journeys they hurt; for those who manage vendors."""

from __future__ import annotations

from grafana.src import palette, promql
from grafana.src.frame import Board, Choice, Section, runs_url
from grafana.src.panels import COARSE, COUNT, MINUTES, POINTS, Anything, Face, Query, lines, ranking, stacks, tiles
from grafana.src.promql import count, mean, ratio
from grafana.src.tables import Column, rows

_ASKED = 'faultline_third_party_requests_total{third_party=~"$third_party", location=~"$location"}'
_FAILED = 'faultline_third_party_failures_total{third_party=~"$third_party", location=~"$location"}'
_TOOK = 'faultline_third_party_request_duration_seconds%s{third_party=~"$third_party", location=~"$location"}'
_OBJECTIVE = 'max by (third_party) (faultline_third_party_objective_ratio{third_party=~"$third_party"})'


def third_parties() -> Board:
    """Return the dashboard that a talk with a vendor can rest on."""
    return Board(
        name="third-parties",
        folder="Causes",
        title="Faultline / Third parties",
        about="What other people's services did to our customers: failures, speed, promises, and journeys hurt.",
        sections=(
            Section(title="Now and against their promise", panels=(_now(), _table())),
            Section(title="Over time", panels=(_failing(), _speed(), _reasons(), _rates())),
            Section(title="What they did to customers", panels=(_hurt(), _journeys())),
        ),
        choices=(Choice.VENDOR, Choice.LOCATION, Choice.JOURNEY, Choice.TARGET, Choice.PROFILE, Choice.TEAM),
        refresh="1m",
    )


def _now() -> Anything:
    face = Face(
        title="Now",
        about="By the share of requests that failed in the last 15 minutes: failing above 25 %, some errors above 2 %, "
        "no data where nothing was asked of them.",
        unit="none",
        width=24,
        height=6,
    )
    asked, failed = count(_ASKED, "third_party", "15m"), count(_FAILED, "third_party", "15m")
    return tiles(
        face, Query(expr=promql.vendor_state(asked, failed), legend="{{third_party}}"), marks=palette.VENDOR_STATES
    )


def _table() -> Anything:
    face = Face(
        title="Against their promise",
        about="Answered: share of requests that did not fail, rounded down. Above or below: percentage points "
        "against the objective of the ownership file; 'none known' where it has none.",
        width=24,
        height=8,
    )
    failing = 'third_party:faultline_failures_per_requests:ratio_rate%s{third_party=~"$third_party"}'
    month = f"1 - {failing % '30d'}"
    columns = (
        Column(name="Third party", label="third_party"),
        Column(name="Requests", expr=count(_ASKED, "third_party"), unit=COUNT, decimals=0),
        Column(name="Answered 24 h", expr=promql.floored(f"1 - {failing % '1d'}"), unit="percentunit", decimals=3),
        Column(name="Answered 30 d", expr=promql.floored(month), unit="percentunit", decimals=3),
        Column(name="Objective", expr=_OBJECTIVE, unit="percentunit", decimals=3, nothing="none known"),
        Column(
            name="Above or below",
            expr=f"(({month}) - {_OBJECTIVE}) * 100",
            unit=POINTS,
            decimals=2,
            nothing="none known",
        ),
        Column(name="Mean duration", expr=mean(_TOOK, "third_party", "$__range"), unit="s"),
        Column(
            name="Journeys touched",
            expr=f"count by (third_party) ({count(_FAILED, 'third_party, journey')} > 0)",
            unit=COUNT,
            decimals=0,
        ),
    )
    return rows(face, columns, sort="Answered 24 h")


def _failing() -> Anything:
    face = Face(
        title="Share of requests that failed",
        about="Of all requests to a third party in each interval, whether or not they hurt a journey.",
        unit="percentunit",
        step=COARSE,
    )
    failed = count(_FAILED, "third_party", "$__interval")
    # The first failure of a third party counts in full beside requests that are counted by their rise.
    share = f"clamp_max({ratio(failed, count(_ASKED, 'third_party', '$__interval'))}, 1)"
    return lines(face, Query(expr=share, legend="{{third_party}}"))


def _speed() -> Anything:
    face = Face(title="Mean duration of requests", about="Of requests that were answered.", unit="s", step=COARSE)
    return lines(face, Query(expr=mean(_TOOK, "third_party"), legend="{{third_party}}"))


def _reasons() -> Anything:
    face = Face(
        title="Failed requests by reason",
        about="By the class of what went wrong: name resolution, connection, TLS, HTTP, time.",
        step=COARSE,
        nothing="no failed request seen",
    )
    return stacks(face, Query(expr=count(_FAILED, "reason", "$__interval"), legend="{{reason}}"))


def _rates() -> Anything:
    face = Face(title="Requests", about="How many requests went to each third party.", step=COARSE)
    return stacks(face, Query(expr=count(_ASKED, "third_party", "$__interval"), legend="{{third_party}}"))


def _hurt() -> Anything:
    face = Face(
        title="Minutes lost that are put down to them",
        about="Estimate: failed runs that are put down to a third party, times the planned interval.",
        unit=MINUTES,
        height=10,
        decimals=0,
        nothing="nothing put down to a third party",
        links=(("Runs that failed by third parties", runs_url(cause="third_party")),),
    )
    expr = f"topk(15, {promql.culprits('vendor', 'culprit', culprit='$third_party')} / 60)"
    return ranking(face, Query(expr=expr, legend="{{culprit}}"))


def _journeys() -> Anything:
    face = Face(
        title="Which journeys they touched",
        about="Failed requests to each third party in runs of each journey, whether or not they hurt it.",
        height=10,
        nothing="no failed request seen",
    )
    columns = (
        Column(name="Third party", label="third_party"),
        Column(name="Journey", label="journey"),
        Column(
            name="Failed requests",
            expr=f"{count(_FAILED, 'third_party, journey')} > 0",
            unit=COUNT,
            decimals=0,
            bar=True,
        ),
    )
    return rows(face, columns, sort="Failed requests", descending=True)
