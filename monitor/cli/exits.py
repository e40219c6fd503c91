"""What the exit status of a command says."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from monitor.domain.outcome import Outcome


class Exit(IntEnum):
    """The exit statuses; scripts rely on them. ``BROKEN`` is a mistake of ours, never a failure of the site."""

    GOOD = 0
    FAILED = 1
    USAGE = 2
    INCONCLUSIVE = 3
    BROKEN = 70


def exit_of(outcomes: Iterable[Outcome]) -> Exit:
    """Return the status of a command that made these runs: a failure outweighs what we could not see."""
    seen = set(outcomes)
    if Outcome.FAILED in seen:
        return Exit.FAILED
    return Exit.INCONCLUSIVE if Outcome.INCONCLUSIVE in seen else Exit.GOOD
