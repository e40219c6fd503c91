"""Own faults that look like somebody else's, or like nobody's. Must and must not."""

from __future__ import annotations

import pytest

from monitor.domain.cause import Confidence, Detail
from monitor.domain.evidence import ConsoleLevel, ConsoleMessage, PageError, PageEvent, StepErrorKind, WebSocketFacts
from monitor.domain.exchange import Initiator
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Validity
from monitor.domain.reference import DifferenceKind
from monitor.domain.secret import Secret
from tests.diagnosis.incidents import (
    ADS,
    API,
    CDN,
    SHOP,
    Court,
    again,
    compared,
    difference,
    failed,
    page,
    proven,
    request,
)

MAIN = f"{SHOP}main.js"
LIBRARIES = "cdn.libraries.example"
CONTENT, HEADER, MISSING = DifferenceKind.CONTENT, DifferenceKind.HEADER, DifferenceKind.MISSING
NEW, STATUS = DifferenceKind.NEW, DifferenceKind.STATUS
ABSENT = StepErrorKind.EXPECTATION
PARSER = Initiator(kind="parser", url=SHOP)


def script(url: str, **values):
    return request(url, resource="script", initiator=PARSER, **values)


def throws(message: str) -> PageError:
    return PageError(message=message, frames=(MAIN,), step="pay")


# A page of markup in the place of data or code.


def typed(url: str, before: str, after: str, resource: str = "xhr"):
    return difference(HEADER, url, resource=resource, header="content-type", before=before, after=after)


def test_own_data_that_became_a_page_is_ours_though_every_request_succeeded(court):
    evidence = failed(
        page(), request(API), kind=ABSENT, compared=compared(typed(API, "application/json", "text/html; charset=utf-8"))
    )
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail, diagnosis.confidence, diagnosis.rule) == (
        Detail.OWN_CONTENT, Confidence.PROBABLE, "R11",
    )  # fmt: skip
    assert "answered 200 with a page of markup, and with application/json in the last good run" in diagnosis.because


@pytest.mark.parametrize(
    ("url", "before", "after"),
    [
        pytest.param(
            API, "application/json", "application/problem+json", id="data of another kind may be read as well"
        ),
        pytest.param(API, "text/html", "text/html; charset=utf-8", id="it was a page before"),
        pytest.param(API, "", "text/html", id="what it was is not known"),
        pytest.param(ADS, "application/json", "text/html", id="nobody waits for advertising"),
    ],
)
def test_another_content_type_alone_accuses_nobody(court, url, before, after):
    evidence = failed(page(), request(url), kind=ABSENT, compared=compared(typed(url, before, after)))
    assert court.detail(evidence) == "und.script_or_app_change"


def test_an_own_script_that_became_a_page_is_no_change_of_the_page(court):
    content = difference(CONTENT, MAIN, resource="script", before="4688:a", after="53:b")
    evidence = failed(
        page(),
        script(MAIN),
        kind=StepErrorKind.TIMEOUT,
        page_errors=(PageError(message="Unexpected token '<'"),),
        compared=compared(content, typed(MAIN, "text/javascript", "text/html", "script")),
        experiments=proven(Kind.REPLAY, "www.shop.example", path="/main.js"),
    )
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail, diagnosis.confidence, diagnosis.rule) == (
        Detail.OWN_CONTENT, Confidence.CONFIRMED, "R20",
    )  # fmt: skip


# Little, and an error in place of data.


def test_the_very_answer_that_the_step_examined_may_be_small_and_still_have_shrunk(court):
    """200 with an error in it: what the step expected is not there, and little else is."""
    answer = request(API, resource="http")
    less = difference(CONTENT, API, resource="http", before="260:a", after="38:b")
    words = "expected JSON to hold 'currency', but at the top there is an object with error, code"
    examined = {"message": words, "exchange": API}
    evidence = failed(answer, kind=ABSENT, error=examined, compared=compared(less))
    assert court.detail(evidence) == "own.content"
    beside = failed(answer, kind=ABSENT, error={"message": words}, compared=compared(less))
    judgement = court.judge(beside)
    assert judgement.diagnosis.detail is Detail.UND_SCRIPT_OR_APP_CHANGE
    assert "(expected JSON to hold 'currency')" in judgement.diagnosis.because


# A vendor's script that our own page keeps away.

LOST = throws("Lib is not defined")
PAGE_CHANGED = difference(CONTENT, SHOP, resource="document", before="900:a", after="905:b")
NOT_ASKED = difference(MISSING, CDN, resource="script", before="200")


def test_a_script_that_our_changed_page_asks_no_more_for_is_ours(court):
    evidence = failed(
        page(), script(MAIN), kind=ABSENT, page_errors=(LOST,), compared=compared(PAGE_CHANGED, NOT_ASKED)
    )
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail, diagnosis.confidence) == (Detail.OWN_CONTENT, Confidence.PROBABLE)
    assert "asks no more for the script of cdn.libraries.example" in diagnosis.because


@pytest.mark.parametrize(
    "differences",
    [
        pytest.param((NOT_ASKED,), id="our page is what it was"),
        pytest.param((PAGE_CHANGED,), id="everything was asked for"),
        pytest.param(
            (PAGE_CHANGED, NOT_ASKED, difference(CONTENT, "https://tags.example/t.js", resource="script")),
            id="another vendor's script changed, and may have loaded it",
        ),
    ],
)
def test_a_name_that_is_missing_is_not_laid_at_our_page_on_less(court, differences):
    evidence = failed(
        page(), script(MAIN), script(ADS), kind=ABSENT, page_errors=(LOST,), compared=compared(*differences)
    )
    assert court.detail(evidence) == "und.insufficient"


def test_an_embedder_policy_of_ours_keeps_a_vendor_out_whatever_the_vendor_sends(court):
    blocked = script(CDN, failure=Failure.POLICY_CORP)
    changed = difference(
        HEADER, SHOP, resource="document", header="cross-origin-embedder-policy", before="", after="require-corp"
    )
    evidence = failed(
        page(),
        script(MAIN),
        blocked,
        kind=ABSENT,
        page_errors=(LOST,),
        compared=compared(changed),
        experiments=(again(Kind.REPLAY, LIBRARIES, well=False), again(Kind.RERUN, well=False)),
    )
    assert court.detail(evidence) == "own.policy"
    assert court.detail(failed(page(), script(MAIN), blocked, kind=ABSENT, page_errors=(LOST,))) == "und.insufficient"


# Data that our own page's policy keeps from its code: there is no request, only a line of the console.

POLICY = difference(
    HEADER,
    SHOP,
    resource="document",
    header="content-security-policy",
    before="script-src 'self' 'unsafe-inline'",
    after="script-src 'self'; connect-src 'self'; form-action 'none'; sandbox allow-forms; "
    "require-trusted-types-for 'script'",
)
NOT_GOT = difference(MISSING, API, resource="fetch", before="200")
DIRECTIVE = "violates the following Content Security Policy directive"
DATA = f"Connecting to '{API}?n=1' {DIRECTIVE}: \"connect-src 'self'\". The action has been blocked."


def kept_out(text: str, *differences):
    line = ConsoleMessage(level=ConsoleLevel.ERROR, text=text, url=MAIN, step="pay")
    return failed(page(), script(MAIN), kind=ABSENT, console=(line,), compared=compared(*differences))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (DATA, "api.shop.example/order"),
        (f"Refused to connect to '{API}' because it {DIRECTIVE}: \"connect-src 'self'\".", "api.shop.example/order"),
        (f"Sending form data to '{SHOP}x' {DIRECTIVE}: \"form-action 'none'\".", "www.shop.example/x"),
        (
            f"Executing inline script {DIRECTIVE} 'script-src 'self''. Either the 'unsafe-inline' keyword",
            "running as it",
        ),
        (f"Executing inline event handler {DIRECTIVE} 'script-src 'self''. Either the", "running as it stands"),
        (
            f"Evaluating a string as JavaScript {DIRECTIVE} because 'unsafe-eval' is no source: script-src 'self'\".\n",
            "running as it stands",
        ),
        (f"Blocked script execution in '{SHOP}' because the document's frame is sandboxed and the", "running at all"),
        ("This document requires 'TrustedHTML' assignment. The action has been blocked.", "writing to the page"),
    ],
)
def test_what_our_pages_new_policy_refuses_is_ours(court, text, what):
    diagnosis = court.judge(kept_out(text, POLICY, NOT_GOT)).diagnosis
    assert (diagnosis.detail, diagnosis.rule) == (Detail.OWN_POLICY, "R07")
    assert f"which changed since the last good run, keeps its code from {what}" in diagnosis.because


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(kept_out(DATA, NOT_GOT), id="the policy is what it was"),
        pytest.param(kept_out(DATA, POLICY), id="the last good run did not get it either"),
        pytest.param(kept_out(DATA.replace(API, ADS), POLICY, NOT_GOT), id="it is advertising that is refused"),
        pytest.param(kept_out(DATA.replace("connect-src", "img-src"), POLICY, NOT_GOT), id="by what is not new in it"),
        pytest.param(kept_out(f"Applying inline style {DIRECTIVE} 'script-src 'self''. Either", POLICY), id="a style"),
        pytest.param(
            kept_out(
                "Blocked script execution in 'https://ads.example/' because the document's frame is sandboxed", POLICY
            ),
            id="a frame of somebody else",
        ),
    ],
)
def test_the_noise_of_a_policy_accuses_nobody(court, evidence):
    assert court.detail(evidence) == "und.insufficient"


# Pages that are no pages any more.

HOME = f"{SHOP}home"
SOON = f"{SHOP}soon"
CODE_GONE = difference(MISSING, MAIN, resource="script", before="200")
TURNED = difference(STATUS, HOME, resource="document", before="200", after="302")
UNKNOWN = difference(NEW, SOON, resource="document", after="200")


def led(*differences, **last):
    pages = (page(HOME, status=302), page(SOON, **{"redirected_from": HOME, **last}))
    return failed(*pages, kind=ABSENT, compared=compared(*differences))


def test_a_new_redirect_to_a_page_with_no_code_of_ours_is_no_redesign(court):
    diagnosis = court.judge(led(CODE_GONE, TURNED, UNKNOWN)).diagnosis
    assert (diagnosis.detail, diagnosis.confidence) == (Detail.OWN_CONTENT, Confidence.PROBABLE)
    assert "www.shop.example/home leads to www.shop.example/soon now" in diagnosis.because


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(led(CODE_GONE, TURNED), id="the last good run saw that page"),
        pytest.param(led(TURNED, UNKNOWN), id="no code of ours was there before"),
        pytest.param(led(CODE_GONE, UNKNOWN), id="it led there before"),
    ],
)
def test_another_page_may_be_meant(court, evidence):
    assert court.detail(evidence) == "und.script_or_app_change"


def test_a_page_that_is_answered_with_no_content_now_is_ours(court):
    nothing = page(HOME, status=204, failure=Failure.ABANDONED)
    gone_blank = difference(STATUS, HOME, resource="document", before="200", after="204")
    assert court.detail(failed(nothing, kind=ABSENT, compared=compared(gone_blank))) == "own.content"
    assert court.detail(failed(nothing, kind=ABSENT, compared=compared())) == "und.script_or_app_change"


def test_a_page_that_is_offered_as_a_file_now_is_ours(court):
    offered = page(HOME, failure=Failure.ABANDONED, status=200)
    event = PageEvent(kind="download", text=f"refused: {HOME}", step="pay")

    def judged(*differences, **values) -> str:
        return court.detail(failed(page(), offered, kind=ABSENT, compared=compared(*differences), **values))

    assert judged(CODE_GONE, events=(event,)) == "own.content"
    assert judged(CODE_GONE) == "und.script_or_app_change"
    assert judged(events=(event,)) == "und.script_or_app_change", "it may always have been a file"


@pytest.mark.parametrize("status", [400, 404, 405, 413])
def test_own_data_that_was_answered_and_is_refused_in_an_earlier_step_is_ours(court, status):
    refused = request(API, status=status, step="open")
    turned = difference(STATUS, API, before="200", after=str(status))
    assert court.detail(failed(page(), refused, kind=ABSENT, compared=compared(turned))) == "own.http_status"
    assert court.detail(failed(page(), refused, kind=ABSENT, compared=compared())) == "und.insufficient"


# A page that is stopped at a click.

CLICK = "- waiting for the button\n    - locator resolved to <button>\n    - element is visible, enabled and stable\n"
BUNDLE = difference(CONTENT, MAIN, resource="script", before="4696:a", after="4712:b")
MENDED = proven(Kind.REPLAY, "www.shop.example", path="/main.js")


@pytest.mark.parametrize(
    ("last", "detail"),
    [
        ("    - performing click action", "own.slow_frontend"),
        ("    - performing click action\n    - click action done", "und.script_or_app_change"),
        ("    - scrolling into view if needed", "und.script_or_app_change"),
    ],
)
def test_an_own_script_that_stops_the_page_at_a_click_is_no_change_of_the_page(court, last, detail):
    evidence = failed(
        page(), script(MAIN), error={"detail": CLICK + last}, compared=compared(BUNDLE), experiments=MENDED
    )
    diagnosis = court.judge(evidence).diagnosis
    assert diagnosis.detail.value == detail
    assert "another page" not in diagnosis.because


# An address that only our changed page asks for.

THERE_NOW = difference(NEW, CDN, resource="script", after="404")


def gone(*differences, initiator: Initiator = PARSER):
    missing = request(CDN, resource="script", status=404, initiator=initiator)
    return failed(page(), script(MAIN), missing, kind=ABSENT, page_errors=(LOST,), compared=compared(*differences))


def test_a_vendors_address_that_our_changed_page_asks_for_in_vain_is_ours(court):
    diagnosis = court.judge(gone(PAGE_CHANGED, THERE_NOW)).diagnosis
    assert (diagnosis.detail, diagnosis.culprit.name) == (Detail.OWN_CONTENT, "team-payments")
    assert "our own page or script changed, and only now asks for it" in diagnosis.because


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(gone(PAGE_CHANGED), id="it was asked for before"),
        pytest.param(gone(THERE_NOW), id="our page is what it was"),
        pytest.param(
            gone(PAGE_CHANGED, THERE_NOW, initiator=Initiator(kind="script", url=CDN)), id="a vendor's script asks"
        ),
    ],
)
def test_a_vendors_script_that_is_gone_stays_the_vendors(court, evidence):
    assert court.detail(evidence) == "tp.content"


# A refusal where nobody signs in.


def refused(**values):
    exchange = request(API, **{"method": "POST", "status": 401, "mime_type": "application/json", **values})
    status = difference(STATUS, API, resource="xhr", before="201", after=str(exchange.status))
    charged = request("https://pay.payments.example/tokens", method="POST")
    return failed(page(), charged, exchange, kind=ABSENT, compared=compared(status))


@pytest.mark.parametrize("status", [401, 403])
def test_who_refuses_our_own_code_where_nobody_signs_in_is_ours(court, status):
    judgement = court.judge(refused(status=status))
    assert (judgement.validity, judgement.diagnosis.detail) == (Validity.VALID, Detail.OWN_HTTP_STATUS)
    assert "the journey signs in nowhere" in judgement.diagnosis.because


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"status": 403, "mime_type": "text/html"}, id="a guard's page"),
        pytest.param({"status": 403, "headers": (("server", "edgecdn"),)}, id="the edge may have refused it"),
    ],
)
def test_a_guard_that_may_refuse_only_the_monitor_leaves_it_open(court, values):
    assert court.detail(refused(**values)) == "und.insufficient"


def test_a_check_with_an_account_may_have_lost_it(names):
    court = Court(names, values=(("password", Secret("password", "drowssap")),))
    assert court.detail(refused()) == "und.monitor_config"


# A WebSocket whose handshake nobody answers.


def socket(**values) -> WebSocketFacts:
    defaults = {"url": "wss://live.shop.example/feed", "host": "live.shop.example", "answered": False, "step": "pay"}
    return WebSocketFacts(**{**defaults, **values})


def test_an_own_websocket_that_is_never_answered_is_ours(court):
    evidence = failed(page(), kind=ABSENT, websockets=(socket(), socket()))
    diagnosis = court.judge(evidence).diagnosis
    assert diagnosis.detail is Detail.OWN_CONNECT
    assert "was not opened: the handshake had no answer when the step ended" in diagnosis.because


@pytest.mark.parametrize(
    "sockets",
    [
        pytest.param((socket(answered=None),), id="this browser does not tell"),
        pytest.param((socket(), socket(answered=True)), id="one of the same host was opened"),
        pytest.param((socket(step="open"),), id="it was asked for in another step"),
        pytest.param((socket(host="chat.example", url="wss://chat.example/"),), id="nobody needs this vendor"),
    ],
)
def test_a_websocket_that_may_be_well_accuses_nobody(court, sockets):
    assert court.detail(failed(page(), kind=ABSENT, websockets=sockets)) == "und.script_or_app_change"
