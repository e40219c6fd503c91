"""What runs of each check usually take: the last runs that plainly passed, as few numbers as will do, in memory."""

from __future__ import annotations

import datetime as dt
import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from monitor.diagnosis.context import Context
from monitor.diagnosis.critical_path import split
from monitor.diagnosis.dependencies import incident_of
from monitor.domain.evidence import Attempt, Evidence
from monitor.domain.outcome import Outcome
from monitor.domain.reference import Baseline, Part, StepBaseline
from monitor.domain.run import Run
from monitor.history.reader import Reader
from monitor.history.values import HistoryError, RunFilter

KEPT = 50
ENOUGH = 5
_PARTS = tuple(Part)
_NO_PARTS = (math.nan,) * len(_PARTS)
_UNKNOWN = (math.nan, math.nan)


class Baselines:
    """Keeps the last passing runs of each check at one place, and answers what they usually take.

    A run counts only where it passed at the first attempt and within its budget, so that neither an outage nor a slow
    creep becomes usual.
    """

    def __init__(self, *, location: str, context_of: Callable[[str], Context | None]) -> None:
        """Start without any run; ``context_of`` tells whose the hosts of a check are."""
        self._location = location
        self._context_of = context_of
        self._kept: dict[str, _Kept] = {}
        self._restored: set[str] = set()

    def note(self, run: Run) -> None:
        """Count a run if it plainly passed."""
        if run.outcome is not Outcome.PASSED or run.location != self._location:
            return
        evidence = run.evidence
        if not _is_plain(evidence):
            return
        attempt = evidence.attempts[0]
        name = run.check.name
        exchanges = evidence.exchanges
        if len(exchanges) == 1:
            received = _size(exchanges[0].transfer_bytes, exchanges[0].body_bytes)
        else:
            received = sum([_size(x.transfer_bytes, x.body_bytes) for x in exchanges])
        row = (attempt.duration, len(exchanges), received, *[step.duration for step in attempt.steps])
        in_browser = bool(exchanges) and exchanges[0].resource != "http"
        if in_browser:
            row += self._parts(name, evidence)
        kept = self._kept.get(name)
        steps = tuple([step.name for step in attempt.steps])
        if kept is None or kept.steps != steps:
            kept = self._kept[name] = _Kept(steps, len(row), run.scheduled_at)
        elif kept.width != len(row):
            kept.widen(len(row))
            row += _padding(kept.width - len(row))
        kept.add(row)

    def of(self, check: str) -> Baseline | None:
        """Return what a run of a check usually takes, or ``None`` where fewer than five runs tell."""
        kept = self._kept.get(check)
        return kept.baseline() if kept is not None and len(kept) >= ENOUGH else None

    def forget(self, checks: Iterable[str]) -> None:
        """Let go of checks that are configured no more."""
        for check in checks:
            self._kept.pop(check, None)
            self._restored.discard(check)

    async def restore(self, reader: Reader, check: str) -> None:
        """Fill a check up from history, once; what runs of this process have shown goes first.

        What history keeps of passing runs has no requests in it, so that parts and bytes stay unknown at first.
        """
        if check in self._restored:
            return
        self._restored.add(check)
        kept = self._kept.get(check)
        missing = KEPT - (len(kept) if kept else 0)
        if missing <= 0:
            return
        try:
            older = await self._older(reader, check, missing, kept.since if kept else None)
        except HistoryError:
            self._restored.discard(check)
            raise
        self._put_before(check, older)

    async def _older(self, reader: Reader, check: str, limit: int, before: dt.datetime | None) -> list[Evidence]:
        # What this process noted is in history as well.
        wanted = RunFilter(check=check, outcomes=(Outcome.PASSED,), before=before, limit=limit)
        found = []
        for summary in await reader.runs(wanted):
            if summary.location != self._location or summary.recovered or summary.attempts != 1:
                continue
            stored = await reader.run(summary.run_id)
            if stored is not None and _is_plain(stored.evidence):
                found.append(stored.evidence)
        return found[::-1]

    def _put_before(self, check: str, older: Sequence[Evidence]) -> None:
        if not older:
            return
        newer = self._kept.get(check)
        steps = newer.steps if newer else tuple(step.name for step in older[-1].attempts[0].steps)
        width = newer.width if newer else 3 + len(steps)
        kept = _Kept(steps, width, newer.since if newer else None)
        for evidence in older:
            attempt = evidence.attempts[0]
            if tuple(step.name for step in attempt.steps) == steps:
                kept.add(_bare_row(attempt, width))
        for row in newer.rows() if newer else ():
            kept.add(row)
        self._kept[check] = kept

    def _parts(self, check: str, evidence: Evidence) -> tuple[float, ...]:
        context = self._context_of(check)
        steps = evidence.attempts[0].steps
        if context is None:
            return _NO_PARTS * len(steps)
        seconds = split(incident_of(evidence, context))
        return tuple(seconds.get(step.name, {}).get(part, 0.0) for step in steps for part in _PARTS)


def _is_plain(evidence: Evidence) -> bool:
    attempts = evidence.attempts
    return len(attempts) == 1 and attempts[0].outcome is Outcome.PASSED


def _size(transferred: int | None, body: int | None) -> int:
    return transferred or body or 0


def _bare_row(attempt: Attempt, width: int) -> tuple[float, ...]:
    row = (attempt.duration, *_UNKNOWN, *(step.duration for step in attempt.steps))
    return row + _padding(width - len(row))


def _padding(count: int) -> tuple[float, ...]:
    return (math.nan,) * count


class _Kept:
    """The last runs of one check: rows of equal width in one block of single-precision numbers.

    A row is the whole duration, the requests, the bytes, each step's duration, and for browser runs each step's parts.
    ``since`` is the moment of the first run that was not taken from history.
    """

    __slots__ = ("_next", "_numbers", "since", "steps", "width")

    def __init__(self, steps: tuple[str, ...], width: int, since: dt.datetime | None) -> None:
        self.since = since
        self.steps = steps
        self.width = width
        self._numbers = array("f")
        self._next = 0

    def __len__(self) -> int:
        return len(self._numbers) // self.width

    def add(self, row: Sequence[float]) -> None:
        """Put a row behind the others, or in the place of the oldest."""
        width = self.width
        if len(self._numbers) < KEPT * width:
            self._numbers.extend(row)
        else:
            self._numbers[self._next : self._next + width] = array("f", row)
            self._next = (self._next + width) % (KEPT * width)

    def widen(self, width: int) -> None:
        """Make room for what the runs so far did not tell, such as parts of runs that history kept."""
        if width > self.width:
            rows, padding = self.rows(), _padding(width - self.width)
            self.width, self._next, self._numbers = width, 0, array("f")
            for row in rows:
                self.add((*row, *padding))

    def rows(self) -> list[array[float]]:
        """Return the rows, oldest first."""
        ordered = self._numbers[self._next :] + self._numbers[: self._next]
        return [ordered[start : start + self.width] for start in range(0, len(ordered), self.width)]

    def baseline(self) -> Baseline:
        """Return medians and deviations over what is known."""
        columns = [self._numbers[number :: self.width] for number in range(self.width)]
        first = 3 + len(self.steps)
        parts = (
            [self._parts(columns[first + number * len(_PARTS) :]) for number in range(len(self.steps))]
            if self.width > first
            else [() for _ in self.steps]
        )
        whole = _added(parts)
        requests, received = _middle(columns[1]), _middle(columns[2])
        entries = [("", columns[0], whole), *zip(self.steps, columns[3:first], parts, strict=True)]
        return Baseline(
            runs=len(self),
            steps=tuple(
                StepBaseline(
                    step=name,
                    runs=len(self),
                    median=median(seconds),
                    deviation=_deviation(seconds),
                    parts=shares,
                    requests=None if name else requests,
                    received=None if name else received,
                )
                for name, seconds, shares in entries
            ),
        )

    @staticmethod
    def _parts(columns: Sequence[array[float]]) -> tuple[tuple[Part, float], ...]:
        middles = [(part, _middle(columns[number])) for number, part in enumerate(_PARTS)]
        return tuple((part, seconds) for part, seconds in middles if seconds is not None)


def _added(parts: Sequence[tuple[tuple[Part, float], ...]]) -> tuple[tuple[Part, float], ...]:
    total: dict[Part, float] = {}
    for step in parts:
        for part, seconds in step:
            total[part] = total.get(part, 0.0) + seconds
    return tuple(total.items())


def _middle(values: Sequence[float]) -> float | None:
    known = [value for value in values if value == value]  # noqa: PLR0124 - false only of what is not a number
    return median(known) if len(known) >= ENOUGH else None


def _deviation(values: Sequence[float]) -> float:
    middle = median(values)
    return median([abs(value - middle) for value in values])
