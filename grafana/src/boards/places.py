"""Places and the customer's environment: what each location sees, and whether it can be trusted."""

from __future__ import annotations

from grafana.src import palette, promql
from grafana.src.frame import Board, Section, runs_url
from grafana.src.panels import COARSE, COUNT, DAYS, Anything, Face, Query, lines, numbers, ranking, stacks, timeline
from grafana.src.promql import CHECK, at_place, count, mean, of_team, ratio
from grafana.src.tables import Column, rows

_THERE = runs_url(location="${__field.labels.location}")
_PHASES = "faultline_http_phase_duration_seconds%s"


def places() -> Board:
    """Return the dashboard for those who run the locations."""
    return Board(
        name="places",
        folder="Operations",
        title="Faultline / Places and client environments",
        about="Each location: what it sees of each journey, its network, its own failures, its heartbeat.",
        sections=(
            Section(title="Places", panels=(_heartbeat(), _matrix(), _states())),
            Section(title="Network by location", panels=tuple(_phase(*phase) for phase in _PHASE_PANELS)),
            Section(title="Client environment", panels=(_environment(), _parts(), _inconclusive(), _faults())),
            Section(title="By client profile", panels=(_profiles(), _profile_speed())),
            Section(title="Certificates", panels=(_certificates(),)),
        ),
    )


def _heartbeat() -> Anything:
    face = Face(
        title="Last heartbeat",
        about="When the monitor at a location last said that it can make runs. Older than three minutes is down.",
        unit="dateTimeFromNow",
        width=8,
        height=10,
    )
    expr = 'max by (location) (faultline_location_last_heartbeat_timestamp_seconds{location=~"$location"}) * 1000'
    return numbers(face, Query(expr=expr, legend="{{location}}"))


def _matrix() -> Anything:
    face = Face(
        title="Success of each journey at each location",
        about="Share of conclusive runs in the time shown, rounded down, beside their number. Few runs say little.",
        width=16,
        height=10,
    )
    by = "location, journey"
    failed = f"sum by ({by}) ({of_team(count(at_place('faultline_journey_run_failures_total'), f'{CHECK}, location'))})"
    runs = f"sum by ({by}) ({of_team(count(at_place('faultline_journey_runs_total'), f'{CHECK}, location'))})"
    blind = at_place("faultline_journey_runs_inconclusive_total")
    columns = (
        Column(name="Location", label="location"),
        Column(name="Journey", label="journey"),
        Column(name="Success", expr=promql.floored(f"1 - {ratio(failed, runs)}"), unit="percentunit", decimals=3),
        Column(name="Runs", expr=runs, unit=COUNT, decimals=0),
        Column(name="Could not look", expr=count(blind, by), unit=COUNT, decimals=0),
    )
    return rows(face, columns, sort="Success")


def _states() -> Anything:
    face = Face(
        title="What each location met",
        about="By check and location. One row failing alone points at its location, all rows at the journey.",
        unit="none",
        width=24,
        height=10,
        step="1m",
        links=(("Runs there", _THERE),),
    )
    return timeline(
        face, Query(expr=promql.state_at_place(), legend="{{location}} · {{journey}} · {{target}} · {{profile}}")
    )


_PHASE_PANELS = (
    ("resolve", "Name resolution", "Mean time to resolve names, by location."),
    ("connect", "Connection", "Mean time to connect, by location."),
    ("tls", "TLS handshake", "Mean time of the TLS handshake, by location."),
    ("wait", "Waiting for the server", "Mean time until the first byte of the answer, by location."),
)


def _phase(phase: str, title: str, about: str) -> Anything:
    nothing = "none seen, or not counted (metrics.detail: full)"
    about = f"{about} Needs metrics.detail: full."
    face = Face(title=title, about=about, unit="s", width=6, step=COARSE, nothing=nothing)
    summary = at_place(_PHASES, f'phase="{phase}"')
    return lines(face, Query(expr=mean(summary, "location"), legend="{{location}}"))


def _environment() -> Anything:
    face = Face(
        title="Failed runs put down to the environment",
        about="By location: the network, the resolver, the browser or the clock there, not the service.",
        step=COARSE,
        links=(("Runs there", runs_url(location="${__field.labels.location}", cause="client_environment")),),
    )
    failed = at_place("faultline_journey_run_failures_total", 'cause="client_environment"')
    return stacks(face, Query(expr=count(failed, "location", "$__interval"), legend="{{location}}"))


def _parts() -> Anything:
    face = Face(
        title="Which part of the environment",
        about="Failed runs by the part that they are put down to.",
        decimals=0,
        nothing="nothing put down to the environment",
    )
    selector = at_place("faultline_journey_run_culprits_total", 'kind="environment"')
    expr = f"topk(12, {count(selector, 'culprit, location')} > 0)"
    return ranking(face, Query(expr=expr, legend="{{culprit}} at {{location}}"))


def _inconclusive() -> Anything:
    face = Face(
        title="Runs in which we could not look",
        about="By location. They count as neither success nor failure; they lower coverage.",
        step=COARSE,
    )
    selector = at_place("faultline_journey_runs_inconclusive_total")
    return stacks(face, Query(expr=count(selector, "location", "$__interval"), legend="{{location}}"))


def _faults() -> Anything:
    face = Face(
        title="Why we could not look",
        about="Attempts by what was wrong with ourselves.",
        decimals=0,
        nothing="none seen",
    )
    expr = f"topk(12, {count('faultline_prober_faults_total', 'fault')} > 0)"
    return ranking(face, Query(expr=expr, legend="{{fault}}"))


def _profiles() -> Anything:
    face = Face(
        title="Share of failed runs by client profile",
        about="Of conclusive runs in each interval. A profile that fails alone points at a client, not at the service.",
        unit="percentunit",
        step=COARSE,
    )
    failed = count(at_place("faultline_journey_run_failures_total"), "profile", "$__interval")
    runs = count(at_place("faultline_journey_runs_total"), "profile", "$__interval")
    return lines(face, Query(expr=ratio(failed, runs), legend="{{profile}}"))


def _profile_speed() -> Anything:
    face = Face(
        title="95th percentile by client profile",
        about="Duration of runs that got there.",
        unit="s",
        step=COARSE,
    )
    buckets = at_place("faultline_journey_duration_seconds_bucket")
    return lines(face, Query(expr=promql.quantile(0.95, buckets, "profile"), legend="{{profile}}", exemplar=True))


def _certificates() -> Anything:
    face = Face(
        title="Certificates",
        about="When the first certificate of each configured host's chain expires, soonest first.",
        width=24,
        nothing="no certificate seen",
    )
    expiry = "min by (host) (faultline_tls_certificate_expiry_timestamp_seconds)"
    columns = (
        Column(name="Host", label="host"),
        Column(name="Expires", expr=f"{expiry} * 1000", unit="dateTimeAsIso"),
        Column(
            name="Days left", expr=f"({expiry} - time()) / 86400", unit=DAYS, decimals=1, mappings=(palette.EXPIRED,)
        ),
    )
    return rows(face, columns, sort="Days left")
