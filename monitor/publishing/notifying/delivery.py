"""What brings a notification to its receiver: one try at a time, which can be broken off from outside."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Any, Protocol

from monitor.probes.http.trust import TrustStore


class DeliveryError(Exception):
    """A try failed; the message says why and holds no secret. A ``lasting`` failure is not tried again."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        """Keep why."""
        super().__init__(message)
        self.lasting = lasting


class Delivery(Protocol):
    """One try to deliver one notification, made in a thread of its own."""

    def send(self) -> None:
        """Deliver, or raise DeliveryError. Blocks."""
        ...

    def abort(self) -> None:
        """Break off what hangs, from another thread."""
        ...


class Transport(Protocol):
    """The way to one receiver."""

    def delivery(self, data: dict[str, Any]) -> Delivery:
        """Return a try to deliver a notification, given as data."""
        ...


def trust(extra_ca: str | None) -> ssl.SSLContext:
    """Return whom we trust: the authorities that browsers trust, and one's own."""
    return TrustStore().context((extra_ca,) if extra_ca else (), http2=False)


def cut(connection: socket.socket | None) -> None:
    """End a connection on which another thread waits."""
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def reason_of(error: Exception) -> str:
    """Return why a connection failed, in words that hold nothing of what was sent."""
    match error:
        case TimeoutError():
            return "it did not answer in time"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {error.reason or type(error).__name__}"
        case socket.gaierror():
            return "its name does not resolve"
        case OSError():
            return error.strerror or type(error).__name__
        case _:
            return type(error).__name__
