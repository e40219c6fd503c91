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
from monitor.domain.evidence import Attempt, Evidence, StepResult
from monitor.domain.exchange import Exchange
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
_PER_STEP = 3


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
        row = (attempt.duration, *_figures(attempt.steps, exchanges))
        if exchanges and exchanges[0].resource != "http":
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
        width = newer.width if newer else 1 + _PER_STEP * len(steps)
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


def _figures(steps: Sequence[StepResult], exchanges: Sequence[Exchange]) -> tuple[float, ...]:
    """Return the seconds, the requests and the bytes of each step; what began before any step counts to the first."""
    if len(steps) == 1:
        received = sum([x.transfer_bytes or x.body_bytes or 0 for x in exchanges])
        return (steps[0].duration, len(exchanges), received)
    places = {step.name: _PER_STEP * place for place, step in enumerate(steps)}
    figures: list[float] = [0.0] * (_PER_STEP * len(steps))
    for step in steps:
        figures[places[step.name]] = step.duration
    for x in exchanges if steps else ():
        place = places.get(x.step, 0)
        figures[place + 1] += 1
        figures[place + 2] += x.transfer_bytes or x.body_bytes or 0
    return tuple(figures)


def _bare_row(attempt: Attempt, width: int) -> tuple[float, ...]:
    row = (attempt.duration, *(figure for step in attempt.steps for figure in (step.duration, *_UNKNOWN)))
    return row + _padding(width - len(row))


def _padding(count: int) -> tuple[float, ...]:
    return (math.nan,) * count


class _Kept:
    """The last runs of one check: rows of equal width in one block of single-precision numbers.

    A row is the whole duration, then of each step the seconds, the requests and the bytes, and for browser runs the
    parts of each step.
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
        figures, rest = columns[1 : 1 + _PER_STEP * len(self.steps)], columns[1 + _PER_STEP * len(self.steps) :]
        seconds, requests, received = (figures[number::_PER_STEP] for number in range(_PER_STEP))
        parts = [self._parts(rest[start : start + len(_PARTS)]) for start in range(0, len(rest), len(_PARTS))]
        parts = parts or [()] * len(self.steps)
        whole = (columns[0], _together(requests), _together(received), _added(parts))
        entries = [("", *whole), *zip(self.steps, seconds, requests, received, parts, strict=True)]
        return Baseline(runs=len(self), steps=tuple(self._step(*entry) for entry in entries))

    def _step(
        self,
        name: str,
        seconds: Sequence[float],
        requests: Sequence[float],
        received: Sequence[float],
        parts: tuple[tuple[Part, float], ...],
    ) -> StepBaseline:
        return StepBaseline(
            step=name,
            runs=len(self),
            median=median(seconds),
            deviation=_deviation(seconds),
            parts=parts,
            requests=_middle(requests),
            received=_middle(received),
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


def _together(columns: Sequence[Sequence[float]]) -> list[float]:
    """Return the sum of each run over its steps."""
    return [sum(values) for values in zip(*columns, strict=True)]


def _middle(values: Sequence[float]) -> float | None:
    known = [value for value in values if value == value]  # noqa: PLR0124 - false only of what is not a number
    return median(known) if len(known) >= ENOUGH else None


def _deviation(values: Sequence[float]) -> float:
    middle = median(values)
    return median([abs(value - middle) for value in values])
