"""Which hosts the stored runs touched lately: a bounded look through their full evidence."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from monitor.diagnosis.names import Names
from monitor.diagnosis.suggestions import HostRow, Sightings
from monitor.history.reader import Reader
from monitor.history.rejudging import Rejudging
from monitor.history.values import HistoryError


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsSeen:
    """The hosts that were seen.

    Attributes:
        runs: Runs that were looked at: those of which everything is kept.
        bounded: Whether there are older ones in the time that was asked for, which were not looked at.
        skipped: Runs of checks that are gone, and runs that cannot be read.
    """

    rows: tuple[HostRow, ...]
    runs: int
    bounded: bool
    skipped: int


async def hosts_seen(
    reader: Reader,
    since: dt.datetime,
    rejudging: Rejudging,
    names: Names,
    *,
    limit: int,
    progress: Callable[[int, int], None] | None = None,
) -> HostsSeen:
    """Look through the newest runs since a moment, at most ``limit`` of them, and say whose each host is."""
    run_ids = await reader.with_evidence(since, limit=limit + 1)
    sightings, skipped, wanted = Sightings(names), 0, run_ids[:limit]
    for number, run_id in enumerate(wanted, start=1):
        try:
            stored = await reader.run(run_id)
        except HistoryError:
            stored = None
        context = rejudging.context_of(stored.summary.check) if stored else None
        if stored is None or context is None:
            skipped += 1
        else:
            await asyncio.to_thread(sightings.add, stored.summary.check, stored.evidence, context.owners)
        if progress is not None:
            progress(number, len(wanted))
    return HostsSeen(
        rows=await asyncio.to_thread(sightings.rows),
        runs=len(wanted) - skipped,
        bounded=len(run_ids) > limit or sightings.truncated,
        skipped=skipped,
    )
