"""The scores of a set of runs, put together: figures against their goals, misses, baselines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.lab.scoring import baselines, grading
from tests.lab.scoring.calibration import Calibration, calibrate
from tests.lab.scoring.case import Case, Status
from tests.lab.scoring.figures import Scores, Share, Spread, confusion, scores_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure: its name, what it is in words, and whether it reaches its goal (``None`` where there is none)."""

    name: str
    value: str
    goal: str = ""
    reached: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """One run that was judged wrongly, with the sentence that was said."""

    scenario: str
    title: str
    seed: int
    expected: str
    said: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What one baseline reached on the same runs."""

    name: str
    idea: str
    scores: Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is told of a set of runs."""

    cases: tuple[Case, ...]
    scores: Scores
    calibration: Calibration
    rivals: tuple[Rival, ...]
    misses: tuple[Miss, ...]
    confusion: dict[tuple[str, str], int]
    not_counted: tuple[Case, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the seeds of the runs that count."""
        return tuple(sorted({case.seed for case in self.cases}))


def report_of(cases: Sequence[Case]) -> Report:
    """Return the report of all cases, counted or not."""
    counted = tuple(case for case in cases if case.counts)
    return Report(
        cases=counted,
        scores=scores_of(counted),
        calibration=calibrate(counted),
        rivals=tuple(_rivals(counted)),
        misses=tuple(miss_of(case) for case in counted if _missed(case)),
        confusion=confusion(counted),
        not_counted=tuple(case for case in cases if not case.counts),
    )


def _rivals(cases: Sequence[Case]) -> Iterator[Rival]:
    majority = baselines.judged_by_majority(cases)
    yield Rival(name="B0", idea="always the commonest cause", scores=scores_of(majority))
    for baseline in baselines.BASELINES:
        yield Rival(name=baseline.name, idea=baseline.idea, scores=scores_of(baselines.judged_by(baseline, cases)))


def _missed(case: Case) -> bool:
    if not grading.right(case):
        return True
    return bool(case.expected.detail) and (grading.detail_credit(case) < 1 or not grading.culprit_right(case))


def miss_of(case: Case) -> Miss:
    """Return a wrong verdict in words."""
    said, expected = grading.said_of(case), case.expected
    return Miss(
        scenario=case.scenario,
        title=case.title,
        seed=case.seed,
        expected=_words(expected.outcome, expected.validity, expected.detail, "", expected.culprit),
        said=_words(said.outcome, said.validity, said.detail, said.confidence, said.culprit),
        because=said.because,
    )


def _words(outcome: str, validity: str, detail: str, confidence: str, culprit: str) -> str:
    sure = f" ({confidence})" if confidence and confidence != "none" else ""
    parts = [outcome, "" if validity == "valid" else validity, f"{detail}{sure}" if detail else "", culprit]
    return ", ".join(part for part in parts if part)


def lines_of(report: Report) -> list[Line]:
    """Return the figures in the order of the table of goals."""
    scores = report.scores
    return [
        Line(name="Right in outcome, validity and cause", value=_counted(scores.right)),
        _floor("Outcome accuracy", scores.outcome, 0.98),
        _ceiling("False failures on negatives", scores.false_failures, 0.0),
        _floor("Coverage", scores.coverage, 0.85),
        _floor("Selective accuracy", scores.selective, 0.97),
        _floor("Selective accuracy where confirmed", scores.selective_confirmed, 0.99),
        _ceiling("False blame", scores.false_blame, 0.03),
        _ceiling("Own taken for third party", scores.own_as_third_party, 0.01),
        _number("Macro-F1 over four causes", scores.macro_f1, 0.90),
        _floor("Detail accuracy", scores.detail, 0.80),
        _floor("Culprit accuracy", scores.culprit, 0.90),
        _ceiling("Over-claims on ambiguous runs", scores.over_claim, 0.10),
        Line(name="Over-claims called confirmed", value=_counted(scores.over_claim_confirmed)),
        _pairs(scores),
        _floor("Groundedness", scores.grounded, 0.90),
        *_calibration_lines(report.calibration),
        *_cost_lines(scores),
    ]


def _calibration_lines(found: Calibration) -> list[Line]:
    return [
        _number("Brier score", found.brier, 0.12, interval=found.brier_interval, most=True),
        _number("Brier skill against base rates", found.skill, 0.8),
        _number("Expected calibration error", found.ece, 0.07, interval=found.ece_interval, most=True),
        _number("Area under risk and coverage", found.aurc),
    ]


def _cost_lines(scores: Scores) -> list[Line]:
    steady = scores.stability
    first = scores.first_seconds.p95
    passing = scores.load_when_passing.largest
    return [
        Line(
            name="Time to first verdict",
            value=_lying(scores.first_seconds, "s"),
            goal="p95 within 60 s",
            reached=None if first is None else first <= 60,
        ),
        Line(name="Time to last verdict", value=_lying(scores.final_seconds, "s")),
        _most("Journeys of an investigation", scores.journeys, 3),
        _most("Requests of its looks", scores.requests, 40),
        Line(
            name="All its requests, in journeys of the check",
            value=_lying(scores.load_factor, ""),
            goal="at most 3",
            reached=None if scores.load_factor.largest is None else scores.load_factor.largest <= 3,
        ),
        Line(
            name="Extra load where a run passed",
            value="none seen" if passing is None else f"at most {passing:g}",
            goal="0",
            reached=None if passing is None else passing == 0,
        ),
        Line(name="Stable over seeds", value="one seed only")
        if steady is None
        else _floor("Stable over seeds", steady, 0.95),
    ]


def _pairs(scores: Scores) -> Line:
    good, all_groups = len(scores.twins_right), len(scores.twins_right) + len(scores.twins_wrong)
    share = good / all_groups if all_groups else None
    return Line(
        name="Twins all right",
        value=f"{good} of {all_groups} groups",
        goal="at least 0.8",
        reached=None if share is None else share >= 0.8,
    )


def _counted(share: Share) -> str:
    if share.share is None:
        return "none run"
    what = f"{share.hits:g} of {share.runs}"
    return f"{what} ({share.share:.3f}; 95 % interval {share.low:.2f} to {share.high:.2f})"


def _floor(name: str, share: Share, goal: float) -> Line:
    reached = None if share.share is None else share.share >= goal
    return Line(name=name, value=_counted(share), goal=f"at least {goal:g}", reached=reached)


def _ceiling(name: str, share: Share, goal: float) -> Line:
    reached = None if share.share is None else share.share <= goal
    return Line(name=name, value=_counted(share), goal=f"at most {goal:g}", reached=reached)


def _number(
    name: str,
    value: float | None,
    goal: float | None = None,
    *,
    interval: tuple[float, float] | None = None,
    most: bool = False,
) -> Line:
    if value is None:
        return Line(name=name, value="too little run")
    words = f"{value:.3f}" + (f" (95 % interval {interval[0]:.2f} to {interval[1]:.2f})" if interval else "")
    if goal is None:
        return Line(name=name, value=words)
    reached = value <= goal if most else value >= goal
    return Line(name=name, value=words, goal=f"at {'most' if most else 'least'} {goal:g}", reached=reached)


def _lying(spread: Spread, unit: str) -> str:
    if spread.median is None:
        return "none seen"
    space = f" {unit}" if unit else ""
    return f"median {spread.median:.1f}{space}, p95 {spread.p95:.1f}{space}, largest {spread.largest:.1f}{space}"


def _most(name: str, spread: Spread, goal: int) -> Line:
    if spread.largest is None:
        return Line(name=name, value="none seen")
    words = f"median {spread.median:g}, p95 {spread.p95:g}, largest {spread.largest:g}"
    return Line(name=name, value=words, goal=f"at most {goal}", reached=spread.largest <= goal)


def reason_of(case: Case) -> str:
    """Return why a case does not count."""
    if case.status is Status.NO_IMPACT:
        return case.reason or "the fault did not change how the run ended"
    return case.reason or "it was not run"
