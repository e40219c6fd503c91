"""One request with its response or failure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.failure import Failure, Phase


class TimeSource(StrEnum):
    """Whose clock timed an exchange."""

    KERNEL = "kernel"
    USER = "user"
    BROWSER = "browser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Seconds spent in each phase; ``None`` where the phase did not happen or was not seen.

    Attributes:
        started: Seconds from the start of the run to the start of the exchange.
        total: Seconds from the start of the exchange to its end or failure.
    """

    started: float = 0.0
    resolve: float | None = None
    connect: float | None = None
    tls: float | None = None
    wait: float | None = None
    receive: float | None = None
    total: float = 0.0
    source: TimeSource = TimeSource.USER

    def of(self, phase: Phase) -> float | None:
        """Return the seconds of one phase."""
        match phase:
            case Phase.RESOLVE:
                return self.resolve
            case Phase.CONNECT:
                return self.connect
            case Phase.TLS:
                return self.tls
            case Phase.WAIT:
                return self.wait
            case Phase.RECEIVE:
                return self.receive


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a server showed of itself in the TLS handshake."""

    subject: str
    issuer: str
    names: tuple[str, ...] = ()
    not_before: dt.datetime | None = None
    not_after: dt.datetime | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFacts:
    """The TLS session: version, cipher, certificates (leaf first), and OpenSSL's verify code where it refused."""

    version: str | None = None
    cipher: str | None = None
    chain: tuple[Certificate, ...] = ()
    verify_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsFacts:
    """What the resolver said of a name.

    Attributes:
        rcode: The answer's own word (``NXDOMAIN``), where DNS was asked.
        errors: Extended DNS errors (RFC 8914), each as ``code name: text``.
        aliases: Canonical names that were followed.
        server: The DNS servers that were asked; ``system`` words such as ``override`` where none was.
    """

    rcode: str | None = None
    errors: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Initiator:
    """What made the browser send a request: the parser, a script or the user, and where."""

    kind: str
    url: str = ""
    frames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request with its response or failure, as observed.

    Attributes:
        id: Unique in its run.
        step: Name of the step during which it started.
        url: Without user information; secrets in it are masked.
        resource: The browser's resource type (``document``, ``script``, ``xhr`` …), or ``http`` for the HTTP probe.
        dns: What the resolver said; only of the HTTP probe's exchanges, and only where it was asked.
        failed_phase: The phase in which it failed.
        failure_text: The library's or browser's own words, shortened.
        headers: Response headers that say something about cause (names in lower case); never cookies.
        problem: Of an error answer in the form of RFC 9457 the URL that names the kind of problem, without its query.
        redirected_from: ``id`` of the exchange that redirected here.
        pending: Whether it was still open when the attempt ended.
        intervention: Whether an experiment of ours answered, blocked or delayed it.
        request_sent: Whether the whole request had left before the failure, so that an effect may have happened.
        truncated: Whether a cap of ours cut it short.
    """

    id: str
    url: str
    host: str
    method: str = "GET"
    step: str = ""
    attempt: int = 1
    resource: str = "http"
    status: int | None = None
    reason: str = ""
    protocol: str = ""
    address: str | None = None
    port: int | None = None
    ip_family: str | None = None
    timings: Timings = Timings()
    tls: TlsFacts | None = None
    dns: DnsFacts | None = None
    failure: Failure | None = None
    failed_phase: Phase | None = None
    failure_text: str = ""
    blocked_reason: str | None = None
    cors_error: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    mime_type: str = ""
    request_bytes: int | None = None
    transfer_bytes: int | None = None
    body_bytes: int | None = None
    body_sha256: str | None = None
    problem: str = ""
    initiator: Initiator | None = None
    redirected_from: str | None = None
    pending: bool = False
    intervention: bool = False
    from_cache: bool = False
    from_service_worker: bool = False
    request_sent: bool = False
    truncated: bool = False
