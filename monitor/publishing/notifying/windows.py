"""When a check counts as failing: so many of its last conclusive runs failed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class Windows:
    """The last conclusive runs of each check. Whether it fails follows from them alone, so that a restart can tell."""

    def __init__(self, *, failures: int, total: int) -> None:
        """Call a check failing while ``failures`` of its last ``total`` runs failed."""
        self._failures = failures
        self._total = total
        self._runs: dict[str, deque[bool]] = {}

    def configure(self, *, failures: int, total: int) -> None:
        """Take over another condition; what is known of the runs stays."""
        self._failures = failures
        if total != self._total:
            self._total = total
            self._runs = {check: deque(runs, maxlen=total) for check, runs in self._runs.items()}

    def note(self, check: str, *, failed: bool) -> None:
        """Take in a run, the newest one of its check."""
        runs = self._runs.get(check)
        if runs is None:
            runs = self._runs[check] = deque(maxlen=self._total)
        runs.append(failed)

    def is_failing(self, check: str) -> bool:
        """Say whether a check fails now."""
        return sum(self._runs.get(check, ())) >= self._failures

    def retain(self, checks: Iterable[str]) -> None:
        """Forget checks that are no more."""
        names = frozenset(checks)
        self._runs = {check: runs for check, runs in self._runs.items() if check in names}
