"""Clocks that step, programs that stand still, and runs that take too long."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end.conftest import until
from tests.faults.conftest import Place, Site

pytestmark = pytest.mark.slow

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
HOUR = 3_600.0


@pytest.mark.skipif(not FAKETIME.exists(), reason="Debian's faketime is not installed")
def test_a_wall_clock_that_steps_an_hour_back_and_forth_silences_and_doubles_nothing(place: Place, site: Site) -> None:
    offset = place.folder / "offset"

    def step(seconds: str) -> None:
        (place.folder / "next").write_text(seconds)
        (place.folder / "next").replace(offset)

    step("+0")
    place.configure(site, ["one", "two", "three"], every="1s")
    place.start(LD_PRELOAD=str(FAKETIME), FAKETIME_TIMESTAMP_FILE=str(offset), FAKETIME_NO_CACHE="1",
                FAKETIME_DONT_FAKE_MONOTONIC="1")  # fmt: skip
    until(lambda: place.number("faultline_journey_runs_total") >= 6, "runs before the clock is set")
    for seconds in ("-3600", "+0"):
        before, began = site.answered, time.monotonic()
        step(seconds)
        until(lambda before=before: site.answered >= before + 15, "five runs of each check after the step")
        # A silenced check would need an hour, a doubled one no time. On a busy machine three runs of each may come at
        # once: one that was under way, one that was late, and one that is due.
        took = time.monotonic() - began
        assert took < 60
        assert site.answered - before <= 3 * (took + 4)
    until(lambda: place.number("faultline_clock_step_seconds_total") >= 2 * HOUR - 60, "both steps are exported")
    steps = [json.loads(line) for line in place.log.read_text().splitlines() if "clock stepped" in line]
    assert [round(line["seconds"], -2) for line in steps] == [-HOUR, HOUR]
    place.signal(signal.SIGTERM)
    assert place.wait() == 0
    slots = place.slots()
    assert len({slot[:2] for slot in slots}) == len(slots)
    # Only what was planned half a minute ahead when the clock was set is missed; none is invented for the hour.
    assert sum(state == "missed" for _, _, state, _ in slots) <= 2 * 3 * 40
    assert not any(state == "started" for _, _, state, _ in slots)


def test_after_a_standstill_slots_are_missed_and_each_check_runs_once_at_most(place: Place, site: Site) -> None:
    names = ["one", "two", "three", "four"]
    place.configure(site, names)
    place.start()
    until(lambda: place.number("faultline_journey_runs_total") >= 8, "runs before the standstill")
    place.signal(signal.SIGSTOP)
    stopped = time.time()
    time.sleep(5)
    # Before it goes on: a machine that is busy between the two would count slots of afterwards among those of before.
    went_on = time.time()
    place.signal(signal.SIGCONT)
    until(lambda: place.number("faultline_journey_runs_missed_total") >= 12, "the standstill shows in the metrics")
    until(
        lambda: len([1 for _, at, state, _ in place.slots() if at > went_on + 1 and state == "finished"]) >= 4,
        "goes on",
    )
    during = [slot for slot in place.slots() if stopped + 0.5 < slot[1] < went_on - 0.1]
    assert len(during) >= 4 * 3
    # Whoever stood still in the middle of a run finds it still running: then the one slot left for it is skipped.
    assert {state for _, _, state, _ in during} <= {"missed", "finished", "skipped"}
    made_good = Counter(check for check, _, state, _ in during if state != "missed")
    assert all(count <= 1 for count in made_good.values())
    assert {reason for _, _, state, reason in during if state == "missed"} == {"late"}
