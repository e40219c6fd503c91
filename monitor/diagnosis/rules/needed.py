"""Rank 5, 7 and 8: a failed exchange that the step needed, and the owner of the host that failed."""

from __future__ import annotations

from monitor.diagnosis.compared import code_changed, is_comparable, is_new, own_changed, turned
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.mechanisms import Mechanism, detail_for, is_defect, is_half_taken, is_hollow, mechanism_of
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.rules.led_to import is_led_astray
from monitor.diagnosis.scripts import asked_by_own
from monitor.diagnosis.trials import failing_alike, looks, passed, was_cleared, world_answers
from monitor.diagnosis.wording import happening, where
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import ExperimentKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome

_CLIENTS_SIDE = {
    Mechanism.NAME: (Detail.CLIENT_DNS, "if another resolver knows the name"),
    Mechanism.RESOLVER: (Detail.CLIENT_DNS, "if another resolver answers"),
    Mechanism.PATH: (Detail.UND_PATH, "if the host answers from elsewhere"),
    Mechanism.BROKEN_OFF: (Detail.UND_PATH, "if the host answers from elsewhere"),
    Mechanism.UNREACHABLE: (Detail.CLIENT_NETWORK, "if the host answers from elsewhere"),
    Mechanism.REFUSED: (Detail.CLIENT_NETWORK, "if the host takes connections from elsewhere"),
    Mechanism.TLS: (Detail.CLIENT_TLS_INTERCEPTION, "if the certificate looks different from elsewhere"),
}
_CERTIFICATES = {
    Failure.TLS_CERT_EXPIRED: (Detail.CLIENT_CLOCK, "if our clock is wrong"),
    Failure.TLS_CERT_NOT_YET_VALID: (Detail.CLIENT_CLOCK, "if our clock is wrong"),
    Failure.TLS_CERT_DATE_INVALID: (Detail.CLIENT_CLOCK, "if our clock is wrong"),
    Failure.TLS_CERT_NAME_INVALID: (Detail.CLIENT_NETWORK, "if a gateway answers for every host"),
}
_GONE = frozenset({404, 410})
_NO_CONTENT = frozenset({204, 205})
_FAULT_WITH_THE_REQUEST = frozenset({400, 402, 409, 412, 422})
_CODE_AND_DATA = frozenset({"script", "xhr", "fetch"})
_ANSWERED_NAME = frozenset({Failure.DNS_NAME_NOT_RESOLVED, Failure.DNS_NO_ADDRESS, Failure.DNS_CNAME_LOOP})


def several_parties(incident: Incident) -> Finding | None:
    """R16: needed exchanges of more than one party failed, and each may be enough."""
    failed = (*incident.needed, *_as_likely(incident))
    decided = {detail: x for x in failed if (detail := _decisive(incident, x)) is not None}
    if len({detail.cause for detail in decided}) < 2:  # noqa: PLR2004 - several begins at two
        return None
    happened = tuple(happening(x) for x in decided.values())
    return Finding(
        detail=Detail.UND_MULTIPLE_CAUSES,
        confidence=Confidence.NONE,
        because=f"{incident.scene} more than one thing failed, and each may be enough: {'; '.join(happened)}.",
        evidence=happened,
        exchanges=tuple(x.id for x in decided.values()),
        alternatives=tuple(alternative(detail, happening(x)) for detail, x in decided.items()),
    )


def _as_likely(incident: Incident) -> list[Exchange]:
    """Return code and data of others that failed in the same step and did not before, where no experiment cleared them.

    Where the step itself waited for what failed, or an intervention told, nothing else is as likely.
    """
    if not incident.needed or incident.certain:
        return []
    step = incident.step.name if incident.step else ""
    mine = [x for x in incident.suspects if x.step in ("", step) and x.resource in _CODE_AND_DATA and not x.pending]
    new = [x for x in mine if turned(incident, x) and not incident.owner(x).beside]
    return [x for x in new if not was_cleared(incident, x.host)]


def asked_in_vain(incident: Incident) -> Finding | None:
    """R08: since it changed, a page or script of ours asks a vendor for something at an address that it never had."""
    if not is_comparable(incident) or not own_changed(incident):
        return None
    for exchange in incident.needed:
        theirs = incident.owner(exchange).party is Party.THIRD_PARTY and exchange.status in _GONE
        if not theirs or not is_new(incident, exchange) or not asked_by_own(incident, exchange):
            continue
        source = exchange.initiator.url if exchange.initiator else ""
        owner = incident.context.owners.owner_of(source or incident.context.check.target.base_url)
        words = "since the last good run our own page or script changed, and only now asks for it"
        return Finding(
            detail=Detail.OWN_CONTENT,
            families=frozenset({Family.COMPARISON}),
            because=f"{incident.scene} {happening(exchange)}; {words} ({owner.title}).",
            culprit=incident.culprit(owner),
            evidence=(happening(exchange), words),
            exchanges=(exchange.id,),
            alternatives=(alternative(Detail.TP_CONTENT, "the vendor may have promised this address"),),
        )
    return None


def needed_failed(incident: Incident) -> Finding | None:
    """R08: one party's exchange failed and the step needed it."""
    if not incident.needed:
        return None
    for exchange in incident.needed:
        detail = _decisive(incident, exchange)
        if detail is not None:
            return _blame(incident, exchange, detail)
    return _abstain(incident, incident.needed[0])


def _decisive(incident: Incident, exchange: Exchange) -> Detail | None:
    """Return the detail where the failure can be laid at one side's door from this one place."""
    owner = incident.owner(exchange)
    if owner.operator is not None or is_led_astray(incident, exchange):
        return None
    mechanism = mechanism_of(exchange)
    if mechanism in (Mechanism.PATH, Mechanism.UNREACHABLE):
        return detail_for(owner.party, mechanism) if _only_that_vendor(incident, owner) else None
    if _may_be_held(incident, exchange) or mechanism in (Mechanism.RESOLVER, Mechanism.POLICY):
        return None
    if mechanism is Mechanism.BROKEN_OFF and not _repeated(incident, exchange):
        return None
    if mechanism is Mechanism.NAME and not _name_is_gone(incident, exchange):
        return None
    return detail_for(owner.party, mechanism, exchange)


def _only_that_vendor(incident: Incident, owner: Owner) -> bool:
    """Say whether a vendor is proven to be what failed, while other sites answer: then it is not our line."""
    proven = incident.replayed is not None or incident.blocked is not None
    return owner.party is Party.THIRD_PARTY and proven and world_answers(incident)


def _may_be_held(incident: Incident, exchange: Exchange) -> bool:
    """Say whether the page itself may not have taken an answer in, and our own socket did not miss it either.

    That is so where the answer had begun, or where another vendor's code came that is not known to be what it was. A
    vendor is cleared by it only where the very same request is answered now.
    """
    if not exchange.pending or exchange.resource == "http":
        return False
    if incident.replayed is not None or failing_alike(incident, exchange, ExperimentKind.REPROBE):
        return False
    owner = incident.owner(exchange)
    again = [e for e in looks(incident, ExperimentKind.REPROBE, exchange.host) if e.exchanges[-1].url == exchange.url]
    believed = owner.party is Party.OWN or any(passed(e) for e in again)
    return is_half_taken(exchange) or (believed and is_comparable(incident) and _has_doubtful_code(incident, owner))


def _has_doubtful_code(incident: Incident, waiting: Owner) -> bool:
    """Say whether code of a vendor other than the one that is waited for came, and may not be what it was."""
    owner_of = incident.context.owners.owner_of
    step = incident.step.name if incident.step else ""
    code = [x for x in incident.exchanges if x.resource == "script" and x.step in ("", step) and not x.pending]
    foreign = [x for x in code if incident.owner(x).party is Party.THIRD_PARTY and not is_defect(x)]
    unread = [x for x in foreign if x.body_sha256 is None and not x.from_cache and x.transfer_bytes != 0]
    doubtful = [x.url for x in unread] + [each.url for each in code_changed(incident, Party.THIRD_PARTY)]
    return any(owner_of(url).name != waiting.name for url in doubtful)


def _repeated(incident: Incident, exchange: Exchange) -> bool:
    """Say whether the same host failed in the same way each time: one broken connection proves nothing."""
    if failing_alike(incident, exchange, ExperimentKind.REPROBE, ExperimentKind.DIRECT):
        return True
    numbers = {attempt.number for attempt in incident.evidence.attempts if attempt.outcome is Outcome.FAILED}
    seen = {x.attempt for x in incident.evidence.exchanges if x.host == exchange.host and x.failure is exchange.failure}
    return len(numbers) > 1 and numbers <= seen


def _name_is_gone(incident: Incident, exchange: Exchange) -> bool:
    """Believe the resolver only if it answered, and, where its words are a browser's, knew another domain's name."""
    if exchange.resource == "http" and exchange.failure in _ANSWERED_NAME:
        return True
    domain_of = incident.context.owners.domain_of
    return exchange.failure in _ANSWERED_NAME and any(
        x.address is not None and x.timings.resolve and domain_of(x.host) != domain_of(exchange.host)
        for x in incident.exchanges
    )


def _blame(incident: Incident, exchange: Exchange, detail: Detail) -> Finding:
    owner = incident.owner(exchange)
    mechanism = mechanism_of(exchange)
    runner_up = _certificate(exchange) or _CLIENTS_SIDE.get(mechanism) or _was_sent_wrong(incident, exchange)
    others = tuple(happening(x) for x in incident.needed if x.id != exchange.id)
    return Finding(
        detail=detail,
        because=f"{incident.scene} {happening(exchange)}; it belongs to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(happening(exchange), owner.because, *others),
        exchanges=(exchange.id,),
        alternatives=(alternative(*runner_up),) if runner_up else (),
    )


def _was_sent_wrong(incident: Incident, exchange: Exchange) -> tuple[Detail, str] | None:
    """An answer that finds fault with what it was sent may be right: the page had it from a vendor a moment before."""
    if exchange.status not in _FAULT_WITH_THE_REQUEST or incident.owner(exchange).party is not Party.OWN:
        return None
    before = [
        x
        for x in incident.exchanges
        if x.resource in ("xhr", "fetch") and x.step == exchange.step and x.timings.started < exchange.timings.started
    ]
    vendors = [owner for x in before if (owner := incident.owner(x)).party is Party.THIRD_PARTY and not owner.beside]
    if not vendors or exchange.method in ("GET", "HEAD"):
        return None
    return Detail.TP_CONTENT, f"if what {vendors[-1].name} answered just before was wrong"


def _certificate(exchange: Exchange) -> tuple[Detail, str] | None:
    return _CERTIFICATES.get(exchange.failure) if exchange.failure is not None else None


def _abstain(incident: Incident, exchange: Exchange) -> Finding:
    owner = incident.owner(exchange)
    mechanism = mechanism_of(exchange)
    astray = is_led_astray(incident, exchange)
    detail, what_would_tell = _ASTRAY if astray else _open_question(mechanism, operator=owner.operator)
    theirs = detail_for(owner.party, mechanism, exchange)
    candidates = [alternative(theirs, f"the host belongs to {owner.title}")] if theirs else []
    if owner.operator is not None:
        candidates.append(alternative(Detail.TP_HOSTED, f"{owner.operator} serves this name"))
    elif astray:
        candidates.append(alternative(Detail.OWN_CONTENT, "our own side may lead to a wrong address"))
    elif mechanism in _CLIENTS_SIDE and _CLIENTS_SIDE[mechanism][0] is not detail:
        candidates.append(alternative(*_CLIENTS_SIDE[mechanism]))
    return Finding(
        detail=detail,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(exchange)}; {what_would_tell}.",
        evidence=(happening(exchange), owner.because),
        exchanges=(exchange.id,),
        alternatives=tuple(candidates),
    )


_ASTRAY = (
    Detail.UND_SHARED_RESPONSIBILITY,
    "our own side led to this address, and whether it is wrong or the vendor lost it is not known",
)


def _open_question(mechanism: Mechanism, *, operator: str | None) -> tuple[Detail, str]:
    if operator is not None:
        return Detail.UND_SHARED_RESPONSIBILITY, f"whether {operator} or our settings there failed, is not known"
    if mechanism in (Mechanism.PATH, Mechanism.UNREACHABLE, Mechanism.BROKEN_OFF):
        return Detail.UND_PATH, "the host, the way to it or this place may be at fault, and only another place can tell"
    if mechanism in (Mechanism.NAME, Mechanism.RESOLVER):
        return Detail.UND_INSUFFICIENT, "the zone or our resolver may be at fault, and only a second resolver can tell"
    if mechanism is Mechanism.SILENT:
        return Detail.UND_INSUFFICIENT, "whether the host was silent or the page too busy to take it in is not known"
    return Detail.UND_INSUFFICIENT, "this says too little about whose failure it is"


def empty_page(incident: Incident) -> Finding | None:
    """R08: the page or answer that the step went to came with 200 and nothing in it."""
    error = incident.step.error if incident.step else None
    if error is None or incident.needed:
        return None
    pages = [
        x for x in incident.exchanges if x.resource in ("document", "http") and incident.owner(x).party is Party.OWN
    ]
    last = pages[-1] if pages else None
    if last is None or not (_is_empty_page(last) or _became_nothing(incident, last)):
        return None
    empty, owner = last, incident.owner(last)
    words = f"{where(empty)} answered {empty.status} with an empty page"
    return Finding(
        detail=Detail.OWN_CONTENT,
        because=f"{incident.scene} {words}; it belongs to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(words,),
        exchanges=(empty.id,),
    )


def _became_nothing(incident: Incident, exchange: Exchange) -> bool:
    """Say whether a page that came in the last good run is answered with no content now: the browser stays put."""
    return exchange.status in _NO_CONTENT and exchange.resource == "document" and turned(incident, exchange)


def _is_empty_page(exchange: Exchange) -> bool:
    is_page = exchange.mime_type == "text/html" or (exchange.resource == "document" and not exchange.mime_type)
    return is_page and is_hollow(exchange)


RULES = (
    Rule(id="R16", decide=several_parties),
    Rule(id="R08", decide=asked_in_vain),
    Rule(id="R08", decide=needed_failed),
    Rule(id="R08", decide=empty_page),
)
