"""When a check counts as failing, from its last conclusive runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice


class Windows:
    """Begins a check's failing with so many failed runs among the last, and ends it only when calm has returned.

    One that fails every other time would otherwise begin and end with each run.
    """

    def __init__(self, *, failures: int, total: int) -> None:
        """Call a check failing once ``failures`` of its last ``total`` runs failed."""
        self._failures = failures
        self._total = total
        self._runs: dict[str, deque[bool]] = {}
        self._failing: set[str] = set()

    @property
    def calm(self) -> int:
        """Return after how many good runs in a row a check fails no more."""
        return self._total - self._failures + 1

    def configure(self, *, failures: int, total: int) -> None:
        """Take over another condition, which holds from the next run on; what is known of the runs stays."""
        self._failures = failures
        if total != self._total:
            self._total = total
            self._runs = {check: deque(runs, maxlen=total) for check, runs in self._runs.items()}

    def note(self, check: str, *, failed: bool) -> bool:
        """Take in the newest run of a check; say whether the check fails now."""
        runs = self._runs.get(check)
        if runs is None:
            runs = self._runs[check] = deque(maxlen=self._total)
        runs.append(failed)
        if sum(runs) >= self._failures:
            self._failing.add(check)
        elif len(runs) >= self.calm and not any(islice(reversed(runs), self.calm)):
            self._failing.discard(check)
        return check in self._failing

    def is_failing(self, check: str) -> bool:
        """Say whether a check fails now."""
        return check in self._failing

    def retain(self, checks: Iterable[str]) -> None:
        """Forget checks that are no more."""
        names = frozenset(checks)
        self._runs = {check: runs for check, runs in self._runs.items() if check in names}
        self._failing &= names
