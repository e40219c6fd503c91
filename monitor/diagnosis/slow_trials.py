"""What experiments showed about a slow run: whether it was quick without a suspect, and whether others saw it slow."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.diagnosis.excess import Excess
from monitor.diagnosis.incident import Finding, Incident
from monitor.diagnosis.trials import AGREEING
from monitor.domain.cause import Cause, Party
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Phase
from monitor.domain.outcome import Outcome

_WITHOUT = frozenset({ExperimentKind.COUNTERFACTUAL, ExperimentKind.BLOCK, ExperimentKind.REPLAY})
_LOOKS = frozenset({ExperimentKind.REPROBE, ExperimentKind.ORIGIN, ExperimentKind.VANTAGE, ExperimentKind.RESOLVER})
_GOOD = frozenset({Outcome.PASSED, Outcome.DEGRADED})
_STILL = 0.70
_AGREES = 0.5
_GOOD_WORDS = {ExperimentKind.BLOCK: "blocked", ExperimentKind.REPLAY: "answered from the last good run"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Journeys that were made again without a suspect's slowness, or unchanged.

    Attributes:
        restored: The experiments without which the step was within limits, by whose hosts they were.
        useless: Those in which the step stayed as slow as before.
        gone: Whether an unchanged run afterwards was quick, so that the slowness went by itself.
        slow_again: How many unchanged runs afterwards were slow as well.
    """

    restored: tuple[tuple[Party, Experiment], ...] = ()
    useless: tuple[Experiment, ...] = ()
    gone: bool = False
    slow_again: int = 0

    def restored_by(self, party: Party) -> str:
        """Say how quick the step was without a party's slowness; empty where nothing showed that."""
        return _in_words(self._of(party))

    def restored_without(self, host: str | None) -> str:
        """Say how quick the step was without the slowness of one host alone; empty where nothing showed that."""
        return _in_words(next((one for _, one in self.restored if one.hosts == (host,)), None))

    def contradict(self, party: Party) -> bool:
        """Say whether the same change left the step slow once, so that neither says anything of it."""
        hosts = {frozenset(one.hosts) for one in self._all_of(party)}
        return any(frozenset(one.hosts) in hosts for one in self.useless)

    def prove(self, party: Party) -> bool:
        """Say whether enough journeys agree that a party's slowness is what makes the difference."""
        agreeing = len(self._all_of(party)) + len(self.useless) + self.slow_again
        return self.slow_again > 0 and agreeing >= AGREEING

    def host_of(self, party: Party) -> str:
        """Return the first host without whose slowness the step was within limits."""
        found = self._of(party)
        return found.hosts[0] if found is not None else ""

    def refuted(self, host: str | None, *, own: bool = False) -> str:
        """Say how slow the step stayed without the slowness of a host; empty where nothing showed that."""
        for one in self.useless:
            # Pages and calls of ours that the archive does not hold are answered by the host itself, as slowly as ever.
            if (
                host in one.hosts
                and not (own and one.missed)
                and not any(host in good.hosts for _, good in self.restored)
            ):
                return (
                    f"with {host} {_GOOD_WORDS.get(one.kind, 'taking no time')} it still took {one.step_seconds:.1f} s"
                )
        return ""

    def _of(self, party: Party) -> Experiment | None:
        return next(iter(self._all_of(party)), None)

    def _all_of(self, party: Party) -> list[Experiment]:
        return [one for whose, one in self.restored if whose is party]


def _in_words(restored: Experiment | None) -> str:
    if restored is None:
        return ""
    how = _GOOD_WORDS.get(restored.kind, "taking no time")
    return f"with {', '.join(restored.hosts)} {how} the step took {restored.step_seconds:.1f} s"


def trials_of(incident: Incident, excess: Excess) -> Trials:
    """Return what journeys that were made again say about the slow step, or about the whole where no step was slow."""
    if excess.seconds <= 0:
        return Trials()
    restored, useless, reruns = [], [], []
    for one in incident.evidence.experiments:
        if not _got_there(one):
            continue
        if one.kind is ExperimentKind.RERUN:
            reruns.append(_is_within(one, excess))
        elif one.kind in _WITHOUT and one.hosts:
            party = _party(incident, one)
            if party is not None and _is_within(one, excess):
                restored.append((party, one))
            elif excess.step and (one.step_seconds or 0.0) >= excess.took - (1 - _STILL) * excess.seconds:
                useless.append(one)
    return Trials(
        restored=tuple(restored),
        useless=tuple(useless),
        gone=any(reruns),
        slow_again=0 if any(reruns) else len(reruns),
    )


def _got_there(experiment: Experiment) -> bool:
    """Say whether the step was walked through, be it slowly: nothing in it failed."""
    walked = experiment.outcome in _GOOD or (experiment.outcome is Outcome.FAILED and not experiment.failed_step)
    return walked and experiment.step_seconds is not None


def _is_within(experiment: Experiment, excess: Excess) -> bool:
    if not excess.step or excess.limit is None:
        return experiment.outcome is Outcome.PASSED
    return experiment.step_seconds is not None and experiment.step_seconds <= excess.limit


def _party(incident: Incident, experiment: Experiment) -> Party | None:
    """Return whose hosts were changed, or ``None`` where they were more than one party's."""
    parties = {incident.context.owners.owner_of(host).party for host in experiment.hosts}
    return parties.pop() if len(parties) == 1 else None


def agreeing_look(incident: Incident, excess: Excess, finding: Finding) -> str:
    """Say which look of ours met the same host as slow in the same phase; empty where none did."""
    if finding.detail.cause is Cause.CLIENT_ENVIRONMENT or not finding.exchanges:
        return ""
    slow = next((x for x in incident.exchanges if x.id == finding.exchanges[0]), None)
    if slow is None:
        return ""
    phase = max(Phase, key=lambda one: slow.timings.of(one) or 0.0)
    seconds = slow.timings.of(phase) or 0.0
    for one in incident.evidence.experiments:
        if one.kind not in _LOOKS or not one.exchanges or one.outcome not in _GOOD:
            continue
        met = _longest(one.exchanges, slow.host, phase)
        if seconds > 0 and met >= _AGREES * min(seconds, excess.seconds):
            return (
                f"a look of ours at {slow.host} ({one.kind.value}) took {met:.1f} s in the same phase ({phase.value})"
            )
    return ""


def _longest(exchanges: tuple[Exchange, ...], host: str, phase: Phase) -> float:
    return max((x.timings.of(phase) or 0.0 for x in exchanges if x.host == host), default=0.0)
