"""R12: what became of the journey with the check's second account, where the first one was refused."""

from __future__ import annotations

from monitor.diagnosis.incident import Family, Finding, Incident, alternative, environment
from monitor.diagnosis.mechanisms import Mechanism, detail_for
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.trials import gone, made, passed, reruns
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Confidence, Detail
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Validity


def told_by_second_account(incident: Incident, refused: Exchange) -> Finding | None:
    """Say that only our account is refused, or that a second one is refused just the same; else nothing."""
    tried = next(iter(made(incident, ExperimentKind.ACCOUNT)), None)
    if tried is None or gone(incident):
        # What passes with the first account too was not refused for the account's sake.
        return None
    if passed(tried):
        return _ours_alone(incident, refused)
    return _everybody(incident, refused) if _alike(tried, refused) else None


def _alike(tried: Experiment, refused: Exchange) -> bool:
    path = parts_of(refused.url).path
    return any(
        (x.host, parts_of(x.url).path, x.status) == (refused.host, path, refused.status) for x in tried.exchanges
    )


def _ours_alone(incident: Incident, refused: Exchange) -> Finding:
    words = "with the second account of the check the same step passed"
    again = "; with the first one it was refused once more" if reruns(incident) else ""
    return Finding(
        detail=Detail.UND_MONITOR_CONFIG,
        confidence=Confidence.NONE,
        validity=Validity.INVALID,
        because=f"{incident.scene} {happening(refused)}, yet {words}{again}: it is our test account, not the site. "
        "Renew the account.",
        culprit=environment("the monitor's configuration"),
        evidence=(happening(refused), words),
        exchanges=(refused.id,),
    )


def _everybody(incident: Incident, refused: Exchange) -> Finding | None:
    owner = incident.owner(refused)
    detail = detail_for(owner.party, Mechanism.STATUS)
    if detail is None:
        return None
    words = "the second account of the check is refused just the same"
    return Finding(
        detail=detail,
        because=f"{incident.scene} {happening(refused)}; {words}, so it is not the account ({owner.title}).",
        culprit=incident.culprit(owner),
        families=frozenset({Family.CODES}),
        evidence=(happening(refused), words, owner.because),
        exchanges=(refused.id,),
        alternatives=(
            alternative(Detail.OWN_ACCESS, "a guard may refuse the monitor"),
            alternative(Detail.UND_MONITOR_CONFIG, "both accounts may have expired"),
        ),
    )
