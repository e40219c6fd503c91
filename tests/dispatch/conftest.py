from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.config.settings import WorkerSettings
from monitor.dispatch.dispatcher import Dispatcher, Equipped, NoResult
from monitor.dispatch.messages import LaneName
from monitor.domain.assignment import Assignment
from monitor.domain.check import Target
from monitor.domain.clock import SystemClock
from monitor.domain.evidence import Evidence
from monitor.domain.journey import JourneyOutline, ProbeKind, StepOutline
from tests.builders import a_check, a_target, an_assignment

RIG = str(Path(__file__).parent)


class Bench:
    """A dispatcher whose workers load the journeys of ``rig.py``."""

    def __init__(self, directory: Path, settings: WorkerSettings, equipment: str) -> None:
        self.directory = directory
        equipped = Equipped(by=f"rig:{equipment}", import_paths=(RIG,))
        self.dispatcher = Dispatcher(
            settings, journeys=Path(RIG), clock=SystemClock(), directory=directory, equipment=equipped
        )
        self._numbers = itertools.count(1)

    async def run(
        self,
        journey: str,
        lane: LaneName = LaneName.SCRIPT,
        *,
        deadline: float = 20.0,
        # Workers of all lanes may have to start first, on a machine that is busy.
        patience: float = 60.0,
        target: Target | None = None,
        background: bool = False,
    ) -> Evidence | NoResult:
        now = dt.datetime.now(dt.UTC)
        assignment: Assignment = an_assignment(
            run_id=f"run-{next(self._numbers)}",
            check=a_check(
                journey=journey,
                target=target or a_target(concurrency=1_000),
                deadline=dt.timedelta(seconds=deadline),
            ),
            scheduled_at=now,
            not_after=now + dt.timedelta(seconds=patience),
            background=background,
        )
        return await self.dispatcher.run(assignment, outline(journey, lane))

    async def evidence(self, journey: str, lane: LaneName = LaneName.SCRIPT, **values) -> Evidence:
        result = await self.run(journey, lane, **values)
        assert isinstance(result, Evidence), result
        return result

    def workers(self, lane: LaneName = LaneName.SCRIPT) -> list[int]:
        """Return the process ids of the workers of a lane that are ready."""
        return [worker._process for worker in self.dispatcher._lanes[lane].staff.workers if worker._process]

    def keepers(self) -> list[int]:
        """Return the process ids of all keepers."""
        lanes = self.dispatcher._lanes.values()
        every = [worker for lane in lanes for worker in lane.staff.every]
        return [worker._keeper.pid for worker in every if worker._keeper is not None]

    @contextmanager
    def word_withheld(self) -> Iterator[Callable[[], None]]:
        """Yield what gives the word that the journey ``wait-for-the-word`` waits for."""
        word = self.directory / "word"
        try:
            yield word.touch
        finally:
            word.unlink(missing_ok=True)

    async def until(self, condition: Callable[[], bool], *, seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
                await asyncio.sleep(0.02)


def outline(journey: str, lane: LaneName) -> JourneyOutline:
    return JourneyOutline(
        name=journey,
        title=journey,
        probe=ProbeKind.BROWSER if lane is LaneName.BROWSER else ProbeKind.HTTP,
        steps=(
            StepOutline(name="look", title="Look"),
            StepOutline(name="act", title="Act", effects=journey.startswith("order-")),
        ),
        declarative=lane is LaneName.HTTP,
    )


def _processes_of(directory: Path) -> list[int]:
    """Return all living processes that were started below a worker's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # Not by TMPDIR: a browser is given a shorter name for a folder whose own is long.
            if f"HOME={directory}/".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory) -> AsyncIterator[Bench]:
    """One dispatcher for all tests of a module: each test also shows that those before it did no lasting harm."""
    each = Bench(tmp_path_factory.mktemp("bench") / "workers", WorkerSettings(), "equip")
    await each.dispatcher.start()
    yield each
    await _close(each)


@pytest_asyncio.fixture(loop_scope="module")
async def a_bench(tmp_path) -> AsyncIterator[Callable[..., Awaitable[Bench]]]:
    """Make dispatchers with settings and equipment of the test's own."""
    made: list[Bench] = []

    async def make(equipment: str = "equip", **settings) -> Bench:
        each = Bench(tmp_path / f"workers-{len(made)}", WorkerSettings(**settings), equipment)
        await each.dispatcher.start()
        made.append(each)
        return each

    yield make
    for each in made:
        await _close(each)


async def _close(each: Bench) -> None:
    await each.dispatcher.close(0)
    assert not each.directory.exists()
    assert _processes_of(each.directory) == []


@pytest.fixture
def processes_of() -> Callable[[Path], list[int]]:
    return _processes_of
