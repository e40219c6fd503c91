"""What is seen of one exchange while it goes on; at any moment it can be turned into a record."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.domain.exchange import TimeSource
from monitor.domain.failure import Failure, Phase
from monitor.probes.vantage.resolver import Resolution


@dataclass(slots=True)
class Observation:
    """The facts of one exchange so far. Moments are readings of ``time.monotonic()``, phases are seconds.

    Attributes:
        bodiless: Whether an answer of HTTP/2 ended with its headers.
        counts_only: Whether the body is only counted and not kept, however long it is.
        most_bytes: How much of the body is taken, where that is less than the probe takes.
        resolution: What came of looking up the name of the host itself.
    """

    id: str
    url: str
    host: str
    method: str
    step: str
    started: float
    phase: Phase = Phase.RESOLVE
    phase_began: float = 0.0
    resolve: float | None = None
    connect: float | None = None
    tls: float | None = None
    wait: float | None = None
    receive: float | None = None
    ended: float | None = None
    source: TimeSource = TimeSource.USER
    address: str | None = None
    port: int | None = None
    tls_version: str | None = None
    cipher: str | None = None
    chain: tuple[bytes, ...] = ()
    verify_code: int | None = None
    protocol: str = ""
    status: int | None = None
    reason: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    body_received: int = 0
    request_bytes: int = 0
    request_sent: bool = False
    bodiless: bool = False
    counts_only: bool = False
    truncated: bool = False
    failure: Failure | None = None
    failed_phase: Phase | None = None
    failure_text: str = ""
    redirected_from: str | None = None
    most_bytes: int | None = None
    resolution: Resolution | None = None
    intervention: bool = False
    notes: list[str] = field(default_factory=list)

    def enter(self, phase: Phase, at: float) -> None:
        """Note that a phase began."""
        self.phase = phase
        self.phase_began = at

    def fail(self, failure: Failure, text: str, *, at: float) -> None:
        """Note that the exchange failed in the phase it is in; that phase lasted until now."""
        self.failure = failure
        self.failed_phase = self.phase
        self.failure_text = text
        if self.ended is not None:
            # The answer was whole, and its times are known; what was wrong is in what it says.
            return
        self.ended = at
        lasted = max(0.0, at - self.phase_began)
        match self.phase:
            case Phase.RESOLVE:
                self.resolve = lasted
            case Phase.CONNECT:
                self.connect = lasted
            case Phase.TLS:
                self.tls = lasted
            case Phase.WAIT:
                self.wait = lasted
            case Phase.RECEIVE:
                self.receive = lasted
