"""Addresses of a vendor to which our own hosts lead customers: whether the address is wrong, the vendor cannot tell."""

from __future__ import annotations

from monitor.diagnosis.compared import is_new, turned
from monitor.diagnosis.incident import Incident
from monitor.diagnosis.scripts import asked_by_own
from monitor.domain.cause import Party
from monitor.domain.exchange import Exchange

_CLIENT_ERROR = 400
_SERVER_ERROR = 500
# These tell of a name, a limit or lateness, and other rules speak of them.
_OTHER_RULES = frozenset({401, 403, 407, 408, 429})
_PAGES = frozenset({"document", "http"})


def finds_fault_with_the_request(exchange: Exchange) -> bool:
    """Say whether an answer says that it is the request that is wrong, its address included."""
    status = exchange.status
    return status is not None and _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _OTHER_RULES


def is_led_astray(incident: Incident, exchange: Exchange) -> bool:
    """Say whether a vendor turns down an address that our own side led to, and that it is not known to have answered.

    An address that was answered well in the last good run is right, and what fails there is the vendor's.
    """
    if exchange.resource not in _PAGES or not finds_fault_with_the_request(exchange) or turned(incident, exchange):
        return False
    if incident.owner(exchange).party is not Party.THIRD_PARTY:
        return False
    return _redirected_by_own(incident, exchange) or (is_new(incident, exchange) and asked_by_own(incident, exchange))


def _redirected_by_own(incident: Incident, exchange: Exchange) -> bool:
    """Follow the redirects back: a vendor that only moves what it was asked for has not chosen the address either."""
    by_id = {x.id: x for x in incident.exchanges}
    seen: set[str] = set()
    source = by_id.get(exchange.redirected_from or "")
    while source is not None and source.id not in seen:
        if incident.owner(source).party is Party.OWN:
            return True
        seen.add(source.id)
        source = by_id.get(source.redirected_from or "")
    return False
