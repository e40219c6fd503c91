"""What a page has told arrives before its watch ends, and a page that answers nothing is not waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure
from monitor.domain.secret import Redactor
from monitor.probes.browser import devtools
from monitor.probes.browser.devtools import DevtoolsWatch, Emulation
from monitor.probes.browser.ledger import Ledger, Limits
from monitor.probes.browser.network import NetworkRecorder

ASKED = {"requestId": "1", "request": {"url": "http://shop.test/a.js", "method": "GET"}, "timestamp": 1.0}
FAILED = {"requestId": "1", "timestamp": 2.0, "errorText": "net::ERR_CONNECTION_RESET"}


class Page:
    """A page whose words are still on their way when it is asked whether there are any."""

    def __init__(self, *, answers: bool = True) -> None:
        self._handlers: dict[str, Callable[[Any], None]] = {}
        self._watched = False
        self._answers = answers

    def on(self, method: str, handler: Callable[[Any], None]) -> None:
        self._handlers[method] = handler

    async def send(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "Network.enable" and self._watched:
            await asyncio.sleep(0 if self._answers else 3600)
            self.tell("Network.loadingFailed", FAILED)
        self._watched = True
        return {}

    def tell(self, method: str, params: dict[str, Any]) -> None:
        self._handlers[method](params)


async def watched(page: Page) -> tuple[Exchange, ...]:
    limits = Limits()
    ledger = Ledger(started=0.0, attempt=1, redactor=Redactor(()), limits=limits, blocks=lambda _: False)
    watch = DevtoolsWatch(NetworkRecorder(ledger, limits), limits, Emulation())
    await watch.watch(page)
    page.tell("Network.requestWillBeSent", ASKED)
    await watch.settle(1)
    return ledger.freeze(3.0)


async def test_what_a_page_has_told_is_waited_for_before_its_watch_ends():
    (exchange,) = await watched(Page())
    assert exchange.failure is Failure.TCP_RESET


async def test_a_page_that_answers_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(devtools, "_FLUSH_LIMIT", 0.01)
    (exchange,) = await watched(Page(answers=False))
    assert exchange.pending
