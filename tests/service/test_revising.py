"""Two journeys meet the same vendor behind our own servers: together they make sure what each alone finds probable."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.settings import Settings, StorageSettings
from monitor.domain.cause import Confidence, Detail
from monitor.domain.clock import SystemClock
from monitor.domain.ownership import Ownership, Vendor
from monitor.domain.run import Run
from monitor.history import History, VerdictSource
from monitor.investigation.correlation import Correlator
from monitor.service import OneShot, StartupChoices, read_settings
from monitor.service.revising import Revisions
from tests.builders import a_check, a_target

HERE = Path(__file__).parents[2]
JOURNEY = """
name: {name}
title: Pay by {name}
steps:
  - title: Pay
    name: pay
    request: {{url: /{name}, method: POST, json: {{}}}}
    expect: {{status: 201}}
"""
ANSWER = b"""\
HTTP/1.1 502 Bad Gateway\r
Proxy-Status: gateway; error=connection_timeout; next-hop="pay.example:443"\r
Content-Length: 0\r
Connection: close\r
\r
"""
PAY = Vendor(name="Example Pay", hosts=("pay.example",), critical=True)


async def _fails(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)
    await writer.drain()
    writer.close()


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    server = await asyncio.start_server(_fails, "127.0.0.1", 0)
    target = a_target(name="shop", base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    folder = tmp_path / "checks"
    folder.mkdir()
    for name in ("card", "voucher"):
        (folder / f"{name}.yaml").write_text(JOURNEY.format(name=name))
    read = read_settings(HERE / "config" / "monitor.yaml", {}, StartupChoices(data=tmp_path / "data"))
    checks = tuple(
        a_check(name=f"{name}@shop/program", journey=name, target=target, deadline=dt.timedelta(seconds=20), attempts=1)
        for name in ("card", "voucher")
    )
    ownership = Ownership(domains=("127.0.0.1",), vendors=(PAY,))
    yield replace(read, checks=checks, ownership=ownership, journeys=folder)
    server.close()


@pytest.fixture
async def runs(settings: Settings, tmp_path: Path) -> list[Run]:
    async with OneShot(settings, clock=SystemClock()) as shot:
        return [await shot.make(check, artifacts=tmp_path) for check in settings.checks]


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    history = await History.open(StorageSettings(directory=tmp_path / "store"), clock=SystemClock())
    yield history
    await history.close()


async def test_two_journeys_that_name_one_vendor_each_by_itself_make_it_sure(runs: list[Run], history: History):
    found = [run.judgement.diagnosis for run in runs]
    assert [each.detail for each in found] == [Detail.TP_BACKEND_DEP] * 2
    assert [each.confidence for each in found] == [Confidence.PROBABLE] * 2
    correlator, revisions = Correlator("here"), Revisions(history)
    for run in runs:
        await history.finished(run)
        revisions.take(correlator.note(run))
    await revisions.close()
    for run in runs:
        first, second = await history.verdicts(run.run_id)
        assert (first.source, first.judgement) == (VerdictSource.RULES, run.judgement)
        assert (second.source, second.judgement.diagnosis.confidence) == (
            VerdictSource.CORRELATION,
            Confidence.CONFIRMED,
        )
        assert "The journeys card and voucher fail by Example Pay at the same time" in second.reason
        assert second.current
