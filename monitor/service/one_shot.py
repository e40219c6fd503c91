"""Makes single runs without a schedule or a store, and finds out whose a failure is as the running monitor does."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from monitor.config.settings import Settings
from monitor.diagnosis.names import load_names
from monitor.dispatch import Dispatcher, LaneName, NoResult
from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.run import Run
from monitor.service.insight import LAST_GOOD, Insight
from monitor.service.runs import Runs
from monitor.service.startup import StartupError, journeys_for, new_run_id

_COLD_START = dt.timedelta(seconds=60)


class OneShot:
    """Makes single runs without a schedule or a store; ``async with`` starts and stops the workers.

    Runs that pass are remembered as long as this lives. Before there is one, the last good run of the running monitor
    counts, if it keeps one in the data directory; nothing is written there.
    """

    def __init__(self, settings: Settings, *, clock: Clock, investigate: bool = True) -> None:
        """Prepare to run checks of these settings; ``investigate`` says whether failures are looked into."""
        self._settings = settings
        self._clock = clock
        self._investigates = investigate
        self._dispatcher = Dispatcher(settings.workers, journeys=settings.journeys, clock=clock)
        self._runs = Runs(self._dispatcher, location=settings.location)
        self._folder = Path(tempfile.mkdtemp(prefix="faultline-last-good-"))
        self._insight = Insight(
            settings,
            self._runs,
            clock=clock,
            directory=self._folder,
            beside=settings.storage.directory / LAST_GOOD,
        )

    async def __aenter__(self) -> Self:
        """Find the journeys and start the workers. Raises StartupError where a journey cannot be used."""
        contexts = self._runs.configure(self._settings, await journeys_for(self._settings), load_names())
        await self._insight.configure(self._settings, contexts)
        # The first look of an investigation shall not wait for a worker that starts cold.
        await self._dispatcher.start([LaneName.HTTP] if self._looks_into_failures else [])
        return self

    @property
    def _looks_into_failures(self) -> bool:
        return self._investigates and self._settings.investigation.enabled

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the workers."""
        await self._dispatcher.close(0)
        await self._insight.close()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def make(self, check: Check, *, artifacts: Path) -> Run:
        """Return a run that starts now. Raises StartupError where no worker took it in time."""
        now = self._clock.now()
        # A worker or a browser that starts cold may need longer than a run may take.
        patience = now + check.deadline + _COLD_START
        run = await self._runs.make(
            check,
            run_id=new_run_id(now),
            scheduled_at=now,
            not_after=patience,
            artifacts=str(artifacts),
            archive_to=await self._insight.last_good.wanted(check),
        )
        if isinstance(run, NoResult):
            msg = f"{check.name} was not started: {run.reason.value}"
            raise StartupError(msg)
        if self._investigates:
            run = await self._insight.investigator.investigate(run, alone=True)
        self._insight.note(run)
        return run
