"""What is remembered of a check that does not pass, to be put beside the others."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.domain.diagnosis import Diagnosis
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome
from monitor.domain.run import Judgement, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEpisode:
    """The latest run of a check that does not pass, and since when it does not.

    Attributes:
        controls_failed: Controls of which nothing came; one that answered with an error was reached.
        failed_at: Host and path of what the diagnosis rests on.
        answered: Whether the host itself answered what the diagnosis rests on, so that the line to it was up.
    """

    check: str
    target: str
    since: dt.datetime
    run_id: str
    judgement: Judgement
    controls_passed: int = 0
    controls_failed: int = 0
    journey: str = ""
    failed_at: frozenset[str] = frozenset()
    answered: bool = False

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Return what was found of the latest run."""
        return self.judgement.diagnosis


def episode_of(run: Run, *, since: dt.datetime) -> OpenEpisode:
    """Return what is remembered of a run whose check does not pass ``since`` then."""
    controls = [each for each in run.evidence.experiments if each.kind is ExperimentKind.CONTROL]
    return OpenEpisode(
        check=run.check.name,
        target=run.check.target.name,
        since=since,
        run_id=run.run_id,
        judgement=run.judgement,
        controls_passed=sum(each.outcome is Outcome.PASSED for each in controls),
        controls_failed=sum(each.outcome is Outcome.FAILED and not _was_reached(each) for each in controls),
        journey=run.check.journey,
        failed_at=frozenset(f"{x.host}{urlsplit(x.url).path}" for x in _failed(run)),
        answered=any(x.status is not None for x in _failed(run)),
    )


def _was_reached(control: Experiment) -> bool:
    return bool(control.exchanges) and control.exchanges[-1].status is not None


def _failed(run: Run) -> tuple[Exchange, ...]:
    """Return the exchanges that the diagnosis rests on."""
    diagnosis = run.judgement.diagnosis
    ids = set(diagnosis.exchanges) if diagnosis is not None else set()
    return tuple(x for x in run.evidence.exchanges if x.id in ids)
