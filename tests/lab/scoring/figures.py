"""The figures by which the classifier is judged. A scenario counts once, however many seeds it was run with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.lab.scoring import grading
from tests.lab.scoring.case import DETERMINATE, LABELS, UNDETERMINED, Case
from tests.lab.scoring.intervals import quantile, wilson

NOTHING = "no cause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many, in runs; and the share in which each scenario weighs the same.

    Attributes:
        scenarios: Over how many scenarios; the interval rests on them, for seeds are not independent.
    """

    hits: float
    runs: int
    share: float | None
    low: float
    high: float
    scenarios: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The middle, the 95th percentile and the largest of some values; ``None`` where there are none."""

    median: float | None
    p95: float | None
    largest: float | None


def by_scenario(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """Return the cases of each scenario."""
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.scenario].append(case)
    return dict(sorted(groups.items()))


def share_of(cases: Iterable[Case], hit: Callable[[Case], float]) -> Share:
    """Return how many of the cases hit; ``hit`` gives 0 to 1."""
    groups = by_scenario(cases)
    means = [sum(hit(case) for case in group) / len(group) for group in groups.values()]
    total = sum(means)
    low, high = wilson(total, len(means))
    return Share(
        hits=sum(hit(case) for group in groups.values() for case in group),
        runs=sum(len(group) for group in groups.values()),
        share=total / len(means) if means else None,
        low=low,
        high=high,
        scenarios=len(means),
    )


def confusion(cases: Iterable[Case]) -> dict[tuple[str, str], int]:
    """Return how often each truth was called what, in runs."""
    table: dict[tuple[str, str], int] = defaultdict(int)
    for case in cases:
        table[case.expected.cause or NOTHING, grading.said_of(case).cause or NOTHING] += 1
    return dict(table)


def macro_f1(cases: Sequence[Case]) -> float | None:
    """Return the mean F1 over the four labels that occur as truth; an accepted label said with restraint is right."""
    scores = []
    for label in LABELS:
        truth = [case for case in cases if case.expected.cause == label]
        if not truth:
            continue
        hits = sum(grading.credit(case) for case in truth)
        strays = sum(1 for case in cases if _calls(case, label) and case.expected.cause != label)
        scores.append(2 * hits / (len(truth) + hits + strays))
    return sum(scores) / len(scores) if scores else None


def _calls(case: Case, label: str) -> bool:
    return grading.said_of(case).cause == label and grading.credit(case) < 1


def pairs_right(cases: Sequence[Case]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return the groups of twins of which all are right with every seed, and those of which one is not."""
    groups = by_scenario(cases)
    twins: set[tuple[str, ...]] = set()
    for name, runs in groups.items():
        present = tuple(sorted({name, *(other for other in runs[0].expected.twins if other in groups)}))
        if len(present) > 1:
            twins.add(present)
    whole = {group for group in twins if not any(set(group) < set(other) for other in twins)}
    good = [group for group in sorted(whole) if all(grading.credit(case) == 1 for one in group for case in groups[one])]
    return good, sorted(whole - set(good))


def stability(cases: Sequence[Case]) -> Share | None:
    """Return of how many scenarios every seed got the same verdict; ``None`` where each was run once."""
    groups = [group for group in by_scenario(cases).values() if len(group) > 1]
    if not groups:
        return None
    same = sum(1 for group in groups if len({_verdict(case) for case in group}) == 1)
    low, high = wilson(same, len(groups))
    count = len(groups)
    return Share(hits=same, runs=count, share=same / count, low=low, high=high, scenarios=count)


def _verdict(case: Case) -> tuple[str, str]:
    said = grading.said_of(case)
    return said.outcome, said.detail


def spread(values: Iterable[float | None]) -> Spread:
    """Return how values lie."""
    known = [value for value in values if value is not None]
    if not known:
        return Spread(median=None, p95=None, largest=None)
    return Spread(median=quantile(known, 0.5), p95=quantile(known, 0.95), largest=max(known))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Every figure of one set of runs, apart from those that rest on fitted probabilities."""

    runs: int
    scenarios: int
    right: Share
    outcome: Share
    false_failures: Share
    coverage: Share
    selective: Share
    selective_confirmed: Share
    false_blame: Share
    own_as_third_party: Share
    macro_f1: float | None
    detail: Share
    culprit: Share
    over_claim: Share
    over_claim_confirmed: Share
    twins_right: tuple[tuple[str, ...], ...]
    twins_wrong: tuple[tuple[str, ...], ...]
    grounded: Share
    stability: Share | None
    first_seconds: Spread
    final_seconds: Spread
    journeys: Spread
    requests: Spread
    load_factor: Spread
    load_when_passing: Spread


def scores_of(cases: Sequence[Case]) -> Scores:
    """Return the figures of cases that count."""
    faulty = [case for case in cases if case.expected.cause]
    truth_known = [case for case in faulty if grading.determinate(case)]
    named = [case for case in cases if grading.answered(case)]
    unclear = [case for case in faulty if case.expected.cause == UNDETERMINED]
    right_cause = [case for case in faulty if grading.credit(case) > 0]
    good, bad = pairs_right(cases)
    investigated = [case for case in cases if grading.said_of(case).outcome != "passed"]
    passing = [case for case in cases if grading.said_of(case).outcome == "passed"]
    confirmed = [case for case in named if grading.said_of(case).confidence == "confirmed"]
    return Scores(
        runs=len(cases),
        scenarios=len(by_scenario(cases)),
        right=share_of(cases, grading.right),
        outcome=share_of(cases, grading.outcome_right),
        false_failures=share_of(
            [case for case in cases if case.expected.outcome == "passed"],
            lambda case: grading.said_of(case).outcome in ("failed", "degraded"),
        ),
        coverage=share_of(truth_known, grading.answered),
        selective=share_of(named, grading.credit),
        selective_confirmed=share_of(confirmed, grading.credit),
        false_blame=share_of(truth_known, grading.misblamed),
        own_as_third_party=share_of(truth_known, _own_as_third_party),
        macro_f1=macro_f1(cases),
        detail=share_of(right_cause, grading.detail_credit),
        culprit=share_of([case for case in right_cause if case.expected.culprit], grading.culprit_right),
        over_claim=share_of(unclear, grading.overclaimed),
        over_claim_confirmed=share_of(
            unclear, lambda case: grading.overclaimed(case) and grading.said_of(case).confidence == "confirmed"
        ),
        twins_right=tuple(good),
        twins_wrong=tuple(bad),
        grounded=share_of(
            [case for case in faulty if case.decisive_found is not None], lambda case: bool(case.decisive_found)
        ),
        stability=stability(cases),
        first_seconds=spread(case.first_seconds for case in investigated),
        final_seconds=spread(case.final_seconds for case in investigated),
        journeys=spread(case.journeys for case in investigated),
        requests=spread(case.requests for case in investigated),
        load_factor=spread(case.all_requests / case.usual_requests for case in investigated if case.usual_requests),
        load_when_passing=spread(case.requests + case.all_requests + case.journeys for case in passing),
    )


def _own_as_third_party(case: Case) -> bool:
    own, third_party, _ = DETERMINATE
    return grading.misblamed(case) and case.expected.cause == own and grading.said_of(case).cause == third_party
