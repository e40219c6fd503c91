"""Errors of libraries and system to failures: the one table."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import h2.exceptions
import httptools
import httpx
from h2.errors import ErrorCodes

from monitor.domain.evidence import ProberFault
from monitor.domain.failure import Failure, Phase
from monitor.probes.http.channels import DeadlineReached
from monitor.probes.session import ProberError
from monitor.probes.vantage.resolver import ResolveFailed


class Fault(Exception):  # noqa: N818 - the site's, as a rule
    """An exchange failed in a way that we saw ourselves, not a library."""

    def __init__(self, failure: Failure, message: str) -> None:
        """Keep the fact beside the words."""
        super().__init__(message)
        self.failure = failure


RESOURCES: Mapping[int, ProberFault] = {
    errno.EMFILE: ProberFault.OUT_OF_FILES,
    errno.ENFILE: ProberFault.OUT_OF_FILES,
    errno.ENOBUFS: ProberFault.OUT_OF_MEMORY,
    errno.ENOMEM: ProberFault.OUT_OF_MEMORY,
}

ERRNOS: Mapping[int, Failure] = {
    errno.ECONNREFUSED: Failure.TCP_REFUSED,
    errno.ECONNRESET: Failure.TCP_RESET,
    errno.EPIPE: Failure.TCP_RESET,
    errno.ECONNABORTED: Failure.TCP_ABORTED,
    errno.ETIMEDOUT: Failure.TCP_TIMED_OUT,
    errno.EHOSTUNREACH: Failure.TCP_ADDRESS_UNREACHABLE,
    errno.ENETUNREACH: Failure.TCP_ADDRESS_UNREACHABLE,
    errno.EHOSTDOWN: Failure.TCP_ADDRESS_UNREACHABLE,
    errno.EADDRNOTAVAIL: Failure.TCP_ADDRESS_UNREACHABLE,
    errno.EAFNOSUPPORT: Failure.TCP_ADDRESS_UNREACHABLE,
    errno.ENETDOWN: Failure.TCP_OFFLINE,
    errno.EACCES: Failure.TCP_ACCESS_DENIED,
    errno.EPERM: Failure.TCP_ACCESS_DENIED,
    errno.EINVAL: Failure.TCP_ADDRESS_INVALID,
    **dict.fromkeys(RESOURCES, Failure.PROBER_RESOURCES),
    errno.ENODEV: Failure.TCP_ADDRESS_INVALID,
}

# X509_V_ERR_* of OpenSSL.
VERIFY_CODES: Mapping[int, Failure] = {
    9: Failure.TLS_CERT_NOT_YET_VALID,
    10: Failure.TLS_CERT_EXPIRED,
    13: Failure.TLS_CERT_DATE_INVALID,
    14: Failure.TLS_CERT_DATE_INVALID,
    18: Failure.TLS_CERT_SELF_SIGNED,
    19: Failure.TLS_CERT_AUTHORITY_INVALID,
    20: Failure.TLS_CERT_AUTHORITY_INVALID,
    21: Failure.TLS_CERT_AUTHORITY_INVALID,
    23: Failure.TLS_CERT_REVOKED,
    27: Failure.TLS_CERT_AUTHORITY_INVALID,
    62: Failure.TLS_CERT_NAME_INVALID,
    64: Failure.TLS_CERT_NAME_INVALID,
}
NO_ISSUER = frozenset({20, 21})

_MISMATCH = Failure.TLS_VERSION_OR_CIPHER_MISMATCH
_CLIENT_CERT = Failure.TLS_BAD_CLIENT_AUTH_CERT

# Reasons as the ssl module spells them; any other is a protocol error.
TLS_REASONS: Mapping[str, Failure] = {
    "UNSUPPORTED_PROTOCOL": _MISMATCH,
    "WRONG_SSL_VERSION": _MISMATCH,
    "VERSION_TOO_LOW": _MISMATCH,
    "TLSV1_ALERT_PROTOCOL_VERSION": _MISMATCH,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _MISMATCH,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": _MISMATCH,
    "TLSV1_ALERT_INAPPROPRIATE_FALLBACK": _MISMATCH,
    "NO_PROTOCOLS_AVAILABLE": _MISMATCH,
    "NO_CIPHERS_AVAILABLE": _MISMATCH,
    "NO_SHARED_CIPHER": _MISMATCH,
    "WRONG_CIPHER_RETURNED": _MISMATCH,
    "UNKNOWN_CIPHER_RETURNED": _MISMATCH,
    "DH_KEY_TOO_SMALL": _MISMATCH,
    "EE_KEY_TOO_SMALL": _MISMATCH,
    "CA_KEY_TOO_SMALL": _MISMATCH,
    "CA_MD_TOO_WEAK": _MISMATCH,
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": _MISMATCH,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _CLIENT_CERT,
    "SSLV3_ALERT_BAD_CERTIFICATE": _CLIENT_CERT,
    "SSLV3_ALERT_NO_CERTIFICATE": _CLIENT_CERT,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": _CLIENT_CERT,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": _CLIENT_CERT,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": _CLIENT_CERT,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _CLIENT_CERT,
    "TLSV1_ALERT_UNKNOWN_CA": _CLIENT_CERT,
    "TLSV1_ALERT_ACCESS_DENIED": _CLIENT_CERT,
    "TLSV1_UNRECOGNIZED_NAME": Failure.TLS_UNRECOGNIZED_NAME,
    "UNEXPECTED_EOF_WHILE_READING": Failure.TCP_CLOSED,
}

TIMEOUTS: Mapping[Phase, Failure] = {
    Phase.RESOLVE: Failure.DNS_TIMED_OUT,
    Phase.CONNECT: Failure.TCP_TIMED_OUT,
    Phase.TLS: Failure.TLS_TIMED_OUT,
    Phase.WAIT: Failure.HTTP_RESPONSE_TIMED_OUT,
    Phase.RECEIVE: Failure.HTTP_RESPONSE_TIMED_OUT,
}


def _of_system(error: Any, phase: Phase) -> Failure:
    # A time-out that the kernel reports carries its number, one of ours does not.
    number = error.errno
    return ERRNOS.get(number, Failure.TCP_FAILED) if number else TIMEOUTS[phase]


# The most specific class that an error is an instance of decides.
EXCEPTIONS: Mapping[type[BaseException], Callable[[Any, Phase], Failure]] = {
    Fault: lambda error, _: error.failure,
    ResolveFailed: lambda error, _: error.failure,
    DeadlineReached: lambda _, phase: TIMEOUTS[phase],
    TimeoutError: _of_system,
    ssl.SSLCertVerificationError: lambda error, _: VERIFY_CODES.get(error.verify_code, Failure.TLS_CERT_INVALID),
    ssl.SSLEOFError: lambda _, __: Failure.TCP_CLOSED,
    ssl.SSLZeroReturnError: lambda _, __: Failure.TCP_CLOSED,
    ssl.SSLError: lambda error, _: TLS_REASONS.get(getattr(error, "reason", None) or "", Failure.TLS_PROTOCOL_ERROR),
    EOFError: lambda _, __: Failure.TCP_CLOSED,
    OSError: lambda error, _: ERRNOS.get(error.errno or 0, Failure.TCP_FAILED),
    httptools.HttpParserError: lambda _, __: Failure.HTTP_PROTOCOL_ERROR,
    h2.exceptions.DenialOfServiceError: lambda _, __: Failure.HTTP_RESPONSE_HEADERS_TOO_BIG,
    h2.exceptions.H2Error: lambda _, __: Failure.HTTP_PROTOCOL_ERROR,
    httpx.InvalidURL: lambda _, __: Failure.HTTP_RESPONSE_REDIRECT_REFUSED,
}


def failure_of(error: BaseException, phase: Phase) -> Failure:
    """Return the failure that an error stands for; ``UNKNOWN`` for one that nobody foresaw."""
    for kind in type(error).__mro__:
        judge = EXCEPTIONS.get(kind)
        if judge is not None:
            return judge(error, phase)
    return Failure.UNKNOWN


def words_of(error: BaseException) -> str:
    """Return what an error says of itself, in one line."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"certificate refused: {error.verify_message}"
        case ssl.SSLError() if getattr(error, "reason", None):
            return error.reason.replace("_", " ").lower()
        case DeadlineReached():
            return "the time of the exchange was up"
        case EOFError():
            return "the connection was closed"
        case OSError() if error.strerror:
            return error.strerror
        case _:
            return str(error) or type(error).__name__


def raise_if_ours(error: BaseException, failure: Failure | None) -> None:
    """Raise ProberError where an error says that we lack files or memory, or that nobody foresaw it."""
    if isinstance(error, MemoryError):
        raise ProberError(ProberFault.OUT_OF_MEMORY, "no memory is left for an exchange") from error
    fault = RESOURCES.get(getattr(error, "errno", None) or 0)
    if fault is not None:
        raise ProberError(fault, f"the system refused an exchange its resources: {words_of(error)}") from error
    if failure is Failure.UNKNOWN:
        # An error of our own making says nothing about the site.
        msg = f"an exchange ended in a way nobody foresaw: {type(error).__name__}"
        raise ProberError(ProberFault.INTERNAL, msg) from error


def http2_words(code: int) -> str:
    """Return the name of an HTTP/2 error code."""
    try:
        return ErrorCodes(code).name
    except ValueError:
        return f"error {code}"
