"""R15: the failure did not come back when the journey was made again."""

from __future__ import annotations

from dataclasses import replace

from monitor.diagnosis.compared import differences
from monitor.diagnosis.incident import Finding, Incident, alternative
from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.diagnosis.rules.client import page_too_busy
from monitor.diagnosis.trials import failing_alike, gone, passed, reruns
from monitor.diagnosis.wording import complaint, happening
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import ExperimentKind
from monitor.domain.outcome import Validity

# A connection that breaks off once may break off on any part of the way; a refusal or an answer has an author.
_PASSING = frozenset(
    {Mechanism.BROKEN_OFF, Mechanism.PATH, Mechanism.UNREACHABLE, Mechanism.PROTOCOL, Mechanism.RESOLVER}
)
_HERE = frozenset({Detail.UND_CONFLICT, Detail.UND_MONITOR_CONFIG})


def not_reproduced(incident: Incident, finding: Finding) -> Finding | None:
    """R15: say that it was gone, or, where a needed request visibly failed, keep its cause as probable only."""
    if not gone(incident) or finding.validity is not Validity.VALID or finding.detail in _HERE:
        return None
    again = [x for x in incident.needed if failing_alike(incident, x, ExperimentKind.REPROBE)]
    if again:
        return None
    times = sum(passed(rerun) for rerun in reruns(incident))
    words = "the journey passed when it was made again" + (f", {times} times" if times > 1 else "")
    visible = {x.id for x in incident.needed if _is_plain(x)} & set(finding.exchanges)
    if finding.detail.cause is not Cause.UNDETERMINED and (visible or _was_measured(incident, finding)):
        return replace(
            finding,
            confidence=Confidence.PROBABLE,
            because=f"{finding.because.removesuffix('.')}; {words}.",
            alternatives=(alternative(Detail.UND_NOT_REPRODUCED, words), *finding.alternatives)[:2],
        )
    seen = happening(incident.needed[0]) if incident.needed else complaint(incident)
    others = (alternative(finding.detail, "what the failed run alone suggests"), *finding.alternatives)
    return Finding(
        detail=Detail.UND_NOT_REPRODUCED,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {seen}; {words}, so whose failure it was cannot be found out any more.",
        evidence=finding.evidence,
        exchanges=finding.exchanges,
        alternatives=tuple(dict.fromkeys(others))[:2],
    )


def _was_measured(incident: Incident, finding: Finding) -> bool:
    """Say whether a script that is not what it was in the last good run was measured to hold the page."""
    busy = page_too_busy(incident)
    host = busy.culprit.host if busy is not None and busy.culprit is not None else ""
    changed = any(each.host == host and each.resource == "script" for each in differences(incident))
    return busy is not None and busy.detail is finding.detail and changed


def _is_plain(exchange: Exchange) -> bool:
    return mechanism_of(exchange) not in _PASSING
