"""How sure a finding is: on how many independent kinds of evidence it rests, experiments included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from monitor.diagnosis.compared import turned
from monitor.diagnosis.incident import Family, Finding, Incident
from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.diagnosis.rules.led_to import finds_fault_with_the_request
from monitor.diagnosis.told import told
from monitor.diagnosis.trials import (
    diverse,
    elsewhere,
    failing_alike,
    fails_alike_there,
    is_reproduced,
    passed,
    reprobes,
    world_answers,
)
from monitor.diagnosis.wording import listed
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Validity

OF_THE_WAY = frozenset(
    {Detail.OWN_DNS, Detail.OWN_CONNECT, Detail.OWN_TLS, Detail.TP_DNS, Detail.TP_CONNECT, Detail.TP_TLS}
)
"""What the way from here may feign as well as the host: looking twice from one place makes none of it sure."""
_TWO = 2
_THREE = 3
_OF_THE_SYSTEM = frozenset({Failure.TCP_ACCESS_DENIED, Failure.TCP_OFFLINE})
_SERVERS_SIDE = frozenset({Cause.OWN_INFRASTRUCTURE, Cause.THIRD_PARTY})


def corroborated(incident: Incident, finding: Finding) -> Finding:
    """Return the finding with what agrees with it, the sentence of what proved it, and the confidence that follows."""
    finding = replace(finding, evidence=tuple(dict.fromkeys((*finding.evidence, *told(incident)))))
    if finding.detail.cause is Cause.UNDETERMINED or finding.validity is Validity.INVALID:
        return finding
    proofs = dict(_proofs(incident, finding))
    families = finding.families | set(proofs)
    sure = finding.confidence is Confidence.CONFIRMED or _is_sure(incident, finding, families)
    new = set(proofs) - (finding.families - {Family.INTERVENTION})
    said = next((proofs[family] for family in _TELLING if family in new), "")
    return replace(
        finding,
        families=families,
        confidence=Confidence.CONFIRMED if sure else Confidence.PROBABLE,
        because=f"{finding.because.removesuffix('.')}; {said}." if said else finding.because,
    )


_TELLING = (Family.REPRODUCED, Family.INTERVENTION, Family.ELSEWHERE, Family.REPROBE, Family.CONTROLS)


def _proofs(incident: Incident, finding: Finding) -> Iterator[tuple[Family, str]]:
    exchange = next((x for x in incident.needed if x.id in finding.exchanges), None)
    if finding.detail.cause not in _SERVERS_SIDE:
        # That it fails again, and elsewhere too, is what a server at fault looks like. Only of what the system itself
        # forbids does our own socket say more than the browser did.
        if exchange is not None and exchange.failure in _OF_THE_SYSTEM:
            yield from _by_asking_again(incident, exchange)
        return
    yield from _by_intervention(incident)
    if finding.detail in OF_THE_WAY and world_answers(incident):
        yield Family.CONTROLS, f"{len(diverse(incident))} other sites were looked at in the same minute and answered"
    if exchange is None:
        return
    # Who finds fault with a request does so each time and everywhere, whoever made it wrong.
    if finds_fault_with_the_request(exchange) and not turned(incident, exchange):
        return
    places = [look for look in elsewhere(incident, exchange.host) if not passed(look)]
    alike = [look for look in places if fails_alike_there(exchange, look)]
    if alike:
        yield Family.ELSEWHERE, f"it fails from {listed(sorted({look.by for look in alike}))} too"
    yield from _by_asking_again(incident, exchange)


def _by_asking_again(incident: Incident, exchange: Exchange) -> Iterator[tuple[Family, str]]:
    again = _again(incident, exchange)
    if again:
        asked = _asked(incident, exchange)
        times = "once more" if asked == 1 else f"{again} of {asked} times"
        yield Family.REPROBE, f"asked again from here it failed in the same way {times}"


def _again(incident: Incident, exchange: Exchange) -> int:
    looks = failing_alike(incident, exchange, ExperimentKind.REPROBE)
    if mechanism_of(exchange) is Mechanism.STATUS:
        looks = tuple(look for look in looks if look.exchanges[-1].status == exchange.status)
    return len(looks)


def _asked(incident: Incident, exchange: Exchange) -> int:
    return len(reprobes(incident, exchange.host))


def _by_intervention(incident: Incident) -> Iterator[tuple[Family, str]]:
    tried = incident.blocked if incident.blocked is not None and not incident.needed else incident.replayed
    tried = tried or incident.blocked
    if tried is None:
        return
    words = _deed(tried)
    yield Family.INTERVENTION, words
    if is_reproduced(incident, tried):
        yield Family.REPRODUCED, f"{words}, and left alone it failed again"


def _deed(experiment: Experiment) -> str:
    hosts = listed(experiment.hosts) or experiment.subject
    if experiment.kind is ExperimentKind.BLOCK:
        return f"blocking {hosts} made the step pass"
    return f"replaying the last good answer of {hosts}{experiment.path} made the step pass"


def _is_sure(incident: Incident, finding: Finding, families: frozenset[Family]) -> bool:
    """Say whether two independent kinds of evidence agree, and nothing that only a control could rule out is open.

    An intervention that was not followed by a failure without it counts for nothing here: what comes and goes by itself
    is mended by anything.
    """
    counted = families - {Family.INTERVENTION}
    if _stopped_midway(incident, finding) and Family.ELSEWHERE not in counted:
        return False
    if finding.detail in OF_THE_WAY:
        return _is_sure_of_the_way(incident, finding, counted)
    if Family.REPRODUCED in counted:
        return True
    if finding.detail.cause is Cause.CLIENT_ENVIRONMENT:
        return len(counted) >= _TWO
    return incident.certain and len(counted) >= _TWO


def _stopped_midway(incident: Incident, finding: Finding) -> bool:
    """Say whether an answer began and then stopped coming, which a way that loses large packets does too."""
    failed = [x for x in incident.needed if x.id in finding.exchanges and x.pending]
    again = (end for x in failed for end in reprobes(incident, x.host))
    return any(x.status is not None and x.failure is Failure.HTTP_RESPONSE_TIMED_OUT for x in again)


def _is_sure_of_the_way(incident: Incident, finding: Finding, families: frozenset[Family]) -> bool:
    if Family.STATEMENT in families:
        return len(families) >= _TWO
    if not incident.certain:
        return False
    if Family.RESOLVER in families or Family.ELSEWHERE in families:
        return len(families) >= _TWO
    failed = [mechanism_of(x) for x in incident.exchanges if x.id in finding.exchanges]
    unreached = Mechanism.PATH in failed or Mechanism.UNREACHABLE in failed
    return Family.CONTROLS in families and len(families) >= _THREE and not unreached
