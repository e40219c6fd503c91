"""How the front page keeps itself fresh, in a real browser whose clock the test winds."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from playwright.async_api import Page, async_playwright, expect

from monitor.web.app import create_app
from tests.builders import a_check, a_run
from tests.web.test_app import a_failed_run

pytestmark = pytest.mark.browser

SHELL = "/usr/bin/chromium-headless-shell"
HIDDEN = "window.away = false; Object.defineProperty(document, 'hidden', {get: () => window.away});"
# More than a busy machine needs to answer and to show.
PATIENCE = 30_000
TURN = "away => { window.away = away; document.dispatchEvent(new Event('visibilitychange')); }"


@pytest.fixture
async def address(parts) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(create_app(parts), log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server.should_exit = True
        await serving


@pytest.fixture
async def page(address: str) -> AsyncIterator[Page]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=SHELL, args=arguments)
        page = await browser.new_page()
        await page.clock.install()
        await page.add_init_script(HIDDEN)
        await page.goto(address)
        yield page
        await browser.close()


async def test_the_title_of_a_tab_in_the_background_tells_of_a_failure_within_a_minute(page: Page, parts) -> None:
    await page.evaluate(TURN, arg=True)
    await parts.history.finished(a_failed_run())
    await page.clock.run_for(45_000)
    await expect(page).to_have_title("Checks · Faultline", timeout=PATIENCE)
    await page.clock.run_for(16_000)
    await expect(page).to_have_title("1 failed · Faultline", timeout=PATIENCE)


async def test_a_tab_that_comes_to_the_front_is_fresh_at_once(page: Page, parts) -> None:
    await page.evaluate(TURN, arg=True)
    await parts.history.finished(a_failed_run())
    await page.evaluate(TURN, arg=False)
    await expect(page).to_have_title("1 failed · Faultline", timeout=PATIENCE)


async def test_what_has_the_focus_keeps_it_when_rows_change_places(page: Page, parts) -> None:
    await parts.history.finished(a_run())
    link = page.get_by_role("link", name="Runs of browse@shop/desktop")
    await link.focus()
    await parts.history.finished(a_failed_run(check=a_check(name="other@shop/desktop")))
    await page.clock.run_for(20_000)
    await expect(page).to_have_title(re.compile("1 failed"), timeout=PATIENCE)
    await expect(link).to_be_focused(timeout=PATIENCE)
