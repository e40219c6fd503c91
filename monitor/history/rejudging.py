"""Judges stored runs again: the evidence of then, by the rules and the configuration of today."""

from __future__ import annotations

from enum import StrEnum

from monitor.config.settings import Settings
from monitor.diagnosis.context import Context, contexts_for
from monitor.diagnosis.judge import judge
from monitor.diagnosis.names import Names
from monitor.domain.evidence import EVIDENCE_SCHEMA
from monitor.domain.run import Judgement
from monitor.history.values import HistoryError, StoredRun


class Obstacle(StrEnum):
    """Why a stored run cannot be judged again."""

    LEAN = "only its figures were kept"
    NEWER = "its evidence is of a newer version"
    GONE = "its check is not configured any more"
    UNREADABLE = "its evidence cannot be read"


class CannotJudgeError(HistoryError):
    """A stored run cannot be judged again; the message says why."""

    def __init__(self, obstacle: Obstacle, message: str) -> None:
        """Keep the kind of the obstacle, so that a replay can count them."""
        super().__init__(message)
        self.obstacle = obstacle


class Rejudging:
    """Judges stored runs by today's rules, with the check of the same name as it is configured today."""

    def __init__(self, settings: Settings, names: Names) -> None:
        """Take the configuration that is to be used."""
        self._contexts = contexts_for(settings.checks, settings.ownership, names)

    def context_of(self, check: str) -> Context | None:
        """Return what the rules may know of a check, or ``None`` where it is gone."""
        return self._contexts.get(check)

    def judge(self, stored: StoredRun) -> Judgement:
        """Return today's verdict on a stored run. Raises CannotJudgeError where there can be none."""
        run_id, check = stored.summary.run_id, stored.summary.check
        if stored.lean:
            msg = f"run {run_id} cannot be judged again: nothing went wrong in it, so its exchanges were not kept"
            raise CannotJudgeError(Obstacle.LEAN, msg)
        if stored.evidence.schema > EVIDENCE_SCHEMA:
            msg = (
                f"run {run_id} cannot be judged again: its evidence has version {stored.evidence.schema}, "
                f"and this program knows versions up to {EVIDENCE_SCHEMA}; a newer program recorded it, so use that one"
            )
            raise CannotJudgeError(Obstacle.NEWER, msg)
        context = self._contexts.get(check)
        if context is None:
            msg = f"run {run_id} cannot be judged again: the check {check} is not configured any more"
            raise CannotJudgeError(Obstacle.GONE, msg)
        return judge(stored.evidence, context)


def changes(old: Judgement, new: Judgement) -> tuple[str, ...]:
    """Return in what two verdicts differ, in the order of weight; nothing where they say the same."""
    was, now = old.diagnosis, new.diagnosis
    pairs: list[tuple[str, object, object]] = [
        ("outcome", old.outcome, new.outcome),
        ("validity", old.validity, new.validity),
        ("cause", was.cause if was else None, now.cause if now else None),
        ("detail", was.detail if was else None, now.detail if now else None),
        ("culprit", _culprit(old), _culprit(new)),
        ("confidence", was.confidence if was else None, now.confidence if now else None),
        ("rule", was.rule if was else None, now.rule if now else None),
        ("because", was.because if was else None, now.because if now else None),
    ]
    return tuple(name for name, before, after in pairs if before != after)


def _culprit(judgement: Judgement) -> str | None:
    diagnosis = judgement.diagnosis
    return diagnosis.culprit.name if diagnosis and diagnosis.culprit else None
