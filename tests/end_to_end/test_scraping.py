"""A monitor and its scrapers: one that was away for a while, and some that hang."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from monitor.demo import Shop
from monitor.domain.outcome import SlotState
from tests import servers
from tests.end_to_end.alerting import watching
from tests.end_to_end.conftest import Program, until

pytestmark = [pytest.mark.slow, pytest.mark.soak]

API = "api@shop-api/desktop"
RUNS = 'faultline_journey_runs_total{journey="api"}'
FAILURES = 'faultline_journey_run_failures_total{journey="api",cause="own_infrastructure"}'
HANGING = 7


def ended(program: Program, *, outcome: str = "", before: float, after: float = 0.0) -> int:
    """Return how many runs of the check ended between two moments, as the monitor's own pages say."""
    found = json.loads(program.get("/api/v1/runs?journey=api&limit=200"))["runs"]
    ends = [
        dt.datetime.fromisoformat(str(run["scheduled_at"])).timestamp() + float(run["duration_seconds"])
        for run in found
        if outcome in {"", run["outcome"]}
    ]
    return sum(after < end <= before for end in ends)


async def off_loop(act, *arguments, **named):
    """The shop lives on this loop, so whoever waits for the program must not stand in its way."""
    return await asyncio.to_thread(act, *arguments, **named)


async def test_what_happened_while_prometheus_was_away_is_in_its_numbers_afterwards(
    folder: Path, program: Program, shop: Shop
) -> None:
    program.start()
    port = servers.free_port()
    async with watching(folder, program.address, port=port) as prometheus:
        before = await prometheus.become(RUNS, lambda runs: runs >= 3)
        gone_at = await prometheus.become(f"timestamp({RUNS})")
    await shop.break_("api-500")
    await off_loop(until, lambda: _outcomes(program).count("failed") >= 5, "runs failed while nobody scraped")
    await shop.mend()
    await off_loop(until, lambda: _outcomes(program)[0] == "passed", "mended while nobody scraped")
    async with watching(folder, program.address, port=port) as prometheus:
        await prometheus.become(RUNS, lambda runs: runs > before + 5)
        back_at = await prometheus.become(f"timestamp({RUNS})")
        window = f"[{int(back_at - gone_at) + 2}s]"
        runs = await prometheus.value(f"increase({RUNS}{window})", back_at)
        failures = await prometheus.value(f"increase({FAILURES}{window})", back_at)
        resets = await prometheus.value(f"resets({RUNS}{window})", back_at)
    # Prometheus stretches what it saw to the ends of the window: a run more or less, never the gap.
    assert runs == pytest.approx(await off_loop(ended, program, after=gone_at, before=back_at), abs=2)
    assert failures == pytest.approx(
        await off_loop(ended, program, after=gone_at, before=back_at, outcome="failed"), abs=2
    )
    assert failures >= 4
    assert resets == 0


def _outcomes(program: Program) -> list[object]:
    return [run["outcome"] for run in program.runs(API)]


@pytest.fixture
def hanging(program: Program) -> Iterator[list[socket.socket]]:
    """As many scrapers as hardly have a place beside each other, to be filled by the test; closed afterwards."""
    with ExitStack() as held:
        scrapers: list[socket.socket] = []
        held.callback(lambda: [scraper.close() for scraper in scrapers])
        yield scrapers


def hang(port: int) -> socket.socket:
    """Ask for the metrics and take nothing of the answer."""
    scraper = socket.socket()
    scraper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    scraper.connect(("127.0.0.1", port))
    scraper.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return scraper


async def test_scrapers_that_hang_beside_one_that_comes_each_second_delay_no_run_and_no_scrape(
    folder: Path, program: Program, hanging: list[socket.socket]
) -> None:
    config = folder / "monitor.yaml"
    config.write_text(config.read_text().replace("every: 2s, deadline: 2s", "every: 5s, deadline: 5s"))
    program.start()
    async with watching(folder, program.address) as prometheus:
        await prometheus.become(RUNS)
        hanging += [hang(program.port) for _ in range(HANGING)]
        before = len(await off_loop(program.runs, API))
        await off_loop(until, lambda: len(program.runs(API)) >= before + 6, "six more runs")
        assert await prometheus.value('min_over_time(up{job="faultline"}[25s])') == 1
    ahead = {SlotState.PLANNED, SlotState.STARTED}
    slots = [each for each in slots_of(folder / "data" / "history.db", API) if each[1] not in ahead]
    assert len(slots) >= before + 6
    assert {later - earlier for (earlier, _), (later, _) in itertools.pairwise(slots)} == {5_000_000}
    assert {state for _, state in slots} == {SlotState.FINISHED}


def slots_of(store: Path, check: str) -> list[tuple[int, str]]:
    """Return moment and state of each slot of a check, in their order."""
    with sqlite3.connect(store) as database:
        asked = (
            "select scheduled_at, state from slots join checks on id = check_id where name = ? order by scheduled_at"
        )
        return database.execute(asked, (check,)).fetchall()
