"""TLS over a channel, by the standard library's memory buffers."""

from __future__ import annotations

import ssl
import time

from monitor.probes.http.channels import Channel

_READ_SIZE = 65_536
_DER = 2


class SecureChannel:
    """A channel whose bytes are encrypted; it looks like the channel below it."""

    __slots__ = ("_channel", "_incoming", "_object", "_outgoing", "arrived")

    def __init__(self, channel: Channel, context: ssl.SSLContext, server_name: str) -> None:
        """Prepare a fresh session; nothing is ever resumed."""
        self._channel = channel
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self.arrived = 0.0

    async def handshake(self) -> float:
        """Shake hands, and return the seconds from our first word to the arrival of the server's last.

        Raises ssl.SSLError as the two cannot agree, EOFError where the server hangs up, OSError as the network fails.
        """
        channel = self._channel
        started = time.monotonic()
        arrived = started
        while True:
            try:
                self._object.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                data = await channel.receive()
                if not data:
                    raise EOFError from None
                arrived = channel.arrived
                self._incoming.write(data)
            except ssl.SSLError:
                await self._say_why()
                raise
        await self._flush()
        return max(0.0, arrived - started)

    @property
    def sent_at(self) -> float:
        """Return the moment at which the last bytes were handed to the kernel."""
        return self._channel.sent_at

    @property
    def usable(self) -> bool:
        """Say whether an idle connection still seems fit for another request."""
        return self._channel.usable

    @property
    def protocol(self) -> str | None:
        """Return what both sides agreed to speak (ALPN)."""
        return self._object.selected_alpn_protocol()

    @property
    def version(self) -> str | None:
        """Return the version of TLS."""
        return self._object.version()

    @property
    def cipher(self) -> str | None:
        """Return the name of the cipher suite."""
        found = self._object.cipher()
        return found[0] if found else None

    def chain(self) -> tuple[bytes, ...]:
        """Return the certificates that the server sent, leaf first."""
        found = self._certificates("get_unverified_chain")
        if found is not None:
            return found
        leaf = self._object.getpeercert(binary_form=True)
        return (leaf,) if leaf else ()

    def verified_chain(self) -> tuple[bytes, ...]:
        """Return the certificates by which the server was believed, leaf first, the authority last."""
        return self._certificates("get_verified_chain") or ()

    async def send(self, data: bytes, *, stamped: bool = False) -> None:
        """Encrypt and send all bytes, with a stamp of their departure where it is asked for."""
        self._object.write(data)
        await self._flush(stamped=stamped)

    async def receive(self) -> bytes:
        """Return the next bytes, none at the end; ``arrived`` is the moment at which they came in."""
        while True:
            try:
                data = self._object.read(_READ_SIZE)
            except ssl.SSLWantReadError:
                pass
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            else:
                self.arrived = self._channel.arrived
                return data
            if self._outgoing.pending:
                await self._flush()
            raw = await self._channel.receive()
            if raw:
                self._incoming.write(raw)
            else:
                self._incoming.write_eof()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def _certificates(self, question: str) -> tuple[bytes, ...] | None:
        newer = getattr(self._object, question, None)
        if newer is not None:
            return tuple(newer())
        # Python says it in public from 3.13 on; before, only the object below knows more than the leaf.
        older = getattr(getattr(self._object, "_sslobj", None), question, None)
        return None if older is None else tuple(each.public_bytes(_DER) for each in older() or ())

    async def _flush(self, *, stamped: bool = False) -> None:
        if self._outgoing.pending:
            await self._channel.send(self._outgoing.read(), stamped=stamped)

    async def _say_why(self) -> None:
        try:
            await self._flush()
        except OSError:
            return
