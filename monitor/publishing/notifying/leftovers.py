"""What becomes of notifications that an earlier process could not send: what still holds is sent, and only that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from monitor.publishing.notifying.notification import Status

START_AGE = 3600.0
"""Seconds for which the start of something may be told as it was; later it is told anew, if it still fails."""
END_AGE = 86_400.0
"""Seconds for which an end may be told: late, it still closes what was opened."""


class Fate(StrEnum):
    """Whether a notification is sent now, has become old, or tells of something that is over."""

    HOLDS = "holds"
    OLD = "old"
    OVER = "over"


def fates_of(
    messages: Sequence[tuple[str, dict[str, Any]]],
    ages: Sequence[float],
    *,
    failing: Callable[[str], bool],
) -> tuple[Fate, ...]:
    """Return the fate of each message, given with its receiver and the oldest first, by its age in seconds.

    The start of what is over is not told as if it were now; its end is, for the start may have arrived.
    """
    ended: set[tuple[str, str]] = set()
    fates = []
    for (receiver, data), age in reversed(list(zip(messages, ages, strict=True))):
        incident = receiver, data["group"]
        if data["status"] == Status.RESOLVED:
            fates.append(Fate.HOLDS if age <= END_AGE else Fate.OVER)
            ended.add(incident)
        elif incident in ended or not any(failing(check["check"]) for check in data["checks"]):
            fates.append(Fate.OVER)
        else:
            fates.append(Fate.HOLDS if age <= START_AGE else Fate.OLD)
    return tuple(reversed(fates))
