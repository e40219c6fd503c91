"""How customers would rate a run: the three classes of Apdex."""

from __future__ import annotations

from enum import StrEnum

from monitor.domain.outcome import Outcome
from monitor.domain.run import Run

_TOLERABLE = 4


class Rating(StrEnum):
    """What a customer would say."""

    SATISFIED = "satisfied"
    TOLERATING = "tolerating"
    FRUSTRATED = "frustrated"


def rating_of(run: Run, threshold: float | None) -> Rating | None:
    """Return the rating of a run; ``None`` without a threshold in seconds, and where we could not look.

    Up to the threshold customers are satisfied, up to four times it they bear it; a run that failed frustrates them.
    """
    if threshold is None or run.outcome is Outcome.INCONCLUSIVE:
        return None
    if run.outcome is Outcome.FAILED or run.duration > _TOLERABLE * threshold:
        return Rating.FRUSTRATED
    return Rating.SATISFIED if run.duration <= threshold else Rating.TOLERATING
