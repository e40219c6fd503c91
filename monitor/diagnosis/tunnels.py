"""What a forward proxy says of why it could not connect us: its status, and its own words (RFC 9209)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure

_STATUS = re.compile(r"tunnel with (\d{3})\b")
_ERROR = re.compile(r";\s*error\s*=\s*\"?([a-z_]+)")
_GATEWAY = frozenset({502, 503, 504})
_SAYS: Mapping[str, Mechanism] = {
    "dns_error": Mechanism.NAME,
    "dns_timeout": Mechanism.NAME,
    "destination_not_found": Mechanism.NAME,
    "destination_unavailable": Mechanism.PATH,
    "destination_ip_unroutable": Mechanism.PATH,
    "connection_refused": Mechanism.REFUSED,
    "connection_terminated": Mechanism.BROKEN_OFF,
    "connection_timeout": Mechanism.PATH,
}


def tunnel_status(exchange: Exchange) -> int | None:
    """Return the status with which a proxy refused a tunnel; ``None`` where none was refused, or it did not say."""
    found = _STATUS.search(exchange.failure_text) if exchange.failure is Failure.PROXY_TUNNEL_FAILED else None
    return int(found[1]) if found else None


def beyond_tunnel(exchange: Exchange) -> Mechanism:
    """Return how an exchange failed behind the proxy, where the proxy tells that it could not reach the host."""
    if exchange.failure is not Failure.PROXY_TUNNEL_FAILED:
        return mechanism_of(exchange)
    stated = _ERROR.search(dict(exchange.headers).get("proxy-status", "") or exchange.failure_text)
    if stated is not None and stated[1] in _SAYS:
        return _SAYS[stated[1]]
    return Mechanism.PATH if tunnel_status(exchange) in _GATEWAY else Mechanism.PROXY
