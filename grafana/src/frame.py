"""What surrounds the panels of a dashboard: variables, annotations, links to the others, manners."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from grafana.src import palette
from grafana.src.panels import SOURCE, Anything

TAG = "faultline"
_FILTERS = "var-datasource=${datasource}&${__url_time_range}"


class Choice(StrEnum):
    """What a reader can choose at the top of a dashboard."""

    JOURNEY = "journey"
    TARGET = "target"
    PROFILE = "profile"
    LOCATION = "location"
    TEAM = "team"
    VENDOR = "third_party"


CHECKS = (Choice.TEAM, Choice.JOURNEY, Choice.TARGET, Choice.PROFILE, Choice.LOCATION)
_LABELS = {
    Choice.JOURNEY: ("Journey", 'faultline_journey_info{team=~"$team"}'),
    Choice.TARGET: ("Target", 'faultline_journey_info{journey=~"$journey"}'),
    Choice.PROFILE: ("Profile", 'faultline_journey_info{journey=~"$journey"}'),
    Choice.LOCATION: ("Location", "faultline_journey_runs_total"),
    Choice.TEAM: ("Team", "faultline_journey_info"),
    Choice.VENDOR: ("Third party", "faultline_third_party_requests_total"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and the panels below it; without a heading the panels stand by themselves."""

    title: str = ""
    panels: Sequence[Anything]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard: where it stands, what it is for, what can be chosen, and its panels."""

    name: str
    folder: str
    title: str
    about: str
    sections: Sequence[Section]
    choices: Sequence[Choice] = CHECKS
    single: Choice | None = None
    since: str = "now-24h"
    refresh: str = "1m"
    tags: Sequence[str] = ()
    wall: bool = False

    @property
    def uid(self) -> str:
        """Return the stable id that links use."""
        return f"faultline-{self.name}"


def board_url(name: str, **choices: str) -> str:
    """Return the address of another dashboard, over the same time, with what is chosen there."""
    chosen = "".join(f"&var-{choice}={value}" for choice, value in choices.items())
    return f"/d/faultline-{name}?{_FILTERS}{chosen}"


def runs_url(**filters: str) -> str:
    """Return the address of the runs behind a value, over the same time."""
    asked = "".join(f"{name}={value}&" for name, value in filters.items())
    return "${run_pages}/runs?" + asked + "from=${__from}&to=${__to}"


def framed(board: Board) -> model.Dashboard:
    """Return the dashboard that Grafana loads."""
    made = build.Dashboard(board.title).uid(board.uid).description(board.about)
    made.tags([TAG, *board.tags]).timezone("browser").readonly().tooltip(model.DashboardCursorSync.CROSSHAIR)
    made.time(board.since, "now").refresh(board.refresh).preload(False).fiscal_year_start_month(0)
    made.timepicker(build.TimePicker().hidden(board.wall))
    _variables(made, board)
    _annotations(made, board)
    if not board.wall:
        made.link(_others())
    for section in board.sections:
        if section.title:
            made.with_row(build.Row(section.title))
        for panel in section.panels:
            made.with_panel(panel)
    return _finished(made.build())


def _finished(made: model.Dashboard) -> model.Dashboard:
    """Number the panels, and leave the address of run pages out where nothing leads to one."""
    for place, panel in enumerate(made.panels or (), start=1):
        panel.id_val = place
    if "${run_pages}" not in json.dumps(made.panels, cls=JSONEncoder):
        made.templating.list_val = [each for each in made.templating.list_val or () if each.name != "run_pages"]
    return made


def _variables(made: build.Dashboard, board: Board) -> None:
    hidden = model.VariableHide.HIDE_VARIABLE
    shown = hidden if board.wall else model.VariableHide.DONT_HIDE
    source = build.DatasourceVariable("datasource").type("prometheus").label("Data source").hide(shown)
    made.with_variable(source.description("The Prometheus that scrapes Faultline."))
    made.with_variable(
        build.QueryVariable("run_pages")
        .label("Run pages")
        .description("Where the monitor serves the pages of runs.")
        .query("label_values(faultline_web_info, external_url)")
        .definition("label_values(faultline_web_info, external_url)")
        .regex("/^(.+?)\\/?$/")
        .datasource(SOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .hide(hidden)
    )
    for choice in board.choices:
        made.with_variable(_variable(choice, single=choice is board.single).hide(shown))


def _variable(choice: Choice, *, single: bool) -> build.QueryVariable:
    label, series = _LABELS[choice]
    query = f"label_values({series}, {choice.value})"
    variable = (
        build.QueryVariable(choice.value)
        .label(label)
        .description(f"Show only this {label.lower()}.")
        .query(query)
        .definition(query)
        .datasource(SOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    )
    if single:
        return variable.multi(False).include_all(False)
    everything = model.VariableOption(selected=True, text="All", value="$__all")
    return variable.multi(True).include_all(True).all_value(".*").current(everything)


def _annotations(made: build.Dashboard, board: Board) -> None:
    journey = 'journey=~"$journey"' if Choice.JOURNEY in board.choices else 'journey=~".+"'
    made.annotation(
        _annotation("Deployments", palette.THIRD_PARTY.color, "faultline_deployment_timestamp_seconds * 1000")
        .title_format("Deployed {{service}} {{version}}")
        .tag_keys("service,version")
        .use_value_for_time(True)
    )
    made.annotation(
        _annotation(
            "Maintenance",
            palette.MAINTENANCE.color,
            f"max by (journey) (faultline_journey_maintenance{{{journey}}}) == 1",
        )
        .title_format("Maintenance of {{journey}}")
        .tag_keys("journey")
    )
    alerts = 'ALERTS{alertname=~"Faultline.+", alertstate="firing"}'
    made.annotation(
        _annotation(
            "Alerts", palette.FAILING.color, f"max by (alertname, severity, journey, location, third_party) ({alerts})"
        )
        .title_format("{{alertname}} ({{severity}})")
        .text_format("{{journey}} {{location}} {{third_party}}")
        .tag_keys("severity")
    )


def _annotation(name: str, color: str, expr: str) -> build.AnnotationQuery:
    annotation = build.AnnotationQuery().name(name).datasource(SOURCE).enable(True).hide(False)
    return annotation.icon_color(color).expr(expr).step("60s")


def _others() -> build.DashboardLink:
    return (
        build.DashboardLink("Faultline dashboards")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
