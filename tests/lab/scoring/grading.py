"""Whether one run was judged right: its outcome, cause, detail and culprit."""

from __future__ import annotations

from tests.lab.scoring.case import DETERMINATE, UNDETERMINED, Case, Said, cause_of

HALF = 0.5
_STRONGER = {"none": 0, "probable": 1, "confirmed": 2}


def said_of(case: Case) -> Said:
    """Return what was said of a case that counts."""
    if case.said is None:
        message = f"{case.scenario} with seed {case.seed} was not run, so it has no score"
        raise ValueError(message)
    return case.said


def outcome_right(case: Case) -> bool:
    """Say whether the run ended in the expected way."""
    return said_of(case).outcome == case.expected.outcome


def answered(case: Case) -> bool:
    """Say whether a party was named."""
    return said_of(case).cause in DETERMINATE


def determinate(case: Case) -> bool:
    """Say whether the truth is a party."""
    return case.expected.cause in DETERMINATE


def credit(case: Case) -> float:
    """Return 1 for the right cause, half for an accepted one (1 where it was said with restraint), else 0.

    A right cause that was called surer than the evidence carries earns half as well.
    """
    said, expected = said_of(case), case.expected
    restrained = said.confidence != "confirmed"
    if said.cause == expected.cause:
        return HALF if _too_sure(case) else 1.0
    if said.cause and said.cause in {cause_of(detail) for detail in expected.accept}:
        return 1.0 if restrained else HALF
    return 0.0


def detail_credit(case: Case) -> float:
    """Return the same for the second level, of a run whose cause earned something."""
    said, expected = said_of(case), case.expected
    if said.detail == expected.detail:
        return 1.0
    if said.detail in expected.accept:
        return HALF if said.confidence == "confirmed" else 1.0
    return 0.0


def culprit_right(case: Case) -> bool:
    """Say whether the team or vendor was named, in whatever case; where none is expected anyone is right."""
    expected = case.expected.culprit.casefold()
    return not expected or said_of(case).culprit.casefold() == expected


def misblamed(case: Case) -> bool:
    """Say whether another party than the guilty one was named, and nothing excuses it."""
    return determinate(case) and answered(case) and credit(case) == 0


def overclaimed(case: Case) -> bool:
    """Say whether a party was named where the evidence carries none."""
    return case.expected.cause == UNDETERMINED and answered(case) and credit(case) == 0


def right(case: Case) -> bool:
    """Say whether outcome, validity and cause are all as expected, or accepted."""
    said, expected = said_of(case), case.expected
    if expected.outcome == "passed":
        return said.outcome == "passed"
    return outcome_right(case) and said.validity == expected.validity and credit(case) == 1.0


def _too_sure(case: Case) -> bool:
    ceiling = case.expected.at_most
    return bool(ceiling) and _STRONGER.get(said_of(case).confidence, 0) > _STRONGER[ceiling]
