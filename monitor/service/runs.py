"""Makes runs: has one carried out, and judges what came back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from monitor.config.settings import Settings
from monitor.diagnosis.context import Context, contexts_for
from monitor.diagnosis.judge import judge
from monitor.diagnosis.names import Names
from monitor.dispatch import Dispatcher, LaneName, NoResult
from monitor.dispatch.dispatcher import lane_of
from monitor.domain.assignment import Assignment
from monitor.domain.check import Check, Schedule, Target
from monitor.domain.evidence import Evidence
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind
from monitor.domain.profile import ClientProfile
from monitor.domain.run import Run
from monitor.domain.trace_context import trace_context_of
from monitor.history import StoredRun
from monitor.investigation.trials import NotMade


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

    def lanes(self, settings: Settings) -> frozenset[LaneName]:
        """Return the lanes in which the checks run; where failures are investigated, that of looks is one of them."""
        checks = [check for check in settings.checks if check.enabled and check.journey in self._outlines]
        lanes = frozenset(lane_of(self._outlines[check.journey]) for check in checks)
        return lanes | {LaneName.HTTP} if lanes and settings.investigation.enabled else lanes

    def in_browser(self, check: Check) -> bool:
        """Say whether the runs of a check leave pictures and files."""
        return self._outlines[check.journey].probe is ProbeKind.BROWSER

    async def make(
        self,
        check: Check,
        *,
        run_id: str,
        scheduled_at: dt.datetime,
        not_after: dt.datetime,
        artifacts: str,
        archive_to: str = "",
    ) -> Run | NoResult:
        """Return the judged run, or why it was not started; ``archive_to`` takes its static answers if it passes."""
        assignment = Assignment(
            run_id=run_id,
            check=check,
            location=self._location,
            scheduled_at=scheduled_at,
            not_after=not_after,
            attempt_limit=check.attempts,
            artifact_directory=artifacts,
            first_party=self._first_party[check.target.name],
            traceparent=trace_context_of(run_id).header if check.target.trace_context else None,
            archive_to=archive_to,
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

    async def perform(self, assignment: Assignment, outline: JourneyOutline) -> Evidence | NotMade:
        """Carry out an experiment as any other run; it is neither judged nor kept here."""
        own = self._first_party.get(assignment.check.target.name, ())
        answer = await self._dispatcher.run(replace(assignment, first_party=own), outline)
        return NotMade(reason=f"no worker made it: {answer.reason.value}") if isinstance(answer, NoResult) else answer

    @property
    def outlines(self) -> Mapping[str, JourneyOutline]:
        """Return what is known of each journey, by its name."""
        return self._outlines


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
