"""No sick monitor blames a site, or calls one well that is down. ``python -m tests.lab.blame`` prints the matrix."""

from __future__ import annotations

import pytest

from tests.lab.blame import MONITORS, SITES, fill, is_wrong


@pytest.mark.browser
@pytest.mark.soak
@pytest.mark.parametrize("monitor", MONITORS)
@pytest.mark.parametrize("site", SITES)
def test_a_sick_monitor_blames_nobody_innocent_and_calls_nothing_well_that_is_down(site, monitor):
    said = fill(site, monitor)
    assert "error" not in said, said["error"]
    assert not is_wrong(site, said), said


def test_a_cell_is_wrong_where_somebody_innocent_is_named_or_a_dead_site_is_called_well():
    passed = {"outcome": "passed", "detail": ""}
    slow = {"outcome": "degraded", "detail": "own.slow_backend"}
    ours, theirs = ({"outcome": "failed", "detail": detail} for detail in ("own.connect", "tp.connect"))
    nobody = {"outcome": "inconclusive", "detail": "client.prober"}
    assert [is_wrong(site, passed) for site in SITES] == [False, True, False]
    assert [is_wrong(site, slow) for site in SITES] == [True, True, True]
    assert [is_wrong(site, ours) for site in SITES] == [True, False, True]
    assert [is_wrong(site, theirs) for site in SITES] == [True, True, False]
    assert not any(is_wrong(site, nobody) for site in SITES)
