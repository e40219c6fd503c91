"""What the monitor remembers of good runs and finds out about bad ones, for the service and for single runs alike."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from monitor.config.settings import Settings
from monitor.diagnosis.context import Context
from monitor.domain.clock import Clock
from monitor.domain.experiment import Experiment
from monitor.domain.reference import Baseline, Lately
from monitor.domain.run import Run
from monitor.history import HistoryError
from monitor.history.last_good import LastGood
from monitor.history.reader import Reader
from monitor.investigation.baselines import Baselines
from monitor.investigation.correlation import Correlator, Revision
from monitor.investigation.investigator import Investigator
from monitor.investigation.lately import fared_before
from monitor.service.runs import Runs

_log = logging.getLogger(__name__)

LAST_GOOD = "last-good"
"""The folder below the data directory in which the last good runs are kept."""


class Insight:
    """Remembers what good runs look like, and has bad ones investigated."""

    def __init__(
        self,
        settings: Settings,
        runs: Runs,
        *,
        clock: Clock,
        directory: Path,
        beside: Path | None = None,
        history: Reader | None = None,
        noted: Callable[[Experiment], None] = lambda _: None,
    ) -> None:
        """Keep good runs in ``directory``; read those in ``beside`` where it has none; have experiments ``noted``.

        What runs usually take is read from ``history`` before it is first asked for, and how a check fared before a
        run that failed.
        """
        self._runs = runs
        self._history = history
        self._contexts: Mapping[str, Context] = {}
        self.last_good = LastGood(directory, clock=clock, max_age=settings.investigation.keep_answers, beside=beside)
        self.baselines = Baselines(location=settings.location, context_of=self._context_of)
        self.correlator = Correlator(settings.location)
        self.investigator = Investigator(
            runs.perform,
            clock=clock,
            location=settings.location,
            reference=self.last_good.reference,
            baseline=self._baseline,
            lately=self._fared_before,
            noted=noted,
        )

    async def _baseline(self, check: str) -> Baseline | None:
        if self._history is not None:
            try:
                await self.baselines.restore(self._history, check)
            except HistoryError as error:
                _log.warning("what runs usually take is not known", extra={"check": check, "error": str(error)})
        return self.baselines.of(check)

    async def _fared_before(self, run: Run) -> Lately | None:
        if self._history is None:
            return None
        try:
            return await fared_before(self._history, run)
        except HistoryError as error:
            extra = {"check": run.check.name, "error": str(error)}
            _log.warning("how the check fared before is not known", extra=extra)
            return None

    def _context_of(self, check: str) -> Context | None:
        return self._contexts.get(check)

    async def configure(self, settings: Settings, contexts: Mapping[str, Context]) -> None:
        """Take over a configuration; what is kept of checks that are no more is removed."""
        gone = self._contexts.keys() - contexts.keys()
        self._contexts = contexts
        self.baselines.forget(gone)
        self.correlator.retain(contexts)
        self.investigator.configure(settings, self._runs.outlines, contexts)
        await self.last_good.retain(settings.checks)

    def note(self, run: Run) -> tuple[Revision, ...]:
        """Take in a run in the order of its check, once all is known of it; return verdicts to be revised for it."""
        self.last_good.note(run)
        self.baselines.note(run)
        self.investigator.finished(run)
        return self.correlator.note(run)

    async def close(self) -> None:
        """End what is under way, and write what was noted."""
        await self.investigator.close()
        await self.last_good.close()
