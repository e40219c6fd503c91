"""A scrape every second of ten thousand checks: quick, and no burden on the loop on which runs are counted."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.request
from dataclasses import replace

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from monitor.cli.serving import QuietServer, bound
from monitor.config.settings import MetricsDetail, WebSettings
from monitor.domain.clock import SystemClock
from monitor.publishing.metrics import Metrics
from monitor.web.scrapes import Scrapes
from tests.builders import a_check, a_run

CHECKS = 10_000
INTERVAL = 60.0
SECONDS = 60
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


class Loop:
    """Counts the runs of all checks at an even pace, and notes by how much it runs late."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._runs = [
            a_run(check=a_check(name=f"check-{n}", journey=f"check-{n}"), run_id=f"{n:026}") for n in range(CHECKS)
        ]
        self.checks = [run.check for run in self._runs]
        self.late: list[float] = []
        self.counted = 0

    async def go(self, until: float) -> None:
        """Count runs until a moment of the monotonic clock."""
        pause = INTERVAL / CHECKS
        due = time.monotonic()
        while due < until:
            due += pause
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.late.append(time.monotonic() - due)
            run = self._runs[self.counted % CHECKS]
            self._metrics.publish(replace(run, run_id=f"{self.counted:026}"))
            self.counted += 1


class Scraper:
    """Scrapes each second from a thread of its own: its reading is not the monitor's work."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.took: list[float] = []
        self.size = 0

    def go(self, until: float) -> None:
        """Scrape until a moment of the monotonic clock."""
        request = urllib.request.Request(self._url, headers={"Accept": OPENMETRICS})
        while time.monotonic() < until:
            asked = time.monotonic()
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.size = len(answer.read())
            self.took.append(time.monotonic() - asked)
            time.sleep(max(0.0, asked + 1 - time.monotonic()))


@pytest.mark.soak
@pytest.mark.parametrize("detail", [MetricsDetail.CORE, MetricsDetail.STANDARD])
async def test_a_scrape_each_second_of_ten_thousand_checks_is_quick_and_does_not_stall_the_loop(detail) -> None:
    metrics = Metrics(clock=SystemClock(), location="here", version="1", detail=detail)
    loop = Loop(metrics)
    await asyncio.to_thread(metrics.configure, loop.checks)
    listener = bound(WebSettings(port=0))
    scraper = Scraper(f"http://127.0.0.1:{listener.getsockname()[1]}/metrics")
    app = Starlette(routes=[Route("/metrics", Scrapes(metrics.render).answer)])
    server = QuietServer(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    end = time.monotonic() + SECONDS
    await asyncio.gather(asyncio.to_thread(scraper.go, end), loop.go(end))
    server.should_exit = True
    await serving
    took, late = sorted(scraper.took), sorted(loop.late)
    print(
        f"\n{detail.value}: {len(took)} scrapes of {scraper.size / 1e6:.1f} MB,"
        f" p50 {took[len(took) // 2]:.2f} s, worst {took[-1]:.2f} s; {loop.counted} runs counted,"
        f" late p50 {late[len(late) // 2] * 1e3:.1f} ms, p99 {late[len(late) * 99 // 100] * 1e3:.0f} ms,"
        f" worst {late[-1] * 1e3:.0f} ms"
    )
    assert took[len(took) // 2] < 1
    # Other work on a shared machine may delay one; none may take as long as a scraper waits by default.
    assert took[-1] < 10
    assert loop.counted == pytest.approx(CHECKS * SECONDS / INTERVAL, rel=0.02)
    assert late[len(late) * 99 // 100] < 0.5
    body = (await asyncio.to_thread(metrics.render))[0].decode()
    runs = sum(float(n) for n in re.findall(r"^faultline_journey_runs_total{.*} (\S+)$", body, re.MULTILINE))
    assert runs == loop.counted
    assert "\nfaultline_series_refused_total 0.0\n" in body
