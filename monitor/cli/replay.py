"""Judges stored runs again, and counts what a change of the rules or of the owners would have changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from monitor.domain.run import Judgement
from monitor.history import HistoryError, Reader
from monitor.history.corrections import BY_PERSON
from monitor.history.rejudging import CannotJudgeError, Obstacle, Rejudging, changes
from monitor.history.verdicts import CAUSE_ONLY

_DECISIVE = frozenset({"outcome", "validity", "cause", "detail", "culprit", "confidence"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One run on which today's rules say something else."""

    run_id: str
    check: str
    old: str
    new: str
    differs: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Replay:
    """What a replay found.

    Attributes:
        seen: Runs that were looked at.
        bounded: Whether there may be older runs that were not looked at, because of the limit.
        skipped: Runs that could not be judged again, by reason.
        corrected: Runs whose verdict in force is a person's; ``agreed`` of them today's rules judge as that person did.
    """

    seen: int = 0
    bounded: bool = False
    same: int = 0
    changed: list[Change] = field(default_factory=list)
    skipped: Counter[Obstacle] = field(default_factory=Counter)
    corrected: int = 0
    agreed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the findings as plain data."""
        return {
            "seen": self.seen,
            "bounded": self.bounded,
            "same": self.same,
            "corrected": self.corrected,
            "agreed": self.agreed,
            "skipped": {obstacle.value: count for obstacle, count in sorted(self.skipped.items())},
            "moves": [{"old": old, "new": new, "runs": runs} for (old, new), runs in self.moves()],
            "changed": [
                {"run_id": one.run_id, "check": one.check, "old": one.old, "new": one.new, "differs": list(one.differs)}
                for one in self.changed
            ],
        }

    def moves(self) -> list[tuple[tuple[str, str], int]]:
        """Return how many runs went from which verdict to which, the most frequent first."""
        return Counter((one.old, one.new) for one in self.changed).most_common()

    def lines(self) -> Iterator[str]:
        """Yield the findings for a person."""
        judged = self.same + len(self.changed)
        counted = "1 run" if judged == 1 else f"{judged} runs"
        yield f"{counted} judged again: {self.same} the same, {len(self.changed)} changed"
        if self.corrected:
            yield f"{self.corrected} more had been corrected by a person: today's rules agree on {self.agreed} of them"
        for obstacle, count in sorted(self.skipped.items()):
            yield f"{count} skipped: {obstacle.value}"
        if self.bounded:
            yield "there are older runs that were not looked at: raise --limit or shorten --since"
        for (old, new), runs in self.moves():
            yield f"  {runs:>5}  {old} -> {new}"
        for one in self.changed:
            yield f"  {one.run_id}  {one.check}  {one.old} -> {one.new}  ({', '.join(one.differs)})"


async def replay(
    reader: Reader, run_ids: tuple[str, ...], rejudging: Rejudging, *, progress: Callable[[int, int], None]
) -> Replay:
    """Judge these runs again, one after the other, so that it takes no more memory than one of them."""
    found = Replay()
    for number, run_id in enumerate(run_ids, start=1):
        await _one(reader, run_id, rejudging, found)
        progress(number, len(run_ids))
    return found


async def _one(reader: Reader, run_id: str, rejudging: Rejudging, found: Replay) -> None:
    found.seen += 1
    try:
        stored = await reader.run(run_id)
        if stored is None:
            return
        new = await asyncio.to_thread(rejudging.judge, stored)
    except CannotJudgeError as error:
        found.skipped[error.obstacle] += 1
        return
    except HistoryError:
        found.skipped[Obstacle.UNREADABLE] += 1
        return
    if _by_person(stored.judgement):
        found.corrected += 1
        found.agreed += _agrees(new, stored.judgement)
        return
    differs = tuple(name for name in changes(stored.judgement, new) if name in _DECISIVE)
    if not differs:
        found.same += 1
        return
    summary = stored.summary
    found.changed.append(
        Change(run_id=run_id, check=summary.check, old=_short(stored.judgement), new=_short(new), differs=differs)
    )


def _short(judgement: Judgement) -> str:
    diagnosis = judgement.diagnosis
    return f"{judgement.outcome.value} {diagnosis.detail.value}" if diagnosis else judgement.outcome.value


def _by_person(judgement: Judgement) -> bool:
    return judgement.diagnosis is not None and judgement.diagnosis.rule in {CAUSE_ONLY, BY_PERSON}


def _agrees(rules: Judgement, person: Judgement) -> bool:
    """Say whether the rules name the cause that a person named, and the detail too where that person named one."""
    if rules.diagnosis is None or person.diagnosis is None:
        return False
    if person.diagnosis.rule == CAUSE_ONLY:
        return rules.diagnosis.cause is person.diagnosis.cause
    return rules.diagnosis.detail is person.diagnosis.detail
