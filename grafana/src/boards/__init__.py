"""The dashboards, in the order in which docs/dashboards.md presents them."""

from __future__ import annotations

from grafana.src.boards.command_centre import command_centre
from grafana.src.boards.journey import journey
from grafana.src.boards.journeys import journeys
from grafana.src.boards.monitor_health import monitor_health
from grafana.src.boards.objectives import objectives
from grafana.src.boards.places import places
from grafana.src.boards.root_causes import root_causes
from grafana.src.boards.team import team
from grafana.src.boards.third_parties import third_parties
from grafana.src.frame import Board


def boards() -> tuple[Board, ...]:
    """Return all dashboards."""
    return (
        command_centre(),
        journeys(),
        journey(),
        root_causes(),
        third_parties(),
        objectives(),
        team(),
        places(),
        monitor_health(),
    )
