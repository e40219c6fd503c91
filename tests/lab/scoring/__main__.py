"""Scores a lab run: ``python -m tests.lab.scoring RUNS.jsonl … [--json FILE] [--document FILE]``."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from pathlib import Path

from tests.lab.scoring.case import Case, CaseError, read_cases
from tests.lab.scoring.document import document_of, scores_as_json
from tests.lab.scoring.report import report_of
from tests.lab.scoring.text import text_of, text_of_unseen


def main(arguments: list[str] | None = None) -> int:
    """Print the scores; return 2 where the runs cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.scoring", description="Score a lab run.")
    parser.add_argument("runs", nargs="+", type=Path, help="files of JSON lines that the lab wrote; later ones win")
    parser.add_argument("--json", type=Path, help="store the scores here")
    parser.add_argument("--document", type=Path, help="write the page here")
    parser.add_argument("--note", default="", help="what a reader of the page must know of how these runs came about")
    options = parser.parse_args(arguments)
    try:
        cases = _merged(options.runs)
    except CaseError as error:
        print(error, file=sys.stderr)
        return 2
    # What the rules were not built on has a score of its own, and is never part of the published one.
    built_on = tuple(case for case in cases if not case.unseen)
    print(text_of_unseen(case for case in cases if case.unseen), end="")
    if cases and not built_on:
        return 0
    report = report_of(built_on)
    today = dt.datetime.now(dt.UTC).date()
    print(text_of(report), end="")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(scores_as_json(report, date=today), indent=1) + "\n")
    if options.document:
        options.document.write_text(document_of(report, date=today, note=options.note))
    return 0


def _merged(paths: list[Path]) -> tuple[Case, ...]:
    cases: dict[tuple[str, int], Case] = {}
    for path in paths:
        cases.update({(case.scenario, case.seed): case for case in read_cases(path)})
    return tuple(cases[key] for key in sorted(cases))


if __name__ == "__main__":
    sys.exit(main())
