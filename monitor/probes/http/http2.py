"""One request after the other over a connection of HTTP/2."""

from __future__ import annotations

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from h2.settings import SettingCodes, Settings

from monitor.domain.failure import Failure, Phase
from monitor.probes.http.failures import Fault, http2_words
from monitor.probes.http.http1 import Stream
from monitor.probes.http.limits import Limits
from monitor.probes.http.observation import Observation

_WINDOW = 1_048_576
_NO_ERROR = 0


class Http2:
    """The state of one connection; it carries one exchange at a time."""

    def __init__(self, limits: Limits) -> None:
        """Prepare the connection preface."""
        self._limits = limits
        self._connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False)
        )
        # Given as initial values, they hold at once; later changes hold only once the server has agreed.
        self._connection.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: limits.header_bytes,
            },
        )
        self._connection.decoder.max_header_list_size = limits.header_bytes
        self._connection.initiate_connection()
        self._connection.increment_flow_control_window(_WINDOW)

    async def converse(
        self, stream: Stream, headers: list[tuple[bytes, bytes]], body: bytes, observation: Observation
    ) -> bool:
        """Send a request, take in the response, and say whether the connection may serve again.

        Raises what the network and the parser raise, and Fault.
        """
        exchange = _Exchange(self._connection, stream, observation, self._limits)
        try:
            return await exchange.run(headers, body)
        except h2.exceptions.H2Error:
            await exchange.say_why()
            raise


class _Exchange:
    def __init__(
        self, connection: h2.connection.H2Connection, stream: Stream, observation: Observation, limits: Limits
    ) -> None:
        self._connection = connection
        self._stream = stream
        self._observation = observation
        self._limits = limits
        self._id = connection.get_next_available_stream_id()
        self._parts: list[bytes] = []
        self._first = self._arrived = 0.0
        self._complete = self._going_away = False

    async def run(self, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        observation = self._observation
        observation.protocol = "h2"
        self._connection.send_headers(self._id, headers, end_stream=not body)
        await self._send_body(body)
        await self._flush(stamped=not body)
        observation.request_sent = True
        observation.enter(Phase.WAIT, self._stream.sent_at)
        while not self._complete:
            await self._take()
        observation.body = b"".join(self._parts)
        observation.receive = max(0.0, self._arrived - self._first)
        observation.ended = self._arrived
        return not self._going_away and not observation.truncated

    async def say_why(self) -> None:
        """Tell the server what was wrong, as far as it still listens."""
        try:
            await self._flush()
        except OSError:
            return

    async def _send_body(self, body: bytes) -> None:
        rest = memoryview(body)
        while rest and not self._complete:
            room = min(
                self._connection.local_flow_control_window(self._id),
                self._connection.max_outbound_frame_size,
                len(rest),
            )
            if room:
                self._connection.send_data(self._id, bytes(rest[:room]), end_stream=room == len(rest))
                rest = rest[room:]
            await self._flush()
            if not room:
                await self._take()

    async def _flush(self, *, stamped: bool = False) -> None:
        data = self._connection.data_to_send()
        if data:
            self._observation.request_bytes += len(data)
            await self._stream.send(data, stamped=stamped)

    async def _take(self) -> None:
        data = await self._stream.receive()
        if not data:
            raise self._hung_up()
        self._arrived = self._stream.arrived
        for event in self._connection.receive_data(data):
            self._on(event)
        await self._flush()

    def _on(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived(stream_id=self._id):
                self._on_headers(event)
            case h2.events.DataReceived(stream_id=self._id):
                self._on_data(event)
            case h2.events.StreamEnded(stream_id=self._id):
                self._complete = True
            case h2.events.StreamReset(stream_id=self._id):
                self._on_reset(event)
            case h2.events.ConnectionTerminated():
                self._on_goodbye(event)
            case _:
                pass

    def _on_headers(self, event: h2.events.ResponseReceived) -> None:
        observation = self._observation
        self._first = self._arrived
        if observation.phase is Phase.WAIT:
            observation.wait = max(0.0, self._arrived - observation.phase_began)
        observation.enter(Phase.RECEIVE, self._arrived)
        for name, value in event.headers or ():
            if name == b":status":
                observation.status = int(value)
            else:
                observation.headers.append((bytes(name), bytes(value)))
        observation.bodiless = event.stream_ended is not None
        if len(observation.headers) > self._limits.header_count:
            text = f"more than {self._limits.header_count} headers"
            raise Fault(Failure.HTTP_RESPONSE_HEADERS_TOO_BIG, text)

    def _on_data(self, event: h2.events.DataReceived) -> None:
        observation = self._observation
        most = observation.most_bytes or self._limits.body_bytes
        data = event.data or b""
        room = most - observation.body_received
        observation.body_received += len(data)
        if not observation.counts_only:
            self._parts.append(data[:room] if len(data) > room else data)
        if observation.body_received > most and not observation.counts_only:
            observation.truncated = True
            self._complete = True
            self._connection.reset_stream(self._id)
        elif event.flow_controlled_length:
            self._connection.acknowledge_received_data(event.flow_controlled_length, self._id)

    def _on_reset(self, event: h2.events.StreamReset) -> None:
        code = int(event.error_code or 0)
        # RFC 9113, section 8.1: the answer was whole, the server only wants no more of the request.
        if code == _NO_ERROR and self._complete:
            return
        raise Fault(Failure.HTTP_PROTOCOL_ERROR, f"the server reset the stream: {http2_words(code)}")

    def _on_goodbye(self, event: h2.events.ConnectionTerminated) -> None:
        self._going_away = True
        code = int(event.error_code or 0)
        if code != _NO_ERROR or (event.last_stream_id or 0) < self._id:
            raise Fault(Failure.HTTP_PROTOCOL_ERROR, f"the server ended the connection: {http2_words(code)}")

    def _hung_up(self) -> Fault:
        observation = self._observation
        if observation.status is None:
            return Fault(Failure.HTTP_RESPONSE_EMPTY, "the server closed the connection without an answer")
        text = f"the body was truncated after {observation.body_received} bytes"
        return Fault(Failure.HTTP_RESPONSE_TRUNCATED, text)
