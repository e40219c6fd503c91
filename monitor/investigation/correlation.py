"""Puts the open episodes of all checks side by side: what fails together has one cause. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Alternative, Culprit, CulpritKind, Diagnosis
from monitor.domain.outcome import Outcome
from monitor.domain.run import Judgement, Run
from monitor.investigation.open_episode import OpenEpisode, episode_of
from monitor.investigation.several_journeys import is_independent, surer, why_surer

TOGETHER = dt.timedelta(minutes=5)
LATELY = dt.timedelta(minutes=30)
NEARLY_ALL = 0.8
_FEWEST_CHECKS = 3
_FEWEST_TARGETS = 2
_MOST_CONTROLS = 2
RULE = "S6"


class Scope(StrEnum):
    """What the episodes of an incident have in common."""

    CHECK = "check"
    VENDOR = "vendor"
    HOST = "host"
    PLACE = "place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Episodes that go back to one cause.

    Attributes:
        id: Stable as long as the incident is open.
        episodes: The names of the checks.
        note: What a person should know, where it could not be decided.
    """

    id: str
    scope: Scope
    cause: Cause
    detail: Detail
    culprit: Culprit | None
    episodes: tuple[str, ...]
    since: dt.datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A new verdict on a run whose episode is still open."""

    run_id: str
    at: dt.datetime
    why: str
    judgement: Judgement


class Correlator:
    """Follows the runs of all checks at one place."""

    def __init__(self, location: str) -> None:
        """Begin without any run."""
        self._location = location
        self._open: dict[str, OpenEpisode] = {}
        self._seen: dict[str, dt.datetime] = {}
        self._revised: set[str] = set()

    def note(self, run: Run) -> tuple[Revision, ...]:
        """Take in a finished run; return the verdicts that have to be revised in its light."""
        name, at = run.check.name, run.started_at
        self._seen[name] = at
        if run.outcome is Outcome.PASSED:
            self._open.pop(name, None)
            return ()
        before = self._open.get(name)
        self._open[name] = episode_of(run, since=before.since if before else at)
        if self._place():
            return tuple(self._revisions(at))
        return tuple(self._raised(at, self._open[name]))

    def retain(self, checks: Iterable[str]) -> None:
        """Forget checks that are no more."""
        names = set(checks)
        self._open = {name: episode for name, episode in self._open.items() if name in names}
        self._seen = {name: at for name, at in self._seen.items() if name in names}

    def open_incidents(self) -> tuple[Incident, ...]:
        """Return what is wrong just now, the oldest first; each open episode belongs to one incident."""
        place = self._place()
        if place:
            rest = [episode for episode in self._open.values() if episode not in place]
            found = [self._incident_of_place(place)]
        else:
            rest, found = list(self._open.values()), []
        groups: dict[tuple[Scope, str], list[OpenEpisode]] = {}
        for episode in rest:
            groups.setdefault(_common(episode), []).append(episode)
        found += [_incident(scope, name, group) for (scope, name), group in groups.items()]
        return tuple(sorted(found, key=lambda incident: (incident.since, incident.id)))

    def _place(self) -> tuple[OpenEpisode, ...]:
        """Return the episodes that began together where nearly everything fails, whoever it belongs to."""
        if len(self._open) < _FEWEST_CHECKS:
            return ()
        latest = max(episode.since for episode in self._open.values())
        begun = [episode for episode in self._open.values() if latest - episode.since <= TOGETHER]
        # To a host that answered, be it with an error, the line of this place was up.
        together = tuple(episode for episode in begun if not episode.answered)
        lately = [name for name, at in self._seen.items() if max(self._seen.values()) - at <= LATELY]
        several = len({episode.target for episode in together}) >= _FEWEST_TARGETS
        enough = len(together) >= max(_FEWEST_CHECKS, NEARLY_ALL * len(lately))
        culprits = {_common(episode) for episode in together if episode.diagnosis is not None}
        return together if several and enough and len(culprits) >= _FEWEST_TARGETS else ()

    def _revisions(self, at: dt.datetime) -> list[Revision]:
        place = self._place()
        if not place or not _controls_agree(place):
            return []
        why = self._why(place)
        found = []
        for episode in place:
            diagnosis = episode.diagnosis
            if diagnosis is None or diagnosis.cause is Cause.CLIENT_ENVIRONMENT or episode.run_id in self._revised:
                continue
            judgement = replace(episode.judgement, diagnosis=_of_place(diagnosis, why))
            self._revised.add(episode.run_id)
            self._open[episode.check] = replace(episode, judgement=judgement)
            found.append(Revision(run_id=episode.run_id, at=at, why=why, judgement=judgement))
        self._revised &= {episode.run_id for episode in self._open.values()}
        return found

    def _raised(self, at: dt.datetime, latest: OpenEpisode) -> Iterator[Revision]:
        """Yield surer verdicts on those who fail by one party at the same time as ``latest``, and on it."""
        group = [one for one in self._open.values() if _common(one) == _common(latest) and self._is_of_now(one, latest)]
        for episode in group:
            others = [one for one in group if is_independent(one, episode)]
            judgement = surer(episode, others)
            if judgement is not None:
                self._open[episode.check] = replace(episode, judgement=judgement)
                yield Revision(run_id=episode.run_id, at=at, why=f"{why_surer(episode, others)}.", judgement=judgement)

    def _is_of_now(self, episode: OpenEpisode, latest: OpenEpisode) -> bool:
        seen = abs(self._seen[latest.check] - self._seen[episode.check])
        return max(seen, abs(latest.since - episode.since)) <= LATELY

    def _why(self, place: tuple[OpenEpisode, ...]) -> str:
        targets = len({episode.target for episode in place})
        return (
            f"{len(place)} checks of {targets} targets began to fail together as seen from {self._location}, "
            "and the controls failed with them."
        )

    def _incident_of_place(self, place: tuple[OpenEpisode, ...]) -> Incident:
        since = min(episode.since for episode in place)
        agree = _controls_agree(place)
        note = f"{len(place)} checks of different targets began to fail together as seen from {self._location}"
        return Incident(
            id=_id(since, Scope.PLACE, self._location),
            scope=Scope.PLACE,
            cause=Cause.CLIENT_ENVIRONMENT if agree else Cause.UNDETERMINED,
            detail=Detail.CLIENT_NETWORK if agree else Detail.UND_PATH,
            culprit=_LINE if agree else None,
            episodes=tuple(sorted(episode.check for episode in place)),
            since=since,
            note=note if agree else f"{note}, though the controls do not show that it is this place",
        )


_LINE = Culprit(kind=CulpritKind.ENVIRONMENT, name="the client's network")


def _controls_agree(episodes: Iterable[OpenEpisode]) -> bool:
    """Say whether several controls failed with the runs, and none of the runs saw most of them answer."""
    asked = [episode for episode in episodes if episode.controls_passed + episode.controls_failed]
    failing = [episode for episode in asked if episode.controls_failed >= _MOST_CONTROLS]
    return bool(failing) and all(episode.controls_failed > episode.controls_passed for episode in asked)


def _common(episode: OpenEpisode) -> tuple[Scope, str]:
    """Return by what an episode is told to be the same as another."""
    diagnosis = episode.diagnosis
    culprit = diagnosis.culprit if diagnosis is not None else None
    if diagnosis is None or culprit is None or diagnosis.confidence is Confidence.NONE:
        return Scope.CHECK, episode.check
    match diagnosis.cause:
        case Cause.THIRD_PARTY:
            return Scope.VENDOR, culprit.name
        case Cause.OWN_INFRASTRUCTURE if culprit.host:
            return Scope.HOST, culprit.host
        case Cause.CLIENT_ENVIRONMENT:
            return Scope.PLACE, culprit.name
        case _:
            return Scope.CHECK, episode.check


def _incident(scope: Scope, name: str, episodes: list[OpenEpisode]) -> Incident:
    first = min(episodes, key=lambda episode: episode.since)
    sure = next((one for one in episodes if one.diagnosis and one.diagnosis.confidence is Confidence.CONFIRMED), first)
    found = sure.diagnosis
    return Incident(
        id=_id(first.since, scope, name),
        scope=scope,
        cause=found.cause if found else Cause.UNDETERMINED,
        detail=found.detail if found else Detail.UND_INSUFFICIENT,
        culprit=found.culprit if found else None,
        episodes=tuple(sorted(episode.check for episode in episodes)),
        since=first.since,
    )


def _id(since: dt.datetime, scope: Scope, name: str) -> str:
    return f"{since:%Y%m%dT%H%M%S}-{scope.value}-{name}"


def _of_place(before: Diagnosis, why: str) -> Diagnosis:
    other = Alternative(cause=before.cause, detail=before.detail, because=before.because)
    return replace(
        before,
        cause=Cause.CLIENT_ENVIRONMENT,
        detail=Detail.CLIENT_NETWORK,
        confidence=Confidence.CONFIRMED,
        rule=RULE,
        because=f"{why} The network of this place is at fault.",
        culprit=_LINE,
        alternatives=(other, *before.alternatives)[:2],
    )
