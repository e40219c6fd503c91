"""Makes the runs of a drill, one after the other."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from monitor.config.settings import Settings
from monitor.diagnosis.context import Context
from monitor.diagnosis.names import load_names
from monitor.dispatch import Dispatcher
from monitor.domain.assignment import Assignment, Intervention
from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.evidence import Evidence
from monitor.domain.journey import JourneyOutline
from monitor.domain.outcome import Outcome
from monitor.investigation import drill
from monitor.investigation.drill import DrillError, DrillReport, Finding, Supplier, Trial, TrialResult
from monitor.investigation.trials import NotMade
from monitor.service.runs import Runs
from monitor.service.startup import journeys_for, new_run_id

_COLD_START = dt.timedelta(seconds=60)
# A page that waits for a delayed third party twice or thrice must still be seen to get through.
_DELAYS = 3

Progress = Callable[[str, int, int], None]


def _silent(_what: str, _number: int, _of: int) -> None:
    """Tell nobody."""


@asynccontextmanager
async def drilling(settings: Settings, *, clock: Clock, progress: Progress) -> AsyncIterator[Driller]:
    """Lend a driller with workers of its own. Raises StartupError where a journey cannot be used."""
    dispatcher = Dispatcher(settings.workers, journeys=settings.journeys, clock=clock)
    runs = Runs(dispatcher, location=settings.location)
    contexts = runs.configure(settings, await journeys_for(settings), await asyncio.to_thread(load_names))
    await dispatcher.start()
    try:
        yield Driller(runs, clock=clock, location=settings.location, context_of=contexts.get, progress=progress)
    finally:
        await dispatcher.close(0)


class Driller:
    """Drills checks by way of the runs that somebody else makes."""

    def __init__(
        self,
        runs: Runs,
        *,
        clock: Clock,
        location: str,
        context_of: Callable[[str], Context | None],
        progress: Progress = _silent,
    ) -> None:
        """Prepare to drill; ``progress`` is told what comes next, its number, and of how many."""
        self._runs = runs
        self._clock = clock
        self._location = location
        self._context_of = context_of
        self._progress = progress

    async def drill(self, check: Check, *, only: Sequence[str] = (), delay: float | None = None) -> DrillReport:
        """Return what a journey makes of each of its third parties. Raises DrillError where it cannot be drilled."""
        outline, context = self._runs.outlines.get(check.journey), self._context_of(check.name)
        if outline is None or context is None:
            msg = f"{check.name} cannot be drilled: its journey {check.journey} was not found"
            raise DrillError(msg)
        steps, stop = drill.steps_to_make(outline)
        delay = delay or drill.delay_for(outline)
        lab = _Lab(self, _patient(check, delay), outline, until=steps[-1] if stop else "", stop=stop)
        # The first run may start a browser and fill caches of the site's; what it took says little.
        await self._clean(lab)
        clean = await self._clean(lab)
        suppliers = drill.chosen(drill.suppliers_of(clean, context.owners), only)
        report = DrillReport(
            check=check.name,
            at=self._clock.now(),
            steps=steps,
            until=stop,
            delay=delay,
            clean_seconds=clean.last.duration,
        )
        findings = [
            await self._supplier(lab, supplier, clean, delay, (number, len(suppliers)))
            for number, supplier in enumerate(suppliers)
        ]
        return replace(report, findings=tuple(findings), doubt=await self._doubt(lab) if findings else "")

    async def _supplier(
        self, lab: _Lab, supplier: Supplier, clean: Evidence, delay: float, place: tuple[int, int]
    ) -> Finding:
        number, of = place
        trials = drill.trials_for(supplier, delay)
        results = []
        for step, trial in enumerate(trials):
            self._progress(f"{trial.kind.value} {supplier.name}", number * len(trials) + step + 1, of * len(trials))
            result = await lab.tried(trial, clean)
            if result.outcome is Outcome.FAILED:
                result = drill.agreed(result, await lab.tried(trial, clean))
            results.append(result)
        return drill.finding_of(supplier, results, delay, lab.stop)

    async def _clean(self, lab: _Lab) -> Evidence:
        self._progress("a clean run", 0, 0)
        clean = await lab.make(())
        if isinstance(clean, NotMade):
            raise DrillError(clean.reason)
        drill.check_clean(clean)
        return clean

    async def _doubt(self, lab: _Lab) -> str:
        """Make the journey once more without any change; the findings stand only where it passes still."""
        try:
            await self._clean(lab)
        except DrillError as error:
            return f"at the end {error}, and drill again"
        return ""

    async def perform(
        self, check: Check, outline: JourneyOutline, interventions: tuple[Intervention, ...], until: str
    ) -> Evidence | NotMade:
        """Have one run made with interventions; nothing of it is kept."""
        now = self._clock.now()
        assignment = Assignment(
            run_id=new_run_id(now),
            check=check,
            location=self._location,
            scheduled_at=now,
            not_after=now + check.deadline + _COLD_START,
            attempt_limit=1,
            artifact_directory="",
            interventions=interventions,
            until=until,
            background=True,
        )
        return await self._runs.perform(assignment, outline)


class _Lab:
    """One journey under trial."""

    def __init__(self, driller: Driller, check: Check, outline: JourneyOutline, *, until: str, stop: str) -> None:
        self.stop = stop
        self._driller = driller
        self._check = check
        self._outline = outline
        self._until = until

    async def make(self, interventions: tuple[Intervention, ...]) -> Evidence | NotMade:
        return await self._driller.perform(self._check, self._outline, interventions, self._until)

    async def tried(self, trial: Trial, clean: Evidence) -> TrialResult:
        evidence = await self.make(trial.interventions)
        if isinstance(evidence, NotMade):
            return drill.not_made(trial, evidence.reason)
        return drill.result_of(trial, evidence, clean)


def _patient(check: Check, delay: float) -> Check:
    return replace(check, attempts=1, deadline=check.deadline + dt.timedelta(seconds=_DELAYS * delay))
