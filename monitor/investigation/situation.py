"""What the planner may look at when it chooses what to try next."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.config.settings import InvestigationSettings
from monitor.diagnosis.case import Case
from monitor.domain.check import Check
from monitor.domain.evidence import Evidence
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.journey import JourneyOutline, ProbeKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.ownership import Ownership
from monitor.domain.profile import ClientProfile
from monitor.domain.reference import Reference
from monitor.investigation.budget import Left


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One moment of an investigation.

    Attributes:
        slow: For a run that was only slow the hosts and parts that may be to blame, the likeliest first.
        reference: The last good run, where there is one that is young enough.
        reference_profile: Another profile, known to be served well.
    """

    case: Case
    evidence: Evidence
    check: Check
    outline: JourneyOutline
    ownership: Ownership
    settings: InvestigationSettings
    left: Left
    slow: tuple[str, ...] = ()
    reference: Reference | None = None
    reference_profile: ClientProfile | None = None

    @property
    def in_browser(self) -> bool:
        """Say whether the journey is made in a browser, where a page may do without some of its hosts."""
        return self.outline.probe is ProbeKind.BROWSER

    @property
    def only_slow(self) -> bool:
        """Say whether the run got there, over budget."""
        return self.case.judgement.outcome is Outcome.DEGRADED

    @property
    def until(self) -> str:
        """Return the step that is investigated: the one that failed, or the slowest beyond its budget."""
        if self.case.step is not None and not self.only_slow:
            return self.case.step.name
        steps = [step for step in self.evidence.last.steps if step.outcome is not StepOutcome.NOT_REACHED]
        slow = [step for step in steps if step.outcome is StepOutcome.DEGRADED]
        worst = max(slow, key=lambda step: step.duration - (step.budget or 0.0), default=None)
        if worst is not None:
            return worst.name
        return steps[-1].name if steps else self._last_harmless

    @property
    def _last_harmless(self) -> str:
        """Return how far a run that never began may be made again: as far as nothing changes the world."""
        harmless = ""
        for step in self.outline.steps:
            if step.effects:
                break
            harmless = step.name
        return harmless

    @property
    def with_effects(self) -> frozenset[str]:
        """Return the steps that change the world."""
        return frozenset(step.name for step in self.outline.steps if step.effects)

    @property
    def repeatable(self) -> bool:
        """Say whether the journey may be made again up to that step: nothing on the way changes the world."""
        if self.case.guarded or not self.until:
            return False
        for step in self.outline.steps:
            if step.effects:
                return False
            if step.name == self.until:
                return True
        return False

    def done(self, *kinds: ExperimentKind) -> tuple[Experiment, ...]:
        """Return the experiments of these kinds that were made, in their order."""
        return tuple(each for each in self.evidence.experiments if each.kind in kinds)

    def replayable(self, host: str) -> bool:
        """Say whether the last good run left something with which a host can be stood in for."""
        found = self.reference
        return found is not None and bool(found.archive) and any(x.replayable and x.host == host for x in found.answers)

    def replayable_at(self, url: str) -> bool:
        """Say whether the last good run left what was answered at a URL, whatever its query."""
        found, bare = self.reference, _bare(url)
        if found is None or not found.archive:
            return False
        return any(answer.replayable and _bare(answer.url) == bare for answer in found.answers)


def _bare(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]
