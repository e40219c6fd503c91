"""Makes runs: has one carried out, and judges what came back."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from monitor.config.settings import Settings
from monitor.diagnosis.context import Context, contexts_for
from monitor.diagnosis.judge import judge
from monitor.diagnosis.names import Names, load_names
from monitor.dispatch import Dispatcher, LaneName, NoResult
from monitor.dispatch.dispatcher import lane_of
from monitor.domain.assignment import Assignment
from monitor.domain.check import Check, Schedule, Target
from monitor.domain.clock import Clock
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind
from monitor.domain.profile import ClientProfile
from monitor.domain.run import Run
from monitor.history import StoredRun
from monitor.service.startup import StartupError, journeys_for, new_run_id

_COLD_START = dt.timedelta(seconds=60)


class Runs:
    """Makes runs: has one carried out, and judges what came back."""

    def __init__(self, dispatcher: Dispatcher, *, location: str) -> None:
        """Make runs through ``dispatcher``, seen from ``location``."""
        self._dispatcher = dispatcher
        self._location = location
        self._outlines: Mapping[str, JourneyOutline] = {}
        self._contexts: Mapping[str, Context] = {}
        self._first_party: Mapping[str, tuple[str, ...]] = {}

    def configure(self, settings: Settings, catalogue: JourneyCatalogue, names: Names) -> Mapping[str, Context]:
        """Take over checks, journeys and owners; return what the rules may know of each check."""
        own = (*settings.ownership.domains, *(owner.host for owner in settings.ownership.hosts))
        targets = {check.target.name: urlsplit(check.target.base_url).hostname or "" for check in settings.checks}
        self._first_party = {name: tuple(dict.fromkeys((host, *own))) for name, host in targets.items()}
        self._outlines = {journey.name: journey for journey in catalogue.journeys}
        self._contexts = contexts_for(settings.checks, settings.ownership, names)
        return self._contexts

    def lanes(self, checks: Iterable[Check]) -> frozenset[LaneName]:
        """Return the lanes in which these checks run."""
        return frozenset(lane_of(self._outlines[check.journey]) for check in checks if check.journey in self._outlines)

    def in_browser(self, check: Check) -> bool:
        """Say whether the runs of a check leave pictures and files."""
        return self._outlines[check.journey].probe is ProbeKind.BROWSER

    async def make(
        self, check: Check, *, run_id: str, scheduled_at: dt.datetime, not_after: dt.datetime, artifacts: str
    ) -> Run | NoResult:
        """Return the judged run, or why it was not started."""
        assignment = Assignment(
            run_id=run_id,
            check=check,
            location=self._location,
            scheduled_at=scheduled_at,
            not_after=not_after,
            attempt_limit=check.attempts,
            artifact_directory=artifacts,
            first_party=self._first_party[check.target.name],
            traceparent=traceparent_of(run_id) if check.target.trace_context else None,
        )
        answer = await self._dispatcher.run(assignment, self._outlines[check.journey])
        if isinstance(answer, NoResult):
            return answer
        return Run(
            run_id=run_id,
            check=check,
            location=self._location,
            scheduled_at=scheduled_at,
            evidence=answer,
            judgement=judge(answer, self._contexts[check.name]),
        )


def traceparent_of(run_id: str) -> str:
    """Return a W3C trace context for a run: whoever knows the run's id knows its trace id."""
    digest = hashlib.sha256(run_id.encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01"


class OneShot:
    """Makes single runs without a schedule or a store; ``async with`` starts and stops the workers."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        """Prepare to run checks of these settings."""
        self._settings = settings
        self._clock = clock
        self._dispatcher = Dispatcher(settings.workers, journeys=settings.journeys, clock=clock)
        self._runs = Runs(self._dispatcher, location=settings.location)

    async def __aenter__(self) -> Self:
        """Find the journeys and start the workers. Raises StartupError where a journey cannot be used."""
        self._runs.configure(self._settings, await journeys_for(self._settings), load_names())
        await self._dispatcher.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the workers."""
        await self._dispatcher.close(0)

    async def make(self, check: Check, *, artifacts: Path) -> Run:
        """Return a run that starts now. Raises StartupError where no worker took it in time."""
        now = self._clock.now()
        # A worker or a browser that starts cold may need longer than a run may take.
        patience = now + check.deadline + _COLD_START
        run = await self._runs.make(
            check, run_id=new_run_id(now), scheduled_at=now, not_after=patience, artifacts=str(artifacts)
        )
        if isinstance(run, NoResult):
            msg = f"{check.name} was not started: {run.reason.value}"
            raise StartupError(msg)
        return run


def recorded(stored: StoredRun) -> Run:
    """Return a stored run as a run again, with as much of its check as was recorded: the names."""
    summary = stored.summary
    check = Check(
        name=summary.check,
        journey=summary.journey,
        target=Target(name=summary.target, base_url=""),
        profile=ClientProfile(name=summary.profile),
        schedule=Schedule(),
        deadline=dt.timedelta(),
    )
    return Run(
        run_id=summary.run_id,
        check=check,
        location=summary.location,
        scheduled_at=summary.scheduled_at,
        evidence=stored.evidence,
        judgement=stored.judgement,
    )
