"""The network as Playwright's own events tell it: for engines without DevTools, and after a flood."""

from __future__ import annotations

import time
from dataclasses import replace

from playwright.async_api import BrowserContext, Request, ResourceTiming, Response, WebSocket

from monitor.domain.evidence import WebSocketFacts
from monitor.domain.exchange import Initiator, Timings
from monitor.probes.browser.ledger import Entry, Ledger, Limits


class EventRecorder:
    """Listens to one context. Knows less than DevTools: no initiators, no addresses, no blocked reasons."""

    def __init__(self, context: BrowserContext, ledger: Ledger, limits: Limits) -> None:
        self._context = context
        self._ledger = ledger
        self._limits = limits
        self._entries: dict[Request, Entry] = {}
        self._sockets: list[WebSocketFacts] = []
        self._wall_offset = time.time() - time.monotonic()

    def listen(self) -> None:
        """Start listening."""
        self._context.on("request", self._requested)
        self._context.on("response", self._answered)
        self._context.on("requestfinished", self._finished)
        self._context.on("requestfailed", self._failed)

    def deafen(self) -> None:
        """Stop listening."""
        self._context.remove_listener("request", self._requested)
        self._context.remove_listener("response", self._answered)
        self._context.remove_listener("requestfinished", self._finished)
        self._context.remove_listener("requestfailed", self._failed)

    def note_socket(self, socket: WebSocket) -> None:
        """Keep a WebSocket and how it ends."""
        if len(self._sockets) >= self._limits.websockets:
            return
        place = len(self._sockets)
        url = self._ledger.clean_url(socket.url)
        host = url.partition("://")[2].partition("/")[0].partition(":")[0]
        self._sockets.append(WebSocketFacts(url=url, host=host, step=self._ledger.step))
        socket.on("socketerror", lambda text: self._socket_failed(place, str(text)))

    def websockets(self) -> tuple[WebSocketFacts, ...]:
        """Return the WebSockets that were kept."""
        return tuple(self._sockets)

    def _socket_failed(self, place: int, text: str) -> None:
        self._sockets[place] = replace(self._sockets[place], error=self._ledger.mask(text, 300))

    def _requested(self, request: Request) -> None:
        entry = self._ledger.open(
            request.url, begun=time.monotonic(), method=request.method, resource=request.resource_type
        )
        if entry is None:
            if self._ledger.is_full and self._ledger.seen > 2 * self._limits.exchanges:
                self.deafen()
            return
        entry.initiator = Initiator(kind="other")
        before = self._entries.get(request.redirected_from) if request.redirected_from else None
        if before is not None:
            entry.redirected_from = before.id
        self._entries[request] = entry

    def _answered(self, response: Response) -> None:
        entry = self._entry(response.request)
        if entry is None:
            return
        self._ledger.answer(entry, response.status, response.headers)
        entry.reason = self._ledger.mask(response.status_text, 100)
        entry.from_service_worker = response.from_service_worker
        entry.mime_type = response.headers.get("content-type", "").partition(";")[0].strip()
        self._time(entry, response.request.timing)

    def _finished(self, request: Request) -> None:
        entry = self._entry(request)
        if entry is not None:
            self._time(entry, request.timing)
            self._end(entry)

    def _failed(self, request: Request) -> None:
        entry = self._entry(request)
        if entry is not None:
            self._ledger.fail(entry, request.failure or "")
            self._end(entry)

    def _entry(self, request: Request) -> Entry | None:
        return self._entries.get(request) or self._ledger.resume(request.url)

    @staticmethod
    def _end(entry: Entry) -> None:
        entry.cut = False
        spent = entry.timings.total
        entry.done = entry.begun + spent if spent > 0 else time.monotonic()

    def _time(self, entry: Entry, timing: ResourceTiming) -> None:
        if timing["startTime"] > 0:
            entry.begun = timing["startTime"] / 1000 - self._wall_offset
        secure = timing["secureConnectionStart"] >= 0
        connected = timing["secureConnectionStart"] if secure else timing["connectEnd"]
        entry.timings = Timings(
            resolve=_span(timing["domainLookupStart"], timing["domainLookupEnd"]),
            connect=_span(timing["connectStart"], connected),
            tls=_span(timing["secureConnectionStart"], timing["connectEnd"]),
            wait=_span(timing["requestStart"], timing["responseStart"]),
            receive=_span(timing["responseStart"], timing["responseEnd"]),
            total=max(0.0, timing["responseEnd"]) / 1000,
        )


def _span(start: float, end: float) -> float | None:
    return max(0.0, end - start) / 1000 if start >= 0 and end >= 0 else None
