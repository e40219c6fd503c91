from __future__ import annotations

import builtins
import errno
import inspect
import ssl

import h2.exceptions
import httptools.parser.errors
import pytest

from monitor.domain.failure import Failure, Phase
from monitor.probes.http import failures
from monitor.probes.http.channels import DeadlineReached
from monitor.probes.http.failures import EXCEPTIONS, TIMEOUTS, Fault, failure_of, raise_if_ours
from monitor.probes.session import ProberError
from monitor.probes.vantage.resolver import Resolution, ResolveFailed


def _classes(module, root):
    found = [each for _, each in inspect.getmembers(module, inspect.isclass) if issubclass(each, root)]
    assert found
    return found


@pytest.mark.parametrize(
    "kind",
    [
        *_classes(httptools.parser.errors, httptools.HttpParserError),
        *_classes(h2.exceptions, h2.exceptions.H2Error),
        *_classes(ssl, ssl.SSLError),
        *_classes(builtins, OSError),
        EOFError,
        DeadlineReached,
    ],
)
def test_every_exception_of_our_libraries_stands_in_the_table(kind):
    assert any(each in EXCEPTIONS for each in kind.__mro__)


def test_no_exception_of_the_table_is_judged_unknown():
    made = {
        Fault: Fault(Failure.HTTP_FAILED, ""),
        ResolveFailed: ResolveFailed(Failure.DNS_FAILED, "", Resolution()),
        ssl.SSLCertVerificationError: _unverified(10),
    }
    for kind in EXCEPTIONS:
        error = made.get(kind) or kind("words")
        assert failure_of(error, Phase.WAIT) is not Failure.UNKNOWN


def _unverified(code):
    error = ssl.SSLCertVerificationError(1, "words")
    error.verify_code = code
    return error


NETWORK_ERRNOS = [
    name
    for name in dir(errno)
    if name.startswith(("ECONN", "ENET", "EHOST", "EADDR"))
    or name in {"EPIPE", "ETIMEDOUT", "EACCES", "EPERM", "EMFILE"}
]


@pytest.mark.parametrize("name", NETWORK_ERRNOS)
def test_every_number_that_a_network_may_give_has_a_name(name):
    code = getattr(errno, name)
    # Addresses in use concern listeners, a reset of the network its drivers: nothing more can be said of them.
    if name not in {"EADDRINUSE", "ENETRESET"}:
        assert failure_of(OSError(code, "words"), Phase.CONNECT) is not Failure.TCP_FAILED


def test_every_phase_has_its_time_out():
    assert set(TIMEOUTS) == set(Phase)
    for phase in Phase:
        assert failure_of(DeadlineReached(), phase) is TIMEOUTS[phase]
    assert failure_of(TimeoutError(errno.ETIMEDOUT, "words"), Phase.WAIT) is Failure.TCP_TIMED_OUT


def test_reasons_stand_as_the_library_spells_them():
    known = {name.upper() for name in ssl.__dict__.get("_codes", {})} or set(__import__("_ssl").err_names_to_codes)
    strange = {name for name in failures.TLS_REASONS if name not in known}
    # Both came with OpenSSL 3; the table of Python 3.11 lags behind.
    assert strange <= {"UNSAFE_LEGACY_RENEGOTIATION_DISABLED", "UNEXPECTED_EOF_WHILE_READING", "WRONG_CIPHER_RETURNED"}


def test_an_unforeseen_error_is_our_fault_and_never_the_sites():
    error = ZeroDivisionError("ours")
    with pytest.raises(ProberError):
        raise_if_ours(error, failure_of(error, Phase.WAIT))


def test_wants_of_files_and_memory_are_our_fault():
    for code in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
        error = OSError(code, "words")
        assert failure_of(error, Phase.CONNECT) is Failure.PROBER_RESOURCES
        with pytest.raises(ProberError):
            raise_if_ours(error, Failure.PROBER_RESOURCES)
