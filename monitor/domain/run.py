"""One execution of a slot, immutable once finished."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from monitor.domain.check import Check
from monitor.domain.diagnosis import Collateral, Diagnosis
from monitor.domain.evidence import Evidence
from monitor.domain.outcome import Outcome, SlotReason, SlotState, Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One planned moment of a check, and where it stands. ``(check, scheduled_at)`` is its identity."""

    check: str
    scheduled_at: dt.datetime
    state: SlotState = SlotState.PLANNED
    reason: SlotReason | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the rules made of the evidence of one run.

    Attributes:
        timings: Seconds of the run by party, as far as the critical path tells.
    """

    outcome: Outcome
    validity: Validity
    diagnosis: Diagnosis | None = None
    collateral: tuple[Collateral, ...] = ()
    timings: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run: what was asked, what was seen, what it means."""

    run_id: str
    check: Check
    location: str
    scheduled_at: dt.datetime
    evidence: Evidence
    judgement: Judgement

    @property
    def outcome(self) -> Outcome:
        """Return what the run says."""
        return self.judgement.outcome

    @property
    def started_at(self) -> dt.datetime:
        """Return the moment at which the run started."""
        return self.evidence.started_at

    @property
    def duration(self) -> float:
        """Return the seconds that the run took."""
        return self.evidence.duration
