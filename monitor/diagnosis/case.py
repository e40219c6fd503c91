"""What an investigation has to know of a run that did not pass, before it chooses what else to find out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.diagnosis.context import Context
from monitor.diagnosis.dependencies import incident_of, with_needs
from monitor.diagnosis.edges import edge_named
from monitor.diagnosis.incident import Incident
from monitor.diagnosis.judge import judge
from monitor.diagnosis.mechanisms import is_defect
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.rules.access import guard_of
from monitor.domain.cause import Confidence, Party
from monitor.domain.evidence import Evidence, StepResult
from monitor.domain.exchange import Exchange
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement

_CODE = frozenset({"script", "stylesheet"})
_DATA = frozenset({"xhr", "fetch"})
_TOO_MANY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenHost:
    """A host that was used up to the failure, and what may make it the one that did harm.

    Attributes:
        needed: Whether a failed exchange with it is one that the step needed.
        code: Whether scripts or stylesheets came from it.
        data: Whether pages or data came from it.
        failed: Whether an exchange with it went wrong.
        pending: Whether code from it was still open at the failure.
        changed: Paths whose answer differs from the last good run, or that are new; where nothing was compared, none.
        seconds: Main-thread work of its scripts in the failing step.
        on_stack: Whether its code threw, or made the element that was in the way.
        loaded_by: The host whose script asked for its first code; empty where the page itself did.
    """

    host: str
    owner: Owner
    needed: bool = False
    code: bool = False
    data: bool = False
    failed: bool = False
    pending: bool = False
    changed: tuple[str, ...] = ()
    seconds: float = 0.0
    on_stack: bool = False
    loaded_by: str = ""

    @property
    def beside(self) -> bool:
        """Say whether it belongs to a trade that runs beside the page, so that no step needs it."""
        return self.owner.beside

    @property
    def foreign(self) -> bool:
        """Say whether it belongs to a third party."""
        return self.owner.party is Party.THIRD_PARTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A run as its investigation sees it.

    Attributes:
        judgement: What the rules say with what is known so far.
        step: The step that did not succeed; ``None`` where there is none, or where the run was only slow.
        needed: The failed exchanges that the step needed, the most telling first.
        suspects: Failed exchanges of which nobody knows whether the step needed them.
        hosts: Every host that was used, the most suspicious first.
        effects: Whether that step or an earlier one has effects, so that the journey must not be made again.
        guarded: Whether a rate limit or a robot challenge answered: nothing further may be asked.
        edge: The edge provider that answered for the needed exchange; empty where none is known.
        settled: Whether nothing that could be tried would change what is said.
    """

    judgement: Judgement
    step: StepResult | None = None
    needed: tuple[Exchange, ...] = ()
    suspects: tuple[Exchange, ...] = ()
    hosts: tuple[SeenHost, ...] = ()
    effects: bool = False
    guarded: bool = False
    edge: str = ""
    settled: bool = False

    @property
    def vendors(self) -> tuple[SeenHost, ...]:
        """Return the hosts of third parties, the most suspicious first."""
        return tuple(host for host in self.hosts if host.foreign)

    @property
    def own(self) -> tuple[SeenHost, ...]:
        """Return our own hosts, the most suspicious first."""
        return tuple(host for host in self.hosts if not host.foreign)

    @property
    def repeatable(self) -> bool:
        """Say whether the journey may be made again up to the step that failed."""
        return self.step is not None and not self.effects and not self.guarded


def case_of(evidence: Evidence, context: Context) -> Case:
    """Return what is known of a run and what stands open. Pure; evidence with experiments gives a newer case."""
    judgement = judge(evidence, context)
    if not evidence.attempts:
        return Case(judgement=judgement, settled=True)
    incident = with_needs(incident_of(evidence, context))
    guarded = bool(_guards(incident, (*incident.exchanges, *_looked_at(evidence))))
    return Case(
        judgement=judgement,
        step=incident.step,
        needed=incident.needed,
        suspects=incident.suspects,
        hosts=_hosts(incident),
        effects=_has_effects(incident),
        guarded=guarded,
        edge=next((name for x in incident.needed if (name := edge_named(x, context.owners))), ""),
        settled=_is_settled(judgement),
    )


def _is_settled(judgement: Judgement) -> bool:
    if judgement.outcome is Outcome.PASSED or judgement.diagnosis is None:
        return True
    return judgement.validity is Validity.INVALID or judgement.diagnosis.confidence is Confidence.CONFIRMED


def _looked_at(evidence: Evidence) -> Iterable[Exchange]:
    return (x for experiment in evidence.experiments for x in experiment.exchanges)


def guards_met(evidence: Evidence, context: Context) -> tuple[Exchange, ...]:
    """Return where a rate limit or a robot challenge answered that the journey may depend on."""
    return _guards(incident_of(evidence, context), evidence.exchanges) if evidence.attempts else ()


def _guards(incident: Incident, exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    return tuple(x for x in exchanges if _is_guard(incident, x))


def _is_guard(incident: Incident, exchange: Exchange) -> bool:
    if exchange.status == _TOO_MANY or guard_of(exchange) is not None:
        return not incident.owner(exchange).beside
    return False


def _has_effects(incident: Incident) -> bool:
    for step in incident.attempt.steps:
        if step.effects:
            return True
        if incident.step is not None and step.name == incident.step.name:
            return False
    return False


def _hosts(incident: Incident) -> tuple[SeenHost, ...]:
    names = dict.fromkeys(x.host for x in incident.exchanges if x.host)
    return tuple(sorted((_seen(incident, name) for name in names), key=_suspicion, reverse=True))


def _seen(incident: Incident, host: str) -> SeenHost:
    exchanges = [x for x in incident.exchanges if x.host == host]
    code = [x for x in exchanges if x.resource in _CODE]
    loader = code[0].initiator if code else None
    loaded_by = (parts_of(loader.url).hostname or "") if loader and loader.kind == "script" else ""
    return SeenHost(
        host=host,
        owner=incident.context.owners.owner_of(host),
        needed=any(x.host == host for x in incident.needed),
        code=bool(code),
        data=any(x.resource in _DATA | {"document", "http"} for x in exchanges),
        failed=any(is_defect(x) for x in exchanges),
        pending=any(x.pending for x in code),
        changed=_changed(incident, host),
        seconds=_seconds(incident, host),
        on_stack=host in _stacks(incident),
        loaded_by=loaded_by if loaded_by != host else "",
    )


def _changed(incident: Incident, host: str) -> tuple[str, ...]:
    compared = incident.evidence.compared
    differences = compared.differences if compared else ()
    return tuple(dict.fromkeys(parts_of(each.url).path or "/" for each in differences if each.host == host))


def _seconds(incident: Incident, host: str) -> float:
    step = incident.step.name if incident.step else ""
    scripts = (s for s in incident.evidence.scripts if not step or s.step in ("", step))
    return sum(script.seconds for script in scripts if parts_of(script.url).hostname == host)


def _stacks(incident: Incident) -> frozenset[str | None]:
    error = incident.step.error if incident.step else None
    frames = [frame for each in incident.evidence.page_errors for frame in each.frames]
    return frozenset(parts_of(url).hostname for url in (*frames, *(error.intercepted_stack if error else ())))


def _suspicion(host: SeenHost) -> tuple[bool, bool, float, bool, bool, bool, bool]:
    failed = host.failed and not host.beside
    return host.needed, host.on_stack, host.seconds, failed, host.pending, bool(host.changed), host.code
