"""How a run, a step and a slot ended."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What a run says. Only the first three count for availability."""

    PASSED = "passed"
    DEGRADED = "degraded"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


class StepOutcome(StrEnum):
    """What a step says; one that an earlier failure kept from starting was not reached."""

    PASSED = "passed"
    DEGRADED = "degraded"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    NOT_REACHED = "not_reached"


class Validity(StrEnum):
    """Whether a run says anything about customers. Anything but ``valid`` makes the outcome inconclusive."""

    VALID = "valid"
    MONITOR_SPECIFIC = "monitor_specific"
    INVALID = "invalid"


class SlotState(StrEnum):
    """Where a slot stands: the first two are open, the others are final."""

    PLANNED = "planned"
    STARTED = "started"
    FINISHED = "finished"
    MISSED = "missed"
    LOST = "lost"
    SKIPPED = "skipped"


class SlotReason(StrEnum):
    """Why a slot brought no result."""

    LATE = "late"
    OVERLAP = "overlap"
    MAINTENANCE = "maintenance"
    CLOCK_STEP = "clock_step"
    SHUTDOWN = "shutdown"
    CRASH = "crash"
    REMOVED = "removed"
    BUSY = "busy"
