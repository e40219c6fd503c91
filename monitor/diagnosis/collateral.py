"""Defects that did not hurt the journey."""

from __future__ import annotations

from collections import Counter

from monitor.diagnosis.incident import Incident
from monitor.diagnosis.mechanisms import Mechanism, is_defect, mechanism_of
from monitor.domain.cause import Cause, Party
from monitor.domain.diagnosis import Collateral
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure

_SPECULATIVE = frozenset({"preconnect", "prefetch", "csp_report"})
_CAUSES = {
    Party.OWN: Cause.OWN_INFRASTRUCTURE,
    Party.THIRD_PARTY: Cause.THIRD_PARTY,
    Party.CLIENT: Cause.CLIENT_ENVIRONMENT,
}
_OURS = frozenset({Mechanism.LOCAL, Mechanism.PROXY, Mechanism.BLOCKED, Mechanism.PROBER})


def collateral_of(incident: Incident, *, passed: bool) -> tuple[Collateral, ...]:
    """Return failed exchanges without effect: all of a run that passed, of another what stood beside its failure."""
    failed = [exchange for exchange in incident.exchanges if _is_collateral(exchange)]
    if not failed:
        return ()
    counts = Counter(_key(incident, exchange) for exchange in failed if passed or _stood_beside(incident, exchange))
    return tuple(
        Collateral(cause=cause, host=host, failure=failure, vendor=vendor, count=count)
        for (cause, host, failure, vendor), count in counts.items()
    )


def _is_collateral(exchange: Exchange) -> bool:
    return is_defect(exchange) and not exchange.pending and exchange.resource not in _SPECULATIVE


def _stood_beside(incident: Incident, exchange: Exchange) -> bool:
    """In a run that failed, only the trades that no step needs are known to be innocent."""
    owner = incident.owner(exchange)
    needed = any(x.id == exchange.id for x in incident.needed)
    return not needed and owner.beside


def _key(incident: Incident, exchange: Exchange) -> tuple[Cause, str, Failure, str | None]:
    owner = incident.owner(exchange)
    failure = Failure.HTTP_ERROR if mechanism_of(exchange) is Mechanism.STATUS else exchange.failure or Failure.UNKNOWN
    cause = Cause.CLIENT_ENVIRONMENT if mechanism_of(exchange) in _OURS else _CAUSES[owner.party]
    vendor = owner.name if owner.party is Party.THIRD_PARTY and owner.named else None
    return cause, exchange.host, failure, vendor
