"""Rank 3: our own back end states that a vendor behind it failed. Its silence stays its own failure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.rules.statements import NEXT_HOP, next_hop_of
from monitor.diagnosis.trials import reprobes
from monitor.diagnosis.wording import where
from monitor.domain.cause import Detail, Party
from monitor.domain.exchange import Exchange

_SERVER_ERROR = 500
_FAILED_DEPENDENCY = 424
_ERROR = re.compile(r";\s*error\s*=\s*\"?([a-z_]+)")
_RECEIVED = re.compile(r";\s*received-status\s*=\s*(\d{3})")
# Whoever carries or houses our own servers is no vendor behind them.
_CARRIERS = frozenset({"cdn", "hosting"})


def backend_dependency(incident: Incident) -> Finding | None:
    """R23: an own answer names the vendor behind it: by ``Proxy-Status`` with its host, or by its kind of problem."""
    for exchange in incident.needed:
        owner = incident.owner(exchange)
        if owner.party is not Party.OWN or owner.operator is not None or not _is_failure(exchange.status):
            continue
        for host, statement in _statements(incident, exchange):
            vendor = incident.context.owners.owner_of(host)
            if _is_vendor(incident, vendor, exchange):
                return _finding(
                    incident, exchange, vendor, f"{where(exchange)} answered {exchange.status}, {statement}"
                )
    return None


def _finding(incident: Incident, exchange: Exchange, vendor: Owner, statement: str) -> Finding:
    own = incident.owner(exchange)
    return Finding(
        detail=Detail.TP_BACKEND_DEP,
        because=f"{incident.scene} {statement}: {vendor.name} failed behind it.",
        culprit=incident.culprit(vendor),
        families=frozenset({Family.STATEMENT}),
        evidence=(statement, vendor.because),
        exchanges=(exchange.id,),
        alternatives=(alternative(Detail.OWN_HTTP_STATUS, f"{own.name} may call {vendor.name} wrongly"),),
    )


def _is_failure(status: int | None) -> bool:
    return status is not None and (status >= _SERVER_ERROR or status == _FAILED_DEPENDENCY)


def _is_vendor(incident: Incident, owner: Owner, exchange: Exchange) -> bool:
    """Say whether a host is that of a vendor whom the user or its trade makes one that journeys need."""
    if owner.party is not Party.THIRD_PARTY or not owner.named or owner.category in _CARRIERS:
        return False
    owners = incident.context.owners
    is_ours = owners.is_edge(owner.name) or owner.host == (owners.origin_of(exchange.host) or "").partition(":")[0]
    return not is_ours and (owner.critical or owners.names_vendor(owner.name))


def _statements(incident: Incident, exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Yield whom an answer names, and with what words; a second look at the same request keeps what a browser drops."""
    again = (x for x in reprobes(incident, exchange.host) if x.status == exchange.status and _same(x, exchange))
    for one in (exchange, *again):
        yield from _next_hops(one)
        host = parts_of(one.problem).hostname if one.problem else None
        if host:
            yield host, f"and says that the problem is {one.problem}"


def _same(look: Exchange, exchange: Exchange) -> bool:
    return parts_of(look.url).path == parts_of(exchange.url).path


def _next_hops(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Yield each hop behind an own one that could not be reached, or answered with a server error (RFC 9209)."""
    for member in dict(exchange.headers).get("proxy-status", "").split(","):
        host, error, received = next_hop_of(member), _ERROR.search(member), _RECEIVED.search(member)
        if host is None:
            continue
        if error and error[1] in NEXT_HOP:
            yield host, f"and says {error[1]} of {host} behind it"
        elif error is None and received and int(received[1]) >= _SERVER_ERROR:
            yield host, f"and says that {host} behind it answered {received[1]}"


RULES = (Rule(id="R23", decide=backend_dependency),)
