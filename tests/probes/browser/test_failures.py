from __future__ import annotations

import pytest

from monitor.domain.failure import Failure, FailureClass, Phase
from monitor.probes.browser.failures import (
    BLOCKED_REASONS,
    CHROMIUM,
    CHROMIUM_FAMILIES,
    CONSOLE,
    FIREFOX,
    WEBKIT,
    console_finding,
    failure_of,
    network_error,
    phase_of,
)


@pytest.mark.parametrize(("name", "failure"), CHROMIUM.items())
def test_each_chromium_error_is_found_in_request_texts_and_exception_texts(name, failure):
    assert failure_of(f"net::{name}") is failure
    assert failure_of(f"Page.goto: net::{name} at https://a.test/\nCall log:") is failure
    assert network_error(f"Page.goto: net::{name} at https://a.test/") == name


@pytest.mark.parametrize(("name", "failure"), FIREFOX.items())
def test_each_firefox_error_is_found(name, failure):
    assert failure_of(name) is failure
    assert failure_of(f"Page.goto: Protocol error\nMessage: Error: {name} at http://a.test/") is failure


@pytest.mark.parametrize(("phrase", "failure"), WEBKIT)
def test_each_webkit_phrase_is_found_in_any_case(phrase, failure):
    assert failure_of(f"Page.goto: {phrase.capitalize()}") is failure


@pytest.mark.parametrize(("reason", "failure"), BLOCKED_REASONS.items())
def test_each_blocked_reason_decides_alone_or_as_playwrights_text(reason, failure):
    assert failure_of("", blocked_reason=reason) is failure
    assert failure_of("net::ERR_FAILED", blocked_reason=reason) is failure
    assert failure_of(reason) is failure


@pytest.mark.parametrize(("head", "failure"), CHROMIUM_FAMILIES)
def test_an_unlisted_error_falls_back_to_its_family(head, failure):
    assert failure_of(f"net::{head}SOMETHING_NEW") is failure


CONSOLE_LINES = {
    "Failed to find a valid digest in the 'integrity' attribute for resource 'https://a.test/x.js' with computed "
    "SHA-384 integrity 'abc'. The resource has been blocked.": (Failure.POLICY_SRI, "https://a.test/x.js"),
    "Refused to execute script from 'https://a.test/x.js' because its MIME type ('text/html') is not executable, and "
    "strict MIME type checking is enabled.": (Failure.POLICY_MIME, "https://a.test/x.js"),
    "Refused to apply style from 'https://a.test/x.css' because its MIME type ('text/html') is not a supported "
    "stylesheet MIME type": (Failure.POLICY_MIME, "https://a.test/x.css"),
    "Failed to load module script: Expected a JavaScript module script but the server responded with a MIME type of "
    '"text/html".': (Failure.POLICY_MIME, ""),
    "Mixed Content: The page at 'https://a.test/' was loaded over HTTPS, but requested an insecure script "
    "'http://b.test/x.js'. This request has been blocked": (Failure.POLICY_MIXED_CONTENT, "http://b.test/x.js"),
    "Refused to display 'https://b.test/pay' in a frame because it set 'X-Frame-Options' to 'deny'.": (
        Failure.POLICY_FRAME,
        "https://b.test/pay",
    ),
    "None of the “sha384” hashes in the integrity attribute match the content": (
        Failure.POLICY_SRI,
        "",
    ),
}


@pytest.mark.parametrize("line", CONSOLE_LINES)
def test_each_console_line_names_its_failure_and_resource(line):
    found = console_finding(line)
    assert (found.failure, found.url) == CONSOLE_LINES[line]


def test_every_console_pattern_has_a_line():
    assert all(any(pattern.search(line) for line in CONSOLE_LINES) for pattern, _ in CONSOLE)


def test_an_innocent_console_line_tells_of_nothing():
    assert console_finding("ready") is None


def test_an_aborted_request_is_a_failure_only_where_it_was_answered_with_an_error():
    assert failure_of("net::ERR_ABORTED") is Failure.ABANDONED
    assert failure_of("net::ERR_ABORTED", status=200) is Failure.ABANDONED
    assert failure_of("net::ERR_ABORTED", status=503) is Failure.HTTP_ERROR


def test_a_cors_error_is_one_whatever_the_text_says():
    assert failure_of("net::ERR_FAILED", cors_error="MissingAllowOriginHeader") is Failure.POLICY_CORS
    assert failure_of("net::ERR_FAILED") is Failure.HTTP_FAILED


def test_an_unknown_text_is_unknown_and_never_guessed():
    assert failure_of("the cat sat on the cable") is Failure.UNKNOWN
    assert failure_of("net::ERR_SOMETHING_QUITE_NEW") is Failure.UNKNOWN
    assert network_error("Locator.click: Timeout 300ms exceeded") is None


def test_our_own_abort_is_recognizable():
    assert failure_of("net::ERR_BLOCKED_BY_CLIENT.Inspector") is Failure.BLOCKED_BY_CLIENT


PHASES = (
    (Failure.DNS_NAME_NOT_RESOLVED, {}, Phase.RESOLVE),
    (Failure.TCP_REFUSED, {}, Phase.CONNECT),
    (Failure.TCP_RESET, {}, Phase.CONNECT),
    (Failure.TCP_RESET, {"secure": True}, Phase.TLS),
    (Failure.TCP_RESET, {"sent": True}, Phase.WAIT),
    (Failure.TCP_RESET, {"sent": True, "answered": True}, Phase.RECEIVE),
    (Failure.TLS_CERT_EXPIRED, {"secure": True}, Phase.TLS),
    (Failure.PROXY_TUNNEL_FAILED, {}, Phase.CONNECT),
    (Failure.HTTP_RESPONSE_EMPTY, {"sent": True}, Phase.WAIT),
    (Failure.POLICY_CSP, {}, None),
    (Failure.PENDING, {}, None),
)


@pytest.mark.parametrize(("failure", "seen", "phase"), PHASES)
def test_the_phase_follows_from_what_was_seen(failure, seen, phase):
    assert phase_of(failure, **{"sent": False, "answered": False, "secure": False, **seen}) is phase


def test_every_failure_of_the_tables_has_a_family():
    tables = (*CHROMIUM.values(), *FIREFOX.values(), *BLOCKED_REASONS.values())
    assert {failure.family for failure in tables} <= set(FailureClass)
