"""Turns DevTools network events into exchanges and WebSockets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.domain.evidence import Truncation, WebSocketFacts
from monitor.domain.exchange import Certificate, Initiator, Timings, TlsFacts
from monitor.probes.browser.ledger import Entry, Ledger, Limits
from monitor.probes.browser.static_answers import StaticAnswers

Params = Mapping[str, Any]

_FRAMES = 10
_FIRST_REDIRECT, _FIRST_ERROR = 300, 400


@dataclass(slots=True, kw_only=True)
class _Socket:
    url: str
    host: str
    step: str
    answered: bool = False
    error: str | None = None
    sent: int = 0
    received: int = 0


class NetworkRecorder:
    """Knows what each network event means; knows nothing of how it arrives."""

    def __init__(self, ledger: Ledger, limits: Limits, static: StaticAnswers | None = None) -> None:
        self.static = static
        self._ledger = ledger
        self._limits = limits
        self._entries: dict[str, Entry] = {}
        self._sent_early: set[str] = set()
        self._unseen: dict[str, tuple[int, Mapping[str, str]]] = {}
        self._touched: set[tuple[str, str]] = set()
        self._sockets: dict[str, _Socket] = {}
        self._sockets_seen = 0
        self._tls: dict[tuple[object, ...], TlsFacts] = {}
        self.stream_events = 0
        self._handlers: dict[str, Callable[[Params], None]] = {
            "Network.requestWillBeSent": self._requested,
            "Network.requestWillBeSentExtraInfo": self._sent,
            "Network.responseReceived": self._answered,
            "Network.responseReceivedExtraInfo": self._heard,
            "Network.requestServedFromCache": self._cached,
            "Network.dataReceived": self._data,
            "Network.loadingFinished": self._finished,
            "Network.loadingFailed": self._failed,
            "Network.webSocketCreated": self._socket_created,
            "Network.webSocketHandshakeResponseReceived": self._socket_answered,
            "Network.webSocketFrameError": self._socket_error,
            "Network.webSocketFrameSent": self._frame_sent,
            "Network.webSocketFrameReceived": self._frame_received,
            "Network.eventSourceMessageReceived": self._message_received,
        }

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the names of the events it understands."""
        return tuple(self._handlers)

    @property
    def is_full(self) -> bool:
        """Say whether a request was seen that could not be kept."""
        return self._ledger.is_full and self._ledger.seen > self._limits.exchanges

    def note(self, method: str, params: Params) -> None:
        """Take in one event."""
        handler = self._handlers.get(method)
        if handler is not None:
            handler(params)

    def entry(self, request_id: str) -> Entry | None:
        """Return the exchange of a request."""
        return self._entries.get(request_id)

    def note_intervention(self, request_id: str, url: str) -> None:
        """Take in that we laid a hand on a request, which may not have been told of yet."""
        entry = self._entries.get(request_id)
        if entry is not None and entry.raw_url == url:
            entry.intervention = True
        else:
            self._touched.add((request_id, url))

    def note_worker(self, url: str) -> None:
        """Take in that a worker runs: the end of its script's request was told before anybody could listen."""
        entry = self._ledger.latest(url)
        if entry is not None and entry.done is None:
            entry.cut = True

    def tell_refusals(self) -> None:
        """Give exchanges that are still open the refusal that came over the wire, of which nothing else was told.

        So it is where the page was left just then: its scripts may have read the answer, and its end is told to nobody.
        """
        for request_id, (status, headers) in self._unseen.items():
            entry = self._entries.get(request_id)
            open_still = entry is not None and entry.status is None and entry.failure is None
            if entry is not None and open_still and status >= _FIRST_ERROR:
                self._answer_unseen(entry, status, headers)
                entry.cut = True

    def websockets(self) -> tuple[WebSocketFacts, ...]:
        """Return all WebSockets that were kept."""
        return tuple(
            WebSocketFacts(
                url=socket.url,
                host=socket.host,
                answered=socket.answered,
                error=socket.error,
                frames_sent=socket.sent,
                frames_received=socket.received,
                step=socket.step,
            )
            for socket in self._sockets.values()
        )

    def truncations(self) -> tuple[Truncation, ...]:
        """Return what was cut."""
        kept = len(self._sockets)
        seen = self._sockets_seen
        return (Truncation(what="websockets", kept=kept, seen=seen),) if seen > kept else ()

    def _requested(self, params: Params) -> None:
        request, request_id = params["request"], params["requestId"]
        before = self._entries.get(request_id)
        redirect = params.get("redirectResponse")
        if before is not None and redirect:
            # What is told of the answer at the end of a redirect may come before the redirect itself.
            if self._unseen.get(request_id, (redirect["status"], {}))[0] == redirect["status"]:
                self._unseen.pop(request_id, None)
            self._promised(request_id, params.get("redirectHasExtraInfo"))
            self._take_response(before, redirect)
            before.done = params["timestamp"]
        entry = self._ledger.open(
            request["url"],
            begun=params["timestamp"],
            method=request["method"],
            resource=str(params.get("type", "")).lower(),
        )
        if entry is None:
            self._entries.pop(request_id, None)
            return
        if before is not None and redirect:
            entry.redirected_from = before.id
        entry.frame, entry.page = params.get("frameId", ""), params.get("loaderId", "")
        entry.initiator = self._initiator(params.get("initiator", {}))
        if request_id in self._sent_early:
            self._sent_early.discard(request_id)
            entry.sent = True
        if (request_id, request["url"]) in self._touched:
            entry.intervention = True
        self._entries[request_id] = entry

    def _initiator(self, raw: Params) -> Initiator:
        frames: list[str] = []
        stack: Params | None = raw.get("stack")
        while stack and len(frames) < _FRAMES:
            for frame in stack.get("callFrames", ()):
                url = frame.get("url", "")
                if url and (not frames or frames[-1] != url):
                    frames.append(url)
            stack = stack.get("parent")
        return Initiator(
            kind=raw.get("type", ""),
            url=self._ledger.clean_url(raw.get("url", "")),
            frames=tuple(self._ledger.clean_url(url) for url in frames[:_FRAMES]),
        )

    def _sent(self, params: Params) -> None:
        if self.static is not None:
            self.static.note_request(params["requestId"], params)
        entry = self._entries.get(params["requestId"])
        if entry is not None:
            entry.sent = True
        elif len(self._sent_early) < self._limits.exchanges:
            self._sent_early.add(params["requestId"])

    def _promised(self, request_id: str, promised: object) -> None:
        if promised and self.static is not None:
            self.static.note_promise(request_id)

    def _answered(self, params: Params) -> None:
        self._unseen.pop(params["requestId"], None)
        self._promised(params["requestId"], params.get("hasExtraInfo"))
        entry = self._entries.get(params["requestId"]) or self._late(params)
        if entry is not None:
            self._take_response(entry, params["response"])

    def _heard(self, params: Params) -> None:
        # What came over the wire, told even where the browser keeps the answer from the page.
        request_id, status, headers = params["requestId"], params["statusCode"], params["headers"]
        if self.static is not None:
            self.static.note_answer(request_id, headers)
        entry = self._entries.get(request_id)
        if entry is None:
            # Told before the request itself, as now and then happens.
            if len(self._unseen) < self._limits.exchanges:
                self._unseen[request_id] = status, headers
        elif entry.status is None and not (entry.redirected_from and _FIRST_REDIRECT <= status < _FIRST_ERROR):
            # An answer that redirects may be told late, and is not that of the request to which it redirected.
            if entry.done is None:
                self._unseen[request_id] = status, headers
            else:
                self._answer_unseen(entry, status, headers)

    def _answer_unseen(self, entry: Entry, status: int, headers: Mapping[str, str]) -> None:
        self._ledger.answer_unseen(entry, status, headers)
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        entry.mime_type = kind.partition(";")[0].strip()

    def _late(self, params: Params) -> Entry | None:
        # A popup asks for its page before anybody can listen to it; the answer still tells what was asked.
        if self._ledger.is_full:
            return None
        response = params["response"]
        begun = (response.get("timing") or {}).get("requestTime") or params["timestamp"]
        entry = self._ledger.open(
            response["url"], begun=begun, method="GET", resource=str(params.get("type", "")).lower()
        )
        if entry is not None:
            self._entries[params["requestId"]] = entry
        return entry

    def _take_response(self, entry: Entry, response: Params) -> None:
        self._ledger.answer(entry, response["status"], response["headers"])
        entry.reason = self._ledger.mask(response.get("statusText", ""), 100)
        entry.protocol = response.get("protocol", "")
        entry.mime_type = response.get("mimeType", "")
        address = response.get("remoteIPAddress")
        if address:
            entry.address, entry.port = address.strip("[]"), response.get("remotePort")
        entry.from_cache = entry.from_cache or bool(response.get("fromDiskCache") or response.get("fromPrefetchCache"))
        entry.from_service_worker = bool(response.get("fromServiceWorker"))
        entry.transfer_bytes = int(response.get("encodedDataLength", 0)) or None
        details = response.get("securityDetails")
        entry.tls = self._tls_facts(details) if details else None
        timing = response.get("timing")
        if timing:
            entry.timings = _phases(timing)
            entry.headers_at = timing["requestTime"] + timing["receiveHeadersEnd"] / 1000

    def _tls_facts(self, details: Params) -> TlsFacts:
        key = tuple(details.get(name) for name in ("subjectName", "issuer", "validTo", "protocol", "cipher"))
        known = self._tls.get(key)
        if known is None:
            certificate = Certificate(
                subject=details.get("subjectName", ""),
                issuer=details.get("issuer", ""),
                names=tuple(details.get("sanList", ()))[:50],
                not_before=_moment(details.get("validFrom")),
                not_after=_moment(details.get("validTo")),
            )
            known = TlsFacts(version=details.get("protocol"), cipher=details.get("cipher"), chain=(certificate,))
            self._tls[key] = known
        return known

    def _cached(self, params: Params) -> None:
        entry = self._entries.get(params["requestId"])
        if entry is not None:
            entry.from_cache = True

    def _data(self, params: Params) -> None:
        entry = self._entries.get(params["requestId"])
        if entry is not None:
            entry.body_bytes = (entry.body_bytes or 0) + params["dataLength"]

    def _finished(self, params: Params) -> None:
        entry = self._entries.get(params["requestId"])
        if entry is not None:
            entry.transfer_bytes = int(params.get("encodedDataLength", 0))
            self._end(entry, params["timestamp"])

    def _failed(self, params: Params) -> None:
        entry = self._entries.get(params["requestId"])
        if entry is None:
            return
        unseen = self._unseen.pop(params["requestId"], None)
        if unseen is not None and entry.status is None:
            self._answer_unseen(entry, *unseen)
        cors = params.get("corsErrorStatus") or {}
        text = params.get("errorText", "")
        self._ledger.fail(
            entry, text, blocked_reason=params.get("blockedReason", ""), cors_error=cors.get("corsError", "")
        )
        self._end(entry, params["timestamp"])

    @staticmethod
    def _end(entry: Entry, moment: float) -> None:
        entry.done = moment
        entry.cut = False
        if entry.headers_at is not None:
            entry.timings = replace(entry.timings, receive=max(0.0, moment - entry.headers_at))

    def _socket_created(self, params: Params) -> None:
        self._sockets_seen += 1
        if len(self._sockets) < self._limits.websockets:
            url = self._ledger.clean_url(params["url"])
            host = url.partition("://")[2].partition("/")[0].partition("?")[0]
            host = host[: host.rfind(":")] if host.rfind(":") > host.rfind("]") else host
            self._sockets[params["requestId"]] = _Socket(url=url, host=host.strip("[]"), step=self._ledger.step)

    def _socket_answered(self, params: Params) -> None:
        socket = self._sockets.get(params["requestId"])
        if socket is not None:
            socket.answered = True

    def _socket_error(self, params: Params) -> None:
        socket = self._sockets.get(params["requestId"])
        if socket is not None:
            socket.error = self._ledger.mask(params.get("errorMessage", ""), 300)

    def _frame_sent(self, params: Params) -> None:
        self.stream_events += 1
        socket = self._sockets.get(params["requestId"])
        if socket is not None:
            socket.sent += 1

    def _frame_received(self, params: Params) -> None:
        self.stream_events += 1
        socket = self._sockets.get(params["requestId"])
        if socket is not None:
            socket.received += 1

    def _message_received(self, _params: Params) -> None:
        self.stream_events += 1


def _phases(timing: Params) -> Timings:
    secure = timing["sslStart"] >= 0
    headers = timing.get("receiveHeadersStart", -1)
    first_byte = headers if headers > 0 else timing["receiveHeadersEnd"]
    return Timings(
        resolve=_span(timing["dnsStart"], timing["dnsEnd"]),
        connect=_span(timing["connectStart"], timing["sslStart"] if secure else timing["connectEnd"]),
        tls=_span(timing["sslStart"], timing["sslEnd"]),
        wait=_span(timing["sendEnd"], first_byte),
    )


def _span(start: float, end: float) -> float | None:
    return max(0.0, end - start) / 1000 if start >= 0 and end >= 0 else None


def _moment(seconds: float | None) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None
