"""From a raw failure to the mechanism that failed, and from mechanism and party to the detail of a cause."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from monitor.domain.cause import Detail, Party
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure, Phase


class Mechanism(Enum):
    """In what way an exchange failed, as far as the rules care."""

    NAME = auto()
    RESOLVER = auto()
    REFUSED = auto()
    BROKEN_OFF = auto()
    PATH = auto()
    UNREACHABLE = auto()
    TLS = auto()
    STATUS = auto()
    PROTOCOL = auto()
    SILENT = auto()
    POLICY = auto()
    LOCAL = auto()
    PROXY = auto()
    BLOCKED = auto()
    PROBER = auto()
    NOTHING = auto()


MECHANISMS: Mapping[Failure, Mechanism] = {
    Failure.DNS_UNREACHABLE: Mechanism.RESOLVER,
    Failure.DNS_NAME_NOT_RESOLVED: Mechanism.NAME,
    Failure.DNS_NO_ADDRESS: Mechanism.NAME,
    Failure.DNS_SERVER_FAILURE: Mechanism.NAME,
    Failure.DNS_REFUSED: Mechanism.RESOLVER,
    Failure.DNS_CNAME_LOOP: Mechanism.NAME,
    Failure.DNS_MALFORMED: Mechanism.RESOLVER,
    Failure.DNS_TIMED_OUT: Mechanism.RESOLVER,
    Failure.DNS_FAILED: Mechanism.RESOLVER,
    Failure.TCP_TIMED_OUT: Mechanism.PATH,
    Failure.TCP_CLOSED: Mechanism.BROKEN_OFF,
    Failure.TCP_RESET: Mechanism.BROKEN_OFF,
    Failure.TCP_REFUSED: Mechanism.REFUSED,
    Failure.TCP_ABORTED: Mechanism.BROKEN_OFF,
    Failure.TCP_ADDRESS_INVALID: Mechanism.LOCAL,
    Failure.TCP_ADDRESS_UNREACHABLE: Mechanism.UNREACHABLE,
    Failure.TCP_ACCESS_DENIED: Mechanism.LOCAL,
    Failure.TCP_OFFLINE: Mechanism.LOCAL,
    Failure.TCP_FAILED: Mechanism.PATH,
    Failure.TLS_VERSION_OR_CIPHER_MISMATCH: Mechanism.TLS,
    Failure.TLS_BAD_CLIENT_AUTH_CERT: Mechanism.TLS,
    Failure.TLS_CERT_NAME_INVALID: Mechanism.TLS,
    Failure.TLS_CERT_EXPIRED: Mechanism.TLS,
    Failure.TLS_CERT_NOT_YET_VALID: Mechanism.TLS,
    Failure.TLS_CERT_DATE_INVALID: Mechanism.TLS,
    Failure.TLS_CERT_SELF_SIGNED: Mechanism.TLS,
    Failure.TLS_CERT_INCOMPLETE_CHAIN: Mechanism.TLS,
    Failure.TLS_CERT_AUTHORITY_INVALID: Mechanism.TLS,
    Failure.TLS_CERT_REVOKED: Mechanism.TLS,
    Failure.TLS_CERT_INVALID: Mechanism.TLS,
    Failure.TLS_UNRECOGNIZED_NAME: Mechanism.TLS,
    Failure.TLS_PROTOCOL_ERROR: Mechanism.TLS,
    Failure.TLS_TIMED_OUT: Mechanism.PATH,
    Failure.TLS_FAILED: Mechanism.TLS,
    Failure.HTTP_ERROR: Mechanism.STATUS,
    Failure.HTTP_PROTOCOL_ERROR: Mechanism.PROTOCOL,
    Failure.HTTP_RESPONSE_INVALID: Mechanism.PROTOCOL,
    Failure.HTTP_RESPONSE_EMPTY: Mechanism.PROTOCOL,
    Failure.HTTP_RESPONSE_TRUNCATED: Mechanism.PROTOCOL,
    Failure.HTTP_RESPONSE_UNDECODABLE: Mechanism.PROTOCOL,
    Failure.HTTP_RESPONSE_HEADERS_TOO_BIG: Mechanism.PROTOCOL,
    Failure.HTTP_RESPONSE_REDIRECT_LOOP: Mechanism.PROTOCOL,
    Failure.HTTP_RESPONSE_REDIRECT_REFUSED: Mechanism.PROTOCOL,
    Failure.HTTP_RESPONSE_TIMED_OUT: Mechanism.SILENT,
    Failure.HTTP_FAILED: Mechanism.NOTHING,
    Failure.POLICY_CSP: Mechanism.POLICY,
    Failure.POLICY_CORS: Mechanism.POLICY,
    Failure.POLICY_SRI: Mechanism.POLICY,
    Failure.POLICY_MIXED_CONTENT: Mechanism.POLICY,
    Failure.POLICY_FRAME: Mechanism.POLICY,
    Failure.POLICY_MIME: Mechanism.POLICY,
    Failure.POLICY_CORP: Mechanism.POLICY,
    Failure.POLICY_ADDRESS: Mechanism.POLICY,
    Failure.PROXY_CONNECTION_FAILED: Mechanism.PROXY,
    Failure.PROXY_AUTH_REQUIRED: Mechanism.PROXY,
    Failure.PROXY_TUNNEL_FAILED: Mechanism.PROXY,
    Failure.BLOCKED_BY_CLIENT: Mechanism.BLOCKED,
    Failure.BLOCKED_BY_INTERVENTION: Mechanism.NOTHING,
    Failure.PROBER_RESOURCES: Mechanism.PROBER,
    Failure.PROBER_PROTOCOL: Mechanism.PROBER,
    Failure.PROBER_BROWSER: Mechanism.PROBER,
    Failure.PENDING: Mechanism.SILENT,
    Failure.ABANDONED: Mechanism.NOTHING,
    Failure.UNKNOWN: Mechanism.NOTHING,
}

_DETAILS: Mapping[tuple[Party, Mechanism], Detail] = {
    (Party.OWN, Mechanism.NAME): Detail.OWN_DNS,
    (Party.OWN, Mechanism.RESOLVER): Detail.OWN_DNS,
    (Party.OWN, Mechanism.REFUSED): Detail.OWN_CONNECT,
    (Party.OWN, Mechanism.BROKEN_OFF): Detail.OWN_CONNECT,
    (Party.OWN, Mechanism.PATH): Detail.OWN_CONNECT,
    (Party.OWN, Mechanism.UNREACHABLE): Detail.OWN_CONNECT,
    (Party.OWN, Mechanism.TLS): Detail.OWN_TLS,
    (Party.OWN, Mechanism.STATUS): Detail.OWN_HTTP_STATUS,
    (Party.OWN, Mechanism.PROTOCOL): Detail.OWN_HTTP_PROTOCOL,
    (Party.OWN, Mechanism.SILENT): Detail.OWN_HTTP_STATUS,
    (Party.OWN, Mechanism.POLICY): Detail.OWN_POLICY,
    (Party.THIRD_PARTY, Mechanism.NAME): Detail.TP_DNS,
    (Party.THIRD_PARTY, Mechanism.RESOLVER): Detail.TP_DNS,
    (Party.THIRD_PARTY, Mechanism.REFUSED): Detail.TP_CONNECT,
    (Party.THIRD_PARTY, Mechanism.BROKEN_OFF): Detail.TP_CONNECT,
    (Party.THIRD_PARTY, Mechanism.PATH): Detail.TP_CONNECT,
    (Party.THIRD_PARTY, Mechanism.UNREACHABLE): Detail.TP_CONNECT,
    (Party.THIRD_PARTY, Mechanism.TLS): Detail.TP_TLS,
    (Party.THIRD_PARTY, Mechanism.STATUS): Detail.TP_HTTP_STATUS,
    (Party.THIRD_PARTY, Mechanism.PROTOCOL): Detail.TP_HTTP_PROTOCOL,
    (Party.THIRD_PARTY, Mechanism.SILENT): Detail.TP_SLOW,
    (Party.THIRD_PARTY, Mechanism.POLICY): Detail.TP_POLICY,
}

_ASSETS = frozenset({"script", "stylesheet"})
_MISSING = frozenset({404, 410})
_ERROR_STATUS = 400
_OK = 200


def mechanism_of(exchange: Exchange) -> Mechanism:
    """Return in what way an exchange failed; a refused answer outranks what the browser made of it."""
    if exchange.status is not None and exchange.status >= _ERROR_STATUS:
        return Mechanism.STATUS
    if exchange.failure is None or exchange.failure is Failure.PENDING:
        return _of_pending(exchange) if exchange.pending or exchange.failure else Mechanism.NOTHING
    return MECHANISMS[exchange.failure]


def _of_pending(exchange: Exchange) -> Mechanism:
    """Tell a server that does not answer from one that was not reached."""
    if exchange.failed_phase is not None:
        reached = exchange.failed_phase in (Phase.WAIT, Phase.RECEIVE)
    else:
        # A connection that is used again has no connect phase of its own; the address then tells that one exists.
        reached = exchange.status is not None or exchange.request_sent or exchange.address is not None
    return Mechanism.SILENT if reached else Mechanism.PATH


def detail_for(party: Party, mechanism: Mechanism, exchange: Exchange | None = None) -> Detail | None:
    """Return the detail for a mechanism on one side, or ``None`` where the side cannot be told from it."""
    asset = exchange is not None and exchange.resource in _ASSETS and exchange.status in _MISSING
    if asset and mechanism is Mechanism.STATUS:
        return Detail.OWN_CONTENT if party is Party.OWN else Detail.TP_CONTENT
    return _DETAILS.get((party, mechanism))


def is_defect(exchange: Exchange) -> bool:
    """Say whether an exchange went wrong by itself: not by an experiment, and not by being given up by the page."""
    if exchange.intervention or exchange.failure is Failure.BLOCKED_BY_INTERVENTION:
        return False
    if exchange.status is not None and exchange.status >= _ERROR_STATUS:
        return True
    return exchange.pending or exchange.failure not in (None, Failure.ABANDONED)


def is_half_taken(exchange: Exchange) -> bool:
    """Say whether a browser saw a good answer begin and not end: the server stopped, or the page took nothing in."""
    begun = exchange.status is not None and exchange.status < _ERROR_STATUS and exchange.resource != "http"
    return exchange.pending and begun


def is_hollow(exchange: Exchange) -> bool:
    """Say whether an answer of 200 carried nothing; a browser counts no bytes where none came."""
    if exchange.status != _OK or exchange.failure is not None or exchange.pending:
        return False
    announced = next((value for name, value in exchange.headers if name == "content-length"), None)
    return exchange.body_bytes == 0 or (exchange.body_bytes is None and announced == "0")
