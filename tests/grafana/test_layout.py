"""No panel hides another, and the wall fits a screen."""

from __future__ import annotations

import itertools

import pytest

from tests.grafana.reading import dashboards, panels

COMMITTED = dashboards()
SCREEN_WIDTH, SCREEN_HEIGHT = 1920, 1080
ROW, GAP = 30, 8
# What a browser in kiosk mode keeps around the panels.
PADDING = 16
SMALLEST_TEXT = 24


def cells(panel):
    place = panel["gridPos"]
    return set(
        itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"]))
    )


@pytest.mark.parametrize("uid", COMMITTED)
def test_no_panel_overlaps_another_or_leaves_the_grid(uid):
    taken = set()
    for panel in COMMITTED[uid]["panels"]:
        place = cells(panel)
        assert not place & taken, panel["title"]
        assert max(x for x, _ in place) < 24, panel["title"]
        taken |= place


@pytest.mark.parametrize("uid", COMMITTED)
def test_every_line_is_filled(uid):
    taken = set().union(*(cells(panel) for panel in COMMITTED[uid]["panels"]))
    height = max(y for _, y in taken) + 1
    holes = [(x, y) for y in range(height) for x in range(24) if (x, y) not in taken]
    assert holes == []


def test_the_wall_fits_a_screen_without_scrolling():
    wall = COMMITTED["faultline-command-centre"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in wall["panels"])
    assert rows * (ROW + GAP) - GAP + 2 * PADDING <= SCREEN_HEIGHT
    assert all(panel["type"] != "row" for panel in wall["panels"])
    assert wall["timepicker"]["hidden"] is True
    assert {variable["hide"] for variable in wall["templating"]["list"]} == {2}
    assert wall["refresh"] == "30s"


def test_the_wall_can_be_read_from_across_a_room():
    for panel in panels(COMMITTED["faultline-command-centre"]):
        text = panel["options"]["text"]
        assert text["titleSize"] >= SMALLEST_TEXT, panel["title"]
        assert text["valueSize"] >= SMALLEST_TEXT, panel["title"]


def test_panels_have_ids_of_their_own():
    for dashboard in COMMITTED.values():
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids)
