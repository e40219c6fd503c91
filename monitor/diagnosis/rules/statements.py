"""Rank 3: a party on the path says itself whose failure it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from monitor.diagnosis.edges import edge_by_name
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative, environment
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.rules.origins import agrees, fails_for_everybody
from monitor.diagnosis.trials import looks, passed, reprobes
from monitor.diagnosis.tunnels import tunnel_status
from monitor.diagnosis.wording import happening, where
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.diagnosis import Culprit, CulpritKind
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import ExperimentKind

_PROXY_AUTH = 407
_LEGAL = 451
_CAPTIVE = 511
_ERROR = re.compile(r";\s*error\s*=\s*\"?([a-z_]+)")
_NEXT_HOP = re.compile(r";\s*next-hop\s*=\s*\"?([^\s\";,]+)")
_BLOCKED_BY = re.compile(r"<([^>]+)>[^,]*rel=\"?blocked-by\"?")
_NUMBER = re.compile(r"\d{3,4}")

NEXT_HOP: Mapping[str, Detail] = {
    "dns_timeout": Detail.OWN_DNS,
    "dns_error": Detail.OWN_DNS,
    "destination_not_found": Detail.OWN_CONNECT,
    "destination_unavailable": Detail.OWN_CONNECT,
    "destination_ip_prohibited": Detail.OWN_CONNECT,
    "destination_ip_unroutable": Detail.OWN_CONNECT,
    "connection_refused": Detail.OWN_CONNECT,
    "connection_terminated": Detail.OWN_CONNECT,
    "connection_timeout": Detail.OWN_CONNECT,
    "connection_read_timeout": Detail.OWN_HTTP_STATUS,
    "connection_write_timeout": Detail.OWN_HTTP_STATUS,
    "tls_protocol_error": Detail.OWN_TLS,
    "tls_certificate_error": Detail.OWN_TLS,
    "tls_alert_received": Detail.OWN_TLS,
    "http_response_incomplete": Detail.OWN_HTTP_PROTOCOL,
    "http_response_header_section_size": Detail.OWN_HTTP_PROTOCOL,
    "http_response_header_size": Detail.OWN_HTTP_PROTOCOL,
    "http_response_body_size": Detail.OWN_HTTP_PROTOCOL,
    "http_response_trailer_section_size": Detail.OWN_HTTP_PROTOCOL,
    "http_response_trailer_size": Detail.OWN_HTTP_PROTOCOL,
    "http_response_transfer_coding": Detail.OWN_HTTP_PROTOCOL,
    "http_response_content_coding": Detail.OWN_HTTP_PROTOCOL,
    "http_protocol_error": Detail.OWN_HTTP_PROTOCOL,
    "http_response_timeout": Detail.OWN_HTTP_STATUS,
}
EDGE_ITSELF = frozenset({"proxy_internal_error", "proxy_internal_response", "proxy_configuration_error"})

ORIGIN_OF_CLOUDFLARE: Mapping[int, Detail] = {
    520: Detail.OWN_HTTP_PROTOCOL,
    521: Detail.OWN_CONNECT,
    522: Detail.OWN_CONNECT,
    523: Detail.OWN_CONNECT,
    524: Detail.OWN_HTTP_STATUS,
    525: Detail.OWN_TLS,
    526: Detail.OWN_TLS,
    1016: Detail.OWN_DNS,
}
# Codes of access rules are left out: who set the rule is not said.
_ROUTING = frozenset(range(1000, 1100)) - {1006, 1007, 1008, 1009, 1010, 1012, 1015, 1020}


def intermediary_spoke(incident: Incident) -> Finding | None:
    """R06: a proxy, a captive gateway or a legal block answered in the host's place and says so by its status."""
    # A browser hides what a proxy said of a tunnel; our own socket keeps it.
    again = (replace(x, id=needed.id) for needed in incident.needed for x in reprobes(incident, needed.host))
    for exchange in (*incident.needed, *again):
        refused = tunnel_status(exchange)
        if refused == _CAPTIVE:
            return _environment(incident, exchange, Detail.CLIENT_NETWORK, "the client's gateway")
        if refused == _LEGAL:
            return _legal(incident, exchange)
        if exchange.status == _PROXY_AUTH and incident.context.check.profile.proxy is not None:
            return _environment(incident, exchange, Detail.CLIENT_PROXY, "the client's proxy")
        if exchange.status == _CAPTIVE:
            return _environment(incident, exchange, Detail.CLIENT_NETWORK, "the client's gateway")
        if exchange.status == _LEGAL:
            return _legal(incident, exchange)
    return None


def _legal(incident: Incident, exchange: Exchange) -> Finding | None:
    blocker = _BLOCKED_BY.search(dict(exchange.headers).get("link", ""))
    host = parts_of(blocker[1]).hostname if blocker else None
    domain_of = incident.context.owners.domain_of
    if host is None or domain_of(host) == domain_of(exchange.host):
        return None
    return _environment(incident, exchange, Detail.CLIENT_ACCESS_POLICY, f"the legal block of {host}")


def _environment(incident: Incident, exchange: Exchange, detail: Detail, part: str) -> Finding:
    return Finding(
        detail=detail,
        because=f"{incident.scene} {happening(exchange)}: {part} answered in the place of {exchange.host}.",
        culprit=environment(part),
        families=frozenset({Family.STATEMENT}),
        evidence=(happening(exchange),),
        exchanges=(exchange.id,),
    )


def edge_spoke(incident: Incident) -> Finding | None:
    """R06: the edge in front of an own host says whether it failed itself or could not reach the origin."""
    for exchange in incident.needed:
        if incident.owner(exchange).party is not Party.OWN:
            continue
        finding = _proxy_status(incident, exchange) or _cloudflare(incident, exchange)
        if finding is not None:
            return _weighed(incident, exchange, finding)
    return None


def _weighed(incident: Incident, exchange: Exchange, finding: Finding) -> Finding:
    """Let a direct look at the origin agree with what the edge says, or stand against it.

    That the origin fails us says nothing where it may be open to its edge alone.
    """
    look = next(iter(looks(incident, ExperimentKind.ORIGIN, exchange.host)), None)
    if look is None or finding.confidence is Confidence.NONE:
        return finding
    fine, end = passed(look), look.exchanges[-1]
    accused = finding.detail is Detail.TP_EDGE
    if not fine and not (fails_for_everybody(end, exchange) if accused else agrees(end, finding.detail)):
        return finding
    seen = f"the origin at {look.by} {'answers' if fine else 'fails'} when asked directly"
    if fine is accused:
        families = finding.families | {Family.ELSEWHERE}
        because = f"{finding.because.removesuffix('.')}; {seen}."
        return replace(finding, families=families, because=because, evidence=(*finding.evidence, seen))
    return Finding(
        detail=Detail.UND_CONFLICT,
        confidence=Confidence.NONE,
        because=f"{finding.because.removesuffix('.')}, yet {seen}.",
        evidence=(*finding.evidence, seen),
        exchanges=finding.exchanges,
        alternatives=(alternative(finding.detail, "the edge says so"), *finding.alternatives)[:2],
    )


def _proxy_status(incident: Incident, exchange: Exchange) -> Finding | None:
    words = dict(exchange.headers).get("proxy-status", "")
    # The last member of the list is the hop nearest to us; the first that names an error is nearest to the fault.
    member = next((part for part in words.split(",") if _ERROR.search(part)), None)
    if member is None:
        return None
    matched = _ERROR.search(member)
    error = matched[1] if matched else ""
    statement = f"{where(exchange)} answered {exchange.status}, and its edge says {error}"
    if error in NEXT_HOP:
        behind = _own_behind(incident, exchange, member)
        said = statement if behind is None else f"{statement} of {behind.host} behind it"
        return _origin(incident, exchange, NEXT_HOP[error], said, behind)
    if error in EDGE_ITSELF:
        return _edge(incident, exchange, statement, member.partition(";")[0].strip().strip('"'))
    return None


def next_hop_of(member: str) -> str | None:
    """Return the host that one proxy in ``Proxy-Status`` names as the hop behind it (RFC 9209)."""
    hop = _NEXT_HOP.search(member)
    return parts_of(f"//{hop[1]}").hostname or "" if hop else None


def _own_behind(incident: Incident, exchange: Exchange, member: str) -> Owner | None:
    """Return the owner of another host of ours that is named as the hop behind; its team is nearest to the fault."""
    host = next_hop_of(member)
    owner = incident.context.owners.owner_of(host) if host and host != exchange.host else None
    return owner if owner is not None and owner.party is Party.OWN and owner.operator is None else None


def _cloudflare(incident: Incident, exchange: Exchange) -> Finding | None:
    headers = dict(exchange.headers)
    stated = _NUMBER.search(headers.get("cf-error-type", ""))
    if stated is None and headers.get("server", "").lower() != "cloudflare":
        return None
    number = int(stated[0]) if stated else exchange.status or 0
    statement = f"{where(exchange)} answered {exchange.status}, and Cloudflare says error {number}"
    if number in ORIGIN_OF_CLOUDFLARE:
        return _origin(incident, exchange, ORIGIN_OF_CLOUDFLARE[number], statement)
    if stated is not None and number in _ROUTING:
        return _edge(incident, exchange, statement, "cloudflare")
    return None


def _origin(
    incident: Incident, exchange: Exchange, detail: Detail, statement: str, behind: Owner | None = None
) -> Finding:
    owner = behind or incident.owner(exchange)
    return Finding(
        detail=detail,
        because=f"{incident.scene} {statement}: the origin behind the edge failed ({owner.title}).",
        culprit=incident.culprit(owner),
        families=frozenset({Family.STATEMENT}),
        evidence=(statement,),
        exchanges=(exchange.id,),
        alternatives=(alternative(Detail.TP_EDGE, "if a direct request to the origin succeeds"),),
    )


def _edge(incident: Incident, exchange: Exchange, statement: str, name: str) -> Finding:
    # Only the name that the proxy itself goes by counts: an edge marks all that passes it, our own proxy's words too.
    edge = edge_by_name(name, incident.context.owners)
    if edge is not None:
        return Finding(
            detail=Detail.TP_EDGE,
            because=f"{incident.scene} {statement}: the edge itself failed, not the origin behind it.",
            culprit=Culprit(kind=CulpritKind.VENDOR, name=edge, host=exchange.host),
            families=frozenset({Family.STATEMENT}),
            evidence=(statement,),
            exchanges=(exchange.id,),
            alternatives=(alternative(Detail.OWN_HTTP_STATUS, "if a direct request to the origin fails too"),),
        )
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {statement}; whether {name} is our own proxy or an edge provider is not stated "
        "under `edges` in the ownership.",
        evidence=(statement,),
        exchanges=(exchange.id,),
        alternatives=(alternative(Detail.OWN_HTTP_STATUS, statement), alternative(Detail.TP_EDGE, statement)),
    )


RULES = (Rule(id="R06", decide=intermediary_spoke), Rule(id="R06", decide=edge_spoke))
