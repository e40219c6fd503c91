"""Stops and kills in the middle of work: every planned slot still has exactly one end."""

from __future__ import annotations

import random
import signal
import sqlite3
import time

import pytest

from tests.end_to_end.conftest import until
from tests.faults.conftest import Place, Site

pytestmark = pytest.mark.slow

ENDS = {"finished", "missed", "lost", "skipped"}


def test_sigterm_with_twenty_runs_in_flight_ends_in_time_and_each_run_has_an_end(place: Place, site: Site) -> None:
    place.configure(site, [f"check-{number}" for number in range(40)], every="6s")
    site.hold.clear()
    place.start()
    until(lambda: site.waiting >= 20, "twenty runs wait for the server")
    began = time.monotonic()
    place.signal(signal.SIGTERM)
    assert place.wait() == 0
    # Eight seconds are granted to runs in flight; the rest is for a machine that is busy.
    assert time.monotonic() - began < 20
    past = [slot for slot in place.slots() if slot[1] < time.time() - 20 or slot[2] != "planned"]
    assert len(past) >= 20
    assert {state for _, _, state, _ in past} <= ENDS
    assert {reason for _, _, state, reason in past if state == "lost"} <= {"shutdown"}
    wal = place.folder / "data" / "history.db-wal"
    assert not wal.exists() or wal.stat().st_size == 0


def acknowledged(place: Place) -> set[str]:
    """Return the runs that a reader of the database can see while the program runs."""
    database = sqlite3.connect(f"file:{place.folder / 'data' / 'history.db'}?mode=ro", uri=True)
    try:
        return {row[0] for row in database.execute("select run_id from slots where state = 'finished'")}
    finally:
        database.close()


def survive(place: Place, site: Site, *, rounds: int) -> None:
    place.configure(site, [f"check-{number}" for number in range(10)])
    luck = random.Random(9)
    seen: set[str] = set()
    for _ in range(rounds):
        place.start()
        until(lambda: place.get("/-/healthy"), "healthy")
        before = len(seen)
        until(lambda before=before: len(acknowledged(place)) > before, "another result is stored")
        time.sleep(luck.uniform(0, 0.6))
        seen |= acknowledged(place)
        place.signal(signal.SIGKILL)
        place.wait()
    # Slots that come due while the program stops stay planned; the next start says what became of them.
    again = time.time()
    place.start()
    place.ready()
    place.signal(signal.SIGTERM)
    assert place.wait() == 0
    assert seen
    assert seen <= acknowledged(place), "a result that could be read is gone"
    slots = place.slots()
    assert len({slot[:2] for slot in slots}) == len(slots)
    assert {state for _, at, state, _ in slots if at < again} <= ENDS
    with sqlite3.connect(place.folder / "data" / "history.db") as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    database.close()


def test_kills_at_random_moments_lose_no_stored_result_and_leave_no_slot_open(place: Place, site: Site) -> None:
    survive(place, site, rounds=2)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_kills_lose_no_stored_result_and_leave_no_slot_open(place: Place, site: Site) -> None:
    survive(place, site, rounds=200)
