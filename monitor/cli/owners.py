"""Who owns each host seen lately, and why we think so."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from monitor.cli import asking
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption, DataOption, console_for_text, progress_to_stderr, span_of
from monitor.config.settings import Settings
from monitor.diagnosis.names import load_names
from monitor.diagnosis.suggestions import HostRow
from monitor.domain.clock import SystemClock
from monitor.history.hosts import HostsSeen, hosts_seen
from monitor.history.rejudging import Rejudging
from monitor.service import StartupChoices, read_settings

_MANY = 20_000


def show_owners(
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
    since: Annotated[str, typer.Option(help="How far back: 24h, 7d.")] = "24h",
    limit: Annotated[int, typer.Option(min=1, max=_MANY, help="At most so many runs, the newest.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show whose each host is that journeys touched lately, and why; hosts that nobody named come first."""
    settings = read_settings(config, os.environ, StartupChoices(data=data))
    seen = asyncio.run(_seen(settings, SystemClock().now() - dt.timedelta(seconds=span_of("--since", since)), limit))
    if as_json:
        print(json.dumps(as_data(seen), ensure_ascii=False))
        return
    console = console_for_text()
    console.print(_table(seen))
    for line in _remarks(seen):
        console.print(line)


async def _seen(settings: Settings, since: dt.datetime, limit: int) -> HostsSeen:
    names = await asyncio.to_thread(load_names)
    async with asking.reading(settings.storage) as reader:
        rejudging = Rejudging(settings, names)
        progress = progress_to_stderr(sys.stderr, "runs")
        return await hosts_seen(reader, since, rejudging, names, limit=limit, progress=progress)


def as_data(seen: HostsSeen) -> dict[str, Any]:
    """Return the hosts as plain data."""
    return {
        "runs": seen.runs,
        "bounded": seen.bounded,
        "skipped": seen.skipped,
        "hosts": [_row_data(row) for row in seen.rows],
    }


def _row_data(row: HostRow) -> dict[str, Any]:
    return {
        "host": row.host,
        "party": row.owner.party.value,
        "owner": row.owner.name,
        "named": row.owner.named,
        "because": row.owner.because,
        "critical": row.owner.critical,
        "runs": row.runs,
        "failures": row.failures,
        "checks": list(row.checks),
        "suggestions": [
            {"kind": one.kind.value, "because": one.because, "yaml": one.snippet} for one in row.suggestions
        ],
    }


def _table(seen: HostsSeen) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("host", "party", "owner", "runs", "failures", "because"):
        table.add_column(title, justify="right" if title in {"runs", "failures"} else "left")
    for row in seen.rows:
        owner = row.owner.name if row.owner.named else "nobody named it"
        values = (row.host, row.owner.party.value.replace("_", " "), owner, str(row.runs), str(row.failures))
        style = "" if row.owner.named else "bold"
        table.add_row(*(Text(value, style) for value in values), Text(row.owner.because, "dim"))
    return table


def _remarks(seen: HostsSeen) -> Iterator[str]:
    if not seen.rows:
        yield "no run of which everything is kept touched any host in this time"
    for row in seen.rows:
        for one in row.suggestions:
            yield f"\n{row.host}: {one.because}. In ownership.yaml:"
            yield "\n".join(f"    {line}" for line in one.snippet.splitlines())
    runs = "1 run" if seen.runs == 1 else f"{seen.runs} runs"
    yield f"\n{runs} looked at: those that did not plainly pass, and some that did"
    if seen.bounded:
        yield "there are more that were not looked at: raise --limit or shorten --since"
    if seen.skipped:
        yield f"{seen.skipped} skipped: their check is not configured any more, or they cannot be read"
