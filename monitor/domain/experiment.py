"""What was tried, beside the run itself, to tell causes apart; and what came of it. Facts only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.exchange import Exchange
from monitor.domain.outcome import Outcome
from monitor.domain.script_time import ScriptTime


class ExperimentKind(StrEnum):
    """What is done differently from the run that did not pass.

    A *look* is one light request or question; the other kinds make the journey again, up to the step that failed.
    """

    CONTROL = "control"
    RESOLVER = "resolver"
    REPROBE = "reprobe"
    ORIGIN = "origin"
    TENANT = "tenant"
    VANTAGE = "vantage"
    DIRECT = "direct"
    CLIENT = "client"

    RERUN = "rerun"
    BLOCK = "block"
    REPLAY = "replay"
    PROFILE = "profile"
    COUNTERFACTUAL = "counterfactual"
    ACCOUNT = "account"

    @property
    def is_look(self) -> bool:
        """Say whether it is one light request rather than a journey."""
        return self in _LOOKS


_LOOKS = frozenset(
    {
        ExperimentKind.CONTROL,
        ExperimentKind.RESOLVER,
        ExperimentKind.REPROBE,
        ExperimentKind.ORIGIN,
        ExperimentKind.TENANT,
        ExperimentKind.VANTAGE,
        ExperimentKind.DIRECT,
        ExperimentKind.CLIENT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment of an investigation, in the order in which they were made.

    Attributes:
        subject: What it is about: the control's URL, the host that was blocked or replayed or looked at, the profile's
            name.
        by: The other way that was taken: the resolver's address, the vantage's name, the origin's address; else empty.
        outcome: ``passed`` where the look was answered below 400 or the journey got past the step that had failed;
            ``failed`` where not; ``inconclusive`` where the experiment itself broke, was refused or ran out of time.
        started: Seconds from the start of the run that is investigated.
        note: Why it was inconclusive, or what else a person should know.
        hosts: The hosts on which an intervention was put, for ``block``, ``replay`` and ``counterfactual``.
        path: The first part of the path, where an intervention was put on a part of one host.
        exchanges: For a look what was exchanged, the last one last; for another account each error answer.
        failed_step: For a journey the step that did not succeed.
        error: For a journey the message of that step.
        step_seconds: For a journey the seconds of the step that is investigated, where it was begun.
        requests: How many requests it caused.
        received: How many bytes came in answer, as far as the browser told.
        step_requests: For a journey the requests of the step that is investigated.
        step_received: For a journey the bytes that came during that step.
        scripts: For a journey the main thread's time in the step that is investigated, the longest first.
        intercepted_stack: For a journey URLs of the scripts that made the element which was in the way of a click.
        missed: For a replay how many requests to its hosts the archive could not answer.
        of_run: The id of the run for which it was made, where a later run of the same episode goes by it.
    """

    kind: ExperimentKind
    subject: str
    outcome: Outcome
    duration: float
    by: str = ""
    started: float = 0.0
    note: str = ""
    hosts: tuple[str, ...] = ()
    path: str = ""
    exchanges: tuple[Exchange, ...] = ()
    failed_step: str = ""
    error: str = ""
    step_seconds: float | None = None
    requests: int = 0
    received: int = 0
    step_requests: int = 0
    step_received: int = 0
    scripts: tuple[ScriptTime, ...] = ()
    intercepted_stack: tuple[str, ...] = ()
    missed: int = 0
    of_run: str = ""
