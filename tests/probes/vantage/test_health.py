from __future__ import annotations

import asyncio
import datetime as dt
import time

import pytest

from monitor.domain.clock import SystemClock
from monitor.probes.vantage.health import HealthSampler, SystemPaths


class MovedClock(SystemClock):
    def __init__(self) -> None:
        self.step = dt.timedelta()

    def now(self) -> dt.datetime:
        return super().now() + self.step


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def paths(tmp_path) -> SystemPaths:
    (tmp_path / "cpu").write_text("some avg10=12.50 avg60=1.00 avg300=0.00 total=1\nfull avg10=0.00\n")
    (tmp_path / "stat").write_text("nr_periods 100\nnr_throttled 10\nthrottled_time 5\n")
    (tmp_path / "events").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    return SystemPaths(
        cpu_pressure=tmp_path / "cpu",
        memory_pressure=tmp_path / "missing",
        cpu_statistics=(tmp_path / "missing", tmp_path / "stat"),
        memory_events=(tmp_path / "events",),
    )


async def test_a_blocked_loop_shows_as_lag(clock, tmp_path, paths):
    sampler = HealthSampler(clock=clock, directory=tmp_path, paths=paths)
    sampler.start()
    quiet = sampler.window()
    await asyncio.sleep(0.3)
    calm = quiet.close()
    window = sampler.window()
    await asyncio.sleep(0.06)
    time.sleep(0.5)  # noqa: ASYNC251 - the loop is to be blocked
    await asyncio.sleep(0.12)
    health = window.close()
    await sampler.stop()
    assert calm.loop_lag_p50 is not None
    assert health.loop_lag_max > 0.4
    assert health.loop_lag_max > calm.loop_lag_p50


async def test_lag_is_seen_even_before_the_loop_turns_again(clock, tmp_path, paths):
    sampler = HealthSampler(clock=clock, directory=tmp_path, paths=paths)
    sampler.start()
    await asyncio.sleep(0.01)
    window = sampler.window()
    time.sleep(0.4)  # noqa: ASYNC251 - the loop is to be blocked
    assert window.close().loop_lag_max > 0.2
    await sampler.stop()


async def test_what_the_system_says_is_read_and_what_it_does_not_say_is_none(clock, tmp_path, paths):
    sampler = HealthSampler(clock=clock, directory=tmp_path, paths=paths)
    window = sampler.window()
    sampler._reading = None
    (tmp_path / "stat").write_text("nr_periods 200\nnr_throttled 60\n")
    (tmp_path / "events").write_text("oom_kill 4\n")
    health = window.close(browser_alive=True)
    assert health.cpu_pressure == 12.5
    assert health.memory_pressure is None
    assert health.throttled_ratio == 0.5
    assert health.oom_kills == 1
    assert health.disk_free_bytes > 0
    assert health.browser_alive is True
    assert health.loop_lag_max is None


async def test_a_wall_clock_that_steps_is_measured(clock, tmp_path, paths):
    sampler = HealthSampler(clock=clock, directory=tmp_path, paths=paths)
    window = sampler.window()
    clock.step = dt.timedelta(hours=-1)
    assert window.close().clock_stepped == pytest.approx(-3600, abs=1)


async def test_a_machine_that_tells_nothing_leaves_everything_open(clock, tmp_path):
    missing = tmp_path / "missing"
    paths = SystemPaths(
        cpu_pressure=missing, memory_pressure=missing, cpu_statistics=(missing,), memory_events=(missing,)
    )
    health = HealthSampler(clock=clock, directory=missing, paths=paths).window().close()
    assert (health.cpu_pressure, health.throttled_ratio, health.oom_kills, health.disk_free_bytes) == (None,) * 4


async def test_many_windows_share_one_sampler(clock, tmp_path, paths):
    sampler = HealthSampler(clock=clock, directory=tmp_path, paths=paths)
    sampler.start()
    windows = [sampler.window() for _ in range(200)]
    await asyncio.sleep(0.1)
    assert all(window.close().loop_lag_p50 is not None for window in windows)
    await sampler.stop()
