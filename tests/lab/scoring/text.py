"""A report as plain text for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.lab.scoring import grading
from tests.lab.scoring.case import LABELS, Case
from tests.lab.scoring.figures import NOTHING
from tests.lab.scoring.report import Line, Report, lines_of, reason_of

_MARKS = {True: "reached", False: "MISSED", None: ""}


def text_of(report: Report) -> str:
    """Return all that a person wants to see after a lab run."""
    return "\n".join(_parts(report)) + "\n"


def text_of_unseen(cases: Iterable[Case]) -> str:
    """Return how the faults came out that the rules were not built on, a run a line; empty where there is none."""
    found = tuple(cases)
    counted = [case for case in found if case.counts]
    if not found:
        return ""
    right = sum(grading.right(case) for case in counted)
    detailed = sum(grading.right(case) and grading.detail_credit(case) == 1.0 for case in counted)
    blamed = sum(grading.misblamed(case) or grading.overclaimed(case) for case in counted)
    lines = [
        f"Faults it was not built on: {right} of {len(counted)} runs right, {detailed} in detail as well,",
        f"{blamed} with somebody innocent named, {len(found) - len(counted)} not counted.",
        *(_unseen_line(case) for case in found),
    ]
    return "\n".join(lines) + "\n"


def _unseen_line(case: Case) -> str:
    head = f"  {case.scenario} seed {case.seed}  {case.title}: expected {case.expected.detail or case.expected.outcome}"
    if not case.counts:
        return f"{head}, {case.status.value}"
    said = grading.said_of(case)
    return f"{head}, said {said.detail or said.outcome} {said.confidence} {said.culprit}".rstrip()


def _parts(report: Report) -> Iterator[str]:
    scores = report.scores
    seeds = ", ".join(map(str, report.seeds)) or "none"
    yield f"{scores.scenarios} scenarios, {scores.runs} runs, seeds {seeds}"
    yield ""
    yield from map(_line, lines_of(report))
    yield ""
    yield "Baselines on the same runs"
    for rival in report.rivals:
        right, blame = rival.scores.right, rival.scores.false_blame
        yield (
            f"  {rival.name}  {rival.idea:<42}  right {right.hits:g} of {right.runs}, "
            f"false blame {blame.hits:g} of {blame.runs}, twins {len(rival.scores.twins_right)}"
        )
    yield ""
    yield from _confusion(report)
    yield ""
    yield from _misses(report)
    yield from _not_counted(report)


def _line(line: Line) -> str:
    goal = f"   [{line.goal}: {_MARKS[line.reached] or 'not known'}]" if line.goal else ""
    return f"  {line.name:<45}{line.value}{goal}"


def _confusion(report: Report) -> Iterator[str]:
    columns = (*LABELS, NOTHING)
    yield "Truth (rows) and what was said (columns), in runs"
    yield " " * 22 + "".join(f"{name[:11]:>13}" for name in columns)
    for truth in columns:
        cells = [report.confusion.get((truth, said), 0) for said in columns]
        if any(cells):
            yield f"  {truth:<20}" + "".join(f"{cell:>13}" for cell in cells)


def _misses(report: Report) -> Iterator[str]:
    if not report.misses:
        yield "No run was judged wrongly."
        return
    yield f"{len(report.misses)} runs with something wrong"
    for miss in report.misses:
        yield f"  {miss.scenario} seed {miss.seed}  {miss.title}"
        yield f"      expected  {miss.expected}"
        yield f"      said      {miss.said}"
        yield f"      because   {miss.because}"


def _not_counted(report: Report) -> Iterator[str]:
    if report.not_counted:
        yield ""
        yield f"{len(report.not_counted)} runs do not count"
        for case in report.not_counted:
            yield f"  {case.scenario} seed {case.seed}: {reason_of(case)}"
