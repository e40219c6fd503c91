"""The scripted day in a real Prometheus."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests import servers
from tests.grafana.live import history, recorded, script
from tests.grafana.live.remote_write import RemoteWriter
from tests.grafana.live.stage import Stage

ENDING = dt.datetime(2026, 3, 3, 18, 0, tzinfo=dt.UTC)
# Blocks of a hundred days: nothing is compacted while the past is written, and all of it may still be added to.
OPTIONS = (
    "--web.enable-remote-write-receiver",
    "--storage.tsdb.min-block-duration=100d",
    "--storage.tsdb.max-block-duration=100d",
)


@dataclass(frozen=True, slots=True)
class Day:
    """A Prometheus that holds the day, and when the day was."""

    url: str
    ending: dt.datetime
    runs: int
    rules: Mapping[str, int]

    def at(self, minutes_before_end: float) -> float:
        """Return a moment of the day in seconds since 1970."""
        return self.ending.timestamp() - 60 * minutes_before_end

    @property
    def start(self) -> float:
        """The first moment."""
        return self.at(script.LENGTH)

    @property
    def end(self) -> float:
        """The last moment."""
        return self.at(0)


@contextlib.contextmanager
def lived(folder: Path, ending: dt.datetime = ENDING, *, days_before: int = 0) -> Iterator[Day]:
    """Play the day into a Prometheus of its own, and keep that running; ``days_before`` are written coarsely."""
    with servers.prometheus(folder, arguments=OPTIONS) as server:
        writer = RemoteWriter(server.url)
        stage = Stage(writer, ending)
        stage.remember(days_before)
        stage.play()
        start = ending.timestamp() - 60 * script.LENGTH
        rules = asyncio.run(
            _rules_of_the_past(server.url, writer, start=start, end=ending.timestamp(), days=days_before)
        )
        yield Day(url=server.url, ending=ending, runs=stage.runs, rules=rules)


async def _rules_of_the_past(
    url: str, writer: RemoteWriter, *, start: float, end: float, days: int
) -> Mapping[str, int]:
    async with servers.Prometheus(url) as prometheus:
        if days:
            before = start - days * 86400
            await recorded.replay(prometheus, writer, start=before, end=start - history.STEP, step=history.STEP)
        return await recorded.replay(prometheus, writer, start=start, end=end)
