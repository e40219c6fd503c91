"""Steps that run out of time, on a machine that may take long to get as far as where they are to run out of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import TimeoutError as PlaywrightTimeoutError


async def keep_busy_for_ever(page: Any) -> None:
    """Have the page run a script without end, which says a word before.

    Of a click that starts one the end may never be told: it takes more than one answer of the page.
    """
    await page.evaluate("setTimeout(() => { console.log('busy'); for (;;) {} }, 20)")


async def until_out_of_time(act: Callable[[float], Awaitable[Any]], as_meant: Callable[[str], object]) -> None:
    """Act with ever more milliseconds, and raise the first error that is the one the test is about."""
    for milliseconds in (400, 2_000, 8_000, 32_000):
        try:
            await act(milliseconds)
        except PlaywrightTimeoutError as error:
            if as_meant(str(error)):
                raise
        else:
            pytest.fail("it succeeded")
    pytest.fail("it ran out of time in other ways only")


async def click_in_vain(page: Any) -> None:
    """Click a button that something covers."""
    await until_out_of_time(
        lambda milliseconds: page.click("button", timeout=milliseconds), lambda text: "intercepts pointer" in text
    )
