"""From a broken vendor to the person who is called, with the shipped rules and routes on a faster clock."""

from __future__ import annotations

import asyncio
import re
import signal
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from monitor.demo import Shop
from tests import servers
from tests.end_to_end import alerting
from tests.end_to_end.alerting import watching
from tests.end_to_end.conftest import CHECKS, Program
from tests.end_to_end.pager import Notice, Pager

pytestmark = pytest.mark.slow

# Longer than any way takes: the machine may be busy with other things.
PATIENCE = 150.0
LONG = 600.0
CONFIG = """\
location: lab
journeys: {checks}
storage: {{directory: data}}
targets:
  shop: {{base_url: "{shop}", extra_ca: ca.pem}}
  shop-api: {{base_url: "{api}", extra_ca: ca.pem, concurrency: 4}}
checks:
  - {{journey: api, target: shop-api, every: 2s, deadline: 2s, attempts: 1,
     team: catalog, service: api, process: finding, tier: 1, satisfied_within: 1s}}
"""
PAYING = """\
  - {journey: pay, target: shop-api, every: 2s, deadline: 2s, attempts: 1,
     team: payments, service: checkout, process: buying, tier: 1, satisfied_within: 1s}
"""
BUYING = """\
  - {journey: checkout, target: shop, every: 25s, deadline: 25s, attempts: 1,
     team: payments, service: checkout, process: buying, tier: 1, customers_per_hour: 120}
"""
PAY = """\
name: pay
title: Open a payment
description: Asks the shop whether it is there, and the payment provider to take a payment.
steps:
  - title: Ask for an order
    name: ask-for-an-order
    capability: orders
    request: {{url: /orders/none}}
    expect: {{status: 404}}
  - title: Open the payment
    name: open-payment
    capability: payments
    request: {{method: POST, url: "{payment}/v1/sessions", json: {{amount: 690}}}}
    expect: {{status: 201}}
"""
CONTROL = re.compile(r"https://www\.example(\w+)\.localhost:\d+/generate_204")


@pytest.fixture
def folder(tmp_path: Path, shop: Shop) -> Path:
    """One check of our own catalog every two seconds; a test adds one that needs the payment vendor."""
    journeys = tmp_path / "checks"
    journeys.mkdir()
    for path in ("api.yaml", "checkout.py", "pages"):
        (journeys / path).symlink_to(CHECKS / path)
    (journeys / "pay.yaml").write_text(PAY.format(payment=shop.url("payment")))
    (tmp_path / "ca.pem").write_text(shop.ca_pem)
    config = CONFIG.format(checks=journeys, shop=shop.url("shop"), api=shop.url("api"))
    (tmp_path / "monitor.yaml").write_text(config)
    shipped = (CHECKS.parent / "config" / "ownership.yaml").read_text()
    here = CONTROL.sub(lambda found: f"{shop.url(found[1])}/generate_204", shipped)
    (tmp_path / "ownership.yaml").write_text(here)
    return tmp_path


@pytest.fixture
def pager() -> Iterator[Pager]:
    pager = Pager()
    yield pager
    pager.close()


@pytest.fixture
def alertmanager(folder: Path, pager: Pager) -> Iterator[servers.Server]:
    with alerting.alertmanager(folder, pager) as running:
        yield running


@pytest.fixture
async def control(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """The shop's control page, as a person or a program uses it."""
    async with httpx.AsyncClient(base_url=shop.url("control"), timeout=30, trust_env=False) as client:
        yield client


async def press(control: httpx.AsyncClient, path: str) -> None:
    answer = await control.post(path)
    assert answer.status_code == 200, answer.text


async def notice(pager: Pager, *, patience: float = PATIENCE, after: float = 0.0, **wanted: str) -> Notice:
    """Wait for a delivery; the shop lives on this loop, so the waiting is done beside it."""
    return await asyncio.to_thread(pager.wait, patience, after=after, **wanted)


def page_behind(url: str) -> tuple[str, str]:
    """Return where a link leads in the end, and what is there."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.status == 200
        return str(answer.url), str(answer.read().decode())


async def leads_to_the_failed_run(told: Notice, program: Program, *words: str) -> None:
    url, page = await asyncio.to_thread(page_behind, told.annotations["run_url"])
    assert url.startswith(f"{program.url}/runs/")
    assert "latest" not in url
    assert [word for word in words if word not in page] == []
    assert (CHECKS.parent / told.annotations["runbook_url"]).is_file()


async def counts_for_customers_but_not_for_the_team(prometheus: servers.Prometheus, pager: Pager, journey: str) -> None:
    """The budget of the journey burns, and the alerts that would wake its owner are not even pending."""
    await prometheus.become(f'check:faultline_burn_rate:ratio1h{{journey="{journey}"}}', lambda rate: rate > 14.4)
    own = (
        f'check_cause:faultline_run_failures:increase1h{{journey="{journey}",cause=~"own_infrastructure|undetermined"}}'
    )
    assert await prometheus.value(f"sum({own})") == 0
    symptoms = [each for each in await prometheus.alerts() if each["labels"].get("category") == "symptom"]
    assert symptoms == []
    assert pager.notices(receiver="payments-pager") == ()


# Longer than all its patience together, so that what was waited for in vain is told.
@pytest.mark.timeout(900)
async def test_a_vendor_s_outage_calls_vendor_management_names_all_and_never_wakes_the_team(
    folder: Path, program: Program, pager: Pager, control: httpx.AsyncClient, alertmanager: servers.Server
) -> None:
    with (folder / "monitor.yaml").open("a") as config:
        config.write(PAYING)
    program.start()
    async with watching(folder, program.address, alertmanager.address) as prometheus:
        await prometheus.become('faultline_journey_success{journey="pay"}', patience=PATIENCE)
        await press(control, "/faults/payment-503/break")
        told = await notice(
            pager, receiver="vendor-management-pager", alertname="FaultlineThirdPartyBurnFast", status="firing"
        )
        assert {"journey": "pay", "cause": "third_party", "third_party": "Example Pay"}.items() <= told.labels.items()
        assert {"severity": "critical", "team": "payments", "service": "checkout"}.items() <= told.labels.items()
        assert "Example Pay" in told.annotations["summary"]
        assert "Failing step: open-payment (capability payments)" in told.annotations["description"]
        assert "put down to Example Pay (vendor)" in told.annotations["description"]
        await leads_to_the_failed_run(told, program, "Example Pay", "tp.http_status", "503")
        await counts_for_customers_but_not_for_the_team(prometheus, pager, "pay")
        await press(control, "/faults/payment-503/mend")
        await notice(pager, receiver="vendor-management-pager", alertname=told.name, status="resolved")
        await prometheus.become('faultline_journey_success{journey="pay"}', lambda success: success == 1)
        assert pager.notices(receiver="payments-pager") == ()


@pytest.mark.soak
@pytest.mark.browser
async def test_in_the_browser_a_vendor_s_outage_is_told_from_our_own_to_the_end(
    folder: Path, program: Program, pager: Pager, control: httpx.AsyncClient, alertmanager: servers.Server
) -> None:
    with (folder / "monitor.yaml").open("a") as config:
        config.write(BUYING)
    program.start()
    async with watching(folder, program.address, alertmanager.address) as prometheus:
        await prometheus.become('faultline_journey_success{journey="checkout"}', patience=LONG)
        await press(control, "/faults/payment-refuses/break")
        told = await notice(
            pager, receiver="vendor-management-pager", journey="checkout", status="firing", patience=LONG
        )
        assert (told.labels["third_party"], told.labels["severity"]) == ("Example Pay", "critical")
        assert "Failing step: pay (capability payments)" in told.annotations["description"]
        lost = re.search(r"customers about (\d+) an hour do not get there", told.annotations["description"])
        assert lost
        assert 0 < int(lost[1]) <= 120
        await leads_to_the_failed_run(told, program, "Example Pay", "tp.connect", "refused the connection")
        await counts_for_customers_but_not_for_the_team(prometheus, pager, "checkout")
        spent = 'check_cause:faultline_error_budget_spent:ratio30d{{journey="checkout",cause="{cause}"}}'
        await prometheus.become(spent.format(cause="third_party"), lambda share: share > 1, patience=LONG)
        assert await prometheus.value(spent.format(cause="own_infrastructure")) == 0
        remaining = await prometheus.value('check:faultline_error_budget_remaining:ratio30d{journey="checkout"}')
        assert remaining is not None
        assert remaining < 0
        await press(control, "/faults/payment-refuses/mend")
        await notice(pager, receiver=told.receiver, alertname=told.name, status="resolved", patience=LONG)
        await an_own_fault_pages_its_owner(program, pager, control)


async def an_own_fault_pages_its_owner(program: Program, pager: Pager, control: httpx.AsyncClient) -> None:
    broken_at = time.monotonic()
    assert pager.notices(receiver="catalog-pager") == ()
    await press(control, "/faults/api-500/break")
    told = await notice(
        pager, receiver="catalog-pager", alertname="FaultlineErrorBudgetBurnFast", journey="api", status="firing"
    )
    await notice(pager, receiver="catalog-pager", alertname="FaultlineJourneyFailing", journey="api", status="firing")
    assert {"team": "catalog", "service": "api", "severity": "critical"}.items() <= told.labels.items()
    assert "own_infrastructure" in told.annotations["description"]
    assert "put down to catalog (team)" in told.annotations["description"]
    await leads_to_the_failed_run(told, program, "own.http_status", "500")
    await press(control, "/faults/api-500/mend")
    await notice(pager, receiver="catalog-pager", alertname=told.name, journey="api", status="resolved", patience=LONG)
    late = [each for each in pager.notices(receiver="vendor-management-pager", status="firing") if each.at > broken_at]
    assert late == []


@pytest.mark.soak
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
async def test_a_monitor_that_is_gone_pages_who_runs_it_and_nobody_else_until_it_is_back(
    folder: Path, program: Program, pager: Pager, alertmanager: servers.Server, end: signal.Signals
) -> None:
    program.start()
    await asyncio.to_thread(program.wait_for_run, "api@shop-api/desktop")
    async with watching(folder, program.address, alertmanager.address) as prometheus:
        await prometheus.become("check:faultline_run_failures_per_runs:ratio_rate1h", lambda ratio: ratio == 0)
        await prometheus.become('absent(ALERTS{alertname="FaultlineExporterDown"})')
        gone = {"receiver": "monitoring-pager", "alertname": "FaultlineExporterDown"}
        stopped_at = time.monotonic()
        program.signal(end)
        await asyncio.to_thread(program.wait)
        told = await notice(pager, after=stopped_at, status="firing", **gone)
        assert told.labels["severity"] == "critical"
        assert str(program.port) in told.annotations["summary"]
        assert (CHECKS.parent / told.annotations["runbook_url"]).is_file()
        # What cannot be looked at is not green: there is a gap.
        assert await prometheus.query("faultline_journey_success") == ()
        assert await prometheus.query("check:faultline_run_failures_per_runs:ratio_rate1h") == ()
        program.start()
        await notice(pager, after=told.at, status="resolved", **gone)
        others = {each.receiver for each in pager.notices()} - {"monitoring-pager", "dead-mans-switch"}
        assert others == set()


@pytest.mark.soak
async def test_the_watchdog_calls_regularly_while_prometheus_lives_and_falls_silent_when_it_dies(
    folder: Path, program: Program, pager: Pager, alertmanager: servers.Server
) -> None:
    program.start()
    call = {"receiver": "dead-mans-switch", "alertname": "Watchdog", "status": "firing"}
    port = servers.free_port()
    async with watching(folder, program.address, alertmanager.address, port=port):
        first = await notice(pager, **call)
        second = await notice(pager, after=first.at, **call)
        third = await notice(pager, after=second.at, **call)
        interval = third.at - second.at
    await asyncio.to_thread(pager.wait_for_silence, 3 * interval, PATIENCE, **call)
    assert await asyncio.to_thread(program.get, "/-/healthy")
    silent_since = time.monotonic()
    async with watching(folder, program.address, alertmanager.address, port=port):
        await notice(pager, after=silent_since, **call)
