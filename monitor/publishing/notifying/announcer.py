"""Decides what is told: the start and the end of what a check, or several with one cause, suffers from."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.config.receivers import NotificationSettings, Receiver
from monitor.domain.cause import Cause, Confidence
from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.diagnosis import Culprit, Diagnosis
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Run
from monitor.history.values import RunSummary, Verdict
from monitor.investigation.correlation import Incident, Scope
from monitor.publishing.notifying.notification import Concerned, Notification, Status
from monitor.publishing.notifying.windows import Windows

_CONCLUSIVE = frozenset({Outcome.PASSED, Outcome.DEGRADED, Outcome.FAILED})

Group = tuple[Scope, str]
Send = Callable[[str, Notification], None]


@dataclass(slots=True)
class _Open:
    """What was announced and is not over: the checks that suffer from it, and the receivers that know or must hear."""

    checks: set[str]
    since: dt.datetime
    told: set[str] = field(default_factory=set)
    owed: set[str] = field(default_factory=set)
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True, slots=True)
class _Happening:
    """Why something is told now: the run, and what is known of its cause beyond the run itself."""

    run: Run
    incident: Incident | None


class Announcer:
    """Takes in finished runs, in the order of their checks, and hands out what is to be told. Does no I/O."""

    def __init__(
        self,
        *,
        location: str,
        web_url: str,
        clock: Clock,
        send: Send,
        incidents: Callable[[], Sequence[Incident]],
        maintained: Callable[[str, dt.datetime], bool],
    ) -> None:
        """Hand each message to ``send`` with its receiver's name; ask ``incidents`` what belongs together."""
        self._location = location
        self._web_url = web_url
        self._clock = clock
        self._send = send
        self._incidents = incidents
        self._maintained = maintained
        settings = NotificationSettings()
        self._windows = Windows(failures=settings.failures, total=settings.total)
        self._receivers: tuple[Receiver, ...] = ()
        self._checks: Mapping[str, Check] = {}
        self._titles: Mapping[str, str] = {}
        self._open: dict[Group, _Open] = {}
        self._group_of: dict[str, Group] = {}

    def configure(self, settings: NotificationSettings, checks: Iterable[Check], titles: Mapping[str, str]) -> None:
        """Take over who is told of which checks; what a check suffered from that is no more ends without a word."""
        self._windows.configure(failures=settings.failures, total=settings.total)
        self._receivers = settings.receivers
        self._checks = {check.name: check for check in checks}
        self._titles = titles
        self._windows.retain(self._checks)
        for gone in [check for check in self._group_of if check not in self._checks]:
            self._leave(gone)

    def restore(self, check: str, runs: Sequence[RunSummary], since: dt.datetime | None) -> None:
        """Take in what history knows of a check, the newest run first; what is open there was announced already."""
        conclusive = [run for run in runs if run.outcome in _CONCLUSIVE and run.validity is Validity.VALID]
        for run in reversed(conclusive):
            if not self._maintained(check, run.scheduled_at):
                self._windows.note(check, failed=run.outcome is Outcome.FAILED)
        if not self._windows.is_failing(check):
            return
        last = next(run for run in conclusive if run.outcome is Outcome.FAILED)
        verdict = last.verdict
        group = _group(check, verdict.cause, verdict.culprit, verdict.confidence) if verdict else (Scope.CHECK, check)
        known = self._join(check, group, since or last.started_at)
        known.told |= {receiver.name for receiver in self._concerned((check,))}
        known.diagnosis = known.diagnosis or _diagnosis_of(verdict)

    def is_failing(self, check: str) -> bool:
        """Say whether a check is part of something that was announced and is not over."""
        return check in self._group_of

    def owe(self, receiver: str, checks: Iterable[str]) -> None:
        """Tell a receiver with the next failed run of what these checks suffer from: it never heard of it."""
        for check in checks:
            if check in self._group_of:
                known = self._open[self._group_of[check]]
                known.told.discard(receiver)
                known.owed.add(receiver)

    def take(self, run: Run) -> None:
        """Take in a finished run; only the start and the end of what it is part of are told."""
        name = run.check.name
        if run.outcome not in _CONCLUSIVE or run.judgement.validity is not Validity.VALID:
            return
        if name not in self._checks or self._maintained(name, run.scheduled_at):
            return
        failing = self._windows.note(name, failed=run.outcome is Outcome.FAILED)
        if failing and name not in self._group_of:
            self._begin(run)
        elif not failing and name in self._group_of:
            self._end(run)
        elif failing and run.outcome is Outcome.FAILED:
            self._make_up(run)

    def _make_up(self, run: Run) -> None:
        group = self._group_of[run.check.name]
        known = self._open[group]
        for name in sorted(known.owed):
            known.told.add(name)
            concerned = tuple(dict.fromkeys((run.check.name, *sorted(known.checks))))
            self._send(name, self._failing(_Happening(run, None), group, known, concerned))
        known.owed.clear()

    def _begin(self, run: Run) -> None:
        name = run.check.name
        incident = next((one for one in self._incidents() if name in one.episodes), None)
        group = _group_of_incident(incident) if incident is not None else (Scope.CHECK, name)
        known = self._join(name, group, incident.since if incident else run.started_at)
        known.diagnosis = known.diagnosis or run.judgement.diagnosis
        concerned = tuple(dict.fromkeys((name, *(incident.episodes if incident else ()))))
        for receiver in self._concerned(concerned):
            # Who knows of the incident already is not told of each further check.
            if receiver.name not in known.told:
                known.told.add(receiver.name)
                self._send(receiver.name, self._failing(_Happening(run, incident), group, known, concerned))

    def _end(self, run: Run) -> None:
        group, known = self._leave(run.check.name)
        if known.checks:
            return
        message = self._resolved(run, group, known)
        for receiver in self._receivers:
            if receiver.name in known.told:
                self._send(receiver.name, message)

    def _join(self, check: str, group: Group, since: dt.datetime) -> _Open:
        known = self._open.setdefault(group, _Open(checks=set(), since=since))
        known.since = min(known.since, since)
        known.checks.add(check)
        self._group_of[check] = group
        return known

    def _leave(self, check: str) -> tuple[Group, _Open]:
        group = self._group_of.pop(check)
        known = self._open[group]
        known.checks.discard(check)
        if not known.checks:
            del self._open[group]
        return group, known

    def _concerned(self, checks: Sequence[str]) -> tuple[Receiver, ...]:
        teams = {self._checks[check].team for check in checks if check in self._checks}
        return tuple(one for one in self._receivers if not one.teams or not teams.isdisjoint(one.teams))

    def _failing(self, why: _Happening, group: Group, known: _Open, checks: Sequence[str]) -> Notification:
        run, incident = why.run, why.incident
        found = run.judgement.diagnosis
        # What nearly everything at this place suffers from is not what a single run makes of it.
        of_place = incident is not None and incident.scope is Scope.PLACE and bool(incident.note)
        cause = incident.cause if of_place and incident else found.cause if found else None
        detail = incident.detail if of_place and incident else found.detail if found else None
        return Notification(
            id=_id(group, known.since, Status.FAILING, run.run_id),
            group=_name(group),
            status=Status.FAILING,
            at=self._clock.now(),
            since=known.since,
            location=self._location,
            scope=group[0].value,
            checks=tuple(self._described(check) for check in checks),
            step=next((step.name for step in run.evidence.last.steps if step.error is not None), ""),
            cause=cause.value if cause else "",
            detail=detail.value if detail else "",
            confidence=found.confidence.value if found and not of_place else "",
            culprit=incident.culprit if of_place and incident else found.culprit if found else None,
            because=f"{incident.note}." if of_place and incident else found.because if found else "",
            run_id=run.run_id,
            web_url=self._web_url,
        )

    def _resolved(self, run: Run, group: Group, known: _Open) -> Notification:
        found = known.diagnosis
        return Notification(
            id=_id(group, known.since, Status.RESOLVED, run.run_id),
            group=_name(group),
            status=Status.RESOLVED,
            at=self._clock.now(),
            since=known.since,
            location=self._location,
            scope=group[0].value,
            checks=(self._described(run.check.name),),
            cause=found.cause.value if found else "",
            detail=found.detail.value if found else "",
            confidence=found.confidence.value if found else "",
            culprit=found.culprit if found else None,
            because=f"It was: {found.because}" if found else "",
            run_id=run.run_id,
            web_url=self._web_url,
        )

    def _described(self, name: str) -> Concerned:
        check = self._checks.get(name)
        if check is None:
            return Concerned(check=name)
        return Concerned(
            check=name,
            journey=check.journey,
            title=self._titles.get(check.journey, ""),
            target=check.target.name,
            profile=check.profile.name,
            team=check.team,
            service=check.service,
        )


def _group_of_incident(incident: Incident) -> Group:
    match incident.scope:
        case Scope.CHECK:
            return Scope.CHECK, incident.episodes[0]
        case Scope.HOST if incident.culprit and incident.culprit.host:
            return Scope.HOST, incident.culprit.host
        case Scope.PLACE:
            return Scope.PLACE, ""
        case _:
            return incident.scope, incident.culprit.name if incident.culprit else ""


def _group(check: str, cause: Cause, culprit: Culprit | None, confidence: Confidence) -> Group:
    """Return what a stored verdict belongs to, as the correlation of open episodes would have it."""
    if culprit is None or confidence is Confidence.NONE:
        return Scope.CHECK, check
    match cause:
        case Cause.THIRD_PARTY:
            return Scope.VENDOR, culprit.name
        case Cause.OWN_INFRASTRUCTURE if culprit.host:
            return Scope.HOST, culprit.host
        case Cause.CLIENT_ENVIRONMENT:
            return Scope.PLACE, ""
        case _:
            return Scope.CHECK, check


def _diagnosis_of(verdict: Verdict | None) -> Diagnosis | None:
    if verdict is None:
        return None
    return Diagnosis(
        cause=verdict.cause,
        detail=verdict.detail,
        confidence=verdict.confidence,
        rule=verdict.rule,
        because=verdict.because,
        culprit=verdict.culprit,
    )


def _name(group: Group) -> str:
    scope, name = group
    return f"{scope.value}:{name}" if name else scope.value


def _id(group: Group, since: dt.datetime, status: Status, run_id: str) -> str:
    return hashlib.sha256(f"{_name(group)} {since.isoformat()} {status} {run_id}".encode()).hexdigest()[:32]
