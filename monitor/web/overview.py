"""What the front page shows: each check's state, its age, its last runs and whose the failure is."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.domain.check import Check
from monitor.domain.outcome import SlotState
from monitor.domain.run import Slot
from monitor.history.values import Coverage, RunSummary
from monitor.web import words

# A figure that rests on fewer of the planned slots says more about the monitor than about the site.
LEAST_COVERAGE = 0.9
_SLACK = dt.timedelta(seconds=60)
_CRON_AGE = dt.timedelta(days=1)


class State(StrEnum):
    """How a check is shown."""

    FAILED = "failed"
    DEGRADED = "degraded"
    INCONCLUSIVE = "inconclusive"
    STALE = "stale"
    WAITING = "waiting"
    REFUSED = "refused"
    PASSED = "passed"


_WORDS = {
    State.FAILED: "failed",
    State.DEGRADED: "slow",
    State.INCONCLUSIVE: "inconclusive",
    State.STALE: "no data",
    State.WAITING: "waiting for its first run",
    State.REFUSED: "not running",
    State.PASSED: "passed",
}
_ORDER = {state: number for number, state in enumerate(State)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFacts:
    """What is known of one check, as read from history."""

    check: Check
    title: str
    runs: Sequence[RunSummary]
    slots: Sequence[Slot]
    coverage: Coverage
    refusal: str | None = None


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
class Overview:
    """The whole front page."""

    rows: tuple[Row, ...]
    tiles: tuple[Tile, ...]
    notices: tuple[str, ...]


def overview(facts: Sequence[CheckFacts], *, now: dt.datetime, notices: Sequence[str]) -> Overview:
    """Arrange what is known: what needs somebody first, and no data never looks like good news."""
    rows = sorted((_row(fact, now) for fact in facts), key=lambda row: (_ORDER[row.state], row.check))
    counts = Counter(row.state for row in rows)
    shown = (State.PASSED, State.DEGRADED, State.FAILED, State.INCONCLUSIVE, State.STALE)
    tiles = tuple(Tile(state=state, word=_WORDS[state], count=counts[state]) for state in shown)
    return Overview(rows=tuple(rows), tiles=tiles, notices=tuple(notices))


def _row(fact: CheckFacts, now: dt.datetime) -> Row:
    last = fact.runs[0] if fact.runs else None
    state = State.REFUSED if fact.refusal else _state(fact.check, last, now)
    strip = _strip(fact)
    row = Row(
        check=fact.check.name,
        title=fact.title,
        state=state,
        word=_WORDS[state],
        age=f"{words.span((now - last.started_at).total_seconds())} ago" if last else "never",
        schedule=_schedule(fact.check),
        duration=words.seconds(last.duration) if last else "",
        strip=strip,
        strip_text=_strip_text(strip),
        availability=_availability(fact.coverage),
        coverage=_coverage(fact.coverage),
        run_id=last.run_id if last else None,
        because=fact.refusal or "",
    )
    return row if last is None or fact.refusal else _with_cause(row, last)


def _with_cause(row: Row, last: RunSummary) -> Row:
    if last.verdict is None:
        return row
    return replace(
        row,
        cause=last.verdict.cause.value,
        cause_word=words.cause_word(last.verdict.cause),
        culprit=last.verdict.culprit.name if last.verdict.culprit else "",
        because=last.verdict.because,
    )


def freshness_limit(check: Check) -> dt.timedelta:
    """Return the age after which a check's last run says nothing about now."""
    if check.interval is None:
        return _CRON_AGE + check.deadline + _SLACK
    return max(3 * check.interval, check.interval + check.deadline + _SLACK)


def _state(check: Check, last: RunSummary | None, now: dt.datetime) -> State:
    if last is None:
        return State.WAITING
    if now - last.scheduled_at > freshness_limit(check):
        return State.STALE
    return State(last.outcome.value)


def _schedule(check: Check) -> str:
    if check.interval is None:
        return f"at {check.schedule.cron} ({check.schedule.timezone})"
    return f"every {words.span(check.interval.total_seconds())}"


def _strip(fact: CheckFacts) -> tuple[Mark, ...]:
    runs: Mapping[dt.datetime, RunSummary] = {run.scheduled_at: run for run in fact.runs}
    moments: dict[dt.datetime, Mark] = {}
    for slot in fact.slots:
        if slot.state in {SlotState.MISSED, SlotState.LOST, SlotState.SKIPPED}:
            reason = f" ({slot.reason.value})" if slot.reason else ""
            text = f"{words.moment(slot.scheduled_at)}: {slot.state.value}{reason}"
            moments[slot.scheduled_at] = Mark(state=slot.state.value, title=text, run_id=None)
    for moment, run in runs.items():
        why = f", {words.cause_word(run.verdict.cause)}" if run.verdict else ""
        text = f"{words.moment(moment)}: {run.outcome.value}{why}, {words.seconds(run.duration)}"
        moments[moment] = Mark(state=run.outcome.value, title=text, run_id=run.run_id)
    return tuple(mark for _, mark in sorted(moments.items())[-30:])


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
    return f"of 24 h, coverage {words.share(coverage.conclusive, coverage.planned) or '0 %'}"
