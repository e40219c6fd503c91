"""Lines and bytes of a conversation over TCP, read as the blackbox exporter reads them."""

from __future__ import annotations

from monitor.probes.blackbox.encryption import Contexts, describe, encrypt
from monitor.probes.blackbox.modules import TcpModule, Turn
from monitor.probes.blackbox.occasion import Occasion
from monitor.probes.blackbox.patterns import expand
from monitor.probes.http.channels import Channel
from monitor.probes.http.securing import SecureChannel

_LONGEST_LINE = 65_536
_LABEL = "replace"


class LineTooLong(Exception):  # noqa: N818 - it says what the line is
    """The other side sends a line that has no end."""


class _Reader:
    """Lines, and beside them bytes: what the one has taken in, the other no longer sees."""

    def __init__(self, stream: Channel | SecureChannel) -> None:
        self.stream = stream
        self._fresh = b""
        self._read = b""
        self.ended = False

    async def line(self) -> bytes | None:
        """Return the next line without its end, the last one also without any; ``None`` where all was read."""
        while b"\n" not in self._read:
            if len(self._read) >= _LONGEST_LINE:
                raise LineTooLong
            data = b"" if self.ended else await self._receive()
            if not data:
                self.ended = True
                rest, self._read = self._read, b""
                return rest.removesuffix(b"\r") if rest else None
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        return line.removesuffix(b"\r")

    async def some(self, most: int) -> bytes:
        """Return what comes next, at most so many bytes; none at the end."""
        data = await self._receive()
        self._fresh = data[most:]
        return data[:most]

    async def _receive(self) -> bytes:
        data, self._fresh = self._fresh, b""
        return data or await self.stream.receive()


class Conversation:
    """The turns of one module, held with one server."""

    def __init__(self, occasion: Occasion, channel: Channel, contexts: Contexts, host: str) -> None:
        """Speak over a connection to ``host``."""
        self._occasion = occasion
        self._channel = channel
        self._contexts = contexts
        self._host = host
        self._reader = _Reader(channel)

    async def hold(self, module: TcpModule, stream: Channel | SecureChannel) -> bool:
        """Take every turn, and say whether all went as wanted. Raises what network and TLS raise."""
        self._occasion.gauges.declare("probe_failed_due_to_regex", "probe_failed_due_to_bytes")
        if isinstance(stream, SecureChannel):
            describe(self._occasion.gauges, stream, verified=module.tls is not None and module.tls.verify)
        self._reader = _Reader(stream)
        for number, turn in enumerate(module.turns):
            self._occasion.say("Processing query response entry", entry_number=number)
            if not await self._take(turn, module):
                return False
        return True

    async def _take(self, turn: Turn, module: TcpModule) -> bool:
        said = turn.send
        if turn.expect is not None:
            caught = await self._await_match(turn)
            if caught is None:
                return False
            said = expand(turn.send, caught)
        if turn.expect_bytes and not await self._await_bytes(turn.expect_bytes):
            return False
        if said:
            self._occasion.say("Sending line", length=len(said))
            await self._reader.stream.send(said + b"\n")
        if turn.starttls:
            await self._start_tls(module)
        return True

    async def _await_match(self, turn: Turn) -> dict[str, bytes] | None:
        assert turn.expect is not None
        gauges = self._occasion.gauges
        while (line := await self._reader.line()) is not None:
            self._occasion.say("Read line", line=line.decode("utf-8", "replace"))
            caught = turn.expect.groups(line)
            if caught is None:
                continue
            self._occasion.say("Regexp matched", regexp=turn.expect.text)
            gauges.set("probe_failed_due_to_regex", 0)
            if turn.labels:
                told = {name: expand(template.encode(), caught) for name, template in turn.labels}
                gauges.set(
                    "probe_expect_info", 1, **{name: text.decode("utf-8", _LABEL) for name, text in told.items()}
                )
            return caught
        gauges.set("probe_failed_due_to_regex", 1)
        self._occasion.say("Regexp did not match", regexp=turn.expect.text)
        return None

    async def _await_bytes(self, wanted: bytes) -> bool:
        gauges = self._occasion.gauges
        data = await self._reader.some(len(wanted))
        if len(data) < len(wanted):
            self._occasion.say("Read less data than expected", expected=len(wanted), bytes=len(data))
            return False
        gauges.set("probe_failed_due_to_bytes", 0 if data == wanted else 1)
        if data != wanted:
            self._occasion.say("Bytes did not match", expected=wanted.hex(), bytes=data.hex())
        return data == wanted

    async def _start_tls(self, module: TcpModule) -> None:
        options = module.tls or module.starttls
        context = await self._contexts.context(options)
        secure, _ = await encrypt(self._channel, context, options.server_name or self._host)
        self._occasion.say("TLS Handshake (client) succeeded.")
        self._reader = _Reader(secure)
        describe(self._occasion.gauges, secure, verified=options.verify)
