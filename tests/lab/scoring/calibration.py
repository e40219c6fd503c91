"""What a verdict is worth: probabilities per rule and confidence, fitted on other scenarios, and how true they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.lab.scoring import grading
from tests.lab.scoring.case import LABELS, Case
from tests.lab.scoring.figures import by_scenario
from tests.lab.scoring.intervals import bootstrap

_BINS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """One case with the probability of each label, fitted without its scenario, and the base rates beside it."""

    scenario: str
    truth: str
    said: str
    probabilities: dict[str, float]
    base: dict[str, float]

    @property
    def top(self) -> tuple[str, float]:
        """Return the label that was said, or the likeliest where none was, with its probability."""
        label = self.said or max(LABELS, key=lambda label: self.probabilities[label])
        return label, self.probabilities[label]

    @property
    def hit(self) -> bool:
        """Say whether that label is the truth."""
        return self.top[0] == self.truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Cases of like probability: what was claimed on average, and how many were right."""

    count: int
    claimed: float
    right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRecord:
    """How often one rule was right at one confidence, and the fitted probability that it is."""

    rule: str
    confidence: str
    right: float
    runs: int
    fitted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How far the claims can be believed; ``None`` where too little was run to fit anything."""

    brier: float | None
    brier_base: float | None
    brier_interval: tuple[float, float] | None
    skill: float | None
    ece: float | None
    ece_interval: tuple[float, float] | None
    aurc: float | None
    bins: tuple[Bin, ...]
    rules: tuple[RuleRecord, ...]


def calibrate(cases: Sequence[Case]) -> Calibration:
    """Return the calibration of verdicts on runs whose truth is a cause."""
    groups = by_scenario(case for case in cases if case.expected.cause)
    rated = [[_rate(case, _others(groups, name)) for case in group] for name, group in groups.items()]
    flat = [one for group in rated for one in group]
    if len(groups) < 2:
        flat, rated = [], []
    score, base = brier(flat), _brier_of_base(flat)
    return Calibration(
        brier=score,
        brier_base=base,
        brier_interval=bootstrap(rated, brier),
        skill=None if score is None or not base else 1 - score / base,
        ece=expected_error(flat),
        ece_interval=bootstrap(rated, expected_error),
        aurc=risk_area(flat),
        bins=tuple(bins_of(flat)),
        rules=tuple(_records([case for group in groups.values() for case in group])),
    )


def fit(cases: Sequence[Case], rule: str, confidence: str) -> float:
    """Return the probability that a verdict of this rule and confidence is right.

    Jeffreys' half is added to hits and misses of the level; the rule then counts that as one case of its own, so that
    a rule never seen is as good as its level.
    """
    level = [case for case in cases if grading.said_of(case).confidence == confidence]
    of_level = (sum(map(_hit, level)) + 0.5) / (len(level) + 1)
    own = [case for case in level if grading.said_of(case).rule == rule]
    return (sum(map(_hit, own)) + of_level) / (len(own) + 1)


def _hit(case: Case) -> float:
    return float(grading.said_of(case).cause == case.expected.cause)


def _others(groups: dict[str, list[Case]], name: str) -> list[Case]:
    return [case for other, group in groups.items() if other != name for case in group]


def _rate(case: Case, others: Sequence[Case]) -> Rated:
    seen = Counter(other.expected.cause for other in others)
    base = {label: (seen[label] + 0.5) / (len(others) + 0.5 * len(LABELS)) for label in LABELS}
    said = grading.said_of(case)
    if not said.cause:
        return Rated(scenario=case.scenario, truth=case.expected.cause, said="", probabilities=base, base=base)
    chance = fit(others, said.rule, said.confidence)
    rest = 1 - base[said.cause]
    probabilities = {label: (1 - chance) * base[label] / rest for label in LABELS}
    probabilities[said.cause] = chance
    return Rated(
        scenario=case.scenario, truth=case.expected.cause, said=said.cause, probabilities=probabilities, base=base
    )


def brier(rated: Sequence[Rated]) -> float | None:
    """Return the mean squared error over the four labels, 0 to 2."""
    return _mean([_squares(one.probabilities, one.truth) for one in rated])


def _brier_of_base(rated: Sequence[Rated]) -> float | None:
    return _mean([_squares(one.base, one.truth) for one in rated])


def _squares(probabilities: dict[str, float], truth: str) -> float:
    return sum((chance - (label == truth)) ** 2 for label, chance in probabilities.items())


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def bins_of(rated: Sequence[Rated]) -> list[Bin]:
    """Return five bins of equal mass, by rising claim."""
    ordered = sorted(rated, key=lambda one: one.top[1])
    edges = [round(len(ordered) * index / _BINS) for index in range(_BINS + 1)]
    parts = [ordered[low:high] for low, high in pairwise(edges)]
    return [
        Bin(count=len(part), claimed=sum(one.top[1] for one in part) / len(part), right=sum(one.hit for one in part))
        for part in parts
        if part
    ]


def expected_error(rated: Sequence[Rated]) -> float | None:
    """Return the expected calibration error of the label that was said."""
    if not rated:
        return None
    return sum(abs(one.claimed * one.count - one.right) for one in bins_of(rated)) / len(rated)


def risk_area(rated: Sequence[Rated]) -> float | None:
    """Return the area under risk over coverage, the surest first; equal claims come in an average order."""
    if not rated:
        return None
    errors, covered, area = 0.0, 0, 0.0
    claims = sorted({one.top[1] for one in rated}, reverse=True)
    for claim in claims:
        level = [one for one in rated if one.top[1] == claim]
        wrong = sum(not one.hit for one in level) / len(level)
        for _ in level:
            errors += wrong
            covered += 1
            area += errors / covered
    return area / len(rated)


def _records(cases: Sequence[Case]) -> list[RuleRecord]:
    kinds = sorted({(grading.said_of(case).rule, grading.said_of(case).confidence) for case in cases})
    records = []
    for rule, confidence in kinds:
        if not rule:
            continue
        own = [
            case
            for case in cases
            if (grading.said_of(case).rule, grading.said_of(case).confidence) == (rule, confidence)
        ]
        records.append(
            RuleRecord(
                rule=rule,
                confidence=confidence,
                right=sum(map(_hit, own)),
                runs=len(own),
                fitted=fit(cases, rule, confidence),
            )
        )
    return records
