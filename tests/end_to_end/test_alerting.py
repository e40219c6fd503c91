"""From a broken vendor to the person who is called, with the shipped rules and routes on a faster clock."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from monitor.demo import Shop
from tests import servers
from tests.end_to_end import alerting
from tests.end_to_end.conftest import CHECKS, OWNERSHIP, Program
from tests.end_to_end.pager import Notice, Pager

pytestmark = pytest.mark.slow

# Longer than any way takes: the machine may be busy with other things.
PATIENCE = 150.0
CONFIG = """\
location: lab
journeys: {checks}
storage: {{directory: data}}
targets:
  shop-api: {{base_url: "{api}", extra_ca: ca.pem, concurrency: 4}}
checks:
  - {{journey: pay, target: shop-api, every: 2s, deadline: 2s, attempts: 1,
     team: payments, service: checkout, process: buying, tier: 1, satisfied_within: 1s}}
  - {{journey: api, target: shop-api, every: 2s, deadline: 2s, attempts: 1,
     team: catalog, service: api, process: finding, tier: 1, satisfied_within: 1s}}
"""
PAY = """\
name: pay
title: Open a payment
description: Reads a price from the shop and asks the payment provider to take it.
steps:
  - title: Read the price
    name: read-price
    capability: catalog
    request: {{url: /orders/none}}
    expect: {{status: 404}}
  - title: Open the payment
    name: open-payment
    capability: payments
    request: {{method: POST, url: "{payment}/v1/sessions", json: {{amount: 690}}}}
    expect: {{status: 201}}
"""
CONTROLS = ("news", "weather", "museum")


@pytest.fixture
def folder(tmp_path: Path, shop: Shop) -> Path:
    """Two HTTP checks every two seconds: one that needs the payment vendor, one that needs our own catalog."""
    journeys = tmp_path / "checks"
    journeys.mkdir()
    (journeys / "api.yaml").write_text((CHECKS / "api.yaml").read_text())
    (journeys / "pay.yaml").write_text(PAY.format(payment=shop.url("payment")))
    (tmp_path / "ca.pem").write_text(shop.ca_pem)
    (tmp_path / "monitor.yaml").write_text(CONFIG.format(checks=journeys, api=shop.url("api")))
    controls = "".join(f"  - {shop.url(name)}/generate_204\n" for name in CONTROLS)
    (tmp_path / "ownership.yaml").write_text(f"{OWNERSHIP}controls:\n{controls}")
    return tmp_path


@pytest.fixture
def pager() -> Iterator[Pager]:
    pager = Pager()
    yield pager
    pager.close()


@pytest.fixture
async def control(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """The shop's control page, as a person or a program uses it."""
    async with httpx.AsyncClient(base_url=shop.url("control"), timeout=30, trust_env=False) as client:
        yield client


async def press(control: httpx.AsyncClient, path: str) -> None:
    answer = await control.post(path)
    assert answer.status_code == 200, answer.text


async def notice(pager: Pager, **wanted: str) -> Notice:
    """Wait for a delivery; the shop lives on this loop, so the waiting is done beside it."""
    return await asyncio.to_thread(pager.wait, PATIENCE, **wanted)


def page_behind(url: str) -> tuple[str, str]:
    """Return where a link leads in the end, and what is there."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.status == 200
        return str(answer.url), str(answer.read().decode())


async def test_a_vendor_s_outage_reaches_vendor_management_and_never_the_pager_of_the_team(
    folder: Path, program: Program, pager: Pager, control: httpx.AsyncClient
) -> None:
    program.start()
    with alerting.alertmanager(folder, pager) as alertmanager:
        config = alerting.write_prometheus(folder, [f"127.0.0.1:{program.port}"], alertmanager.address)
        with alerting.prometheus(folder, port=servers.free_port(), config=config) as running:
            async with servers.Prometheus(running.url) as prometheus:
                await prometheus.become('faultline_journey_success{journey="pay"}')
                await press(control, "/faults/payment-503/break")
                told = await notice(
                    pager, receiver="vendor-management-pager", alertname="FaultlineThirdPartyBurnFast", status="firing"
                )
                await names_the_failure(told, program)
                await counts_for_customers_but_not_for_the_team(prometheus, pager)
                await press(control, "/faults/payment-503/mend")
                await notice(pager, receiver="vendor-management-pager", alertname=told.name, status="resolved")
                await prometheus.become('faultline_journey_success{journey="pay"}')
                assert pager.notices(receiver="payments-pager") == ()


async def names_the_failure(told: Notice, program: Program) -> None:
    """Journey, step, cause, vendor, owner, urgency, runbook and the page of the failed run."""
    assert told.labels["journey"] == "pay"
    assert told.labels["cause"] == "third_party"
    assert told.labels["third_party"] == "Example Pay"
    assert told.labels["severity"] == "critical"
    assert (told.labels["team"], told.labels["service"]) == ("payments", "checkout")
    assert "Example Pay" in told.annotations["summary"]
    assert "Failing step: open-payment (capability payments)" in told.annotations["description"]
    assert "put down to Example Pay (vendor)" in told.annotations["description"]
    assert (CHECKS.parent / told.annotations["runbook_url"]).is_file()
    url, page = await asyncio.to_thread(page_behind, told.annotations["run_url"])
    assert url.startswith(f"{program.url}/runs/")
    assert "latest" not in url
    assert "Example Pay" in page
    assert "tp.http_status" in page


async def counts_for_customers_but_not_for_the_team(prometheus: servers.Prometheus, pager: Pager) -> None:
    """The budget of the journey burns, and the alerts that would wake its owner are not even pending."""
    await prometheus.become('check:faultline_burn_rate:ratio1h{journey="pay"}', lambda rate: rate > 14.4)
    own = 'check_cause:faultline_run_failures:increase1h{journey="pay",cause=~"own_infrastructure|undetermined"}'
    assert await prometheus.value(f"sum({own})") == 0
    symptoms = [each for each in await prometheus.alerts() if each["labels"].get("category") == "symptom"]
    assert symptoms == []
    assert pager.notices(receiver="payments-pager") == ()
