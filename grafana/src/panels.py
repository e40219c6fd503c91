"""The kinds of panels that dashboards are made of, each with the house's manners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, heatmap, prometheus, stat, statetimeline, text, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heatmap_model
from grafana_foundation_sdk.models import prometheus as query_model
from grafana_foundation_sdk.models import text as text_model

from grafana.src import palette

SOURCE = common_model.DataSourceRef(type_val="prometheus", uid="${datasource}")
COUNT = "locale"
MINUTES = "suffix: min"
DAYS = "suffix: d"
RUNS = "suffix: runs"
POINTS = "suffix: points"
# Runs come minutes apart: a finer step would draw the pauses between them as gaps.
COARSE = "15m"

Anything = Builder[model.Panel]
P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """An expression, how its series are called, and whether exemplars lead from it to runs."""

    expr: str
    legend: str = "__auto"
    exemplar: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What a reader sees of a panel before its data, and how much room it takes (24 columns, rows of 38 px)."""

    title: str
    about: str
    unit: str = COUNT
    width: int = 12
    height: int = 8
    decimals: int | None = None
    nothing: str = palette.NO_DATA
    step: str | None = None
    links: tuple[tuple[str, str], ...] = ()


def link(title: str, url: str) -> build.DashboardLink:
    """Return a link from a value to a page."""
    return build.DashboardLink(title).url(url).type(model.DashboardLinkType.LINK)


def faced(panel: P, face: Face, queries: Sequence[Query], *, instant: bool, table: bool = False) -> P:
    """Give a panel its face and its queries, and return it."""
    made: Any = panel
    made.title(face.title).description(face.about).unit(face.unit).no_value(face.nothing).datasource(SOURCE)
    made.span(face.width).height(face.height)
    counted = face.unit in {COUNT, RUNS} and not table
    decimals = 0 if face.decimals is None and counted else face.decimals
    if decimals is not None:
        made.decimals(decimals)
    if face.step is not None:
        made.interval(face.step)
    if face.links:
        made.data_links([link(title, url) for title, url in face.links])
    for place, query in enumerate(queries):
        made.with_target(_target(query, chr(ord("A") + place), instant=instant, table=table))
    return panel


def _target(query: Query, ref: str, *, instant: bool, table: bool) -> prometheus.Dataquery:
    form = query_model.PromQueryFormat.TABLE if table else query_model.PromQueryFormat.TIME_SERIES
    target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(ref).format(form)
    target = target.datasource(SOURCE).exemplar(query.exemplar)
    return target.instant() if instant else target.range()


def fixed(color: str) -> build.FieldColor:
    """Return one color for everything."""
    return build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(color)


def by_mark(panel: P, marks: Mapping[str, palette.Mark]) -> P:
    """Name and color series by the value of their label."""
    made: Any = panel
    for name, mark in marks.items():
        color = {"mode": "fixed", "fixedColor": mark.color}
        made.override_by_name(name, [_property("displayName", mark.word), _property("color", color)])
    return panel


def _property(name: str, value: object) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val=name, value=value)


def numbers(
    face: Face, *queries: Query, mappings: Sequence[model.ValueMapping] = (), big: bool = False, named: bool = False
) -> Anything:
    """Return one number a series, without a color of its own; ``big`` is readable from across a room."""
    panel = faced(stat.Panel(), face, queries, instant=True)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.graph_mode(common_model.BigValueGraphMode.NONE).color_mode(common_model.BigValueColorMode.VALUE)
    panel.mappings([*mappings, *palette.unknown(face.nothing)]).color_scheme(fixed(palette.PLAIN))
    panel.text_mode(common_model.BigValueTextMode.AUTO).orientation(common_model.VizOrientation.AUTO)
    if big:
        panel.text(common.VizTextDisplayOptions().title_size(24).value_size(48)).wide_layout(False)
    if big or named:
        panel.text_mode(common_model.BigValueTextMode.VALUE_AND_NAME)
    return panel


def tiles(
    face: Face, *queries: Query, marks: Mapping[int, palette.Mark] = palette.STATES, big: bool = False
) -> Anything:
    """Return one tile a series, filled with the color of its state and saying its word."""
    panel = faced(stat.Panel(), face, queries, instant=True)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.graph_mode(common_model.BigValueGraphMode.NONE).color_mode(common_model.BigValueColorMode.BACKGROUND_SOLID)
    panel.text_mode(common_model.BigValueTextMode.VALUE_AND_NAME).orientation(common_model.VizOrientation.AUTO)
    panel.mappings(palette.worded(marks, face.nothing)).color_scheme(fixed(palette.MISSING.color))
    if big:
        panel.text(common.VizTextDisplayOptions().title_size(26).value_size(36))
    return panel


def counters(face: Face, *counted: tuple[Query, palette.Mark]) -> Anything:
    """Return counts for the wall: quiet at zero, and from one on in the color of the word that each is named by."""
    panel = faced(stat.Panel(), face, [query for query, _ in counted], instant=True)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.graph_mode(common_model.BigValueGraphMode.NONE).color_mode(common_model.BigValueColorMode.BACKGROUND_SOLID)
    panel.text_mode(common_model.BigValueTextMode.VALUE_AND_NAME).orientation(common_model.VizOrientation.VERTICAL)
    panel.mappings(palette.unknown(face.nothing)).color_scheme(fixed(palette.QUIET)).wide_layout(False)
    for query, mark in counted:
        mapped = [palette.alarming(mark), *palette.unknown(face.nothing)]
        panel.override_by_name(query.legend, [_property("mappings", mapped)])
    return panel.text(common.VizTextDisplayOptions().title_size(24).value_size(48))


def rated(face: Face, query: Query, words: Sequence[model.ValueMapping]) -> Anything:
    """Return one tile for the wall that says in a word, filled with its color, how good a number is."""
    panel = faced(stat.Panel(), face, (query,), instant=True)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.graph_mode(common_model.BigValueGraphMode.NONE).color_mode(common_model.BigValueColorMode.BACKGROUND_SOLID)
    panel.text_mode(common_model.BigValueTextMode.VALUE_AND_NAME).orientation(common_model.VizOrientation.AUTO)
    panel.mappings([*words, *palette.unknown(face.nothing)]).color_scheme(fixed(palette.QUIET)).wide_layout(False)
    return panel.text(common.VizTextDisplayOptions().title_size(24).value_size(36))


def lines(face: Face, *queries: Query, ceiling: float | None = None, floor: float | None = 0) -> timeseries.Panel:
    """Return lines over time; what is missing stays a gap. Without a ``floor`` the axis follows lines below 0."""
    panel = faced(timeseries.Panel(), face, queries, instant=False)
    panel.span_nulls(False).line_width(2).fill_opacity(0).show_points(common_model.VisibilityMode.AUTO)
    panel.tooltip(_tooltip()).legend(_legend())
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
    if floor is not None:
        panel.min(floor)
    else:
        panel.axis_soft_min(0)
    return panel if ceiling is None else panel.max(ceiling)


def stacks(face: Face, *queries: Query, bars: bool = True) -> timeseries.Panel:
    """Return amounts over time on top of each other."""
    panel = faced(timeseries.Panel(), face, queries, instant=False)
    panel.draw_style(common_model.GraphDrawStyle.BARS if bars else common_model.GraphDrawStyle.LINE)
    panel.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL).group("A"))
    panel.span_nulls(False).line_width(1).fill_opacity(80 if bars else 40).min(0)
    panel.show_points(common_model.VisibilityMode.NEVER).tooltip(_tooltip()).legend(_legend())
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
    return panel


def ranking(face: Face, *queries: Query, big: bool = False, top: float | None = None) -> bargauge.Panel:
    """Return bars of different lengths, one a series, each with its number."""
    panel = faced(bargauge.Panel(), face, queries, instant=True)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.orientation(common_model.VizOrientation.HORIZONTAL).display_mode(common_model.BarGaugeDisplayMode.BASIC)
    panel.value_mode(common_model.BarGaugeValueMode.TEXT).show_unfilled(True).min(0).color_scheme(
        fixed(palette.NEUTRAL)
    )
    placement = common_model.BarGaugeNamePlacement
    panel.name_placement(placement.TOP if big else placement.LEFT)
    panel.sizing(common_model.BarGaugeSizing.MANUAL).min_viz_height(16).max_viz_height(84 if big else 36)
    panel.mappings(palette.unknown(face.nothing))
    if big:
        panel.text(common.VizTextDisplayOptions().title_size(24).value_size(26))
    return panel if top is None else panel.max(top)


def timeline(face: Face, *queries: Query, marks: Mapping[int, palette.Mark] = palette.OUTCOMES) -> statetimeline.Panel:
    """Return states over time, one row a series; what is missing stays empty."""
    panel = faced(statetimeline.Panel(), face, queries, instant=False)
    panel.span_nulls(False).merge_values(True).show_value(common_model.VisibilityMode.AUTO).fill_opacity(95)
    panel.row_height(0.85).line_width(0).mappings(palette.worded(marks, face.nothing)).legend(_legend())
    return panel.color_scheme(fixed(palette.MISSING.color)).tooltip(_tooltip())


def aside(panel: timeseries.Panel) -> timeseries.Panel:
    """Write the many names of a panel beside its lines, so that the lines keep their height."""
    return panel.legend(_legend().placement(common_model.LegendPlacement.RIGHT))


def heat(face: Face, query: Query) -> Anything:
    """Return how often each bucket of a histogram was met over time, with exemplars on top."""
    panel = faced(heatmap.Panel(), face, (query,), instant=False)
    for target in panel.build().targets or []:
        if isinstance(target, query_model.Dataquery):
            target.format_val = query_model.PromQueryFormat.HEATMAP
    color = heatmap.HeatmapColorOptions().mode(heatmap_model.HeatmapColorMode.SCHEME).scheme("Viridis").steps(64)
    axis = heatmap.YAxisConfig().unit(face.unit)
    panel.calculate(False).color(color.exponent(0.5).fill(palette.NEUTRAL)).y_axis(axis)
    return panel.exemplars_color(palette.OWN.color).cell_gap(1).show_legend()


def words(face: Face, markdown: str) -> Anything:
    """Return text."""
    panel = text.Panel().title(face.title).description(face.about).span(face.width).height(face.height)
    return panel.mode(text_model.TextMode.MARKDOWN).content(markdown)


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(common_model.LegendDisplayMode.LIST)
        .placement(common_model.LegendPlacement.BOTTOM)
        .show_legend(True)
    )


def _tooltip() -> common.VizTooltipOptions:
    return (
        common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI).sort(common_model.SortOrder.DESCENDING)
    )
