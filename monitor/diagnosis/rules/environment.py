"""Rank 6: errors that can only arise on the customer's side of the line."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from email.utils import parsedate_to_datetime

from monitor.diagnosis.incident import Finding, Incident, Rule, alternative, environment
from monitor.diagnosis.mechanisms import Mechanism, detail_for, mechanism_of
from monitor.diagnosis.trials import valid_at, world_answers
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure

_NO_ROUTE = re.compile(r"ENETUNREACH|network is unreachable|errno 101\b|\[Errno 101\]", re.IGNORECASE)
_SEVERAL = 2


def local_error(incident: Incident) -> Finding | None:
    """R05: the system on which we run, a blocker or an offline line refused; the host was never asked."""
    for exchange in incident.needed:
        mechanism = mechanism_of(exchange)
        if mechanism is Mechanism.LOCAL:
            return _client(incident, exchange, Detail.CLIENT_NETWORK, "the client's network")
        if mechanism is Mechanism.BLOCKED:
            return _client(incident, exchange, Detail.CLIENT_BROWSER, "a blocker in the client")
        if mechanism is Mechanism.UNREACHABLE and _no_way_out(incident, exchange):
            return _client(incident, exchange, Detail.CLIENT_NETWORK, "the client's network")
    return None


def proxy_failed(incident: Incident) -> Finding | None:
    """R05: the configured proxy failed; a refused tunnel alone may as well be the target's fault."""
    failed = next((x for x in incident.needed if mechanism_of(x) is Mechanism.PROXY), None)
    if failed is None:
        return None
    if failed.failure is not Failure.PROXY_TUNNEL_FAILED or _spread(incident, Mechanism.PROXY):
        return _client(incident, failed, Detail.CLIENT_PROXY, "the client's proxy")
    owner = incident.owner(failed)
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(failed)}; whether the proxy or {failed.host} is at fault, "
        "a request to another host through the proxy would tell.",
        exchanges=(failed.id,),
        alternatives=(
            alternative(Detail.CLIENT_PROXY, "the proxy may refuse every tunnel"),
            alternative(detail_for(owner.party, Mechanism.REFUSED) or Detail.UND_PATH, f"{failed.host} may be down"),
        ),
    )


def names_fail_everywhere(incident: Incident) -> Finding | None:
    """R04: no name at all could be resolved, of several domains."""
    dns = [x for x in incident.needed if mechanism_of(x) in (Mechanism.RESOLVER, Mechanism.NAME)]
    if not dns or world_answers(incident):
        return None
    everywhere = _spread(incident, Mechanism.RESOLVER, Mechanism.NAME)
    silent = dns[0].failure is Failure.DNS_UNREACHABLE and not _someone_answered(incident)
    if not everywhere and not silent:
        return None
    return _client(incident, dns[0], Detail.CLIENT_DNS, "the client's resolver")


def certificates_fail_everywhere(incident: Incident) -> Finding | None:
    """R03: unrelated hosts show the same fault of certificate, so something between us and all of them does."""
    failed = next((x for x in incident.needed if mechanism_of(x) is Mechanism.TLS), None)
    if failed is None or world_answers(incident):
        return None
    shared = _shared_fault(incident, failed)
    return _client(incident, failed, *shared) if shared else None


def _shared_fault(incident: Incident, failed: Exchange) -> tuple[Detail, str] | None:
    skew = _skew(incident)
    told = abs(skew) if valid_at(incident, failed, skew) is not False else 0.0
    clock = max(abs(incident.evidence.vantage.clock_stepped or 0.0), told)
    domains = _domains(incident, [x for x in incident.exchanges if x.failure is failed.failure])
    everywhere = len(domains) >= _SEVERAL
    if failed.failure in _DATES and (everywhere or clock > _CLOCK_LIMIT):
        return Detail.CLIENT_CLOCK, "the client's clock"
    if everywhere and failed.failure in _ISSUERS and _one_issuer(incident, failed.failure):
        return Detail.CLIENT_TLS_INTERCEPTION, "something that intercepts TLS"
    if everywhere and failed.failure is Failure.TLS_CERT_NAME_INVALID:
        return Detail.CLIENT_NETWORK, "a gateway that answers for every host"
    return None


_CLOCK_LIMIT = 300.0
_DATES = frozenset({Failure.TLS_CERT_EXPIRED, Failure.TLS_CERT_NOT_YET_VALID, Failure.TLS_CERT_DATE_INVALID})
_ISSUERS = frozenset(
    {Failure.TLS_CERT_AUTHORITY_INVALID, Failure.TLS_CERT_INCOMPLETE_CHAIN, Failure.TLS_CERT_SELF_SIGNED},
)


def _skew(incident: Incident) -> float:
    """Return how far ahead of our clock the server is that agrees with it best."""
    skews = []
    for exchange in incident.exchanges:
        stated = next((value for name, value in exchange.headers if name == "date"), None)
        if stated is None or exchange.from_cache:
            continue
        with contextlib.suppress(ValueError, TypeError):
            theirs = parsedate_to_datetime(stated)
            ours = incident.evidence.started_at + dt.timedelta(seconds=exchange.timings.started)
            skews.append((theirs - ours).total_seconds())
    return min(skews, key=abs, default=0.0)


def _one_issuer(incident: Incident, failure: Failure | None) -> bool:
    chains = [x.tls.chain for x in incident.exchanges if x.failure is failure and x.tls and x.tls.chain]
    return len(chains) >= _SEVERAL and len({chain[0].issuer for chain in chains}) == 1


def _no_way_out(incident: Incident, exchange: Exchange) -> bool:
    """Say whether there is no way out at all; a router far away says the same of one network that is gone."""
    if world_answers(incident):
        return False
    return bool(_NO_ROUTE.search(exchange.failure_text)) or _spread(incident, Mechanism.UNREACHABLE)


def _spread(incident: Incident, *mechanisms: Mechanism) -> bool:
    """Say whether hosts of several domains failed in this way and none answered."""
    failed = [x for x in incident.exchanges if mechanism_of(x) in mechanisms]
    return len(_domains(incident, failed)) >= _SEVERAL and not _someone_answered(incident)


def _domains(incident: Incident, exchanges: list[Exchange]) -> set[str]:
    return {incident.context.owners.domain_of(x.host) for x in exchanges}


def _someone_answered(incident: Incident) -> bool:
    return any(x.status is not None and not x.from_cache and not x.from_service_worker for x in incident.exchanges)


def _client(incident: Incident, exchange: Exchange, detail: Detail, part: str) -> Finding:
    owner = incident.owner(exchange)
    because = f"{incident.scene} {happening(exchange)}; {part} is at fault, not {owner.title}."
    if owner.party is Party.THIRD_PARTY and not owner.named:
        because = f"{incident.scene} {happening(exchange)}; {part} is at fault."
    return Finding(
        detail=detail,
        because=because,
        culprit=environment(part),
        evidence=(happening(exchange),),
        exchanges=(exchange.id,),
    )


RULES = (
    Rule(id="R05", decide=local_error),
    Rule(id="R05", decide=proxy_failed),
    Rule(id="R04", decide=names_fail_everywhere),
    Rule(id="R03", decide=certificates_fail_everywhere),
)
