"""A report as the page ``docs/accuracy.md``, and as the small file of scores that is kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from tests.lab.scoring import grading
from tests.lab.scoring.case import LABELS
from tests.lab.scoring.figures import NOTHING, by_scenario
from tests.lab.scoring.report import Report, lines_of, reason_of

_MARKS = {True: "reached", False: "**missed**", None: ""}
_INTRODUCTION = """\
# How often the diagnosis is right

Measured in the lab of this repository (`tests/lab/`): faults are built for real in the network, in DNS, TLS, HTTP, in
the page and in the machine, with names, ports and payloads drawn by seed. A fault counts only where it changed how the
journey ended, or, where it must do no harm, did not. The product sees what a user's configuration would tell it, and
nothing of the fault. This page is written by `make lab-report`.

A figure such as "91 of 94" counts runs; the share beside it gives each scenario the same weight, and its interval
(Wilson, 95 %) rests on scenarios, because seeds of one scenario are not independent. The mix of faults is the lab's,
not the world's.

**Read these figures as a test that was learned for.** The rules were written, and mended, with these very scenarios at
hand; seeds change names and texts, not mechanisms. Faults of other kinds will be named less often. What was said at
first sight of [a hundred such faults](diagnosis.md#faults-that-it-had-not-seen), and of ten in
[a shop that nobody here wrote](diagnosis.md#a-shop-that-nobody-here-wrote), stands in diagnosis.md, and what a monitor
that is itself sick says of a site in [the blame matrix](diagnosis.md#a-monitor-that-is-itself-sick)."""


def document_of(report: Report, *, date: dt.date, note: str = "") -> str:
    """Return the page; ``note`` is what a reader must know of how these runs came about."""
    return "\n".join(_parts(report, date, note)) + "\n"


def _parts(report: Report, date: dt.date, note: str) -> Iterator[str]:
    scores = report.scores
    seeds = ", ".join(map(str, report.seeds)) or "none"
    yield _INTRODUCTION
    yield ""
    yield f"**{date.isoformat()}: {scores.scenarios} scenarios, {scores.runs} runs, seeds {seeds}.**"
    if note:
        yield ""
        yield note
    again = sum(case.again > 0 for case in report.cases)
    yield ""
    yield (
        f"In {again} of the runs the monitor first said that its own machine was too busy to tell, and the run was "
        "made again, as its schedule would have done."
    )
    yield from _section("Figures", _table(("Figure", "Measured", "Goal", ""), _figures(report)))
    rivals = [
        (rival.name, rival.idea, f"{rival.scores.right.hits:g} of {rival.scores.right.runs}", _blame(rival.scores))
        for rival in report.rivals
    ]
    own = ("Faultline", "rules and experiments", f"{scores.right.hits:g} of {scores.right.runs}", _blame(scores))
    yield from _section(
        "Beside naive classifiers, on the same runs", _table(("", "Idea", "Right", "False blame"), [own, *rivals])
    )
    yield from _section("What was called what", _confusion(report))
    yield from _section("How far a verdict can be believed", _calibration(report))
    yield from _section("Misses", _misses(report))
    yield from _section("Not counted", _not_counted(report))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield from lines


def _blame(scores: Any) -> str:
    return f"{scores.false_blame.hits:g} of {scores.false_blame.runs}"


def _figures(report: Report) -> list[tuple[str, ...]]:
    return [(line.name, line.value, line.goal, _MARKS[line.reached]) for line in lines_of(report)]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield "|" + "---|" * len(head)
    yield from map(_row, rows)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _confusion(report: Report) -> Iterator[str]:
    columns = (*LABELS, NOTHING)
    rows = [
        (f"`{truth}`", *(str(report.confusion.get((truth, said), 0)) for said in columns))
        for truth in columns
        if any(report.confusion.get((truth, said), 0) for said in columns)
    ]
    yield "Rows are the truth, columns what was said; a run that passes has no cause."
    yield ""
    yield from _table(("truth", *(f"`{name}`" for name in columns)), rows)


def _calibration(report: Report) -> Iterator[str]:
    found = report.calibration
    if not found.bins:
        yield "Too little was run to fit anything."
        return
    yield "Probabilities per rule and confidence, each fitted on the other scenarios (Jeffreys' half), and the truth."
    yield ""
    bins = [(f"{one.claimed:.2f}", f"{one.right} of {one.count}") for one in found.bins]
    yield from _table(("Claimed on average", "Right"), bins)
    yield ""
    rules = [(one.rule, one.confidence, f"{one.right:g} of {one.runs}", f"{one.fitted:.2f}") for one in found.rules]
    yield from _table(("Rule", "Confidence", "Right", "Fitted"), rules)


def _misses(report: Report) -> Iterator[str]:
    if not report.misses:
        yield "None."
        return
    rows = [
        (f"{miss.scenario}, seed {miss.seed}", miss.title, miss.expected, miss.said, miss.because)
        for miss in report.misses
    ]
    yield from _table(("Run", "Fault", "Expected", "Said", "Because"), rows)


def _not_counted(report: Report) -> Iterator[str]:
    if not report.not_counted:
        yield "Every run counts."
        return
    rows = [(f"{case.scenario}, seed {case.seed}", case.title, reason_of(case)) for case in report.not_counted]
    yield from _table(("Run", "Fault", "Why"), rows)


def scores_as_json(report: Report, *, date: dt.date) -> dict[str, Any]:
    """Return the scores for the file that is kept: figures, and per scenario what was said."""
    scenarios = {
        name: [
            {
                "seed": case.seed,
                "right": grading.right(case),
                "expected": case.expected.detail or case.expected.outcome,
                "said": grading.said_of(case).detail or grading.said_of(case).outcome,
                "confidence": grading.said_of(case).confidence,
                "rule": grading.said_of(case).rule,
            }
            for case in group
        ]
        for name, group in by_scenario(report.cases).items()
    }
    return {
        "schema": "faultline.lab.scores/v1",
        "date": date.isoformat(),
        "seeds": list(report.seeds),
        "scores": dataclasses.asdict(report.scores),
        "calibration": dataclasses.asdict(report.calibration),
        "baselines": {rival.name: dataclasses.asdict(rival.scores.right) for rival in report.rivals},
        "scenarios": scenarios,
        "not_counted": {f"{case.scenario}/{case.seed}": reason_of(case) for case in report.not_counted},
    }
