"""What every kind of probe offers to the execution of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from monitor.domain.evidence import (
    Artifact,
    ConsoleMessage,
    PageError,
    PageEvent,
    ProberFault,
    StepError,
    Truncation,
    Vitals,
    WebSocketFacts,
)
from monitor.domain.script_time import ScriptTime

if TYPE_CHECKING:
    from monitor.domain.assignment import Assignment
    from monitor.domain.exchange import Exchange
    from monitor.domain.journey import ProbeKind


class ExpectationFailed(Exception):  # noqa: N818 - the word of the glossary; it is the site's failure, not an error of ours
    """Something a step expects to be true was not; the message says what was seen instead."""


class ProberError(Exception):
    """We could not look: the fault is ours, and says nothing about the site."""

    def __init__(self, fault: ProberFault, message: str) -> None:
        """Keep the kind of fault beside the message."""
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What one session saw during one attempt."""

    exchanges: tuple[Exchange, ...] = ()
    console: tuple[ConsoleMessage, ...] = ()
    page_errors: tuple[PageError, ...] = ()
    websockets: tuple[WebSocketFacts, ...] = ()
    events: tuple[PageEvent, ...] = ()
    vitals: Vitals | None = None
    scripts: tuple[ScriptTime, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    truncated: tuple[Truncation, ...] = ()


class Session(Protocol):
    """What a probe lends to the steps of one attempt: a fresh page or client."""

    @property
    def handle(self) -> object:
        """Return what journey code is given: a ``Browser`` or an ``Http``."""
        ...

    def begin_step(self, name: str) -> None:
        """Say that what is observed from now on belongs to this step."""
        ...

    def explain(self, error: BaseException) -> StepError:
        """Turn what a step raised into a fact about the step. Raises ProberError where the fault is ours."""
        ...

    async def complete(self, error: StepError) -> StepError:
        """Return the error with what only another look can tell; never raises, gives up by itself within seconds."""
        ...

    async def keep_failure(self, step: str, *, sensitive: bool) -> None:
        """Keep what shows the failure of a step (a screenshot); never raises, gives up by itself within seconds."""
        ...

    async def finish(self, *, failed: bool) -> Observations:
        """Stop observing, release the page or client, and return what was seen. Never raises."""
        ...


class Probe(Protocol):
    """One technique of performing steps, ready to open sessions. It lives as long as its worker."""

    @property
    def kind(self) -> ProbeKind:
        """Return the technique."""
        ...

    @property
    def engine(self) -> str:
        """Return name and version of what performs the steps."""
        ...

    async def open(self, assignment: Assignment, attempt: int, *, started: float) -> Session:
        """Lend a fresh session for one attempt.

        ``started`` is the reading of ``time.monotonic()`` at the start of the run, to which all times of
        the evidence refer.
        Raises ProberError where we cannot look.
        """
        ...

    async def alive(self) -> bool:
        """Answer within two seconds whether we could look at all just now."""
        ...

    async def close(self) -> None:
        """Release everything; never raises."""
        ...
