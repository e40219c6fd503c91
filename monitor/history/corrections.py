"""What a person says of a diagnosis: that it was right, or what would have been right. It never touches the rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement
from monitor.history.store import History
from monitor.history.values import HistoryError, StoredRun, VerdictSource
from monitor.history.verdicts import CAUSE_ONLY
from monitor.reading.suggestion import did_you_mean

BY_PERSON = "person"
"""The rule of a person's verdict that names a detail."""

_LONGEST = 2000
# Of these a run says nothing about customers, whoever found it out.
_NOT_OF_CUSTOMERS = frozenset({Detail.CLIENT_PROBER, Detail.CLIENT_DEVICE, Detail.UND_MONITOR_CONFIG})
_SHORT = {
    "own": Cause.OWN_INFRASTRUCTURE,
    "tp": Cause.THIRD_PARTY,
    "client": Cause.CLIENT_ENVIRONMENT,
    "und": Cause.UNDETERMINED,
}
_KINDS = {
    Cause.OWN_INFRASTRUCTURE: CulpritKind.TEAM,
    Cause.THIRD_PARTY: CulpritKind.VENDOR,
    Cause.CLIENT_ENVIRONMENT: CulpritKind.ENVIRONMENT,
}


class Say(StrEnum):
    """What is said of a run's verdict."""

    CONFIRM = "confirm"
    CORRECT = "correct"
    REJUDGE = "rejudge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """Something said of a run's verdict.

    Attributes:
        meant: For a correction the cause or the detail that would have been right.
        culprit: For a correction the team, the vendor or the part of the environment; nobody where it is empty.
    """

    run_id: str
    say: Say
    meant: str = ""
    culprit: str = ""
    reason: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of it: the verdict that was added, and whether it is the one in force."""

    judgement: Judgement
    in_force: bool


async def take(history: History, saying: Saying, *, at: dt.datetime, rejudge: Callable[[StoredRun], Judgement]) -> Said:
    """Add the verdict that a saying amounts to. Raises HistoryError where the run or the words are of no use."""
    stored = await history.run(saying.run_id)
    if stored is None:
        msg = f"no run has the id '{saying.run_id}', or it is older than runs are kept"
        raise HistoryError(msg)
    source = VerdictSource.PERSON
    match saying.say:
        case Say.CONFIRM:
            judgement = _confirmed(stored)
        case Say.CORRECT:
            judgement = corrected(stored, saying)
        case Say.REJUDGE:
            judgement, source = rejudge(stored), VerdictSource.REJUDGED
    in_force = await history.revise(
        saying.run_id,
        judgement,
        why=saying.reason.strip()[:_LONGEST],
        at=at,
        source=source,
        author=saying.author.strip()[:_LONGEST],
    )
    return Said(judgement=judgement, in_force=in_force)


def corrected(stored: StoredRun, saying: Saying) -> Judgement:
    """Return the verdict that a person gives in place of the one in force. Raises HistoryError for unknown words."""
    reason = " ".join(saying.reason.split())[:_LONGEST]
    if not reason:
        msg = "a correction needs a reason, so that others can learn from it: say it with --reason"
        raise HistoryError(msg)
    detail, cause_only = meant_by(saying.meant, stored.judgement)
    outcome, validity = _standing(stored, detail)
    culprit = saying.culprit.strip()
    kind = _KINDS.get(detail.cause)
    diagnosis = Diagnosis(
        cause=detail.cause,
        detail=detail,
        confidence=Confidence.NONE if detail.cause is Cause.UNDETERMINED else Confidence.CONFIRMED,
        rule=CAUSE_ONLY if cause_only else BY_PERSON,
        because=reason,
        culprit=Culprit(kind=kind, name=culprit) if culprit and kind else None,
    )
    return replace(stored.judgement, outcome=outcome, validity=validity, diagnosis=diagnosis)


def meant_by(word: str, judgement: Judgement) -> tuple[Detail, bool]:
    """Return the detail that a word means, and whether it named the cause alone. Raises HistoryError for others."""
    word = word.strip().lower()
    if word in set(Detail):
        return Detail(word), False
    cause = _SHORT.get(word) or (Cause(word) if word in set(Cause) else None)
    if cause is None:
        known = [*(detail.value for detail in Detail), *(cause.value for cause in Cause)]
        hint = did_you_mean(word, known)
        msg = f"'{word}' is no cause and no detail{hint or '; docs/causes.md lists them, such as own.tls or tp.slow'}"
        raise HistoryError(msg)
    detail = _detail_of(cause, judgement)
    if detail is None:
        known = [detail.value for detail in Detail if detail.cause is cause]
        msg = f"say in what way it was {cause.value.replace('_', ' ')}: {', '.join(known)}"
        raise HistoryError(msg)
    return detail, True


def _detail_of(cause: Cause, judgement: Judgement) -> Detail | None:
    """Return the detail of a cause that fits best what was said before: the same, a runner-up, the same mechanism."""
    diagnosis = judgement.diagnosis
    if diagnosis is None:
        return None
    if diagnosis.cause is cause:
        return diagnosis.detail
    for other in diagnosis.alternatives:
        if other.cause is cause:
            return other.detail
    mechanism = diagnosis.detail.value.partition(".")[2]
    alike = (detail for detail in Detail if detail.cause is cause and detail.value.partition(".")[2] == mechanism)
    return next(alike, None)


def _confirmed(stored: StoredRun) -> Judgement:
    if stored.judgement.diagnosis is None:
        msg = f"run {stored.summary.run_id} has no diagnosis that could be confirmed"
        raise HistoryError(msg)
    return stored.judgement


def _standing(stored: StoredRun, detail: Detail) -> tuple[Outcome, Validity]:
    """Return how the run counts when that was its cause."""
    judgement = stored.judgement
    if detail in _NOT_OF_CUSTOMERS:
        return Outcome.INCONCLUSIVE, Validity.INVALID
    if judgement.validity is Validity.MONITOR_SPECIFIC and detail.value.endswith(".access"):
        return judgement.outcome, judgement.validity
    if judgement.outcome in {Outcome.FAILED, Outcome.DEGRADED}:
        return judgement.outcome, Validity.VALID
    # A run that had counted as passed or as our own fault was neither, says the person.
    return Outcome.FAILED, Validity.VALID
