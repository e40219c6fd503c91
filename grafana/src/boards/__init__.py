"""The dashboards, in the order in which docs/dashboards.md presents them."""

from __future__ import annotations

from grafana.src.boards.command_centre import command_centre
from grafana.src.boards.journey import journey
from grafana.src.boards.journeys import journeys
from grafana.src.frame import Board


def boards() -> tuple[Board, ...]:
    """Return all dashboards."""
    return (
        command_centre(),
        journeys(),
        journey(),
    )
