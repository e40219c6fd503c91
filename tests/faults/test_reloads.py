"""Configurations that change under load."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.end_to_end.conftest import until
from tests.faults.conftest import Place, Site

pytestmark = pytest.mark.slow


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def resident_megabytes(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def endure(place: Place, site: Site, *, signals: int, each: float) -> None:
    place.configure(site, [f"check-{number}" for number in range(20)])
    place.start()
    until(lambda: place.number("faultline_journey_runs_total") >= 40, "the load is there")
    assert place.process is not None
    pid = place.process.pid
    place.post("/-/reload")
    before, began = (descriptors(pid), threads(pid), resident_megabytes(pid)), time.time()
    runs = place.number("faultline_journey_runs_total")
    sent = 0
    # On a busy machine it takes longer until enough has run to say something of it.
    while sent < signals or (place.number("faultline_journey_runs_total") < runs + 40 and time.time() < began + 60):
        place.signal(signal.SIGHUP)
        time.sleep(each)
        sent += 1
    ended = time.time()
    # A last change is heeded, whatever became of the signals before it.
    place.configure(site, ["last", *(f"check-{number}" for number in range(19))])
    place.signal(signal.SIGHUP)
    until(lambda: 'journey="last"' in place.get("/metrics"), "the last change is in force")
    place.wait_for_run("last@site/desktop")
    assert 'journey="check-19"' not in place.get("/metrics"), "a check that was removed has series still"
    # Workers that the last change sent off may be on their way out still; what leaks does not go.
    until(lambda: descriptors(pid) <= before[0] + 10, "as few files are open as before")
    until(lambda: threads(pid) <= before[1] + 8, "as few threads run as before")
    assert resident_megabytes(pid) <= before[2] + 60
    during = [slot for slot in place.slots() if began < slot[1] < ended]
    states = [state for _, _, state, _ in during]
    assert states.count("finished") >= 20
    assert "planned" not in {state for _, at, state, _ in during if at < ended - 5}
    assert states.count("missed") <= max(40, len(during) // 5)


def test_a_hundred_reloads_under_load_leave_nothing_behind_and_miss_hardly_a_slot(place: Place, site: Site) -> None:
    endure(place, site, signals=100, each=0.02)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_thousand_reloads_under_load_leave_nothing_behind_and_miss_hardly_a_slot(place: Place, site: Site) -> None:
    endure(place, site, signals=1_000, each=0.6)
