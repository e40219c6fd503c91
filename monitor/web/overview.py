"""What the front page shows: each check's state, its age, its last runs and whose the failure is."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from monitor.config.settings import Settings
from monitor.domain.check import Check, Schedule
from monitor.domain.outcome import SlotState
from monitor.domain.run import Slot
from monitor.history.values import CheckState, Coverage, RunSummary
from monitor.investigation.correlation import Incident
from monitor.scheduling.timetable import datetime_of, moment_of, timetable_of
from monitor.web import words
from monitor.web.events import DeploymentLine
from monitor.web.runs_query import address

# A figure that rests on fewer of the planned slots says more about the monitor than about the site.
LEAST_COVERAGE = 0.9
STRIP = 30
_NAMED = 5
_SLACK = dt.timedelta(seconds=60)
_REMEMBERED = 20_000
_WITHOUT_RESULT = frozenset({SlotState.MISSED, SlotState.LOST})


class State(StrEnum):
    """How a check is shown."""

    FAILED = "failed"
    DEGRADED = "degraded"
    INCONCLUSIVE = "inconclusive"
    REFUSED = "refused"
    STALE = "stale"
    WAITING = "waiting"
    PASSED = "passed"


WORDS: Mapping[State, str] = {
    State.FAILED: "failed",
    State.DEGRADED: "slow",
    State.INCONCLUSIVE: "inconclusive",
    State.REFUSED: "cannot run",
    State.STALE: "no data",
    State.WAITING: "waiting",
    State.PASSED: "passed",
}
_ORDER = {state: number for number, state in enumerate(State)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one check stands: its last run, and the state which that amounts to now."""

    check: Check
    state: State
    last: RunSummary | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What one check did lately: its newest runs, the slots without a result, and a day's coverage."""

    runs: Sequence[RunSummary]
    gaps: Sequence[Slot]
    coverage: Coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One slot in the strip of a check."""

    state: str
    title: str
    run_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One check's line."""

    check: str
    title: str
    state: State
    word: str
    age: str
    schedule: str
    duration: str
    strip: tuple[Mark, ...]
    strip_text: str
    availability: str
    coverage: str
    runs: str
    run_id: str | None = None
    cause: str | None = None
    cause_word: str = ""
    culprit: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """How many checks are in one state."""

    state: State
    word: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLine:
    """One cause that several checks suffer from."""

    cause: str
    cause_word: str
    culprit: str
    age: str
    checks: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The whole front page."""

    headline: str
    rows: tuple[Row, ...]
    incidents: tuple[IncidentLine, ...]
    tiles: tuple[Tile, ...]
    deployments: tuple[DeploymentLine, ...]
    notices: tuple[str, ...]
    nothing: str
    page: int
    pages: int


def standings(
    checks: Sequence[Check],
    states: Mapping[str, CheckState],
    in_force_since: Mapping[str, dt.datetime],
    now: dt.datetime,
) -> tuple[Standing, ...]:
    """Return where each check stands: what needs somebody first, and no data never looks like good news."""
    found = []
    for check in checks:
        known = states.get(check.name)
        state = _state(check, known, in_force_since.get(check.name, now), now)
        found.append(Standing(check=check, state=state, last=known.run if known else None))
    return tuple(sorted(found, key=lambda one: (_ORDER[one.state], one.check.name)))


def tiles(all_of_them: Sequence[Standing], refused: int = 0) -> tuple[Tile, ...]:
    """Count the checks by state; ``refused`` ones are configured and cannot run."""
    counts = Counter(one.state for one in all_of_them)
    counts[State.REFUSED] = refused
    always = (State.PASSED, State.DEGRADED, State.FAILED, State.INCONCLUSIVE, State.STALE)
    shown = always + tuple(state for state in (State.REFUSED, State.WAITING) if counts[state])
    return tuple(Tile(state=state, word=WORDS[state], count=counts[state]) for state in shown)


def why_nothing(settings: Settings) -> str:
    """Return in one sentence why there is no check to show; empty where there is one."""
    if any(check.enabled for check in settings.checks):
        return ""
    if settings.refused:
        return "Every check that is configured was refused; the notices above say why."
    if settings.checks:
        return f"Every check in {settings.path} has enabled: false."
    return f"No checks are configured. Add one to {settings.path}, then reload: send the monitor SIGHUP."


def headline(counted: Sequence[Tile]) -> str:
    """Return the title of the page, so that its tab tells what needs somebody while another one is read."""
    wanting = [tile for tile in counted if tile.count and tile.state not in {State.PASSED, State.WAITING}]
    order = sorted(wanting, key=lambda tile: _ORDER[tile.state])
    return ", ".join(f"{tile.count} {tile.word}" for tile in order) or "Checks"


def row(one: Standing, past: Past, *, title: str, now: dt.datetime) -> Row:
    """Return the line of one check."""
    last, strip = one.last, _strip(past)
    verdict = last.verdict if last else None
    return Row(
        check=one.check.name,
        title=title,
        state=one.state,
        word=WORDS[one.state],
        age=f"{words.span((now - last.started_at).total_seconds())} ago" if last else "never",
        schedule=_schedule(one.check),
        duration=words.seconds(last.duration) if last else "",
        strip=strip,
        strip_text=_strip_text(strip),
        availability=_availability(past.coverage),
        coverage=_coverage(past.coverage),
        runs=address([("check", one.check.name)]),
        run_id=last.run_id if last else None,
        cause=verdict.cause.value if verdict else None,
        cause_word=words.cause_word(verdict.cause) if verdict else "",
        culprit=verdict.culprit.name if verdict and verdict.culprit else "",
        because=verdict.because if verdict else "",
    )


def incident_lines(incidents: Sequence[Incident], now: dt.datetime) -> tuple[IncidentLine, ...]:
    """Return a line for each cause that several checks suffer from; what one check suffers from stands in its row."""
    several = [incident for incident in incidents if len(incident.episodes) > 1]
    return tuple(_incident_line(incident, now) for incident in several)


def _incident_line(incident: Incident, now: dt.datetime) -> IncidentLine:
    names = ", ".join(incident.episodes[:_NAMED])
    more = len(incident.episodes) - _NAMED
    return IncidentLine(
        cause=incident.cause.value,
        cause_word=words.cause_word(incident.cause),
        culprit=incident.culprit.name if incident.culprit else "",
        age=words.span((now - incident.since).total_seconds()),
        checks=f"{names} and {more} more" if more > 0 else names,
        note=incident.note,
    )


def fresh_until(check: Check, moment: dt.datetime) -> dt.datetime:
    """Return until when a run that was planned for a moment says something about now."""
    if check.interval is not None:
        return moment + max(3 * check.interval, check.interval + check.deadline + _SLACK)
    # Nights and weekends may lie between two moments of a crontab, so it is the next one that counts.
    return _slot_after(check.name, check.schedule, moment) + check.deadline + _SLACK


@lru_cache(_REMEMBERED)
def _slot_after(name: str, schedule: Schedule, moment: dt.datetime) -> dt.datetime:
    following = timetable_of(name, schedule).following(moment_of(moment))
    return moment if following is None else datetime_of(following)


def _state(check: Check, known: CheckState | None, since: dt.datetime, now: dt.datetime) -> State:
    run, slot = (known.run, known.slot) if known else (None, None)
    if run is not None and now <= fresh_until(check, run.scheduled_at):
        return State(run.outcome.value)
    unseen = slot is not None and slot.state in _WITHOUT_RESULT
    if run is not None or unseen or now > fresh_until(check, since):
        return State.STALE
    return State.WAITING


def _schedule(check: Check) -> str:
    if check.interval is None:
        return f"at {check.schedule.cron} ({check.schedule.timezone})"
    return f"every {words.span(check.interval.total_seconds())}"


def _strip(past: Past) -> tuple[Mark, ...]:
    moments: dict[dt.datetime, Mark] = {}
    for slot in past.gaps:
        reason = f" ({slot.reason.value})" if slot.reason else ""
        text = f"{words.moment(slot.scheduled_at)}: {slot.state.value}{reason}"
        moments[slot.scheduled_at] = Mark(state=slot.state.value, title=text, run_id=None)
    for run in past.runs:
        why = f", {words.cause_word(run.verdict.cause)}" if run.verdict else ""
        text = f"{words.moment(run.scheduled_at)}: {run.outcome.value}{why}, {words.seconds(run.duration)}"
        moments[run.scheduled_at] = Mark(state=run.outcome.value, title=text, run_id=run.run_id)
    return tuple(moments[moment] for moment in sorted(moments)[-STRIP:])


def _strip_text(strip: Sequence[Mark]) -> str:
    counts = Counter(mark.state for mark in strip)
    if not counts:
        return "no runs yet"
    return f"Last {len(strip)} slots: " + ", ".join(f"{count} {state}" for state, count in counts.most_common())


def _availability(coverage: Coverage) -> str:
    if not coverage.planned:
        return ""
    if (coverage.ratio or 0) < LEAST_COVERAGE:
        return "too little data"
    return words.share(coverage.good, coverage.conclusive)


def _coverage(coverage: Coverage) -> str:
    if not coverage.planned:
        return ""
    return f"24 h, coverage {words.share(coverage.conclusive, coverage.planned) or '0 %'}"
