"""One investigation: batch after batch, judged anew after each, until it is settled or the budget is spent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from monitor.config.settings import InvestigationSettings
from monitor.diagnosis.case import case_of, guards_met
from monitor.diagnosis.context import Context
from monitor.diagnosis.judge import judge
from monitor.diagnosis.rules.access import ACCOUNT_RULE
from monitor.diagnosis.slowness import slow_suspects
from monitor.domain.evidence import Evidence, Truncation
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.journey import JourneyOutline
from monitor.domain.outcome import Validity
from monitor.domain.ownership import Ownership
from monitor.domain.profile import ClientProfile
from monitor.domain.reference import Reference
from monitor.domain.run import Run
from monitor.investigation.budget import LOOK_COST, Budget
from monitor.investigation.controls import Controls
from monitor.investigation.episodes import EXPERIMENTS
from monitor.investigation.experiments import Again, Batch, Look
from monitor.investigation.planner import brief_batch, next_batch
from monitor.investigation.situation import Situation
from monitor.investigation.trials import Trials

# Whatever the rules say, no investigation goes round for ever.
_MOST_BATCHES = 24
GUARDED = "set a rate limit or a robot challenge when the journey was made again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What an investigation goes by, beside the run itself."""

    context: Context
    outline: JourneyOutline
    ownership: Ownership
    settings: InvestigationSettings
    reference: Reference | None = None
    reference_profile: ClientProfile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """With what experiments are made.

    Attributes:
        allows: Takes the cost, counted in runs, from what all investigations together may spend, or refuses.
        noted: Told of each experiment that was made.
    """

    trials: Trials
    controls: Controls
    allows: Callable[[float], bool] = lambda _: True
    noted: Callable[[Experiment], None] = lambda _: None


class Inquiry:
    """One investigation of one run. ``run`` is always what is known so far, whenever it is asked."""

    def __init__(self, run: Run, matter: Matter, means: Means, budget: Budget) -> None:
        """Begin with the run as it is."""
        self.run = run
        self._matter = matter
        self._means = means
        self._budget = budget
        self._case = case_of(run.evidence, matter.context)

    async def in_full(self) -> Run:
        """Try what the planner chooses until nothing is left to be tried; return the run with what came of it."""
        for _ in range(_MOST_BATCHES):
            batch = next_batch(self._situation())
            if batch is None or not await self._carry_out(batch):
                break
        return self.run

    async def in_brief(self, carried: tuple[Experiment, ...] = ()) -> Run:
        """Look only whether all is as it was when the episode began, and take over what was found out then."""
        batch = brief_batch(self._situation())
        if batch is not None:
            await self._carry_out(batch)
        self._add(carried)
        return self.run

    async def _carry_out(self, batch: Batch) -> bool:
        """Make the experiments of a batch; say whether anything was made."""
        costly = [look for look in batch.looks if look.kind is not ExperimentKind.CONTROL]
        cost = LOOK_COST * len(costly) + (1.0 if batch.again else 0.0)
        looks = batch.looks
        if not self._means.allows(cost):
            self._cut_short(planned=len(costly) + (batch.again is not None))
            looks = tuple(look for look in looks if look.kind is ExperimentKind.CONTROL)
            await self._look(looks)
            return False
        if batch.again is not None:
            await self._again(batch.again)
        await self._look(looks)
        return True

    async def _look(self, looks: tuple[Look, ...]) -> None:
        if not looks:
            return
        self._budget.spend(requests=len(looks))
        seconds = self._budget.left().seconds
        made: list[Experiment | None] = [None] * len(looks)

        async def one(number: int, look: Look) -> None:
            made[number] = await self._one_look(look, seconds)

        try:
            async with asyncio.TaskGroup() as group:
                for number, look in enumerate(looks):
                    group.create_task(one(number, look))
        finally:
            # In the order in which they were planned, so that the same facts are always told in the same order.
            self._add(tuple(each for each in made if each is not None))

    async def _one_look(self, look: Look, seconds: float) -> Experiment:
        async def make() -> Experiment:
            experiment = await self._means.trials.look(look, self.run, seconds)
            self._means.noted(experiment)
            return experiment

        if look.kind is ExperimentKind.CONTROL:
            return await self._means.controls.look(look, self.run, make)
        return await make()

    async def _again(self, again: Again) -> None:
        self._budget.spend(journeys=1)
        experiment = await self._means.trials.again(
            again, self.run, self._matter.outline, self._budget.left().seconds, partial(self._illness, again.kind)
        )
        self._means.noted(experiment)
        self._add((experiment,))

    def _illness(self, kind: ExperimentKind, evidence: Evidence) -> str:
        """Return why a journey of ours says nothing: the rules say so of it as of any run."""
        guards = guards_met(evidence, self._matter.context)
        if guards:
            return f"{guards[0].host} {GUARDED}, so nothing further is tried"
        judgement = judge(evidence, self._matter.context)
        if judgement.validity is not Validity.INVALID:
            return ""
        if kind is ExperimentKind.ACCOUNT and judgement.diagnosis and judgement.diagnosis.rule == ACCOUNT_RULE:
            # That the second account is refused as well is what was asked.
            return ""
        return judgement.diagnosis.because if judgement.diagnosis else "we were unwell"

    def _add(self, experiments: tuple[Experiment, ...]) -> None:
        if not experiments:
            return
        evidence = self.run.evidence
        self._take(replace(evidence, experiments=(*evidence.experiments, *experiments)))

    def _cut_short(self, *, planned: int) -> None:
        evidence = self.run.evidence
        made = len(evidence.experiments)
        cut = Truncation(what=EXPERIMENTS, kept=made, seen=made + planned)
        self._take(replace(evidence, truncated=(*evidence.truncated, cut)))

    def _take(self, evidence: Evidence) -> None:
        self._case = case_of(evidence, self._matter.context)
        self.run = replace(self.run, evidence=evidence, judgement=self._case.judgement)

    def _situation(self) -> Situation:
        return Situation(
            case=self._case,
            evidence=self.run.evidence,
            check=self.run.check,
            outline=self._matter.outline,
            ownership=self._matter.ownership,
            settings=self._matter.settings,
            left=self._budget.left(),
            slow=slow_suspects(self.run.evidence, self._matter.context),
            reference=self._matter.reference,
            reference_profile=self._matter.reference_profile,
        )
