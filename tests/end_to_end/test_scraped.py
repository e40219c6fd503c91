"""A real Prometheus that scrapes the running program: numbers, exemplars, and a gap where the program is gone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

import pytest

from tests import servers
from tests.end_to_end.conftest import Program

pytestmark = pytest.mark.slow

RUNS = 'sum(faultline_journey_runs_total{journey="api"})'
STATE = 'faultline_journey_success{journey="api"}'
DURATION = 'faultline_journey_duration_seconds_bucket{journey="api"}'


def scraping(program: Program) -> dict[str, object]:
    every = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    jobs = [{"job_name": "faultline", "static_configs": [{"targets": [f"127.0.0.1:{program.port}"]}]}]
    return {"global": every, "scrape_configs": jobs}


async def is_well(prometheus: servers.Prometheus) -> None:
    """Wait until the last scrape was well: one of them may be late on a busy machine."""
    told = ()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(servers.PATIENCE):
            while told != ("up", ""):
                (target,) = await prometheus.targets()
                told = (target["health"], target["lastError"])
                await asyncio.sleep(0.1)
    assert told == ("up", "")


async def test_a_prometheus_scrapes_numbers_and_exemplars_and_sees_a_gap_when_the_program_is_gone(
    folder: Path, program: Program, tmp_path: Path
):
    program.start()
    await asyncio.to_thread(program.wait_for_run, "api@shop-api/desktop")
    (home := tmp_path / "scraping").mkdir()
    with servers.prometheus(home, scraping(program)) as running:
        async with servers.Prometheus(running.url) as prometheus:
            await prometheus.become('up{job="faultline"}', lambda up: up == 1.0)
            first = await prometheus.become(RUNS)
            await prometheus.become(RUNS, lambda runs: runs > first)
            await prometheus.become(f"min({STATE})", lambda state: state == 1.0)
            await is_well(prometheus)

            now = await prometheus.value("time()")
            assert now is not None
            marked = await prometheus.exemplars(DURATION, start=now - 300, end=now + 5)
            run_ids = {exemplar["labels"]["run_id"] for exemplar in marked}
            assert run_ids & {str(run["run_id"]) for run in await asyncio.to_thread(program.runs)}

            program.signal(signal.SIGTERM)
            await asyncio.to_thread(program.wait)
            await prometheus.become('up{job="faultline"}', lambda up: up == 0.0)
            assert await prometheus.query(STATE) == ()
            assert await prometheus.query(RUNS) == ()
