"""A journey over HTTP is broken without a single error, and the last good answer proves by what."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from monitor.config.settings import Settings
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.clock import SystemClock
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome
from monitor.domain.ownership import Ownership, Vendor
from monitor.domain.reference import DifferenceKind
from monitor.service import OneShot, StartupChoices, read_settings
from tests.builders import a_check, a_target

HERE = Path(__file__).parents[2]
JOURNEY = """
name: prices
title: See the prices
steps:
  - title: Read the settings
    name: settings
    request: {url: /settings}
    expect: {status: 200}
  - title: List the prices
    name: list-prices
    request: {url: /prices}
    expect:
      status: 200
      json: {count: 2}
"""
PRICED = """
name: priced
title: See prices in euros
steps:
  - title: Ask for the rate of today
    name: rate
    request: {url: "http://127.0.0.2:PORT/rate"}
    expect: {status: 200}
    take:
      rate: {json: rate}
  - title: List the prices
    name: list-prices
    request: {url: /priced, query: {rate: "${rate}"}}
    expect:
      status: 200
      json: {count: 2}
"""
GOOD = {
    "/settings": b'{"currency": "EUR"}',
    "/prices": b'{"count": 2, "prices": [3, 4]}',
    "/priced?rate=3": b'{"count": 2}',
    "/priced?rate=0": b'{"count": 0}',
}


@dataclass
class Api:
    """Answers each path with a body, always with success; counts what was asked."""

    bodies: dict[str, bytes] = field(default_factory=lambda: dict(GOOD))
    asked: list[str] = field(default_factory=list)
    host: str = "127.0.0.1"
    port: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Api]:
        server = await asyncio.start_server(self._serve, self.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        self.asked.append(path)
        body = self.bodies[path]
        kind = b"Content-Type: application/json\r\nConnection: close\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\n" + kind + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with Api().running() as running:
        yield running


@pytest.fixture
async def bank() -> AsyncIterator[Api]:
    async with Api(host="127.0.0.2", bodies={"/rate": b'{"rate": 3}'}).running() as running:
        yield running


@pytest.fixture
def settings(api: Api, bank: Api, tmp_path: Path) -> Settings:
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "prices.yaml").write_text(JOURNEY)
    (folder / "priced.yaml").write_text(PRICED.replace("PORT", str(bank.port)))
    read = read_settings(HERE / "config" / "monitor.yaml", {}, StartupChoices(data=tmp_path / "data"))
    checks = tuple(
        a_check(
            name=f"{journey}@api/program",
            journey=journey,
            target=a_target(name="api", base_url=f"http://127.0.0.1:{api.port}"),
            deadline=dt.timedelta(seconds=20),
            attempts=1,
        )
        for journey in ("prices", "priced")
    )
    ownership = Ownership(domains=("127.0.0.1",), vendors=(Vendor(name="Example Bank", hosts=("127.0.0.2",)),))
    return replace(read, checks=checks, ownership=ownership, journeys=folder)


@pytest.fixture
async def shot(settings: Settings) -> AsyncIterator[OneShot]:
    async with OneShot(settings, clock=SystemClock()) as made:
        yield made


def told(experiments: tuple[Experiment, ...]) -> list[tuple[ExperimentKind, str, str]]:
    journeys = (ExperimentKind.REPLAY, ExperimentKind.BLOCK, ExperimentKind.RERUN)
    return [(each.kind, each.path, each.outcome.value) for each in experiments if each.kind in journeys]


async def test_an_own_answer_that_silently_came_empty_is_proven_by_its_last_good_answer(shot, settings, api, tmp_path):
    check = settings.checks[0]
    assert (await shot.make(check, artifacts=tmp_path)).outcome is Outcome.PASSED
    api.bodies["/prices"] = b""
    run = await shot.make(check, artifacts=tmp_path)
    assert run.outcome is Outcome.FAILED
    compared = run.evidence.compared
    assert compared is not None
    assert [(each.kind, each.url) for each in compared.differences] == [
        (DifferenceKind.CONTENT, f"http://127.0.0.1:{api.port}/prices")
    ]
    assert told(run.evidence.experiments) == [
        (ExperimentKind.REPLAY, "/prices", "passed"),
        (ExperimentKind.RERUN, "", "failed"),
        (ExperimentKind.REPLAY, "/prices", "passed"),
    ]
    diagnosis = run.judgement.diagnosis
    assert diagnosis is not None
    assert (diagnosis.cause, diagnosis.detail) == (Cause.OWN_INFRASTRUCTURE, Detail.OWN_CONTENT)
    assert diagnosis.confidence is Confidence.CONFIRMED


async def test_a_vendors_answer_that_changed_in_an_earlier_step_is_found_by_its_last_good_one(
    shot, settings, bank, tmp_path
):
    check = settings.checks[1]
    assert (await shot.make(check, artifacts=tmp_path)).outcome is Outcome.PASSED
    bank.bodies["/rate"] = b'{"rate": 0}'
    run = await shot.make(check, artifacts=tmp_path)
    assert run.outcome is Outcome.FAILED
    assert told(run.evidence.experiments) == [
        (ExperimentKind.REPLAY, "/rate", "passed"),
        (ExperimentKind.RERUN, "", "failed"),
        (ExperimentKind.REPLAY, "/rate", "passed"),
    ]
    diagnosis = run.judgement.diagnosis
    assert diagnosis is not None
    assert (diagnosis.detail, diagnosis.confidence) == (Detail.TP_CONTENT, Confidence.CONFIRMED)
    assert diagnosis.culprit is not None
    assert diagnosis.culprit.name == "Example Bank"


async def test_a_good_run_costs_no_request_more(shot, settings, api, tmp_path):
    check = settings.checks[0]
    await shot.make(check, artifacts=tmp_path)
    run = await shot.make(check, artifacts=tmp_path)
    assert run.evidence.compared is None
    assert api.asked == ["/settings", "/prices"] * 2
