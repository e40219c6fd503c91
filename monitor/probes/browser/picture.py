"""A picture of the page at a failure, never with a secret in it."""

from __future__ import annotations

import asyncio

from playwright.async_api import Error as PlaywrightError

from monitor.domain.secret import Redactor
from monitor.probes.browser.handle import Browser

_LOOK_SECONDS = 1.5
_PICTURE_MILLISECONDS = 3000
_FRAMES = 10
_VISIBLE_TEXT = """() => {
  const fields = document.querySelectorAll('input:not([type=password]):not([type=hidden]), textarea, select');
  const values = Array.from(fields).slice(0, 500).map(field => field.value);
  return [(document.body ? document.body.innerText : '').slice(0, 1000000), ...values].join('\\n');
}"""


async def take_picture(browser: Browser, redactor: Redactor) -> bytes | None:
    """Return a PNG of the page, or ``None`` where a secret stands readable on it or nobody can tell."""
    if browser.secret_typed and await _shows_secret(browser, redactor):
        return None
    return await browser.page.screenshot(
        type="png",
        animations="disabled",
        caret="hide",
        timeout=_PICTURE_MILLISECONDS,
        mask=list(browser.typed_into),
        mask_color="#888888",
    )


async def _shows_secret(browser: Browser, redactor: Redactor) -> bool:
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            for frame in browser.page.frames[:_FRAMES]:
                if redactor.finds(await frame.evaluate(_VISIBLE_TEXT)):
                    return True
    except (TimeoutError, PlaywrightError):
        return True
    return False
