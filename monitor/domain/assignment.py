"""What a worker is asked to carry out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.check import Check


class InterventionKind(StrEnum):
    """How an experiment changes the world of one run."""

    BLOCK = "block"
    REPLAY = "replay"
    DELAY = "delay"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """One change: requests to ``host`` are blocked, answered from an archive, delayed, or answered 200 with nothing.

    Attributes:
        path: The first part of the paths that are meant; all of the host where it is empty.
        archive: The folder of the answers to replay.
        seconds: How long to delay.
    """

    kind: InterventionKind
    host: str
    path: str = ""
    archive: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One run to make, with everything a worker needs to know and nothing it has to look up.

    Attributes:
        not_after: The moment after which the run must not start any more.
        artifact_directory: Where the worker may put files of this run.
        first_party: Registrable domains and hosts that count as own; trace context and target headers go only there.
        until: The last step to perform; all of them where it is empty. Experiments end where the failure was.
        background: Whether it waits for a worker behind every run that is due.
        archive_to: The folder, not there yet, where answers are kept if the run passes; empty for none.
    """

    run_id: str
    check: Check
    location: str
    scheduled_at: dt.datetime
    not_after: dt.datetime
    attempt_limit: int
    artifact_directory: str
    first_party: tuple[str, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    traceparent: str | None = None
    until: str = ""
    background: bool = False
    archive_to: str = ""
