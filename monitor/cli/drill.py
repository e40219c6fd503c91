"""Drills a check: what its journey makes of each third party that is gone, slow or empty."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from monitor.cli.by_hand import Wanted, choose
from monitor.cli.drill_picture import svg_of
from monitor.cli.exits import Exit
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, DataOption, console_for_text
from monitor.config.settings import Settings
from monitor.domain.check import Check
from monitor.domain.clock import SystemClock
from monitor.domain.outcome import Outcome
from monitor.investigation.drill import Dependency, DrillError, DrillReport, Finding, TrialResult
from monitor.investigation.drill_reports import DrillReports, as_data
from monitor.reading.quantities import parse_duration
from monitor.service import StartupChoices, StartupError, read_settings
from monitor.service.drilling import Progress, drilling

_STYLES = {
    Dependency.HARD: "bold red",
    Dependency.BRITTLE: "bold yellow",
    Dependency.SLOWS: "yellow",
    Dependency.SURVIVES: "green",
    Dependency.UNTRIED: "cyan",
    Dependency.UNKNOWN: "magenta",
}

_WORDS = {
    Dependency.HARD: "cannot live without it",
    Dependency.BRITTLE: "cannot take it slow or empty",
    Dependency.SLOWS: "is slowed by it",
    Dependency.SURVIVES: "does without it",
    Dependency.UNTRIED: "does without it so far",
    Dependency.UNKNOWN: "perhaps needs it",
}

_BARE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")
_LEAST_DELAY, _MOST_DELAY = 0.1, 120.0


def drill_check(
    check: Annotated[str, typer.Argument(help="Name of a check, or of a journey with one check.")],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
    only: Annotated[list[str] | None, typer.Option(metavar="HOST", help="Only this third party; repeatable.")] = None,
    delay: Annotated[
        str | None, typer.Option(metavar="DURATION", help="By how much answers are delayed: 500ms, 10s, 2m.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Write a picture of the dependencies to this SVG file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Block, delay and empty each third party of a journey in turn, and say which ones it cannot live without.

    Stops before the first step that changes something. Exit status: 0 no single point of failure, 1 at least one,
    2 wrong usage, 3 the findings may not be trusted.
    """
    settings = read_settings(config, os.environ, StartupChoices(data=data))
    one = _chosen(settings, check)
    try:
        report = asyncio.run(_drill(settings, one, tuple(only or ()), seconds_of(delay)))
    except DrillError as error:
        raise StartupError(str(error)) from error
    # Only a whole drill may take the place of the one before.
    new = () if only else _keep(settings, report)
    if picture is not None:
        _write(picture, svg_of(report))
    if as_json:
        print(json.dumps({**as_data(report), "new": list(new)}, ensure_ascii=False))
    else:
        _tell(report, new, picture)
    raise typer.Exit(_exit_of(report))


def seconds_of(delay: str | None) -> float | None:
    """Return a delay in seconds; a bare number has always meant them. Raises StartupError for what is none."""
    if delay is None:
        return None
    try:
        seconds = float(delay) if _BARE.fullmatch(delay) else parse_duration(delay).total_seconds()
    except ValueError as error:
        msg = f"--delay: {error}"
        raise StartupError(msg) from error
    if not _LEAST_DELAY <= seconds <= _MOST_DELAY:
        msg = f"--delay: '{delay}' is not between 100ms and 2m"
        raise StartupError(msg)
    return seconds


def _chosen(settings: Settings, name: str) -> Check:
    found = choose(settings, Wanted(names=(name,)))
    if len(found) > 1:
        names = ", ".join(check.name for check in found)
        msg = f"'{name}' means several checks; name one of: {names}"
        raise StartupError(msg)
    return found[0]


async def _drill(settings: Settings, check: Check, only: tuple[str, ...], delay: float | None) -> DrillReport:
    async with drilling(settings, clock=SystemClock(), progress=_progress()) as driller:
        return await driller.drill(check, only=only, delay=delay)


def _progress() -> Progress:
    def show(what: str, number: int, of: int) -> None:
        place = f"{number} of {of}: " if of else ""
        print(f"{place}{what}", file=sys.stderr, flush=True)

    return show


def _keep(settings: Settings, report: DrillReport) -> tuple[str, ...]:
    try:
        return DrillReports(settings.storage.directory).keep(report).new
    except OSError as error:
        print(f"warning: the report was not kept: {error}", file=sys.stderr)
        return ()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"--picture: {path} cannot be written: {error.strerror}"
        raise StartupError(msg) from error


def _tell(report: DrillReport, new: tuple[str, ...], picture: Path | None) -> None:
    console = console_for_text()
    console.print(_tree(report))
    if report.findings:
        console.print(_table(report))
    for line in _remarks(report, new):
        console.print(line)
    if picture is not None:
        console.print(f"picture: {picture}")


def _tree(report: DrillReport) -> Tree:
    tree = Tree(Text(f"{report.check}: {report.clean_seconds:.1f} s when nothing is wrong"))
    for step in report.steps:
        branch = tree.add(Text(step))
        asked = [one for one in report.findings if step in one.supplier.steps]
        for one in asked:
            if one.dependency is not Dependency.SURVIVES:
                branch.add(Text(f"{one.supplier.name} ({_WORDS[one.dependency]})", _STYLES[one.dependency]))
        harmless = [one.supplier.name for one in asked if one.dependency is Dependency.SURVIVES]
        if harmless:
            branch.add(Text(f"{', '.join(harmless)} ({_WORDS[Dependency.SURVIVES]})", _STYLES[Dependency.SURVIVES]))
    if report.until:
        tree.add(Text(f"{report.until} changes something, so neither it nor a later step was tried", "dim"))
    return tree


def _table(report: DrillReport) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("third party", "blocked", f"{report.delay:g} s late", "empty", "so the journey"):
        table.add_column(title)
    for one in report.findings:
        cells = [Text(_cell(result), _cell_style(result)) for result in one.trials]
        table.add_row(Text(one.supplier.name), *cells, Text(_WORDS[one.dependency], _STYLES[one.dependency]))
    return table


def _cell(result: TrialResult) -> str:
    match result.outcome:
        case Outcome.FAILED:
            return f"✖ {result.failed_step}"
        case Outcome.INCONCLUSIVE:
            return "?"
        case _:
            return f"✔ +{result.slower_by:.1f} s" + (" over budget" if result.over_budget else "")


def _cell_style(result: TrialResult) -> str:
    styles = {Outcome.FAILED: "red", Outcome.INCONCLUSIVE: "magenta"}
    return styles.get(result.outcome, "yellow" if result.over_budget else "green")


def _remarks(report: DrillReport, new: tuple[str, ...]) -> Iterator[Text]:
    if not report.findings:
        yield Text("the journey asks no third party for anything")
    elif not report.single_points:
        yield Text(f"no single point of failure among {len(report.findings)} third parties", "green")
    for one in report.findings:
        if one.dependency in {Dependency.SLOWS, Dependency.UNTRIED, Dependency.UNKNOWN}:
            yield Text(f"{one.supplier.name}: {one.why}", _STYLES[one.dependency])
    for one in report.single_points:
        yield Text(f"single point of failure: {one.supplier.name}: {one.why}{_first_error(one)}", "red")
    for name in new:
        yield Text(f"new since the last drill: {name}", "bold red")
    if report.doubt:
        yield Text(f"do not trust this: {report.doubt}", "magenta")


def _first_error(one: Finding) -> str:
    error = next((result.error for result in one.trials if result.error), "")
    return f" ({error})" if error else ""


def _exit_of(report: DrillReport) -> Exit:
    if report.doubt or any(one.dependency is Dependency.UNKNOWN for one in report.findings):
        return Exit.INCONCLUSIVE
    return Exit.FAILED if report.single_points else Exit.GOOD
