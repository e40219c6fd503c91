"""Carries planned experiments out, and says what came of each. One that breaks or hangs is said to be inconclusive."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from monitor.diagnosis.names_asked import AUTHORITATIVE
from monitor.diagnosis.rules.access import guard_of
from monitor.domain.assignment import Assignment, Intervention, InterventionKind
from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.evidence import Evidence, StepResult
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.journey import JourneyOutline
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.profile import Asking
from monitor.domain.run import Run
from monitor.investigation.experiments import Again, Look
from monitor.journeys.looking import DEADLINE, LOOK, by_address, by_resolver, look_at

_log = logging.getLogger(__name__)

_MOST_EXCHANGES = 3
_MOST_CERTIFICATES = 2
_MOST_SCRIPTS = 20
_ERROR_STATUS = 400
_TOO_MANY = 429
_WORDS = 300
_MISSED = "replay_missed"
_GRACE = dt.timedelta(seconds=2)
_REPLAYED = frozenset({ExperimentKind.REPLAY, ExperimentKind.COUNTERFACTUAL})
_GOOD = frozenset({StepOutcome.PASSED, StepOutcome.DEGRADED})


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMade:
    """An assignment that brought no evidence, and why."""

    reason: str


class Perform(Protocol):
    """Has an assignment carried out."""

    def __call__(self, assignment: Assignment, outline: JourneyOutline) -> Awaitable[Evidence | NotMade]:
        """Return what was seen, or why nothing was."""
        ...


Judges = Callable[[Evidence], str]
"""Says why evidence of a journey says nothing because we were unwell; an empty text where it does say something."""


class Trials:
    """Carries experiments out within the time they are given."""

    def __init__(self, perform: Perform, clock: Clock, location: str) -> None:
        """Make experiments through ``perform``, as seen from ``location``."""
        self._perform = perform
        self._clock = clock
        self._location = location
        self._numbers = itertools.count(1)

    async def look(self, look: Look, run: Run, seconds: float) -> Experiment:
        """Return what one look showed; it takes at most ``seconds``."""
        blank = Experiment(
            kind=look.kind,
            subject=look.subject,
            by=look.by,
            note=look.note,
            outcome=Outcome.INCONCLUSIVE,
            duration=0.0,
            started=self._since(run),
            requests=1,
        )
        try:
            check = _check_for(look, run.check, seconds)
        except ValueError as error:
            return replace(blank, note=str(error), requests=0)
        answer, took = await self._have(check, LOOK, seconds)
        blank = replace(blank, duration=took)
        if isinstance(answer, NotMade):
            return replace(blank, note=answer.reason)
        if look.asking is Asking.AUTHORITY:
            return _of_authority(_looked(blank, answer, connection_only=look.connection_only))
        return _looked(blank, answer, connection_only=look.connection_only)

    async def again(self, again: Again, run: Run, outline: JourneyOutline, seconds: float, ill: Judges) -> Experiment:
        """Return what the journey showed when it was made again; it takes at most ``seconds``."""
        blank = Experiment(
            kind=again.kind,
            subject=again.subject,
            hosts=again.hosts,
            path=again.path,
            outcome=Outcome.INCONCLUSIVE,
            duration=0.0,
            started=self._since(run),
        )
        deadline = min(run.check.deadline, max(dt.timedelta(seconds=seconds) - _GRACE, dt.timedelta(seconds=1)))
        values = tuple((dict(run.check.values) | dict(again.values)).items())
        check = replace(
            run.check, profile=again.profile, deadline=deadline, attempts=1, values=values, second_account=()
        )
        answer, took = await self._have(check, outline, seconds, again)
        blank = replace(blank, duration=took)
        if isinstance(answer, NotMade):
            return replace(blank, note=answer.reason)
        blank = _measured(blank, answer, again)
        illness = ill(answer)
        return replace(blank, note=illness) if illness else _walked(blank, answer, again, check)

    def _since(self, run: Run) -> float:
        return round((self._clock.now() - run.evidence.started_at).total_seconds(), 3)

    async def _have(
        self, check: Check, outline: JourneyOutline, seconds: float, again: Again | None = None
    ) -> tuple[Evidence | NotMade, float]:
        now, before = self._clock.now(), self._clock.elapsed()
        assignment = Assignment(
            run_id=f"experiment-{next(self._numbers)}",
            check=check,
            location=self._location,
            scheduled_at=now,
            not_after=now + dt.timedelta(seconds=seconds),
            attempt_limit=1,
            artifact_directory="",
            interventions=_interventions(again) if again else (),
            until=again.until if again else "",
            background=True,
        )
        answer = await self._bounded(assignment, outline, seconds)
        return answer, round(self._clock.elapsed() - before, 3)

    async def _bounded(self, assignment: Assignment, outline: JourneyOutline, seconds: float) -> Evidence | NotMade:
        try:
            async with asyncio.timeout(seconds):
                return await self._perform(assignment, outline)
        except TimeoutError:
            return NotMade(reason="the time of the investigation was over")
        except Exception as error:  # noqa: BLE001 - an experiment that breaks leaves the diagnosis as it was
            _log.exception("an experiment broke", extra={"check": assignment.check.name})
            return NotMade(reason=f"the experiment broke: {type(error).__name__}")


def _check_for(look: Look, check: Check, seconds: float) -> Check:
    made = look_at(
        look.url,
        name=f"look@{check.target.name}/{look.profile.name}",
        target=check.target,
        profile=look.profile,
        method=look.method,
        user_agent=look.user_agent,
        deadline=min(DEADLINE, dt.timedelta(seconds=max(seconds, 1.0))),
    )
    if look.resolver or look.asking is not Asking.USUAL:
        made = by_resolver(made, look.resolver or look.profile.resolver, look.asking)
    return by_address(made, look.address) if look.address else made


def _looked(blank: Experiment, evidence: Evidence, *, connection_only: bool) -> Experiment:
    exchanges = tuple(_trimmed(x) for x in evidence.exchanges[-_MOST_EXCHANGES:])
    blank = replace(blank, exchanges=exchanges, requests=max(1, len(evidence.exchanges)))
    attempt = evidence.last if evidence.attempts else None
    if attempt is None or attempt.prober_fault is not None or not exchanges:
        why = attempt.prober_fault_text if attempt else ""
        return replace(blank, note=(why or "nothing was exchanged")[:_WORDS])
    last = exchanges[-1]
    if connection_only:
        good = last.status is not None
    else:
        good = last.status is not None and last.status < _ERROR_STATUS and last.failure is None
    return replace(blank, outcome=Outcome.PASSED if good else Outcome.FAILED)


def _of_authority(experiment: Experiment) -> Experiment:
    """Return the look with the name of the server that was asked; where none was found, it says nothing."""
    facts = next((x.dns for x in experiment.exchanges if x.dns is not None), None)
    if facts is None or not facts.server:
        note = experiment.note or "no server was found that the zone calls its own"
        return replace(experiment, outcome=Outcome.INCONCLUSIVE, note=note)
    servers = ", ".join(_bare(one) for one in facts.server.split(", "))
    return replace(experiment, by=f"{AUTHORITATIVE} {servers}")


def _bare(server: str) -> str:
    return server.removesuffix(":53").strip("[]") if server.endswith(":53") else server


def _trimmed(exchange: Exchange) -> Exchange:
    tls = exchange.tls
    if tls is not None and len(tls.chain) > _MOST_CERTIFICATES:
        tls = replace(tls, chain=tls.chain[:_MOST_CERTIFICATES])
    return replace(exchange, tls=tls, initiator=None, step="")


def _interventions(again: Again) -> tuple[Intervention, ...]:
    if again.kind not in {ExperimentKind.BLOCK, ExperimentKind.REPLAY, ExperimentKind.COUNTERFACTUAL}:
        return ()
    kind = InterventionKind.REPLAY if again.archive else InterventionKind.BLOCK
    return tuple(
        Intervention(kind=kind, host=host, path=again.path, archive=again.archive or None) for host in again.hosts
    )


def _measured(blank: Experiment, evidence: Evidence, again: Again) -> Experiment:
    """Return the experiment with what was sent, what came, and what kept the page busy in the step in question."""
    asked = [x for x in evidence.exchanges if not x.intervention]
    sent = [x for x in asked if not x.from_cache]
    steps = evidence.last.steps if evidence.attempts else ()
    # As what is usual is counted: answers of the cache too, and to the first step what began before it.
    names = ("", again.until) if steps and steps[0].name == again.until else (again.until,)
    inside = [x for x in asked if x.step in names]
    refused = [x for x in inside if again.kind is ExperimentKind.ACCOUNT and (x.status or 0) >= _ERROR_STATUS]
    # The planner has to see them, whatever was tried: where they answer nothing further may be asked.
    guards = [x for x in asked if (x.status == _TOO_MANY or guard_of(x) is not None) and x not in refused]
    stacks = (each.error.intercepted_stack for each in steps if each.name == again.until and each.error)
    return replace(
        blank,
        requests=len(sent),
        received=sum(x.transfer_bytes or 0 for x in sent),
        step_requests=len(inside),
        step_received=sum(x.transfer_bytes or x.body_bytes or 0 for x in inside),
        scripts=tuple([each for each in evidence.scripts if each.step in ("", again.until)][:_MOST_SCRIPTS]),
        intercepted_stack=next(stacks, ()),
        exchanges=tuple(_trimmed(x) for x in (*guards, *refused)[-_MOST_EXCHANGES:]),
        missed=_missed(evidence, again),
    )


def _missed(evidence: Evidence, again: Again) -> int:
    if again.kind not in _REPLAYED or not again.archive:
        return 0
    return sum(event.kind == _MISSED for event in evidence.events)


def _walked(blank: Experiment, evidence: Evidence, again: Again, check: Check) -> Experiment:
    attempt = evidence.last
    step = next((each for each in attempt.steps if each.name == again.until), None)
    if step is None:
        return replace(blank, note=f"the journey has no step {again.until!r} any more")
    seconds = None if step.outcome is StepOutcome.NOT_REACHED else step.duration
    blank = replace(blank, step_seconds=seconds)
    if step.outcome in _GOOD:
        slow = again.only_slow and _is_slow(step, attempt.duration, check)
        return replace(blank, outcome=Outcome.FAILED if slow else Outcome.PASSED)
    broken = next((each for each in attempt.steps if each.outcome not in _GOOD), step)
    message = broken.error.message if broken.error else ""
    failed = replace(blank, outcome=Outcome.FAILED, failed_step=broken.name, error=message[:_WORDS])
    if broken.outcome is StepOutcome.INCONCLUSIVE:
        return replace(failed, outcome=Outcome.INCONCLUSIVE, note="the step ended without a result")
    if broken.name != again.until:
        # What was changed may have broken it, or it may be another failure: of the step in question it says nothing.
        return replace(failed, outcome=Outcome.INCONCLUSIVE, note=f"an earlier step failed this time: {broken.name}")
    return failed


def _is_slow(step: StepResult, whole: float, check: Check) -> bool:
    if step.budget is not None:
        return step.duration > step.budget
    return check.budget is not None and whole > check.budget.total_seconds()
