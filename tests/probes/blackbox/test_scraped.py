"""A real Prometheus scrapes the door with the scrape job that everybody has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import uvicorn

from tests.probes.blackbox.comparison import our_door
from tests.probes.http.fault_server import FaultServer, hang, reply
from tests.servers import Prometheus, free_port, prometheus

pytestmark = pytest.mark.slow

MODULES = """\
modules:
  http_2xx:
    prober: http
    timeout: 5s
    http: {preferred_ip_protocol: ip4}
"""

JOB = """\
global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs:
- job_name: blackbox
  metrics_path: /probe
  params: {{module: [http_2xx]}}
  static_configs:
  - targets: ["{well}", "{broken}", "{silent}"]
  relabel_configs:
  - {{source_labels: [__address__], target_label: __param_target}}
  - {{source_labels: [__param_target], target_label: instance}}
  - {{target_label: __address__, replacement: "127.0.0.1:{port}"}}
"""


async def test_prometheus_scrapes_the_door_as_it_does_the_exporter(tmp_path: Path):
    (file := tmp_path / "blackbox.yml").write_text(MODULES)
    port = free_port()
    async with FaultServer() as shop:
        shop.routes = {"/": reply(), "/broken": reply(status="500 No"), "/silent": hang}
        with our_door(file) as app:
            config = uvicorn.Config(app, port=port, log_config=None, lifespan="off", access_log=False)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve())
            job = JOB.format(well=shop.url("/"), broken=shop.url("/broken"), silent=shop.url("/silent"), port=port)
            running = prometheus(tmp_path, job)
            scraper = await asyncio.to_thread(running.__enter__)
            try:
                async with Prometheus(scraper.url) as asked:
                    await _look(asked, shop)
            finally:
                await asyncio.to_thread(running.__exit__, None, None, None)
                server.should_exit = True
                await serving


async def _look(asked: Prometheus, shop: FaultServer) -> None:
    for path, success in (("/", 1), ("/broken", 0), ("/silent", 0)):
        series = f'probe_success{{job="blackbox",instance="{shop.url(path)}"}}'
        await asked.become(series, lambda value, wanted=success: value == wanted)
        # A target that fails or hangs is a result: the scrape itself was well.
        await asked.become(f'up{{instance="{shop.url(path)}"}}', lambda value: value == 1)
    status = f'probe_http_status_code{{instance="{shop.url("/broken")}"}}'
    assert await asked.become(status) == 500
    # Of a while, not of this moment: a scrape that a busy machine was late for leaves nothing at its own.
    phases = await asked.query(f'last_over_time(probe_http_duration_seconds{{instance="{shop.url("/")}"}}[1m])')
    assert {each.labels["phase"] for each in phases} == {"resolve", "connect", "tls", "processing", "transfer"}
    kinds = await asked.metadata()
    assert kinds["probe_success"][0]["type"] == "gauge"
    assert kinds["probe_success"][0]["help"] == "Displays whether or not the probe was a success"
