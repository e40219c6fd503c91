"""The three lanes with the probes and journeys that users have: real sockets, a real browser."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.config.settings import WorkerSettings
from monitor.dispatch.dispatcher import Dispatcher
from monitor.domain.clock import SystemClock
from monitor.domain.evidence import Evidence, ProberFault
from monitor.domain.journey import JourneyOutline
from monitor.domain.outcome import Outcome
from monitor.journeys.discovery import discover
from tests.builders import a_check, a_target, an_assignment

# A busy machine takes its time to start another browser.
GRACE = 30.0
_PAGE = b"<!doctype html><title>Shop</title><h1>Shop</h1>"

_DECLARED = """
name: declared
title: Read a page
steps:
  - title: Open
    name: open
    request: {url: /}
    expect: {status: 200}
"""

_SCRIPTED = """
from monitor.journeys import Http, Journey, step

@step("Open")
async def open_page(http: Http) -> None:
    response = await http.get("/")
    assert response.status == 200

journey = Journey(name="scripted", title="Read a page", steps=(open_page,))
"""

_BROWSED = """
import asyncio
from monitor.journeys import Browser, Journey, step

@step("Open")
async def open_page(browser: Browser) -> None:
    await browser.open("/")
    await browser.expect_text("Shop")

@step("Stay")
async def stay(browser: Browser) -> None:
    # It stays until it may leave, of which its page is told at the same address.
    while "leave" not in await browser.page.evaluate("fetch('/may-i').then(answer => answer.text())"):
        await asyncio.sleep(0.1)

browsed = Journey(name="browsed", title="Look at a page", steps=(open_page,))
staying = Journey(name="staying", title="Stay on a page", steps=(open_page, stay))
"""


class Page:
    """A page that knows whether somebody stays on it, and says when to leave it."""

    def __init__(self) -> None:
        self.url = ""
        self.word = b"stay"
        self.stays = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await reader.readuntil(b"\r\n\r\n")
            body = self.word if asked.startswith(b"GET /may-i ") else _PAGE
            if body is not _PAGE:
                self.stays.set()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class Place:
    """A dispatcher as the service builds it, a folder of journeys, and a page to visit."""

    def __init__(self, dispatcher: Dispatcher, outlines: dict[str, JourneyOutline], page: Page) -> None:
        self.dispatcher = dispatcher
        self.outlines = outlines
        self.page = page

    async def run(self, journey: str, *, deadline: float = 30) -> Evidence:
        now = dt.datetime.now(dt.UTC)
        check = a_check(
            journey=journey,
            target=a_target(base_url=self.page.url, concurrency=9),
            deadline=dt.timedelta(seconds=deadline),
        )
        assignment = an_assignment(
            run_id=f"{journey}-{now.timestamp()}",
            check=check,
            scheduled_at=now,
            not_after=now + dt.timedelta(seconds=90),
        )
        evidence = await self.dispatcher.run(assignment, self.outlines[journey])
        assert isinstance(evidence, Evidence)
        return evidence


@pytest.fixture
async def place(tmp_path):
    folder = tmp_path / "journeys"
    folder.mkdir()
    (folder / "declared.yaml").write_text(_DECLARED)
    (folder / "scripted.py").write_text(_SCRIPTED)
    (folder / "browsed.py").write_text(_BROWSED)
    catalogue = await asyncio.to_thread(discover, folder)
    assert catalogue.problems == ()
    page = Page()
    server = await asyncio.start_server(page.answer, "127.0.0.1", 0)
    dispatcher = Dispatcher(WorkerSettings(), journeys=folder, clock=SystemClock())
    await dispatcher.start()
    page.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield Place(dispatcher, {one.name: one for one in catalogue.journeys}, page)
    await dispatcher.close(0)
    server.close()


@pytest.mark.parametrize("journey", ["declared", "scripted"])
async def test_http_journeys_pass_in_their_lanes(place, journey):
    evidence = await place.run(journey)
    assert evidence.last.outcome is Outcome.PASSED, evidence.last
    assert evidence.exchanges[0].status == 200
    assert evidence.vantage.cpu_pressure is not None or evidence.vantage.loop_lag_p50 is not None


@pytest.mark.browser
async def test_a_browser_journey_passes_in_its_lane(place):
    evidence = await place.run("browsed")
    assert evidence.last.outcome is Outcome.PASSED, evidence.last


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(
    ("victim", "number", "deadline"),
    [("browser", signal.SIGKILL, 20), ("browser", signal.SIGSTOP, 20), ("driver", signal.SIGKILL, 20)],
)
async def test_a_browser_or_driver_that_is_struck_down_is_our_fault_and_the_next_run_passes(
    place, processes_of, victim, number, deadline
):
    assert (await place.run("browsed")).last.outcome is Outcome.PASSED
    began = time.monotonic()
    run = asyncio.create_task(place.run("staying", deadline=deadline))
    await asyncio.wait_for(place.page.stays.wait(), deadline)
    for pid in processes_of(place.dispatcher._directory):
        if _is(victim, pid):
            # What a browser has just forked looks like the browser, and may be gone by now.
            with suppress(ProcessLookupError):
                os.kill(pid, number)
    place.page.word = b"leave"
    evidence = await run
    assert time.monotonic() - began < deadline + GRACE
    faults = {attempt.prober_fault for attempt in evidence.attempts}
    ours = {ProberFault.BROWSER_CRASHED, ProberFault.BROWSER_FROZEN, ProberFault.DRIVER_DIED}
    assert faults & ours, evidence.attempts
    assert all(attempt.outcome is not Outcome.FAILED for attempt in evidence.attempts)
    began = time.monotonic()
    assert (await place.run("browsed")).last.outcome is Outcome.PASSED
    assert time.monotonic() - began < GRACE


def _is(victim: str, pid: int) -> bool:
    try:
        command = Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return False
    if victim == "driver":
        return b"run-driver" in command
    return b"headless" in command and b"--type=" not in command and b"run-driver" not in command
