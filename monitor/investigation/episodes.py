"""Consecutive failures of one check with one signature: the first is investigated, repeats are only looked after."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from monitor.diagnosis.case import Case
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome
from monitor.domain.run import Run

ANEW_AFTER = 10
EXPERIMENTS = "experiments"
"""What an investigation that may spend no more says that it cut short."""
_FRESH_EACH_TIME = frozenset({ExperimentKind.CONTROL, ExperimentKind.REPROBE})
_GOOD = frozenset({Outcome.PASSED})

Signature = tuple[str, ...]


class Extent(Enum):
    """How much of an investigation a failed run is worth."""

    FULL = auto()
    BRIEF = auto()


@dataclass(slots=True)
class Episode:
    """Consecutive runs of one check that did not pass, in one way.

    Attributes:
        repeats: Runs since the one that was investigated in full.
        experiments: What was found out then; empty as long as nothing was.
        run: The latest run.
    """

    check: str
    signature: Signature
    since: dt.datetime
    run: Run
    runs: int = 1
    repeats: int = 0
    investigated: bool = False
    experiments: tuple[Experiment, ...] = field(default=())


def signature_of(case: Case) -> Signature:
    """Return in what way a run did not pass: the step, the kind of its error, and what the step needed and missed."""
    step = case.step
    kind = step.error.kind.value if step is not None and step.error is not None else ""
    needed = sorted({f"{x.host} {x.status or (x.failure.value if x.failure else 'pending')}" for x in case.needed})
    return (case.judgement.outcome.value, step.name if step else "", kind, *needed)


def _is_about(experiments: tuple[Experiment, ...], run: Run) -> bool:
    """Say whether all hosts that were left out or stood in for were asked by this run too."""
    asked = {x.host for x in run.evidence.exchanges}
    return all(set(each.hosts) <= asked for each in experiments)


def _is_unfinished(run: Run) -> bool:
    passed = any(e.kind is ExperimentKind.RERUN and e.outcome in _GOOD for e in run.evidence.experiments)
    return passed or any(cut.what == EXPERIMENTS for cut in run.evidence.truncated)


class Episodes:
    """The open episodes of all checks."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: dict[str, Episode] = {}

    def begin(self, run: Run, case: Case) -> tuple[Extent, tuple[Experiment, ...]]:
        """Take in a run that did not pass; return what it is worth, and what earlier runs of the episode found out."""
        signature = signature_of(case)
        episode = self._open.get(run.check.name)
        if episode is None or episode.signature != signature:
            since = run.started_at if episode is None else episode.since
            self._open[run.check.name] = Episode(
                check=run.check.name,
                signature=signature,
                since=since,
                run=run,
                runs=1 if episode is None else episode.runs + 1,
            )
            return Extent.FULL, ()
        episode.run = run
        episode.runs += 1
        episode.repeats += 1
        if not episode.investigated or episode.repeats > ANEW_AFTER or not _is_about(episode.experiments, run):
            return Extent.FULL, ()
        return Extent.BRIEF, episode.experiments

    def investigated(self, run: Run) -> None:
        """Note what a full investigation found out, so that repeats go by it.

        Nothing is noted where the journey passed again, which tells nothing of the next run that fails, nor where an
        investigation was cut short: the next run is worth a full one.
        """
        episode = self._open.get(run.check.name)
        if episode is None or _is_unfinished(run):
            return
        lasting = (each for each in run.evidence.experiments if each.kind not in _FRESH_EACH_TIME)
        episode.experiments = tuple(replace(each, of_run=each.of_run or run.run_id) for each in lasting)
        episode.investigated = True
        episode.repeats = 0

    def judged(self, run: Run) -> None:
        """Take in what was found of a run in the end."""
        episode = self._open.get(run.check.name)
        if episode is not None:
            episode.run = run

    def end(self, check: str) -> Episode | None:
        """Close the episode of a check that passed."""
        return self._open.pop(check, None)

    def retain(self, checks: frozenset[str]) -> None:
        """Forget checks that are no more."""
        self._open = {name: episode for name, episode in self._open.items() if name in checks}

    @property
    def open(self) -> tuple[Episode, ...]:
        """Return the open episodes, the oldest first."""
        return tuple(sorted(self._open.values(), key=lambda episode: episode.since))
