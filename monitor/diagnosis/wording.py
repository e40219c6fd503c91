"""What happened, in words that read on after the name of a host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.diagnosis.incident import Incident
from monitor.diagnosis.mechanisms import Mechanism, is_half_taken, mechanism_of
from monitor.diagnosis.names import parts_of
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure

_MOST_NAMED = 4
_WORDS = 120
PHRASES: Mapping[Failure, str] = {
    Failure.DNS_UNREACHABLE: "could not be looked up: the resolver was not reachable",
    Failure.DNS_NAME_NOT_RESOLVED: "does not resolve: the resolver says there is no such name",
    Failure.DNS_NO_ADDRESS: "resolves to no address",
    Failure.DNS_SERVER_FAILURE: "does not resolve: the resolver answers SERVFAIL",
    Failure.DNS_REFUSED: "could not be looked up: the resolver refused the question",
    Failure.DNS_CNAME_LOOP: "does not resolve: its aliases form a loop",
    Failure.DNS_MALFORMED: "could not be looked up: the resolver's answer was malformed",
    Failure.DNS_TIMED_OUT: "could not be looked up: the resolver did not answer in time",
    Failure.DNS_FAILED: "could not be looked up",
    Failure.TCP_TIMED_OUT: "did not take the connection in time",
    Failure.TCP_CLOSED: "closed the connection early",
    Failure.TCP_RESET: "reset the connection",
    Failure.TCP_REFUSED: "refused the connection",
    Failure.TCP_ABORTED: "lost the connection",
    Failure.TCP_ADDRESS_INVALID: "has an address that this machine cannot connect to",
    Failure.TCP_ADDRESS_UNREACHABLE: "was not reachable: there is no way to its address",
    Failure.TCP_ACCESS_DENIED: "was not contacted: this machine forbids the connection",
    Failure.TCP_OFFLINE: "was not contacted: this machine is offline",
    Failure.TCP_FAILED: "did not take the connection",
    Failure.TLS_VERSION_OR_CIPHER_MISMATCH: "shares no TLS version or cipher with the client",
    Failure.TLS_BAD_CLIENT_AUTH_CERT: "wants a client certificate",
    Failure.TLS_CERT_NAME_INVALID: "shows a certificate for another name",
    Failure.TLS_CERT_EXPIRED: "shows an expired certificate",
    Failure.TLS_CERT_NOT_YET_VALID: "shows a certificate that is not valid yet",
    Failure.TLS_CERT_DATE_INVALID: "shows a certificate that is not valid today",
    Failure.TLS_CERT_SELF_SIGNED: "shows a self-signed certificate",
    Failure.TLS_CERT_INCOMPLETE_CHAIN: "does not send the intermediate certificate",
    Failure.TLS_CERT_AUTHORITY_INVALID: "shows a certificate of an unknown issuer",
    Failure.TLS_CERT_REVOKED: "shows a revoked certificate",
    Failure.TLS_CERT_INVALID: "shows an invalid certificate",
    Failure.TLS_UNRECOGNIZED_NAME: "does not know its own name in the TLS handshake",
    Failure.TLS_PROTOCOL_ERROR: "breaks the TLS protocol",
    Failure.TLS_TIMED_OUT: "did not finish the TLS handshake in time",
    Failure.TLS_FAILED: "failed in the TLS handshake",
    Failure.HTTP_ERROR: "answered with an error",
    Failure.HTTP_PROTOCOL_ERROR: "breaks the HTTP protocol",
    Failure.HTTP_RESPONSE_INVALID: "sent an invalid response",
    Failure.HTTP_RESPONSE_EMPTY: "closed the connection without a response",
    Failure.HTTP_RESPONSE_TRUNCATED: "broke off in the middle of its response",
    Failure.HTTP_RESPONSE_UNDECODABLE: "sent a response that cannot be decoded",
    Failure.HTTP_RESPONSE_HEADERS_TOO_BIG: "sent response headers beyond any limit",
    Failure.HTTP_RESPONSE_REDIRECT_LOOP: "redirects in a loop",
    Failure.HTTP_RESPONSE_REDIRECT_REFUSED: "redirects to a place that must not be followed",
    Failure.HTTP_RESPONSE_TIMED_OUT: "did not answer in time",
    Failure.HTTP_FAILED: "failed in a way that says nothing more",
    Failure.POLICY_CSP: "was blocked by the page's content security policy",
    Failure.POLICY_CORS: "was blocked because the answer does not allow the page's origin (CORS)",
    Failure.POLICY_SRI: "was refused: the content does not match its integrity attribute",
    Failure.POLICY_MIXED_CONTENT: "was blocked because a secure page asks for it over plain HTTP",
    Failure.POLICY_FRAME: "was refused inside a frame",
    Failure.POLICY_MIME: "was refused because of its content type",
    Failure.POLICY_CORP: "was blocked by its cross-origin resource policy",
    Failure.POLICY_ADDRESS: "has an address that the target's settings forbid",
    Failure.PROXY_CONNECTION_FAILED: "was not reached: the proxy cannot be connected to",
    Failure.PROXY_AUTH_REQUIRED: "was not reached: the proxy demands credentials",
    Failure.PROXY_TUNNEL_FAILED: "was not reached: the proxy refused the tunnel",
    Failure.BLOCKED_BY_CLIENT: "was blocked by the client itself",
    Failure.BLOCKED_BY_INTERVENTION: "was blocked by an experiment",
    Failure.PROBER_RESOURCES: "was not contacted: the prober ran out of resources",
    Failure.PROBER_PROTOCOL: "was not contacted: the prober misused the protocol",
    Failure.PROBER_BROWSER: "was not contacted: the browser failed",
    Failure.PENDING: "had not answered when the step ended",
    Failure.ABANDONED: "was given up by the page",
    Failure.UNKNOWN: "failed in an unknown way",
}


def happening(exchange: Exchange) -> str:
    """Return what one exchange came to, host and path included and queries left out."""
    return f"{where(exchange)} {_phrase(exchange)}"


def where(exchange: Exchange) -> str:
    """Return host and path of an exchange; the query may hold what nobody should read."""
    path = parts_of(exchange.url).path
    return exchange.host if path in ("", "/") else f"{exchange.host}{path}"


def complaint(incident: Incident) -> str:
    """Return what the failing step itself said, in one short line."""
    error = incident.step.error if incident.step else None
    lines = error.message.strip().splitlines() if error else []
    return f"it failed ({lines[0].rstrip('.')[:_WORDS]})" if lines else "it failed"


def listed(names: Iterable[str]) -> str:
    """Return names as a list in a sentence; of more than four only the first three are named."""
    found = list(dict.fromkeys(name for name in names if name))
    if len(found) > _MOST_NAMED:
        found = [*found[: _MOST_NAMED - 1], f"{len(found) - _MOST_NAMED + 1} more"]
    return " and ".join([part for part in (", ".join(found[:-1]), found[-1] if found else "") if part])


def _phrase(exchange: Exchange) -> str:
    if is_half_taken(exchange):
        return "began to answer, and the rest had not come when the step ended"
    if mechanism_of(exchange) is Mechanism.STATUS:
        return f"answered {exchange.status} {exchange.reason}".rstrip()
    if exchange.failure is not None:
        return PHRASES[exchange.failure]
    if exchange.pending:
        reached = mechanism_of(exchange) is Mechanism.SILENT
        return PHRASES[Failure.PENDING] if reached else PHRASES[Failure.TCP_TIMED_OUT]
    return f"answered {exchange.status}"
