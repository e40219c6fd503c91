"""Rank 4: the same request on another way, which tells on which part of the way it fails."""

from __future__ import annotations

from monitor.diagnosis.edges import edge_named
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative, environment
from monitor.diagnosis.mechanisms import Mechanism, detail_for, mechanism_of
from monitor.diagnosis.rules.controls import ISSUERS
from monitor.diagnosis.rules.origins import REFUSALS, fails_for_everybody
from monitor.diagnosis.trials import (
    Layer,
    asked_the_same,
    elsewhere,
    fails_alike_there,
    host_of,
    issuers,
    layer_of,
    looks,
    made,
    passed,
    reprobes,
    target_exchanges,
    world_answers,
)
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.diagnosis import Alternative, Culprit, CulpritKind
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind

_NETWORK = frozenset({Layer.DNS, Layer.CONNECT, Layer.TLS})
_GATEWAY = frozenset({502, 503, 504})
_CLIENT_ERROR = 400


def origin_told(incident: Incident) -> Finding | None:
    """R06: the origin behind the edge was asked directly: it is fine, so the edge is at fault; or it fails itself."""
    for exchange in incident.needed:
        look = next(iter(looks(incident, ExperimentKind.ORIGIN, exchange.host)), None)
        if look is None or incident.owner(exchange).party is not Party.OWN or exchange.status in REFUSALS:
            continue
        if passed(look) and layer_of(exchange) is Layer.HTTP and not asked_the_same(look, exchange):
            continue
        return _edge_failed(incident, exchange, look) if passed(look) else _origin_failed(incident, exchange, look)
    return None


def _edge_failed(incident: Incident, exchange: Exchange, look: Experiment) -> Finding:
    name = _edge_of(incident, exchange) or "the edge"
    return Finding(
        detail=Detail.TP_EDGE,
        families=frozenset({Family.CODES, Family.ELSEWHERE}),
        because=f"{incident.scene} {happening(exchange)}, while the origin behind it answers when asked directly: "
        f"{name} in front of it is at fault.",
        culprit=Culprit(kind=CulpritKind.VENDOR, name=name, host=exchange.host),
        evidence=(happening(exchange), f"the origin at {look.by} answered {look.exchanges[-1].status}"),
        exchanges=(exchange.id,),
    )


def _origin_failed(incident: Incident, exchange: Exchange, look: Experiment) -> Finding | None:
    end = look.exchanges[-1]
    owner = incident.owner(exchange)
    detail = detail_for(owner.party, mechanism_of(end), end)
    if detail is None:
        return None
    words = f"the origin, asked directly, fails too: it {happening(end).removeprefix(end.host).strip()}"
    if not fails_for_everybody(end, exchange):
        down, locked = "the origin may be down", "the origin may let in its edge alone"
        return _open(incident, exchange, words, (alternative(detail, down), alternative(Detail.TP_EDGE, locked)))
    return Finding(
        detail=detail,
        families=frozenset({Family.CODES, Family.ELSEWHERE}),
        because=f"{incident.scene} {happening(exchange)}; {words} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(happening(exchange), words),
        exchanges=(exchange.id,),
    )


def silent_edge(incident: Incident) -> Finding | None:
    """R06: behind an edge that does not say whose failure it is, and without a look at the origin, nobody can tell."""
    for exchange in incident.needed:
        if incident.owner(exchange).party is not Party.OWN:
            continue
        edge = _edge_of(incident, exchange)
        if edge is None or not (exchange.status in _GATEWAY or layer_of(exchange) is Layer.CONNECT):
            continue
        words = f"{edge} stands in front of it and does not say whether the origin failed"
        return _open(
            incident,
            exchange,
            words,
            (
                alternative(Detail.OWN_HTTP_STATUS, "if the origin fails too"),
                alternative(Detail.TP_EDGE, "if it does not"),
            ),
        )
    return None


def tenant_told(incident: Incident) -> Finding | None:
    """R21: a name of ours that a vendor serves failed; another customer of the vendor tells whose side."""
    for exchange in incident.needed:
        hosted = incident.context.owners.hosted(exchange.host)
        if hosted is None or mechanism_of(exchange) in (Mechanism.POLICY, Mechanism.BLOCKED):
            continue
        names = {hosted.host.lower(), host_of(hosted.control or "")}
        tenants = [e for e in made(incident, ExperimentKind.TENANT) if e.exchanges and host_of(e.subject) in names]
        if tenants:
            return _hosted(incident, exchange, hosted.vendor, tenants[-1])
    return None


def _hosted(incident: Incident, exchange: Exchange, vendor: str, tenant: Experiment) -> Finding | None:
    other = tenant.exchanges[-1]
    if _is_well(other):
        words = f"another customer of {vendor} ({other.host}) is served"
        return Finding(
            detail=Detail.UND_SHARED_RESPONSIBILITY,
            confidence=Confidence.NONE,
            because=f"{incident.scene} {happening(exchange)}, while {words}: our settings at {vendor} or {vendor}'s "
            "treatment of us is at fault.",
            evidence=(happening(exchange), words),
            exchanges=(exchange.id,),
            alternatives=(
                alternative(Detail.TP_HOSTED, f"{vendor} may fail for us alone"),
                alternative(Detail.UND_MONITOR_CONFIG, "our settings there may be wrong"),
            ),
        )
    if layer_of(other) is not layer_of(exchange):
        return None
    words = f"another customer of {vendor} fails too: {happening(other)}"
    if layer_of(exchange) in _NETWORK and not world_answers(incident):
        return _perhaps_our_line(incident, exchange, vendor, words)
    return Finding(
        detail=Detail.TP_HOSTED,
        families=frozenset({Family.CODES, Family.ELSEWHERE}),
        because=f"{incident.scene} {happening(exchange)}; {words}, so {vendor}, which serves this name, is at fault.",
        culprit=Culprit(kind=CulpritKind.VENDOR, name=vendor, host=exchange.host),
        evidence=(happening(exchange), words),
        exchanges=(exchange.id,),
    )


def _perhaps_our_line(incident: Incident, exchange: Exchange, vendor: str, words: str) -> Finding:
    """Nobody is reached over a dead line: two customers of one vendor are not either."""
    ours = Detail.CLIENT_DNS if layer_of(exchange) is Layer.DNS else Detail.CLIENT_NETWORK
    return Finding(
        detail=Detail.UND_SHARED_RESPONSIBILITY,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(exchange)}; {words}, yet nothing shows that other sites could be reached "
        f"from here: {vendor} or our own line may be at fault.",
        evidence=(happening(exchange), words),
        exchanges=(exchange.id,),
        alternatives=(alternative(Detail.TP_HOSTED, words), alternative(ours, "if other sites are not reached either")),
    )


def _is_well(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status < _CLIENT_ERROR


def other_places_told(incident: Incident) -> Finding | None:
    """R22: the host fails from every place, so its owner is at fault; or only from here."""
    for exchange in incident.needed:
        places = elsewhere(incident, exchange.host)
        network = layer_of(exchange) in _NETWORK
        if not places or not (network or exchange.status in _GATEWAY):
            continue
        if layer_of(exchange) is Layer.HTTP and not all(asked_the_same(look, exchange) for look in places):
            continue
        if not any(passed(look) for look in places):
            return _fails_everywhere(incident, exchange, places)
        if all(passed(look) for look in places) and world_answers(incident):
            return _fails_here(incident, exchange, places)
    return None


def _fails_everywhere(incident: Incident, exchange: Exchange, places: tuple[Experiment, ...]) -> Finding | None:
    owner = incident.owner(exchange)
    alike = [look for look in places if fails_alike_there(exchange, look)]
    detail = detail_for(owner.party, mechanism_of(exchange), exchange)
    if not alike or detail is None or owner.operator is not None or _edge_of(incident, exchange):
        return None
    where = " and ".join(sorted({look.by for look in alike if look.by})) or "another place"
    words = f"it fails from {where} too"
    return Finding(
        detail=detail,
        families=frozenset({Family.CODES, Family.ELSEWHERE}),
        because=f"{incident.scene} {happening(exchange)}; {words}, and it belongs to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(happening(exchange), words, owner.because),
        exchanges=(exchange.id,),
    )


def _fails_here(incident: Incident, exchange: Exchange, places: tuple[Experiment, ...]) -> Finding | None:
    where = " and ".join(sorted({look.by for look in places if look.by})) or "another place"
    words = f"from {where} it answers, and from here other sites do"
    own = incident.owner(exchange).party is Party.OWN
    edge = _edge_of(incident, exchange) if own else None
    if edge is not None:
        return Finding(
            detail=Detail.TP_EDGE,
            families=frozenset({Family.CODES, Family.ELSEWHERE, Family.CONTROLS}),
            because=f"{incident.scene} {happening(exchange)}; {words}: {edge} fails for this place.",
            culprit=Culprit(kind=CulpritKind.VENDOR, name=edge, host=exchange.host),
            evidence=(happening(exchange), words),
            exchanges=(exchange.id,),
        )
    if layer_of(exchange) not in _NETWORK:
        return None
    theirs = detail_for(incident.owner(exchange).party, mechanism_of(exchange)) or Detail.UND_INSUFFICIENT
    runners_up = (alternative(Detail.CLIENT_NETWORK, "this place's line"), alternative(theirs, "a block of this place"))
    return _open(incident, exchange, words, runners_up)


def _edge_of(incident: Incident, exchange: Exchange) -> str | None:
    """Return the edge in front of an own host: as its answers name it, or because the user told where the origin is."""
    owners = incident.context.owners
    answers = (exchange, *target_exchanges(incident))
    named = next((name for x in answers if x.host == exchange.host and (name := edge_named(x, owners))), None)
    if named is None and owners.origin_of(exchange.host) is not None:
        return owners.only_edge or "the edge"
    return named


def proxy_compared(incident: Incident) -> Finding | None:
    """R05: without the client's proxy the request is answered, so the proxy is at fault."""
    if incident.context.check.profile.proxy is None:
        return None
    for exchange in incident.needed:
        direct = looks(incident, ExperimentKind.DIRECT, exchange.host)
        by_proxy = layer_of(exchange) in _NETWORK | {Layer.PROXY} or _answered_by_proxy(incident, exchange, direct)
        again = [e for e in looks(incident, ExperimentKind.REPROBE, exchange.host) if passed(e)]
        if not direct or again or not by_proxy or not all(passed(look) for look in direct):
            continue
        words = "without the proxy it is answered"
        untrusted = {x.failure for x in (exchange, *reprobes(incident, exchange.host))} & ISSUERS
        return Finding(
            # A proxy that lets TLS through cannot change who signed a certificate.
            detail=Detail.CLIENT_TLS_INTERCEPTION if untrusted else Detail.CLIENT_PROXY,
            families=frozenset({Family.CODES, Family.ELSEWHERE}),
            because=f"{incident.scene} {happening(exchange)}; {words}, so the client's proxy is at fault.",
            culprit=environment("the client's proxy"),
            evidence=(happening(exchange), words),
            exchanges=(exchange.id,),
        )
    return None


def _answered_by_proxy(incident: Incident, exchange: Exchange, direct: tuple[Experiment, ...]) -> bool:
    """Say whether an error came from the proxy itself: it answers what is plain, and what it can read along with.

    Inside TLS that the proxy only lets through, nobody but the host can have answered.
    """
    if layer_of(exchange) is not Layer.HTTP or not all(asked_the_same(look, exchange) for look in direct):
        return False
    if exchange.url.startswith("http://"):
        return exchange.status in _GATEWAY
    here, there = issuers(reprobes(incident, exchange.host)), issuers(look.exchanges[-1] for look in direct)
    return bool(here and there) and not here & there


def _open(incident: Incident, exchange: Exchange, words: str, candidates: tuple[Alternative, ...]) -> Finding:
    return Finding(
        detail=Detail.UND_PATH,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(exchange)}; {words}, which does not tell on which part of the way "
        "it fails.",
        evidence=(happening(exchange), words),
        exchanges=(exchange.id,),
        alternatives=candidates,
    )


ORIGIN = (Rule(id="R06", decide=origin_told),)
SILENT_EDGE = (Rule(id="R06", decide=silent_edge),)
PROXY = (Rule(id="R05", decide=proxy_compared),)
TENANT = (Rule(id="R21", decide=tenant_told),)
PLACES = (Rule(id="R22", decide=other_places_told),)
