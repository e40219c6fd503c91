"""Asks the day what a dashboard would ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grafana.preview.answers import Query, queries
from grafana.preview.boards import Board
from grafana.preview.resolving import LabelValues, Resolver, Values, Window, chosen_by_default, options_of
from tests.grafana.live.day import Day
from tests.grafana.live.stage import SCRAPE_INTERVAL
from tests.servers import Prometheus, Sample


@dataclass(frozen=True, slots=True)
class Place:
    """One query of one panel of one dashboard."""

    board: str
    panel: str
    ref: str


def window_of(board: Board, day: Day) -> Window:
    """Return the time that a dashboard shows at the end of the day."""
    return Window(start=day.end - board.seconds, end=day.end, scrape=SCRAPE_INTERVAL)


async def resolver_of(board: Board, day: Day, prometheus: Prometheus, wanted: Values | None = None) -> Resolver:
    """Return what is chosen when the dashboard is opened, or with the wanted values."""
    return await chosen_by_default(board.variables, window_of(board, day), _labels(board, day, prometheus), wanted)


async def values_of(
    variable: Mapping[str, Any], board: Board, resolver: Resolver, day: Day, prometheus: Prometheus
) -> tuple[str, ...]:
    """Return what a variable offers."""
    return await options_of(variable, resolver, _labels(board, day, prometheus))


def _labels(board: Board, day: Day, prometheus: Prometheus) -> LabelValues:
    window = window_of(board, day)

    async def label_values(series: str, label: str) -> tuple[str, ...]:
        asked = {"match[]": series} if series else {}
        return tuple(await prometheus.ask(f"label/{label}/values", start=window.start, end=window.end, **asked))

    return label_values


def queries_of(board: Board, resolver: Resolver) -> Mapping[Place, Query]:
    """Return all queries of a dashboard."""
    return {
        Place(board.uid, panel.get("title", ""), query.ref): query
        for panel in board.panels
        for query in queries(panel, resolver)
    }


async def answer(query: Query, resolver: Resolver, prometheus: Prometheus) -> tuple[Sample, ...]:
    """Return what Prometheus says; a refusal is an error with its words."""
    window = resolver.window
    if query.instant:
        return await prometheus.query(query.expression, window.end)
    start, end = (moment // query.step * query.step for moment in (window.start, window.end))
    return await prometheus.query_range(query.expression, start=start, end=end, step=query.step)
