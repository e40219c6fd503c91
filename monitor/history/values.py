"""What history tells: stored runs, summaries, coverage, breakdowns and its own state."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Culprit
from monitor.domain.evidence import Evidence
from monitor.domain.outcome import Outcome, SlotState, Validity
from monitor.domain.run import Judgement, Slot


class HistoryError(Exception):
    """History cannot be opened or read; the message says why and what to do."""


class InUseError(HistoryError):
    """Another instance writes to the same history; that one can be asked to write."""


class ResultLostError(HistoryError):
    """A result could not be kept: the spool was full, the database refused it, or history was closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The first sentence of a diagnosis, for lists."""

    cause: Cause
    detail: Detail
    confidence: Confidence
    rule: str
    because: str
    culprit: Culprit | None = None
    failed_step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run without its evidence, with the names it was recorded under.

    Attributes:
        phases: Seconds of the last attempt's exchanges by phase, as far as they were seen.
    """

    run_id: str
    check: str
    journey: str
    target: str
    profile: str
    location: str
    scheduled_at: dt.datetime
    started_at: dt.datetime
    duration: float
    outcome: Outcome
    validity: Validity
    attempts: int
    recovered: bool
    phases: tuple[tuple[str, float], ...] = ()
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended, and nothing else of it."""

    outcome: Outcome
    validity: Validity
    recovered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as it was recorded.

    Attributes:
        lean: Whether only the lean evidence is kept: no exchanges, console, page errors, sockets or page events.
    """

    summary: RunSummary
    evidence: Evidence
    judgement: Judgement
    lean: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckState:
    """The latest of one check: its newest slot that is not planned any more, its last run, and counted outcomes.

    Attributes:
        counts: Runs by outcome in the time that was asked for.
    """

    check: str
    slot: Slot | None
    run: RunSummary | None
    counts: tuple[tuple[Outcome, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of what was planned brought a conclusive result, and how much of that was good.

    Attributes:
        planned: Slots whose moment has come.
        conclusive: Finished slots that passed, were degraded or failed.
        good: Those that passed or were degraded.
        states: All slots by state.
    """

    planned: int
    conclusive: int
    good: int
    states: tuple[tuple[SlotState, int], ...] = ()

    @property
    def ratio(self) -> float | None:
        """Return conclusive over planned slots, or ``None`` where nothing was planned."""
        return self.conclusive / self.planned if self.planned else None

    @property
    def availability(self) -> float | None:
        """Return good over conclusive slots, or ``None`` where there is none; show it only next to ``ratio``."""
        return self.good / self.conclusive if self.conclusive else None


class VerdictSource(StrEnum):
    """Who or what came to a verdict."""

    RULES = "rules"
    CORRELATION = "correlation"
    REJUDGED = "rejudged"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVerdict:
    """One verdict on a run; none is ever overwritten.

    Attributes:
        reason: Why it was revised; for a person's verdict in that person's words.
        author: Who said so, where a person did.
        current: Whether it is the one in force: the newest one, but a person's before any of the rules'.
    """

    at: dt.datetime
    source: VerdictSource
    judgement: Judgement
    reason: str = ""
    author: str = ""
    current: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAccuracy:
    """How often the rules were right, as far as people have said.

    Attributes:
        judged: Runs that a person confirmed or corrected.
        right: Those of which the rules had named the cause that the person named.
        detailed: Those for which the person named a detail and not the cause alone.
        detail_right: Those of them of which the rules had named the same detail.
        undetermined: Runs that the rules had left undetermined; they are judged, and neither right nor false blame.
        false_blame: Runs of which the rules had named another cause.
        missed: Runs that the rules had called passed, and a person did not.
    """

    judged: int = 0
    right: int = 0
    detailed: int = 0
    detail_right: int = 0
    undetermined: int = 0
    false_blame: int = 0
    missed: int = 0

    @property
    def ratio(self) -> float | None:
        """Return right over judged runs, or ``None`` where nobody has judged one; show it only next to ``judged``."""
        return self.right / self.judged if self.judged else None


class GroupBy(StrEnum):
    """What a breakdown of failures is grouped by."""

    CAUSE = "cause"
    DETAIL = "detail"
    CULPRIT = "culprit"
    CHECK = "check"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One group of a breakdown: its key (empty where the runs name none), the cause, and how many failed runs."""

    key: str
    cause: Cause
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list; ``None`` and an empty tuple leave a property free.

    Attributes:
        journeys: Names under which the runs were made; so are targets, profiles and locations.
        before: Continues a list at its last moment; runs of that very moment are left out.
        beyond: Continues a list after its last run exactly: the moment and the check of that run.
    """

    check: str | None = None
    journeys: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    cause: Cause | None = None
    causes: tuple[Cause, ...] = ()
    detail: Detail | None = None
    culprit: str | None = None
    since: dt.datetime | None = None
    before: dt.datetime | None = None
    beyond: tuple[dt.datetime, str] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryStatus:
    """How history fares, for health and metrics.

    Attributes:
        last_commit_age: Seconds since something was committed; ``None`` before the first commit.
        trouble: Why writing does not work just now, in one sentence.
        spooled: Results and slots that wait in memory for the database.
        spooled_bytes: About how much memory they take.
        dropped: Results and slots lost because the spool was full or the database refused them.
        refused: Results that came for a slot that had ended before.
        quarantined: Where the damaged database was put, if there was one.
        checked: Whether the whole database was found sound when it was opened.
    """

    writer_alive: bool
    last_commit_age: float | None
    trouble: str | None
    spooled: int
    spooled_bytes: int
    dropped: int
    refused: int
    ballast_freed: bool
    quarantined: Path | None
    checked: bool
    disk_free_bytes: int | None
    size_bytes: int | None
    wal_bytes: int | None

    @property
    def healthy(self) -> bool:
        """Say whether results are being kept as they should be."""
        return self.writer_alive and self.trouble is None and self.quarantined is None and not self.ballast_freed
