"""How long one journey takes: durations, steps, phases of requests, and what its page does."""

from __future__ import annotations

from grafana.src import palette
from grafana.src.frame import runs_url
from grafana.src.panels import COARSE, Anything, Face, Query, by_mark, heat, lines, stacks
from grafana.src.promql import at_check, at_place, mean, quantile

_RUNS = runs_url(journey="${journey}")
_CHECK_LEGEND = "{{target}} · {{profile}}"
_BROWSER = "no browser run, or not counted (metrics.detail: full)"
_FULL = "none seen, or not counted (metrics.detail: full)"
_VITALS = {
    "Largest contentful paint": ("faultline_largest_contentful_paint_seconds", "Good up to 2.5 s, poor above 4 s."),
    "First contentful paint": ("faultline_first_contentful_paint_seconds", "Good up to 1.8 s, poor above 3 s."),
    "Time to first byte": ("faultline_time_to_first_byte_seconds", "Good up to 0.8 s, poor above 1.8 s."),
    "Interaction to next paint": ("faultline_interaction_to_next_paint_seconds", "Good up to 0.2 s, poor above 0.5 s."),
}


def durations() -> tuple[Anything, ...]:
    """Return the panels about durations."""
    return _heat(), _quantiles(), _steps(), _phases()


def page() -> tuple[Anything, ...]:
    """Return the panels about the page of a browser journey."""
    return *_vitals(), _shift(), _bytes()


def _heat() -> Anything:
    face = Face(
        title="Durations",
        about="How many runs took how long. The diamonds are single runs: click one to open it.",
        unit="s",
        step=COARSE,
    )
    expr = f"sum by (le) (increase({at_place('faultline_journey_duration_seconds_bucket')}[$__interval]))"
    return heat(face, Query(expr=expr, legend="{{le}}", exemplar=True))


def _quantiles() -> Anything:
    face = Face(
        title="Median, 95th percentile and threshold",
        about="Durations of runs that got there, and the duration up to which customers are satisfied.",
        unit="s",
        step=COARSE,
        links=(("Runs", _RUNS),),
    )
    buckets = at_place("faultline_journey_duration_seconds_bucket")
    limit = f"max by (target, profile) ({at_check('faultline_journey_slo_latency_threshold_seconds')})"
    return lines(
        face,
        Query(expr=quantile(0.5, buckets, "target, profile"), legend=f"median {_CHECK_LEGEND}", exemplar=True),
        Query(expr=quantile(0.95, buckets, "target, profile"), legend=f"95th {_CHECK_LEGEND}", exemplar=True),
        Query(expr=limit, legend=f"satisfied up to {_CHECK_LEGEND}"),
    )


def _steps() -> Anything:
    face = Face(
        title="Mean duration of each step",
        about="Of steps that got there, on top of each other. Needs metrics.detail: full.",
        unit="s",
        step=COARSE,
        nothing=_FULL,
    )
    expr = mean(at_place("faultline_step_duration_seconds%s"), "step")
    return stacks(face, Query(expr=expr, legend="{{step}}"), bars=False)


def _phases() -> Anything:
    face = Face(
        title="Phases of requests",
        about="Mean time by phase: name resolution, connection, TLS, waiting for the server, receiving. Needs "
        "metrics.detail: full.",
        unit="s",
        step=COARSE,
        nothing=_FULL,
    )
    expr = mean(at_place("faultline_http_phase_duration_seconds%s"), "phase")
    return stacks(face, Query(expr=expr, legend="{{phase}}"), bars=False)


def _vitals() -> tuple[Anything, ...]:
    return tuple(
        lines(
            Face(
                title=title,
                about=f"75th percentile. {limits} Needs metrics.detail: full.",
                unit="s",
                width=6,
                height=7,
                step=COARSE,
                nothing=_BROWSER,
            ),
            Query(
                expr=quantile(0.75, at_place(f"{metric}_bucket"), "target, profile"),
                legend=_CHECK_LEGEND,
                exemplar=True,
            ),
        )
        for title, (metric, limits) in _VITALS.items()
    )


def _shift() -> Anything:
    face = Face(
        title="Cumulative layout shift",
        about="75th percentile, without a unit. Good up to 0.1, poor above 0.25. Needs metrics.detail: full.",
        unit="none",
        width=12,
        height=7,
        step=COARSE,
        nothing=_BROWSER,
    )
    expr = quantile(0.75, at_place("faultline_cumulative_layout_shift_bucket"), "target, profile")
    return lines(face, Query(expr=expr, legend=_CHECK_LEGEND, exemplar=True))


def _bytes() -> Anything:
    face = Face(
        title="Bytes of a run, own and third party",
        about="Mean bytes that a browser run received from own hosts and from all others. Needs metrics.detail: full.",
        unit="bytes",
        width=12,
        height=7,
        step=COARSE,
        nothing=_BROWSER,
    )
    expr = mean(at_place("faultline_page_transfer_bytes%s"), "party")
    panel = stacks(face, Query(expr=expr, legend="{{party}}"), bars=False)
    return by_mark(
        panel,
        {
            "first": palette.Mark(word="own hosts", color=palette.OWN.color),
            "third": palette.Mark(word="third parties", color=palette.THIRD_PARTY.color),
        },
    )
