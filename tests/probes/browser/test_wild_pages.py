from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import pytest

from monitor.domain.evidence import StepErrorKind
from monitor.probes.browser.ledger import Limits
from monitor.probes.browser.probe import BrowserProbe
from tests.probes.browser.provoking import keep_busy_for_ever
from tests.probes.browser.site import flood_websocket
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_an_endless_script_holds_up_neither_the_step_nor_the_evidence(site, walk):
    site.page("/", "<p>here")

    async def act(browser):
        await browser.open("/")
        await keep_busy_for_ever(browser.page)
        await walk.until(lambda so_far: so_far.seen.console, "the script is at it")
        browser.page.set_default_timeout(500)
        await browser.page.click("p")

    attempt = await asyncio.wait_for(walk(act), 120)
    assert attempt.session.explain(attempt.error).kind is StepErrorKind.TIMEOUT
    assert attempt.seen.exchanges[0].status == 200
    assert {artifact.kind for artifact in attempt.seen.artifacts} >= {"har"}


async def test_dialogs_are_dismissed_and_counted(site, walk):
    site.page("/", "<script>for (let i = 0; i < 200; i++) alert(i); document.title = confirm('sure?')</script>")

    async def act(browser):
        await browser.open("/")
        assert await browser.page.title() == "false"

    attempt = await walk(act)
    assert attempt.error is None
    assert len(attempt.seen.events) == 100
    cut = next(cut for cut in attempt.seen.truncated if cut.what == "page_events")
    assert cut.seen == 201


async def test_a_page_that_asks_before_it_is_left_is_left(site, walk):
    site.page(
        "/", "<button>x</button><script>onbeforeunload = event => { event.preventDefault(); return 'stay' }</script>"
    )
    site.page("/next", "<p>next")

    async def act(browser):
        await browser.open("/")
        await browser.page.click("button")
        await browser.open("/next")

    attempt = await walk(act)
    assert attempt.error is None
    assert any(event.text.startswith("beforeunload") for event in attempt.seen.events)


async def test_an_author_may_accept_dialogs(site, walk):
    site.page("/", "<script>document.title = prompt('name?')</script>")

    async def act(browser):
        browser.answer_dialogs(accept=True, text="Ann")
        await browser.open("/")
        assert await browser.page.title() == "Ann"

    assert (await walk(act)).error is None


async def test_a_swarm_of_popups_is_closed_and_counted(site, walk, probe):
    site.page("/", "<p>here<script>for (let i = 0; i < 20; i++) open('/small?' + i)</script>")
    site.page("/small", "<p>small")

    async def act(browser):
        await browser.open("/", wait_until="commit")
        await browser.page.click("p")
        await walk.until(lambda so_far: popups(so_far) >= 15, "fifteen popups")
        await until(lambda: len(browser.page.context.pages) < 15, "some are closed")

    def popups(attempt):
        return sum(event.kind == "popup" for event in attempt.seen.events)

    attempt = await walk(act)
    assert attempt.error is None
    assert popups(attempt) >= 15
    assert await probe.alive()


def large_files(place: Path) -> list[Path]:
    found = []
    # The browser is at work in there: what it takes away while we look is not left.
    for directory, _, names in os.walk(place):
        for path in (Path(directory, name) for name in names):
            with contextlib.suppress(OSError):
                if path.is_file() and b"xxxxxxxx" * 100 in path.read_bytes()[:5000]:
                    found.append(path)
    return found


async def test_a_download_is_refused_and_leaves_nothing(site, walk, probe):
    async def endless(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n")
        writer.write(b'Content-Disposition: attachment; filename="../../x"\r\nContent-Length: 10000000000\r\n\r\n')
        for _ in range(100):
            writer.write(b"x" * 10_000)
            await writer.drain()
            await asyncio.sleep(0.01)

    site.route("/huge", endless)
    site.page("/", "<a href='/huge'>get</a>")

    async def act(browser):
        await browser.open("/")
        await browser.page.click("a")
        await walk.until(lambda so_far: any(event.kind == "download" for event in so_far.seen.events), "a download")

    attempt = await walk(act)
    assert attempt.error is None
    assert any(event.kind == "download" for event in attempt.seen.events)
    await until(lambda: large_files(probe._pool._place) == [], "nothing is left")


async def test_a_page_of_endless_requests_is_capped_and_says_so(site, assign, tmp_path):
    site.page("/", "<p>here<script>for (let i = 0; i < 1000; i++) fetch('/tiny?' + i).catch(() => 0)</script>")
    site.page("/tiny", "")
    probe = BrowserProbe(tmp_path / "browsers", limits=Limits(exchanges=100))
    session = await probe.open(assign(), 1, started=time.monotonic())
    await session.handle.open("/")
    await session.handle.page.click("p")
    await until(lambda: session._session._ledger.seen > 100, "more requests than are kept")
    seen = await session.finish(failed=False)
    await probe.close()
    assert len(seen.exchanges) == 100
    cut = next(cut for cut in seen.truncated if cut.what == "exchanges")
    assert cut.seen > 100
    assert not any(exchange.pending for exchange in seen.exchanges if exchange.truncated)


async def test_a_flood_of_messages_does_not_starve_the_journey(site, assign, tmp_path):
    site.route("/flood", flood_websocket)
    site.page("/later", "<p>later")
    flood = "const socket = new WebSocket('ws://' + location.host + '/flood'); let seen = 0"
    site.page(
        "/", f"<p>here<script>{flood}; socket.onmessage = () => ++seen > 5000 && (window.flooded = true)</script>"
    )
    # A busy machine floods slowly: the cap of this test is one that it reaches as well.
    probe = BrowserProbe(tmp_path / "browsers", limits=Limits(events=2000))
    session = await probe.open(assign(), 1, started=time.monotonic())
    async with asyncio.timeout(60):
        await session.handle.open("/")
        await session.handle.page.wait_for_function("window.flooded", timeout=30_000)
        await session.handle.open("/later")
        await session.handle.page.click("p")
        seen = await session.finish(failed=False)
    await probe.close()
    assert any(cut.what == "network_events" for cut in seen.truncated)
    assert next(exchange for exchange in seen.exchanges if exchange.url.endswith("/later")).status == 200


async def test_a_flood_of_console_lines_and_errors_is_cut(site, walk):
    script = "for (let i = 0; i < 2500; i++) console.log('x'.repeat(2000)); console.error('the one that matters')"
    errors = "for (let i = 0; i < 1100; i++) setTimeout(() => { throw new Error('e' + i) })"
    site.page("/", f"<p>here<script>{errors}</script><script>{script}</script>")

    async def act(browser):
        await browser.open("/", wait_until="load")
        await browser.page.click("p")
        await walk.until(lambda so_far: {"console", "page_errors"} <= cuts(so_far), "both are cut")

    def cuts(attempt):
        return {cut.what for cut in attempt.seen.truncated}

    attempt = await walk(act)
    assert attempt.error is None
    assert len(attempt.seen.console) <= 200
    assert len(attempt.seen.page_errors) <= 100
    assert all(len(line.text) <= 1000 for line in attempt.seen.console)
    assert {"console", "page_errors"} <= cuts(attempt)
