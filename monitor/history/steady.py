"""Good HTTP runs that were answered as the one before: most are, so they are told apart before anything is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from monitor.domain.exchange import Exchange
from monitor.domain.reference import Answer, Reference
from monitor.domain.run import Run

REFRESH = dt.timedelta(minutes=15)
"""How long a good run that differs in nothing is remembered in memory alone, and an answer that changed counts as one
that does so often."""

_MOST_ADDRESSES = 32

Key = tuple[str, str]
Exchanges = Callable[[Run], tuple[Exchange, ...]]


@dataclass(frozen=True, slots=True)
class _Known:
    marks: tuple[tuple[object, ...], ...]
    changing: frozenset[Key]
    until: dt.datetime


class Steady:
    """What the last good HTTP run of each check was answered, in a few words. Used by the event loop and one thread."""

    def __init__(self, exchanges: Exchanges) -> None:
        """Look at those exchanges of a run that ``exchanges`` returns."""
        self._exchanges = exchanges
        self._known: dict[str, _Known] = {}
        self._latest: dict[str, tuple[str, dt.datetime]] = {}

    def repeats(self, run: Run) -> bool:
        """Say whether a good run differs in nothing from the last one; then nothing but its name and time is new."""
        name = run.check.name
        known = self._known.get(name)
        started = run.started_at
        if known is None or started >= known.until or _marks(self._exchanges(run), known.changing) != known.marks:
            return False
        self._latest[name] = (run.run_id, started)
        return True

    def learn(self, run: Run, changing: Iterable[Key]) -> None:
        """Remember a good run that was taken in as a whole, and which of its answers change by themselves."""
        often = frozenset(changing)
        marks = _marks(self._exchanges(run), often)
        self._latest.pop(run.check.name, None)
        self._known[run.check.name] = _Known(marks, often, run.started_at + REFRESH)

    def forget(self, name: str) -> None:
        """Have the next good run of a check taken in as a whole."""
        self._known.pop(name, None)
        self._latest.pop(name, None)

    def refreshed(self, name: str, reference: Reference) -> Reference:
        """Return what is kept of a check as of the last run that was answered in the same way."""
        latest = self._latest.get(name)
        return reference if latest is None else replace(reference, run_id=latest[0], taken_at=latest[1])

    @property
    def ahead(self) -> tuple[str, ...]:
        """Return the checks of which a later good run is known than the one that was written."""
        return tuple(self._latest)


def _marks(exchanges: tuple[Exchange, ...], changing: frozenset[Key]) -> tuple[tuple[object, ...], ...]:
    if not changing:
        return tuple([(x.method, x.url, x.status, x.mime_type, x.body_sha256) for x in exchanges])
    return tuple(
        [
            (x.method, x.url, x.status, x.mime_type, None if (x.method, x.url) in changing else x.body_sha256)
            for x in exchanges
        ]
    )


def changes(
    answers: tuple[Answer, ...], before: Mapping[Key, Answer], known: Mapping[Key, dt.datetime], now: dt.datetime
) -> dict[Key, dt.datetime]:
    """Return which answers changed between good runs of late, and when; of those a hash says nothing."""
    found = {key: at for key, at in known.items() if now - at < REFRESH}
    seen: dict[Key, str | None] = {}
    for answer in answers:
        key = (answer.method, answer.url)
        earlier = before.get(key)
        differs = earlier is not None and earlier.sha256 != answer.sha256
        if differs or (key in seen and seen[key] != answer.sha256):
            found[key] = now
        seen[key] = answer.sha256
    return {key: at for key, at in found.items() if key in seen}


def with_addresses(answers: tuple[Answer, ...], before: Mapping[Key, Answer]) -> tuple[Answer, ...]:
    """Return the answers with the addresses at which they were given in earlier good runs too, the latest first."""
    return tuple(
        replace(answer, addresses=tuple(dict.fromkeys((*answer.addresses, *earlier.addresses)))[:_MOST_ADDRESSES])
        if (earlier := before.get((answer.method, answer.url))) is not None
        else answer
        for answer in answers
    )
