"""What the service says of its own parts, through a real service without a site."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.domain.check import MaintenanceWindow
from monitor.domain.clock import SystemClock
from monitor.service import Service, StartupChoices, open_service, read_settings

CONFIG = """\
location: lab
journeys: journeys
storage: {directory: data}
web: {external_url: "https://watch.example.com/faultline"}
business: {currency: EUR}
targets: {site: {base_url: "http://127.0.0.1:9"}}
checks:
  - journey: look
    cron: "0 0 1 1 *"
    process: buying
    customers_per_hour: 60
    value_per_customer: 12
    satisfied_within: 2s
"""
JOURNEY = "name: look\ntitle: Look\nsteps:\n  - {title: Look, request: {url: /}, expect: {status: 200}}\n"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "look.yaml").write_text(JOURNEY)
    path = tmp_path / "monitor.yaml"
    path.write_text(CONFIG)
    clock = SystemClock()
    settings = read_settings(path, {}, StartupChoices())
    now = clock.now()
    window = MaintenanceWindow(name="move", start=now - dt.timedelta(hours=1), end=now + dt.timedelta(hours=1))
    service = await open_service(replace(settings, maintenance=(window,)), StartupChoices(), environ={}, clock=clock)
    await service.start()
    yield service
    await service.close(0)


def numbers(service: Service) -> dict[str, float]:
    """Every series of ours by the text before its number."""
    lines = service.metrics("")[0].decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


async def test_how_the_parts_fare_is_stated_from_the_start(service: Service) -> None:
    found = numbers(service)
    assert found["faultline_healthy"] == 1
    assert found["faultline_browser_contexts"] == 0
    assert found['faultline_checks{state="running"}'] == 1
    assert found['faultline_web_info{external_url="https://watch.example.com/faultline"}'] == 1
    reviews = {name: count for name, count in found.items() if name.startswith("faultline_reviewed_verdicts")}
    assert reviews == {
        f'faultline_reviewed_verdicts{{review="{word}"}}': 0 for word in ("right", "wrong", "undetermined")
    }
    beat = found['faultline_location_last_heartbeat_timestamp_seconds{location="lab"}']
    assert abs(beat - service.clock.now().timestamp()) < 60


async def test_what_is_configured_of_a_check_is_stated_with_its_windows(service: Service) -> None:
    found = {name.partition("{")[0]: number for name, number in numbers(service).items() if 'journey="look"' in name}
    assert found["faultline_journey_maintenance"] == 1
    assert found["faultline_journey_customers_per_hour"] == 60
    assert found["faultline_journey_value_per_customer"] == 12
    assert found["faultline_journey_slo_latency_threshold_seconds"] == 2
    assert "faultline_step_duration_seconds_count" not in found
