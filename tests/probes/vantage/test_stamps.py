from __future__ import annotations

import struct
import time

from monitor.probes.vantage import stamps
from monitor.probes.vantage.stamps import Timeline


def _stamp(nanoseconds: int) -> list[tuple[int, int, bytes]]:
    return [(1, 37, struct.pack("@qq", nanoseconds // 1_000_000_000, nanoseconds % 1_000_000_000))]


def test_a_stamp_becomes_a_moment_of_the_clock_that_never_steps():
    timeline = Timeline()
    wall, now = time.time_ns(), time.monotonic()
    arrived = timeline.moment(_stamp(wall), now + 0.5)
    assert abs(arrived - now) < 0.05
    assert timeline.confirm()


def test_without_a_stamp_our_own_reading_counts():
    timeline = Timeline()
    assert timeline.moment([], 5.0) == 5.0
    assert not timeline.confirm()


def test_a_stamp_from_the_future_or_from_before_is_not_believed():
    for away in (3_600_000_000_000, -3_600_000_000_000):
        timeline = Timeline()
        now = time.monotonic()
        assert timeline.moment(_stamp(time.time_ns() + away), now) == now
        assert not timeline.trusted


def test_a_step_of_the_wall_clock_is_noticed_at_the_end(monkeypatch):
    timeline = Timeline()
    real = time.time_ns
    monkeypatch.setattr(stamps.time, "time_ns", lambda: real() + 50_000_000)
    assert not timeline.confirm()


def test_an_interruption_between_two_readings_is_no_step(monkeypatch):
    timeline = Timeline()
    real = time.time_ns

    def late() -> int:
        time.sleep(0.01)
        return real()

    monkeypatch.setattr(stamps.time, "time_ns", late)
    assert timeline.confirm()
