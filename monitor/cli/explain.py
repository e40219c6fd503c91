"""Looks a run up in history and tells it, with every verdict there was on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from monitor.cli.telling import tell
from monitor.config.settings import StorageSettings
from monitor.domain.run import Judgement
from monitor.domain.secret import Redactor
from monitor.history import FieldAccuracy, PastVerdict, Reader, StoredRun
from monitor.history.rejudging import changes
from monitor.publishing.run_json import to_json
from monitor.service import StartupError, recorded


async def find(reader: Reader, run_id: str, storage: StorageSettings) -> StoredRun:
    """Return a stored run. Raises StartupError where there is none."""
    stored = await reader.run(run_id)
    if stored is None:
        where = "the database of storage.url" if storage.url else str(storage.directory)
        msg = (
            f"no run has the id '{run_id}' in {where}, or it is older than runs are kept; "
            "the history of another monitor is named with --data or --config"
        )
        raise StartupError(msg)
    return stored


def as_json(stored: StoredRun, redactor: Redactor) -> dict[str, Any]:
    """Return a stored run as plain data."""
    return to_json(recorded(stored), redactor)


def told(stored: StoredRun, verdicts: Sequence[PastVerdict] = ()) -> Iterator[Text]:
    """Yield the lines that tell a stored run in full."""
    summary = stored.summary
    yield from tell(summary.check, summary.run_id, stored.judgement, stored.evidence, fully=True)
    if stored.lean:
        yield Text("  the rules found nothing wrong in this run, so its exchanges were counted but not kept", "dim")
    if len(verdicts) > 1:
        yield Text("  verdicts, the first one first:")
        for verdict in verdicts:
            yield _line(verdict)


def side_by_side(old: Judgement, new: Judgement) -> Table:
    """Return two verdicts next to each other, with what differs in bold."""
    differing = set(changes(old, new))
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("")
    table.add_column("on record")
    table.add_column("by today's rules")
    for (name, before), (_, after) in zip(_rows(old), _rows(new), strict=True):
        style = "bold" if name in differing else "dim"
        table.add_row(name, Text(before, style), Text(after, style))
    return table


def difference(old: Judgement, new: Judgement) -> str:
    """Return in one sentence what today's rules would say differently."""
    differing = changes(old, new)
    if not differing:
        return "today's rules say the same"
    if differing == ("because",):
        return "today's rules say the same in other words"
    return "today's rules differ in: " + ", ".join(differing)


def accuracy_line(found: FieldAccuracy, span: str) -> str:
    """Return how often the rules were right, in one sentence that hides no small number."""
    if not found.judged:
        return f"in the last {span} nobody has confirmed or corrected a run, so there is no figure"
    return (
        f"of {found.judged} runs of the last {span} that people judged, the rules had the cause right in "
        f"{found.right} ({found.right / found.judged:.0%}); detail right in {found.detail_right} of {found.detailed}; "
        f"left open {found.undetermined}; blamed the wrong one in {found.false_blame}; "
        f"saw nothing wrong in {found.missed}"
    )


def accuracy_json(found: FieldAccuracy) -> dict[str, int]:
    """Return the counts as plain data."""
    return asdict(found)


def _line(verdict: PastVerdict) -> Text:
    diagnosis = verdict.judgement.diagnosis
    what = f"{diagnosis.detail.value} {diagnosis.confidence.value}" if diagnosis else verdict.judgement.outcome.value
    who = f" by {verdict.author}" if verdict.author else ""
    why = f": {verdict.reason}" if verdict.reason else ""
    mark = "    * " if verdict.current else "      "
    text = f"{mark}{verdict.at:%Y-%m-%d %H:%M:%S}  {verdict.source.value}{who}  {what}{why}"
    return Text(text, "" if verdict.current else "dim")


def _rows(judgement: Judgement) -> list[tuple[str, str]]:
    diagnosis = judgement.diagnosis
    rows = [("outcome", judgement.outcome.value), ("validity", judgement.validity.value)]
    if diagnosis is None:
        names = ("cause", "detail", "culprit", "confidence", "rule", "because")
        return [*rows, *((name, "") for name in names)]
    ruleset = f" of {diagnosis.ruleset}" if diagnosis.ruleset else ""
    return [
        *rows,
        ("cause", diagnosis.cause.value.replace("_", " ")),
        ("detail", diagnosis.detail.value),
        ("culprit", f"{diagnosis.culprit.kind.value} {diagnosis.culprit.name}" if diagnosis.culprit else ""),
        ("confidence", diagnosis.confidence.value),
        ("rule", f"{diagnosis.rule}{ruleset}"),
        ("because", diagnosis.because),
    ]
