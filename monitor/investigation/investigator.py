"""Finds out more about runs that did not pass: how much is spent on which, and with what."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from monitor.config.settings import InvestigationSettings, Settings
from monitor.diagnosis.case import case_of
from monitor.diagnosis.context import Context
from monitor.diagnosis.judge import judge
from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.experiment import Experiment
from monitor.domain.journey import JourneyOutline
from monitor.domain.outcome import Outcome
from monitor.domain.ownership import Ownership
from monitor.domain.profile import ClientProfile
from monitor.domain.reference import Baseline, Lately, Reference
from monitor.domain.run import Run
from monitor.investigation.budget import Budget, Throttle
from monitor.investigation.comparison import compare
from monitor.investigation.controls import Controls
from monitor.investigation.episodes import Episodes, Extent
from monitor.investigation.inquiry import Inquiry, Matter, Means
from monitor.investigation.trials import Perform, Trials

_log = logging.getLogger(__name__)


class Investigator:
    """Investigates runs, one at a time for each target, and never more than its share of the load allows."""

    def __init__(
        self,
        perform: Perform,
        *,
        clock: Clock,
        location: str,
        reference: Callable[[Check], Awaitable[Reference | None]],
        baseline: Callable[[str], Awaitable[Baseline | None]],
        lately: Callable[[Run], Awaitable[Lately | None]],
        noted: Callable[[Experiment], None] = lambda _: None,
    ) -> None:
        """Make experiments through ``perform``, and tell ``noted`` of each.

        Runs are compared with ``reference`` and ``baseline``; ``lately`` tells how the check fared before one that
        failed.
        """
        self._clock = clock
        self._reference = reference
        self._baseline = baseline
        self._lately = lately
        self._controls = Controls(clock)
        self._throttle = Throttle(clock)
        self._means = Means(
            trials=Trials(perform, clock, location),
            controls=self._controls,
            allows=self._throttle.allows,
            noted=noted,
        )
        self._settings = InvestigationSettings()
        self._ownership = Ownership()
        self._outlines: Mapping[str, JourneyOutline] = {}
        self._contexts: Mapping[str, Context] = {}
        self._profiles: tuple[Check, ...] = ()
        self._busy: set[str] = set()
        self._inquiries: dict[str, Inquiry] = {}
        self.episodes = Episodes()

    def configure(
        self, settings: Settings, outlines: Mapping[str, JourneyOutline], contexts: Mapping[str, Context]
    ) -> None:
        """Take over what may be spent, who owns what, and which checks there are."""
        self._settings = settings.investigation
        self._ownership = settings.ownership
        self._outlines, self._contexts = outlines, contexts
        self._profiles = settings.checks
        self._throttle.configure(settings.checks)
        self.episodes.retain(frozenset(check.name for check in settings.checks))

    async def close(self) -> None:
        """End what is under way."""
        await self._controls.close()

    async def investigate(self, run: Run, *, alone: bool = False) -> Run:
        """Return the run with what was found out beside it, judged again; a run that passed is returned as it is.

        ``alone`` leaves aside that the run may be one of an episode. Cancelling is safe: :meth:`known` then tells
        what was found out so far.
        """
        if run.outcome is Outcome.PASSED:
            return run
        try:
            found = await self._investigate(run, alone=alone)
        except Exception:  # noqa: BLE001 - an investigation that breaks leaves the diagnosis as it was
            _log.exception("an investigation broke", extra={"run_id": run.run_id})
            return self.known(run)
        self._inquiries.pop(run.run_id, None)
        return found

    def finished(self, run: Run) -> None:
        """Take in a run that was handed on, in the order of its check: one that passed ends the episode."""
        if run.outcome is Outcome.PASSED:
            self.episodes.end(run.check.name)

    def known(self, run: Run) -> Run:
        """Return a run whose investigation was cancelled, with what was found out so far, and let go of it."""
        inquiry = self._inquiries.pop(run.run_id, None)
        return inquiry.run if inquiry is not None else run

    async def _investigate(self, run: Run, *, alone: bool) -> Run:
        context = self._contexts[run.check.name]
        reference, whose = await self._last_good(run.check)
        before = await self._lately(run) if run.outcome is Outcome.FAILED else None
        run = _seen_beside(run, context, reference, await self._usual(run), before, whose=whose)
        if not self._settings.enabled or run.outcome is Outcome.PASSED:
            return run
        matter = Matter(
            context=context,
            outline=self._outlines[run.check.journey],
            ownership=self._ownership,
            settings=self._settings,
            reference=reference,
            reference_profile=self._reference_profile(run.check),
        )
        inquiry = self._inquiries[run.run_id] = Inquiry(run, matter, self._means, Budget(self._settings, self._clock))
        if alone:
            return await self._bounded(inquiry, inquiry.in_full())
        extent, carried = self.episodes.begin(run, case_of(run.evidence, context))
        target = run.check.target.name
        if extent is Extent.BRIEF or target in self._busy:
            return await self._bounded(inquiry, inquiry.in_brief(carried))
        self._busy.add(target)
        try:
            found = await self._bounded(inquiry, inquiry.in_full())
        finally:
            self._busy.discard(target)
        self.episodes.investigated(found)
        return found

    async def _last_good(self, check: Check) -> tuple[Reference | None, str]:
        """Return the last good run of a check; where it never had one, that of the same journey as another client.

        Which client that is comes with it. What another client was sent is not given to this one.
        """
        found = await self._reference(check)
        if found is not None:
            return found, ""
        for one in self._as_other_clients(check):
            if (found := await self._reference(one)) is not None:
                return replace(found, archive=""), one.profile.name
        return None, ""

    async def _usual(self, run: Run) -> Baseline | None:
        """Return what a run usually takes; where that is not known, for a failed one what is sent to another client."""
        found = await self._baseline(run.check.name)
        if found is not None or run.outcome is not Outcome.FAILED:
            return found
        for one in self._as_other_clients(run.check):
            if (other := await self._baseline(one.name)) is not None:
                return replace(other, profile=one.profile.name)
        return None

    def _as_other_clients(self, check: Check) -> list[Check]:
        """Return the checks that make the same journey at the same target, the one of the reference profile first."""
        known = self._reference_profile(check)
        others = [
            one for one in _others(check, self._profiles) if one.journey == check.journey and one.name != check.name
        ]
        return sorted(others, key=lambda one: known is None or one.profile.name != known.name)

    async def _bounded(self, inquiry: Inquiry, work: Awaitable[Run]) -> Run:
        try:
            async with asyncio.timeout(self._settings.time_limit.total_seconds()):
                return await work
        except TimeoutError:
            return inquiry.run

    def _reference_profile(self, check: Check) -> ClientProfile | None:
        """Return the profile that is known to be served well: the one that is named, else another of the target."""
        named = self._settings.reference_profile
        others = _others(check, self._profiles)
        if named is not None:
            return next((one.profile for one in self._profiles if one.profile.name == named), None)
        return next((one.profile for one in others if one.profile.name != check.profile.name), None)


def _others(check: Check, checks: Iterable[Check]) -> list[Check]:
    of_target = [one for one in checks if one.target.name == check.target.name]
    # One that makes the same journey is the better comparison.
    return sorted(of_target, key=lambda one: one.journey != check.journey)


def _seen_beside(
    run: Run,
    context: Context,
    reference: Reference | None,
    baseline: Baseline | None,
    before: Lately | None,
    *,
    whose: str,
) -> Run:
    """Return the run with how it differs from the last good one, from what is usual and from before; sends nothing."""
    compared = None
    if reference and run.evidence.attempts:
        compared = replace(compare(run.evidence, reference, run.started_at), profile=whose)
    evidence = replace(run.evidence, compared=compared, baseline=baseline, lately=before)
    return replace(run, evidence=evidence, judgement=judge(evidence, context))
