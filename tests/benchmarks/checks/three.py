"""The journey of the browser benchmark: open a page, follow a link, click and wait for an answer."""

from __future__ import annotations

from monitor.journeys import Browser, Journey, step


@step("Open the page")
async def open_page(browser: Browser) -> None:
    """Open the page."""
    await browser.open("/")


@step("Follow the link")
async def follow(browser: Browser) -> None:
    """Follow the link to the details."""
    await browser.page.get_by_role("link", name="Details").click()
    await browser.page.get_by_role("heading", name="Details").wait_for()


@step("Ask")
async def ask(browser: Browser) -> None:
    """Click, and wait for the answer."""
    await browser.page.get_by_role("button", name="Ask").click()
    await browser.page.get_by_text("The answer is 42").wait_for()


journey = Journey(name="three", title="Three steps", steps=(open_page, follow, ask))
