"""One request and its response in HTTP/1.1."""

from __future__ import annotations

from typing import Protocol

import httptools

from monitor.domain.failure import Failure, Phase
from monitor.probes.http.failures import Fault
from monitor.probes.http.limits import Limits
from monitor.probes.http.observation import Observation

_INFORMATIONAL = range(100, 200)
_SWITCHING = 101
_WITHOUT_BODY = frozenset({204, 304})


class Stream(Protocol):
    """What a connection is spoken over: a channel, plain or encrypted."""

    @property
    def sent_at(self) -> float:
        """Return the moment at which the last bytes were handed to the kernel."""
        ...

    @property
    def arrived(self) -> float:
        """Return the moment at which the last received bytes came in."""
        ...

    async def send(self, data: bytes, *, stamped: bool = False) -> None:
        """Send all bytes, with a stamp of their departure where it is asked for."""
        ...

    async def receive(self) -> bytes:
        """Return the next bytes, none at the end."""
        ...


async def converse(stream: Stream, data: bytes, observation: Observation, limits: Limits) -> bool:
    """Send a request, take in the response, and say whether the connection may serve again.

    Raises what the network and the parser raise, and Fault.
    """
    reply = _Reply(observation, limits)
    parser = httptools.HttpResponseParser(reply)
    reply.parser = parser
    await _send(stream, data, observation)
    clean = True
    first = arrived = 0.0
    while not reply.complete:
        received = await stream.receive()
        if not received:
            reply.end()
            clean = False
            break
        arrived = stream.arrived
        if not first:
            first = arrived
            observation.wait = max(0.0, arrived - stream.sent_at)
            observation.enter(Phase.RECEIVE, arrived)
        clean = _feed(parser, received, reply)
        if reply.interim:
            reply.interim = False
            first = 0.0 if not reply.begun else arrived
    observation.receive = max(0.0, arrived - first)
    observation.ended = arrived
    observation.truncated |= reply.capped
    return clean and reply.may_stay_open


async def _send(stream: Stream, data: bytes, observation: Observation) -> None:
    observation.request_bytes = len(data)
    try:
        await stream.send(data, stamped=True)
    except (BrokenPipeError, ConnectionResetError):
        # A server may refuse a large body by answering and hanging up; what it said is still there to be read.
        observation.enter(Phase.WAIT, stream.sent_at)
    else:
        observation.request_sent = True
        observation.enter(Phase.WAIT, stream.sent_at)


def _feed(parser: httptools.HttpResponseParser, data: bytes, reply: _Reply) -> bool:
    """Parse what came in, and say whether it was nothing but one response."""
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        reply.complete = True
        return False
    except httptools.HttpParserCallbackError as error:
        raise error.__context__ or error from None
    except httptools.HttpParserError:
        # Bytes behind the response are not part of it; the connection is not used again.
        if not reply.complete:
            raise
        return False
    reply.count(len(data))
    return not (reply.complete and reply.begun)


class _Reply:
    """Takes the parser's word for one response."""

    __slots__ = (
        "_chunked",
        "_expected",
        "_header_bytes",
        "_headers_done",
        "_limits",
        "_observation",
        "_parts",
        "begun",
        "capped",
        "complete",
        "interim",
        "may_stay_open",
        "parser",
    )

    def __init__(self, observation: Observation, limits: Limits) -> None:
        self._observation = observation
        self._limits = limits
        self._parts: list[bytes] = []
        self._header_bytes = 0
        self._headers_done = self._chunked = False
        self._expected: int | None = None
        self.begun = self.capped = self.complete = self.interim = False
        self.may_stay_open = True
        self.parser: httptools.HttpResponseParser | None = None

    def on_message_begin(self) -> None:
        self.begun = True

    def on_status(self, status: bytes) -> None:
        if not self.complete:
            self._observation.reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.complete or self._headers_done:
            return
        name = name.lower()
        headers = self._observation.headers
        headers.append((name, value))
        if name == b"content-length":
            self._expected = int(value)
        elif name == b"transfer-encoding":
            self._chunked = True
        self._header_bytes += len(name) + len(value) + 4
        if len(headers) > self._limits.header_count or self._header_bytes > self._limits.header_bytes:
            raise Fault(Failure.HTTP_RESPONSE_HEADERS_TOO_BIG, self._too_big())

    def on_headers_complete(self) -> None:
        if self.complete:
            return
        assert self.parser is not None
        observation = self._observation
        observation.status = status = self.parser.get_status_code()
        observation.protocol = f"http/{self.parser.get_http_version()}"
        self._headers_done = True
        # Asked at the end of the message, the parser has forgotten its headers.
        self.may_stay_open = self.parser.should_keep_alive()
        if observation.method == "HEAD" and status not in _INFORMATIONAL:
            self.complete = True
            self.begun = False
        elif self._expected is None and not self._chunked and status not in _WITHOUT_BODY:
            self.may_stay_open = False

    def on_body(self, body: bytes) -> None:
        if self.complete:
            return
        observation = self._observation
        if observation.counts_only:
            observation.body_received += len(body)
            return
        most = observation.most_bytes or self._limits.body_bytes
        room = most - observation.body_received
        observation.body_received += len(body)
        self._parts.append(body[:room] if len(body) > room else body)
        if observation.body_received > most:
            self.capped = True
            self._finish()

    def on_message_complete(self) -> None:
        if self.complete:
            return
        status = self._observation.status or 0
        self.begun = False
        if status in _INFORMATIONAL and status != _SWITCHING:
            self._observation.headers.clear()
            self._observation.reason = b""
            self._observation.status = None
            self._header_bytes = 0
            self._headers_done = self._chunked = False
            self._expected = None
            self.may_stay_open = True
            self.interim = True
            return
        self._finish()

    def count(self, received: int) -> None:
        """Refuse headers that never end; the parser keeps an unfinished one to itself."""
        if not self._headers_done and not self.complete:
            self._header_bytes += received
            if self._header_bytes > 2 * self._limits.header_bytes:
                raise Fault(Failure.HTTP_RESPONSE_HEADERS_TOO_BIG, self._too_big())

    def end(self) -> None:
        """Judge what is there when the server has closed the connection."""
        observation = self._observation
        if observation.status is None:
            if not observation.reason and observation.phase is Phase.WAIT:
                raise Fault(Failure.HTTP_RESPONSE_EMPTY, "the server closed the connection without an answer")
            raise Fault(Failure.HTTP_RESPONSE_TRUNCATED, "the server closed the connection within the headers")
        if self._expected is not None or self._chunked:
            of = f" of {self._expected}" if self._expected is not None else ""
            text = f"the body was truncated after {observation.body_received}{of} bytes"
            raise Fault(Failure.HTTP_RESPONSE_TRUNCATED, text)
        self._finish()

    def _finish(self) -> None:
        self.complete = True
        parts = self._parts
        self._observation.body = parts[0] if len(parts) == 1 else b"".join(parts)

    def _too_big(self) -> str:
        limits = self._limits
        return f"more than {limits.header_count} headers or {limits.header_bytes} bytes of them"
