"""What went wrong with one exchange, as a raw fact: names of W3C Network Error Logging, extended in its own pattern."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """A part of an exchange, in the order in which they happen."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    WAIT = "wait"
    RECEIVE = "receive"


class FailureClass(StrEnum):
    """The family of a failure: few enough to be a metric label."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    TIMEOUT = "timeout"
    POLICY = "policy"
    PROXY = "proxy"
    BLOCKED = "blocked"
    PROBER = "prober"
    UNKNOWN = "unknown"


class Failure(StrEnum):
    """Why an exchange failed. It says what was seen, never whose fault it was."""

    DNS_UNREACHABLE = "dns.unreachable"
    DNS_NAME_NOT_RESOLVED = "dns.name_not_resolved"
    DNS_NO_ADDRESS = "dns.no_address"
    DNS_SERVER_FAILURE = "dns.server_failure"
    DNS_REFUSED = "dns.refused"
    DNS_CNAME_LOOP = "dns.cname_loop"
    DNS_MALFORMED = "dns.malformed"
    DNS_TIMED_OUT = "dns.timed_out"
    DNS_FAILED = "dns.failed"

    TCP_TIMED_OUT = "tcp.timed_out"
    TCP_CLOSED = "tcp.closed"
    TCP_RESET = "tcp.reset"
    TCP_REFUSED = "tcp.refused"
    TCP_ABORTED = "tcp.aborted"
    TCP_ADDRESS_INVALID = "tcp.address_invalid"
    TCP_ADDRESS_UNREACHABLE = "tcp.address_unreachable"
    TCP_ACCESS_DENIED = "tcp.access_denied"
    TCP_OFFLINE = "tcp.offline"
    TCP_FAILED = "tcp.failed"

    TLS_VERSION_OR_CIPHER_MISMATCH = "tls.version_or_cipher_mismatch"
    TLS_BAD_CLIENT_AUTH_CERT = "tls.bad_client_auth_cert"
    TLS_CERT_NAME_INVALID = "tls.cert.name_invalid"
    TLS_CERT_EXPIRED = "tls.cert.expired"
    TLS_CERT_NOT_YET_VALID = "tls.cert.not_yet_valid"
    TLS_CERT_DATE_INVALID = "tls.cert.date_invalid"
    TLS_CERT_SELF_SIGNED = "tls.cert.self_signed"
    TLS_CERT_INCOMPLETE_CHAIN = "tls.cert.incomplete_chain"
    TLS_CERT_AUTHORITY_INVALID = "tls.cert.authority_invalid"
    TLS_CERT_REVOKED = "tls.cert.revoked"
    TLS_CERT_INVALID = "tls.cert.invalid"
    TLS_UNRECOGNIZED_NAME = "tls.unrecognized_name"
    TLS_PROTOCOL_ERROR = "tls.protocol.error"
    TLS_TIMED_OUT = "tls.timed_out"
    TLS_FAILED = "tls.failed"

    HTTP_ERROR = "http.error"
    HTTP_PROTOCOL_ERROR = "http.protocol.error"
    HTTP_RESPONSE_INVALID = "http.response.invalid"
    HTTP_RESPONSE_EMPTY = "http.response.empty"
    HTTP_RESPONSE_TRUNCATED = "http.response.truncated"
    HTTP_RESPONSE_UNDECODABLE = "http.response.undecodable"
    HTTP_RESPONSE_HEADERS_TOO_BIG = "http.response.headers_too_big"
    HTTP_RESPONSE_REDIRECT_LOOP = "http.response.redirect_loop"
    HTTP_RESPONSE_REDIRECT_REFUSED = "http.response.redirect_refused"
    HTTP_RESPONSE_TIMED_OUT = "http.response.timed_out"
    HTTP_FAILED = "http.failed"

    POLICY_CSP = "policy.csp"
    POLICY_CORS = "policy.cors"
    POLICY_SRI = "policy.sri"
    POLICY_MIXED_CONTENT = "policy.mixed_content"
    POLICY_FRAME = "policy.frame"
    POLICY_MIME = "policy.mime"
    POLICY_CORP = "policy.corp"
    POLICY_ADDRESS = "policy.address"

    PROXY_CONNECTION_FAILED = "proxy.connection_failed"
    PROXY_AUTH_REQUIRED = "proxy.auth_required"
    PROXY_TUNNEL_FAILED = "proxy.tunnel_failed"

    BLOCKED_BY_CLIENT = "blocked.by_client"
    BLOCKED_BY_INTERVENTION = "blocked.by_intervention"

    PROBER_RESOURCES = "prober.resources"
    PROBER_PROTOCOL = "prober.protocol"
    PROBER_BROWSER = "prober.browser"

    PENDING = "pending"
    ABANDONED = "abandoned"
    UNKNOWN = "unknown"

    @property
    def family(self) -> FailureClass:
        """Return the family this failure belongs to."""
        if self in _TIMEOUTS:
            return FailureClass.TIMEOUT
        head = self.value.partition(".")[0]
        return FailureClass.UNKNOWN if head == "abandoned" else FailureClass(head)


_TIMEOUTS = frozenset(
    {
        Failure.DNS_TIMED_OUT,
        Failure.TCP_TIMED_OUT,
        Failure.TLS_TIMED_OUT,
        Failure.HTTP_RESPONSE_TIMED_OUT,
        Failure.PENDING,
    },
)
