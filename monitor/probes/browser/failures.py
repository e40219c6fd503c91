"""What the words of a browser mean: the one table from error texts to failures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from monitor.domain.failure import Failure, Phase

CHROMIUM: Final[dict[str, Failure]] = {
    # A: local by definition
    "ERR_INTERNET_DISCONNECTED": Failure.TCP_OFFLINE,
    "ERR_NETWORK_CHANGED": Failure.TCP_OFFLINE,
    "ERR_NETWORK_IO_SUSPENDED": Failure.TCP_OFFLINE,
    "ERR_PROXY_CONNECTION_FAILED": Failure.PROXY_CONNECTION_FAILED,
    "ERR_MANDATORY_PROXY_CONFIGURATION_FAILED": Failure.PROXY_CONNECTION_FAILED,
    "ERR_PROXY_CERTIFICATE_INVALID": Failure.PROXY_CONNECTION_FAILED,
    "ERR_PROXY_AUTH_UNSUPPORTED": Failure.PROXY_AUTH_REQUIRED,
    "ERR_PROXY_AUTH_REQUESTED": Failure.PROXY_AUTH_REQUIRED,
    "ERR_INVALID_AUTH_CREDENTIALS": Failure.PROXY_AUTH_REQUIRED,
    "ERR_SOCKS_CONNECTION_FAILED": Failure.PROXY_CONNECTION_FAILED,
    "ERR_SOCKS_CONNECTION_HOST_UNREACHABLE": Failure.PROXY_TUNNEL_FAILED,
    "ERR_PAC_SCRIPT_FAILED": Failure.PROXY_CONNECTION_FAILED,
    "ERR_PAC_SCRIPT_TERMINATED": Failure.PROXY_CONNECTION_FAILED,
    "ERR_TUNNEL_CONNECTION_FAILED": Failure.PROXY_TUNNEL_FAILED,
    "ERR_BLOCKED_BY_CLIENT": Failure.BLOCKED_BY_CLIENT,
    "ERR_BLOCKED_BY_ADMINISTRATOR": Failure.BLOCKED_BY_CLIENT,
    "ERR_BLOCKED_BY_FINGERPRINTING_PROTECTION": Failure.BLOCKED_BY_CLIENT,
    "ERR_NETWORK_ACCESS_DENIED": Failure.TCP_ACCESS_DENIED,
    "ERR_NETWORK_ACCESS_REVOKED": Failure.TCP_ACCESS_DENIED,
    "ERR_BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS": Failure.POLICY_ADDRESS,
    "ERR_CERT_KNOWN_INTERCEPTION_BLOCKED": Failure.TLS_CERT_AUTHORITY_INVALID,
    "ERR_INSUFFICIENT_RESOURCES": Failure.PROBER_RESOURCES,
    "ERR_OUT_OF_MEMORY": Failure.PROBER_RESOURCES,
    "ERR_FILE_NO_SPACE": Failure.PROBER_RESOURCES,
    "ERR_NO_BUFFER_SPACE": Failure.PROBER_RESOURCES,
    # B: the far end answered wrongly
    "ERR_CONNECTION_REFUSED": Failure.TCP_REFUSED,
    "ERR_EMPTY_RESPONSE": Failure.HTTP_RESPONSE_EMPTY,
    "ERR_INVALID_HTTP_RESPONSE": Failure.HTTP_RESPONSE_INVALID,
    "ERR_INVALID_RESPONSE": Failure.HTTP_RESPONSE_INVALID,
    "ERR_CONTENT_LENGTH_MISMATCH": Failure.HTTP_RESPONSE_TRUNCATED,
    "ERR_INCOMPLETE_CHUNKED_ENCODING": Failure.HTTP_RESPONSE_TRUNCATED,
    "ERR_INVALID_CHUNKED_ENCODING": Failure.HTTP_RESPONSE_INVALID,
    "ERR_CONTENT_DECODING_FAILED": Failure.HTTP_RESPONSE_UNDECODABLE,
    "ERR_CONTENT_DECODING_INIT_FAILED": Failure.HTTP_RESPONSE_UNDECODABLE,
    "ERR_RESPONSE_HEADERS_TOO_BIG": Failure.HTTP_RESPONSE_HEADERS_TOO_BIG,
    "ERR_RESPONSE_HEADERS_MULTIPLE_CONTENT_LENGTH": Failure.HTTP_RESPONSE_INVALID,
    "ERR_RESPONSE_HEADERS_MULTIPLE_CONTENT_DISPOSITION": Failure.HTTP_RESPONSE_INVALID,
    "ERR_RESPONSE_HEADERS_MULTIPLE_LOCATION": Failure.HTTP_RESPONSE_INVALID,
    "ERR_RESPONSE_HEADERS_TRUNCATED": Failure.HTTP_RESPONSE_TRUNCATED,
    "ERR_TOO_MANY_REDIRECTS": Failure.HTTP_RESPONSE_REDIRECT_LOOP,
    "ERR_INVALID_REDIRECT": Failure.HTTP_RESPONSE_REDIRECT_REFUSED,
    "ERR_UNSAFE_REDIRECT": Failure.HTTP_RESPONSE_REDIRECT_REFUSED,
    "ERR_HTTP_RESPONSE_CODE_FAILURE": Failure.HTTP_ERROR,
    "ERR_UNEXPECTED_PROXY_AUTH": Failure.HTTP_PROTOCOL_ERROR,
    "ERR_SSL_VERSION_OR_CIPHER_MISMATCH": Failure.TLS_VERSION_OR_CIPHER_MISMATCH,
    "ERR_SSL_UNRECOGNIZED_NAME_ALERT": Failure.TLS_UNRECOGNIZED_NAME,
    "ERR_CERT_REVOKED": Failure.TLS_CERT_REVOKED,
    "ERR_CERT_WEAK_SIGNATURE_ALGORITHM": Failure.TLS_CERT_INVALID,
    "ERR_CERT_WEAK_KEY": Failure.TLS_CERT_INVALID,
    "ERR_CERT_VALIDITY_TOO_LONG": Failure.TLS_CERT_INVALID,
    "ERR_CERT_INVALID": Failure.TLS_CERT_INVALID,
    "ERR_CERT_CONTAINS_ERRORS": Failure.TLS_CERT_INVALID,
    "ERR_CERT_NAME_CONSTRAINT_VIOLATION": Failure.TLS_CERT_INVALID,
    "ERR_CERTIFICATE_TRANSPARENCY_REQUIRED": Failure.TLS_CERT_INVALID,
    # C: undecidable alone
    "ERR_NAME_NOT_RESOLVED": Failure.DNS_NAME_NOT_RESOLVED,
    "ERR_NAME_RESOLUTION_FAILED": Failure.DNS_FAILED,
    "ERR_DNS_TIMED_OUT": Failure.DNS_TIMED_OUT,
    "ERR_DNS_SERVER_FAILED": Failure.DNS_SERVER_FAILURE,
    "ERR_DNS_MALFORMED_RESPONSE": Failure.DNS_MALFORMED,
    "ERR_DNS_SERVER_REQUIRES_TCP": Failure.DNS_FAILED,
    "ERR_CONNECTION_TIMED_OUT": Failure.TCP_TIMED_OUT,
    "ERR_TIMED_OUT": Failure.HTTP_RESPONSE_TIMED_OUT,
    "ERR_CONNECTION_RESET": Failure.TCP_RESET,
    "ERR_CONNECTION_CLOSED": Failure.TCP_CLOSED,
    "ERR_CONNECTION_ABORTED": Failure.TCP_ABORTED,
    "ERR_CONNECTION_FAILED": Failure.TCP_FAILED,
    "ERR_SOCKET_NOT_CONNECTED": Failure.TCP_FAILED,
    "ERR_ADDRESS_UNREACHABLE": Failure.TCP_ADDRESS_UNREACHABLE,
    "ERR_ADDRESS_INVALID": Failure.TCP_ADDRESS_INVALID,
    "ERR_INVALID_ARGUMENT": Failure.TCP_ADDRESS_INVALID,
    "ERR_SSL_PROTOCOL_ERROR": Failure.TLS_PROTOCOL_ERROR,
    "ERR_BAD_SSL_CLIENT_AUTH_CERT": Failure.TLS_BAD_CLIENT_AUTH_CERT,
    "ERR_SSL_CLIENT_AUTH_CERT_NEEDED": Failure.TLS_BAD_CLIENT_AUTH_CERT,
    "ERR_SSL_SERVER_CERT_CHANGED": Failure.TLS_PROTOCOL_ERROR,
    "ERR_CERT_AUTHORITY_INVALID": Failure.TLS_CERT_AUTHORITY_INVALID,
    "ERR_CERT_COMMON_NAME_INVALID": Failure.TLS_CERT_NAME_INVALID,
    "ERR_CERT_DATE_INVALID": Failure.TLS_CERT_DATE_INVALID,
    # D: a policy of the site, carried out by the browser
    "ERR_BLOCKED_BY_CSP": Failure.POLICY_CSP,
    "ERR_BLOCKED_BY_RESPONSE": Failure.POLICY_CORP,
    "ERR_BLOCKED_BY_ORB": Failure.POLICY_MIME,
    "ERR_CLEARTEXT_NOT_PERMITTED": Failure.POLICY_MIXED_CONTENT,
    "ERR_UNSAFE_PORT": Failure.POLICY_ADDRESS,
    # E: no failure by itself
    "ERR_ABORTED": Failure.ABANDONED,
    # beyond the groups
    "ERR_FAILED": Failure.HTTP_FAILED,
    "ERR_UNKNOWN_URL_SCHEME": Failure.HTTP_RESPONSE_REDIRECT_REFUSED,
    "ERR_DISALLOWED_URL_SCHEME": Failure.HTTP_RESPONSE_REDIRECT_REFUSED,
}

CHROMIUM_FAMILIES: Final[tuple[tuple[str, Failure], ...]] = (
    ("ERR_CACHE_", Failure.PROBER_BROWSER),
    ("ERR_HTTP2_", Failure.HTTP_PROTOCOL_ERROR),
    ("ERR_QUIC_", Failure.HTTP_PROTOCOL_ERROR),
    ("ERR_RESPONSE_HEADERS_", Failure.HTTP_RESPONSE_INVALID),
    ("ERR_BLOCKED_BY_RESPONSE", Failure.POLICY_CORP),
    ("ERR_PROXY_", Failure.PROXY_CONNECTION_FAILED),
    ("ERR_PAC_", Failure.PROXY_CONNECTION_FAILED),
    ("ERR_SOCKS_", Failure.PROXY_CONNECTION_FAILED),
    ("ERR_DNS_", Failure.DNS_FAILED),
    ("ERR_CERT_", Failure.TLS_CERT_INVALID),
    ("ERR_SSL_", Failure.TLS_FAILED),
)

BLOCKED_REASONS: Final[dict[str, Failure]] = {
    "csp": Failure.POLICY_CSP,
    "mixed-content": Failure.POLICY_MIXED_CONTENT,
    "origin": Failure.POLICY_CORS,
    "inspector": Failure.BLOCKED_BY_CLIENT,
    "integrity": Failure.POLICY_SRI,
    "subresource-filter": Failure.BLOCKED_BY_CLIENT,
    "content-type": Failure.POLICY_MIME,
    "coep-frame-resource-needs-coep-header": Failure.POLICY_CORP,
    "coop-sandboxed-iframe-cannot-navigate-to-coop-page": Failure.POLICY_FRAME,
    "corp-not-same-origin": Failure.POLICY_CORP,
    "corp-not-same-origin-after-defaulted-to-same-origin-by-coep": Failure.POLICY_CORP,
    "corp-not-same-origin-after-defaulted-to-same-origin-by-dip": Failure.POLICY_CORP,
    "corp-not-same-site": Failure.POLICY_CORP,
    "sri-message-signature-mismatch": Failure.POLICY_SRI,
}

FIREFOX: Final[dict[str, Failure]] = {
    "NS_ERROR_UNKNOWN_HOST": Failure.DNS_NAME_NOT_RESOLVED,
    "NS_ERROR_UNKNOWN_PROXY_HOST": Failure.PROXY_CONNECTION_FAILED,
    "NS_ERROR_PROXY_CONNECTION_REFUSED": Failure.PROXY_CONNECTION_FAILED,
    "NS_ERROR_PROXY_AUTHENTICATION_FAILED": Failure.PROXY_AUTH_REQUIRED,
    "NS_ERROR_PROXY_BAD_GATEWAY": Failure.PROXY_TUNNEL_FAILED,
    "NS_ERROR_PROXY_GATEWAY_TIMEOUT": Failure.PROXY_TUNNEL_FAILED,
    "NS_ERROR_CONNECTION_REFUSED": Failure.TCP_REFUSED,
    "NS_ERROR_NET_TIMEOUT": Failure.TCP_TIMED_OUT,
    "NS_ERROR_NET_TIMEOUT_EXTERNAL": Failure.TCP_TIMED_OUT,
    "NS_ERROR_NET_RESET": Failure.TCP_RESET,
    "NS_ERROR_NET_EMPTY_RESPONSE": Failure.HTTP_RESPONSE_EMPTY,
    "NS_ERROR_NET_INTERRUPT": Failure.TCP_CLOSED,
    "NS_ERROR_NET_PARTIAL_TRANSFER": Failure.HTTP_RESPONSE_TRUNCATED,
    "NS_ERROR_NET_INADEQUATE_SECURITY": Failure.TLS_VERSION_OR_CIPHER_MISMATCH,
    "NS_ERROR_NET_HTTP2_SENT_GOAWAY": Failure.HTTP_PROTOCOL_ERROR,
    "NS_ERROR_NET_HTTP3_PROTOCOL_ERROR": Failure.HTTP_PROTOCOL_ERROR,
    "NS_ERROR_HOST_UNREACHABLE": Failure.TCP_ADDRESS_UNREACHABLE,
    "NS_ERROR_LOCAL_NETWORK_ACCESS_DENIED": Failure.POLICY_ADDRESS,
    "NS_ERROR_OFFLINE": Failure.TCP_OFFLINE,
    "NS_ERROR_REDIRECT_LOOP": Failure.HTTP_RESPONSE_REDIRECT_LOOP,
    "NS_ERROR_CORRUPTED_CONTENT": Failure.POLICY_MIME,
    "NS_ERROR_INVALID_CONTENT_ENCODING": Failure.HTTP_RESPONSE_UNDECODABLE,
    "NS_ERROR_CONTENT_BLOCKED": Failure.POLICY_CSP,
    "NS_ERROR_CSP_FORM_ACTION_VIOLATION": Failure.POLICY_CSP,
    "NS_ERROR_CSP_FRAME_ANCESTOR_VIOLATION": Failure.POLICY_FRAME,
    "NS_ERROR_DOM_BAD_URI": Failure.POLICY_CORS,
    "NS_ERROR_DOM_CORP_FAILED": Failure.POLICY_CORP,
    "NS_ERROR_DOM_COEP_FAILED": Failure.POLICY_CORP,
    "NS_ERROR_BLOCKED_BY_POLICY": Failure.BLOCKED_BY_CLIENT,
    "NS_ERROR_ABORT": Failure.ABANDONED,
    "NS_BINDING_ABORTED": Failure.ABANDONED,
    "NS_BINDING_CANCELLED_OLD_LOAD": Failure.ABANDONED,
    "NS_ERROR_OUT_OF_MEMORY": Failure.PROBER_RESOURCES,
    "NS_ERROR_FAILURE": Failure.HTTP_FAILED,
    "SEC_ERROR_EXPIRED_CERTIFICATE": Failure.TLS_CERT_EXPIRED,
    "SEC_ERROR_EXPIRED_ISSUER_CERTIFICATE": Failure.TLS_CERT_EXPIRED,
    "MOZILLA_PKIX_ERROR_NOT_YET_VALID_CERTIFICATE": Failure.TLS_CERT_NOT_YET_VALID,
    "SEC_ERROR_UNKNOWN_ISSUER": Failure.TLS_CERT_AUTHORITY_INVALID,
    "SEC_ERROR_UNTRUSTED_ISSUER": Failure.TLS_CERT_AUTHORITY_INVALID,
    "SEC_ERROR_REVOKED_CERTIFICATE": Failure.TLS_CERT_REVOKED,
    "MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT": Failure.TLS_CERT_SELF_SIGNED,
    "SSL_ERROR_BAD_CERT_DOMAIN": Failure.TLS_CERT_NAME_INVALID,
    "SSL_ERROR_NO_CYPHER_OVERLAP": Failure.TLS_VERSION_OR_CIPHER_MISMATCH,
    "SSL_ERROR_UNSUPPORTED_VERSION": Failure.TLS_VERSION_OR_CIPHER_MISMATCH,
    "SSL_ERROR_RX_RECORD_TOO_LONG": Failure.TLS_PROTOCOL_ERROR,
    "SSL_ERROR_UNRECOGNIZED_NAME_ALERT": Failure.TLS_UNRECOGNIZED_NAME,
    "SSL_ERROR_UNKNOWN": Failure.TLS_CERT_INVALID,
    "deniedPortAccess": Failure.POLICY_ADDRESS,
}

WEBKIT: Final[tuple[tuple[str, Failure], ...]] = (
    ("could not resolve", Failure.DNS_NAME_NOT_RESOLVED),
    ("error resolving", Failure.DNS_NAME_NOT_RESOLVED),
    ("could not connect", Failure.TCP_REFUSED),
    ("connection refused", Failure.TCP_REFUSED),
    ("couldn't connect to server", Failure.TCP_REFUSED),
    ("connection terminated unexpectedly", Failure.HTTP_RESPONSE_EMPTY),
    ("message corrupt", Failure.HTTP_RESPONSE_EMPTY),
    ("the network connection was lost", Failure.TCP_CLOSED),
    ("server returned nothing", Failure.HTTP_RESPONSE_EMPTY),
    ("unacceptable tls certificate", Failure.TLS_CERT_INVALID),
    ("the certificate for this server is invalid", Failure.TLS_CERT_INVALID),
    ("ssl peer certificate or ssh remote key was not ok", Failure.TLS_CERT_INVALID),
    ("load request cancelled", Failure.ABANDONED),
    ("cancelled", Failure.ABANDONED),
    ("blocked by content security policy", Failure.POLICY_CSP),
    ("access-control-allow-origin", Failure.POLICY_CORS),
    ("access control checks", Failure.POLICY_CORS),
)

CONSOLE: Final[tuple[tuple[re.Pattern[str], Failure], ...]] = (
    (re.compile(r"find a valid digest in the 'integrity' attribute for resource '([^']+)'"), Failure.POLICY_SRI),
    (re.compile(r"Refused to (?:execute|apply) \w+ from '([^']+)' because its MIME type"), Failure.POLICY_MIME),
    (re.compile(r"Refused to execute script from '([^']+)' because .*MIME"), Failure.POLICY_MIME),
    (re.compile(r"Failed to load module script.*MIME type"), Failure.POLICY_MIME),
    (re.compile(r"Mixed Content: .*requested an insecure [^']*'([^']+)'.*blocked"), Failure.POLICY_MIXED_CONTENT),
    # Chromium names only the origin, which is that of other pages as well; its network events say more.
    (re.compile(r"Refused to (?:display|frame) '([^']+[^'/])'"), Failure.POLICY_FRAME),
    (re.compile(r"None of the [“\"]\w+[”\"] hashes in the integrity attribute"), Failure.POLICY_SRI),
)

_REFUSED = re.compile(r"^Failed to load resource: the server responded with a status of ([45]\d\d)\b")
_NAMES = re.compile(
    r"\b(?:net::)?ERR_[A-Z0-9_]+|\bNS_[A-Z0-9_]+|\bS(?:EC|SL)_ERROR_[A-Z_]+|\bMOZILLA_[A-Z_]+|\bdeniedPort\w+"
)

_ERROR_STATUS: Final = 400
_HIDING: Final = frozenset(
    {Failure.ABANDONED, Failure.HTTP_FAILED, Failure.POLICY_CORS, Failure.POLICY_CORP, Failure.POLICY_MIME}
)

_PHASES: Final[dict[str, Phase]] = {"dns": Phase.RESOLVE, "tls": Phase.TLS, "proxy": Phase.CONNECT}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleFinding:
    """A failure that only a console line tells of, and the resource that the line names, where it names one.

    ``untold`` says that no request for it is ever told of.
    """

    failure: Failure
    url: str
    untold: bool = False


def refusal_told(text: str) -> int | None:
    """Return the status with which Chromium's console says that a request was refused."""
    found = _REFUSED.match(text)
    return int(found[1]) if found else None


def failure_of(text: str, *, status: int | None = None, blocked_reason: str = "", cors_error: str = "") -> Failure:
    """Return what a browser's words about one failed request mean."""
    if cors_error:
        return weighed(Failure.POLICY_CORS, status)
    if blocked_reason in BLOCKED_REASONS:
        return weighed(BLOCKED_REASONS[blocked_reason], status)
    return weighed(_of_text(text), status)


def weighed(failure: Failure, status: int | None) -> Failure:
    """Return the failure, or that of the status where the browser's words only hide what was answered.

    A script that was answered 503 is reported as aborted, or as refused for its type; an error page for want of the
    headers that only good answers are given.
    """
    hides = failure in _HIDING and status is not None and status >= _ERROR_STATUS
    return Failure.HTTP_ERROR if hides else failure


def _of_text(text: str) -> Failure:
    if text in BLOCKED_REASONS:
        return BLOCKED_REASONS[text]
    names = [name.removeprefix("net::") for name in _NAMES.findall(text)]
    for name in names:
        known = CHROMIUM.get(name) or FIREFOX.get(name)
        if known:
            return known
    if names:
        return next((failure for head, failure in CHROMIUM_FAMILIES if names[0].startswith(head)), Failure.UNKNOWN)
    low = text.lower()
    return next((failure for phrase, failure in WEBKIT if phrase in low), Failure.UNKNOWN)


def network_error(text: str) -> str | None:
    """Return the browser's name of a network error that stands in an exception's text."""
    found = _NAMES.search(text)
    return found[0].removeprefix("net::") if found else None


def phase_of(failure: Failure, *, sent: bool, answered: bool, secure: bool) -> Phase | None:
    """Return the phase in which a request failed, as far as a browser lets one tell."""
    head = failure.value.partition(".")[0]
    if head in _PHASES:
        return _PHASES[head]
    if answered:
        return Phase.RECEIVE
    if sent:
        return Phase.WAIT
    if failure in {Failure.TCP_RESET, Failure.TCP_CLOSED} and secure:
        return Phase.TLS
    return Phase.CONNECT if head == "tcp" else None


def console_finding(text: str) -> ConsoleFinding | None:
    """Return the failure that a console line tells of, where no network event does."""
    for pattern, failure in CONSOLE:
        found = pattern.search(text)
        if found:
            untold = failure is Failure.POLICY_MIXED_CONTENT and "insecure frame" in text
            return ConsoleFinding(failure=failure, url=found[1] if pattern.groups else "", untold=untold)
    return None
