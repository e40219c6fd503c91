"""Those who watch the monitor: they see its death, and their questions do not disturb its work."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import time
from pathlib import Path

import httpx
import pytest

from monitor.domain.clock import SystemClock
from monitor.service import StartupChoices, open_service, read_settings
from monitor.web.app import create_app
from tests.end_to_end.conftest import until
from tests.faults.conftest import Place, Site

SPOILED = ("run_failures", "runs_missed", "runs_inconclusive")


class LateClock(SystemClock):
    """A wall clock and a monotonic one that a test moves on together."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> dt.datetime:
        return super().now() + dt.timedelta(seconds=self.ahead)

    def elapsed(self) -> float:
        return super().elapsed() + self.ahead


def age(metrics: str, now: float) -> float:
    found = re.search(r"^faultline_journey_last_run_timestamp_seconds{.*} (\S+)$", metrics, re.MULTILINE)
    assert found
    return now - float(found.group(1))


async def test_a_dead_scheduler_shows_as_ill_health_and_a_growing_age_while_pages_go_on(
    place: Place, site: Site, tmp_path: Path
) -> None:
    place.configure(site, ["plain"])
    clock = LateClock()
    settings = await asyncio.to_thread(read_settings, tmp_path / "monitor.yaml", {})
    service = await open_service(settings, StartupChoices(), environ={}, clock=clock)
    transport = httpx.ASGITransport(create_app(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9488") as client:
        await service.start()
        try:
            async with asyncio.timeout(90):
                while "last_run_timestamp_seconds{" not in (await client.get("/metrics")).text:  # noqa: ASYNC110 - a scraper has no event
                    await asyncio.sleep(0.1)
            assert (await client.get("/-/healthy")).status_code == 200
            service._scheduler._jobs.shutdown(wait=False)
            clock.ahead = 60
            healthy = await client.get("/-/healthy")
            assert healthy.status_code == 503
            assert "the scheduler has not moved for" in healthy.text
            assert (await client.get("/")).status_code == 200
            await service._state_health()
            assert "\nfaultline_healthy 0.0\n" in (await client.get("/metrics")).text
            # The last state has become too old to speak for now, and its age says so.
            clock.ahead = 600
            metrics = (await client.get("/metrics")).text
            assert age(metrics, clock.now().timestamp()) > 500
            assert "faultline_journey_success{" not in metrics
            assert "no data" in (await client.get("/")).text.lower()
        finally:
            await service.close(0)


@pytest.mark.slow
def test_a_scrape_each_second_is_quick_and_disturbs_no_run(place: Place, site: Site) -> None:
    place.configure(site, [f"check-{number}" for number in range(100)], every="5s")
    place.start()
    until(lambda: place.number("faultline_journey_runs_total") >= 100, "every check has run")
    took, before = [], place.number("faultline_journey_runs_total")
    # What a busy machine missed or spoiled while it started is no scraper's doing.
    spoiled = {name: place.number(f"faultline_journey_{name}_total") for name in SPOILED}
    began = time.monotonic()
    while time.monotonic() < began + 6:
        asked = time.monotonic()
        place.get("/metrics")
        took.append(time.monotonic() - asked)
        time.sleep(max(0.0, asked + 1 - time.monotonic()))
    assert sorted(took)[len(took) // 2] < 1
    assert max(took) < 5
    until(lambda: place.number("faultline_journey_runs_total") >= before + 100, "runs go on")
    assert {name: place.number(f"faultline_journey_{name}_total") for name in SPOILED} == spoiled
