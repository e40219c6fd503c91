"""What a run that did not pass looks like to the rules, and what a rule may find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from monitor.diagnosis.context import Context
from monitor.diagnosis.owners import Owner
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.diagnosis import Alternative, Culprit, CulpritKind
from monitor.domain.evidence import Attempt, Evidence, StepErrorKind, StepResult
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment
from monitor.domain.failure import Phase
from monitor.domain.outcome import Validity

_AT_THE_DOOR = frozenset({Phase.RESOLVE, Phase.CONNECT, Phase.TLS})


class Family(Enum):
    """From where a piece of evidence comes. Two pieces of one family say the same thing twice."""

    CODES = auto()
    STATEMENT = auto()
    COMPARISON = auto()
    CONTROLS = auto()
    RESOLVER = auto()
    REPROBE = auto()
    ELSEWHERE = auto()
    INTERVENTION = auto()
    REPRODUCED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """The deciding attempt of a run, its failing step, and the failed exchanges on which that step depended.

    Attributes:
        exchanges: What the attempt exchanged, experiments of ours left out.
        needed: The failed exchanges that the step needed, from the strongest sign of need that was found.
        suspects: Failed exchanges of which nobody knows whether the step needed them.
        certain: Whether the step itself waited for what it needed, rather than something on its page.
        replayed: The replay that made the step pass, which names the resource.
        blocked: The blocking that made the step pass, which names what did harm.
    """

    evidence: Evidence
    context: Context
    attempt: Attempt
    step: StepResult | None
    exchanges: tuple[Exchange, ...]
    needed: tuple[Exchange, ...] = ()
    suspects: tuple[Exchange, ...] = ()
    certain: bool = False
    replayed: Experiment | None = None
    blocked: Experiment | None = None

    def owner(self, exchange: Exchange) -> Owner:
        """Return who answers for the host of an exchange, or for what was asked of it, where it could be asked."""
        if exchange.host and exchange.failed_phase in _AT_THE_DOOR:
            return self.context.owners.owner_of_host(exchange.host)
        return self.context.owners.owner_at(exchange.host, exchange.url)

    def culprit(self, owner: Owner) -> Culprit:
        """Return the culprit; for own infrastructure the team of the step's capability is nearest to the fault.

        Not where the host itself could not be reached: no capability behind it was ever asked.
        """
        asked = self.step if owner.party is Party.OWN and not owner.whole else None
        team = self.context.owners.team_of(asked.capability) if asked else None
        return Culprit(kind=CulpritKind.TEAM, name=team, host=owner.host) if team else owner.culprit

    @property
    def kind(self) -> StepErrorKind | None:
        """Return in what way the step did not succeed."""
        return self.step.error.kind if self.step and self.step.error else None

    @property
    def scene(self) -> str:
        """Return the beginning of a sentence that says where it happened."""
        return f'In step "{self.step.name}"' if self.step else "In this run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule says. The rule's id and the version of the rules are added by the judge.

    Attributes:
        families: On how many independent kinds of evidence it rests.
    """

    detail: Detail
    because: str
    confidence: Confidence = Confidence.PROBABLE
    culprit: Culprit | None = None
    validity: Validity = Validity.VALID
    families: frozenset[Family] = frozenset({Family.CODES})
    evidence: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule with its stable id; it answers ``None`` where it has nothing to say."""

    id: str
    decide: Callable[[Incident], Finding | None]


def alternative(detail: Detail, because: str = "") -> Alternative:
    """Return a runner-up."""
    return Alternative(cause=detail.cause, detail=detail, because=because)


def environment(part: str) -> Culprit:
    """Return a part of the customer's environment as the culprit."""
    return Culprit(kind=CulpritKind.ENVIRONMENT, name=part)
