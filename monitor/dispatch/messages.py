"""What the main process and a worker say to each other."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

from monitor.domain.assignment import Assignment, Intervention
from monitor.domain.check import Check
from monitor.domain.evidence import Evidence, ProberFault
from monitor.execution.progress import Progress


class LaneName(StrEnum):
    """Which kind of worker carries a run out."""

    HTTP = "http"
    SCRIPT = "script"
    BROWSER = "browser"


class Kind(IntEnum):
    """What a frame holds."""

    SETUP = 1
    ORDER = 2
    STOP = 3
    TERMS = 4
    READY = 10
    BEAT = 11
    TOLD = 12
    DONE = 13
    FAILED = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker needs to know before its first run.

    Attributes:
        equipment: ``module:function`` that makes of this setup what the worker works with.
        journeys: The folder of the journeys.
        import_paths: Where modules are looked for beside the installed ones.
    """

    name: str
    lane: LaneName
    equipment: str
    journeys: str
    runs_per_browser: int = 50
    chromium: str | None = None
    headless_shell: str | None = None
    firefox: str | None = None
    webhook_host: str = "127.0.0.1"
    webhook_url: str = ""
    import_paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run to carry out. ``source`` is the file of its journey."""

    assignment: Assignment
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is the same in every run of a check."""

    check: Check
    location: str
    first_party: tuple[str, ...] = ()
    source: str = ""


class Call(NamedTuple):
    """What is particular to one run of a check whose terms are known. As a tuple it takes half the room."""

    check: str
    run_id: str
    scheduled_at: dt.datetime
    not_after: dt.datetime
    attempt_limit: int
    artifact_directory: str
    interventions: tuple[Intervention, ...]
    traceparent: str | None
    until: str
    archive_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The worker can carry runs out."""

    process: int
    engine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A step of a run has begun or ended."""

    run_id: str
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A run is over. A worker that is ``spent`` wants no other: the journey's code has left something running in it."""

    run_id: str
    evidence: Evidence
    spent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A run, or without ``run_id`` the worker itself, could not be begun."""

    fault: ProberFault
    text: str
    run_id: str = ""
