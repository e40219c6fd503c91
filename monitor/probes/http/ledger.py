"""The exchanges of one session, in the order in which they began."""

from __future__ import annotations

import time

from monitor.domain.evidence import PageEvent, Truncation
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure
from monitor.probes.http.limits import Limits
from monitor.probes.http.observation import Observation
from monitor.probes.http.outgoing import Outgoing
from monitor.probes.http.recording import Recorder


class ExchangeFailed(Exception):  # noqa: N818 - the site's failure as a rule, not an error of ours
    """A request got no whole answer; ``exchange`` says what was seen."""

    def __init__(self, exchange: Exchange) -> None:
        """Keep the record beside the message."""
        failure = exchange.failure.value if exchange.failure else "failed"
        super().__init__(f"{exchange.method} {exchange.url}: {failure}: {exchange.failure_text}")
        self.exchange = exchange


class Ledger:
    """Keeps what was observed, and turns it into records as it ends."""

    def __init__(self, recorder: Recorder, limits: Limits, attempt: int) -> None:
        """Start empty."""
        self._recorder = recorder
        self._limits = limits
        self._attempt = attempt
        self._open: dict[str, Observation] = {}
        self._done: dict[str, Exchange] = {}
        self._begun = 0
        self._events: list[PageEvent] = []
        self._truncated: list[Truncation] = []
        self.step = ""
        self.last: str | None = None

    def begin(self, outgoing: Outgoing, redirected_from: str | None) -> Observation:
        """Return the observation of an exchange that begins now."""
        self._begun += 1
        identifier = f"{self._attempt}.{self._begun}"
        started = time.monotonic()
        observation = Observation(
            id=identifier,
            url=outgoing.url,
            host=outgoing.origin.host,
            method=outgoing.method,
            step=self.step,
            started=started,
            phase_began=started,
            redirected_from=redirected_from,
        )
        self._open[identifier] = observation
        self.last = identifier
        return observation

    def end(self, observation: Observation) -> Exchange:
        """Return the record of an exchange that has ended, and keep it."""
        self._open.pop(observation.id, None)
        exchange = self._recorder.record(observation)
        if len(self._done) < self._limits.exchanges or exchange.failure is not None:
            self._done[exchange.id] = exchange
        if observation.truncated:
            kept, seen = len(observation.body), observation.body_received
            self._truncated.append(Truncation(what=f"body of exchange {exchange.id}", kept=kept, seen=max(kept, seen)))
        for note in observation.notes:
            self.note("address_fallback", f"{exchange.host}: {note}")
        return exchange

    def note(self, kind: str, text: str) -> None:
        """Keep something that happened beside the exchanges."""
        if len(self._events) < self._limits.exchanges:
            self._events.append(PageEvent(kind=kind, text=self._recorder.line(text), step=self.step))

    def close(self) -> None:
        """End what is still open; it counts as pending."""
        for observation in tuple(self._open.values()):
            if observation.failure is None:
                observation.fail(Failure.PENDING, "still open when the attempt ended", at=time.monotonic())
            self.end(observation)

    @property
    def waiting(self) -> str | None:
        """Return the id of the exchange that has been open longest."""
        return next(iter(self._open), None)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Return the records, in the order in which the exchanges began."""
        done = tuple(self._done.values())
        return done if len(done) < 2 else tuple(sorted(done, key=lambda each: int(each.id.partition(".")[2])))  # noqa: PLR2004 - one is in order

    @property
    def events(self) -> tuple[PageEvent, ...]:
        """Return what happened beside the exchanges."""
        return tuple(self._events)

    @property
    def truncated(self) -> tuple[Truncation, ...]:
        """Return every cap that was reached."""
        if self._begun <= self._limits.exchanges:
            return tuple(self._truncated)
        return (*self._truncated, Truncation(what="exchanges", kept=len(self._done), seen=self._begun))
