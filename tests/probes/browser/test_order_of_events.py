"""Chromium tells of what came over the wire on a channel of its own, before or after all else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pytest

from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure
from monitor.domain.secret import Redactor
from monitor.probes.archive import read_archive
from monitor.probes.browser.ledger import Ledger, Limits
from monitor.probes.browser.network import NetworkRecorder
from monitor.probes.browser.static_answers import StaticAnswers

Event = tuple[str, dict[str, object]]

BODY = b"{}"
HOP, END = "http://shop.test/hop", "http://third.test/end"


def asked(url: str, **more: object) -> Event:
    request = {"url": url, "method": "GET"}
    return "Network.requestWillBeSent", {
        "requestId": "1",
        "frameId": "main",
        "loaderId": "first",
        "request": request,
        "timestamp": 1.0,
        "type": "Fetch",
        **more,
    }


def came(status: int) -> Event:
    return "Network.responseReceivedExtraInfo", {"requestId": "1", "statusCode": status, "headers": {}}


def refused() -> Event:
    cors = {"corsError": "MissingAllowOriginHeader"}
    return "Network.loadingFailed", {
        "requestId": "1",
        "timestamp": 2.0,
        "errorText": "net::ERR_FAILED",
        "corsErrorStatus": cors,
    }


def interleaved(first: Sequence[Event], second: Sequence[Event]) -> list[list[Event]]:
    """All orders of two channels that each keep their own order."""
    if not first or not second:
        return [[*first, *second]]
    return [
        *([first[0], *rest] for rest in interleaved(first[1:], second)),
        *([second[0], *rest] for rest in interleaved(first, second[1:])),
    ]


def recorded(
    events: Sequence[Event], static: StaticAnswers | None = None, refusals: Mapping[str, int] = MappingProxyType({})
) -> dict[str, Exchange]:
    limits = Limits()
    ledger = Ledger(started=0.0, attempt=1, redactor=Redactor(()), limits=limits, blocks=lambda _: False)
    recorder = NetworkRecorder(ledger, limits, static)
    for method, params in events:
        recorder.note(method, params)
    held = recorder.entry("1")
    if static is not None and held is not None:
        static.hold("1", held, BODY, text=True)
    for url, status in refusals.items():
        ledger.note_refusal(url, status)
    recorder.tell_refusals()
    ledger.tell_refusals()
    ledger.abandon_left_ones()
    return {exchange.url: exchange for exchange in ledger.freeze(3.0)}


PAGE = [asked(HOP), asked(END, redirectResponse={"status": 302, "headers": {}}), refused()]


@pytest.mark.parametrize("events", interleaved(PAGE, [came(302), came(200)]))
def test_each_answer_behind_a_redirect_counts_for_its_own_request_in_any_order(events):
    found = recorded(events)
    assert found[HOP].status == 302
    assert (found[END].status, found[END].failure) == (200, Failure.POLICY_CORS)


@pytest.mark.parametrize("events", interleaved([asked(END), refused()], [came(503)]))
def test_an_answer_that_is_kept_from_the_page_is_known_in_any_order(events):
    found = recorded(events)
    assert (found[END].status, found[END].failure) == (503, Failure.HTTP_ERROR)


@pytest.mark.parametrize("events", interleaved(PAGE, [came(302)]))
def test_a_redirect_lends_its_status_to_nothing_that_follows_it_in_any_order(events):
    found = recorded(events)
    assert (found[HOP].status, found[END].status) == (302, None)


def answered(*, more_to_come: bool) -> Event:
    response = {"status": 200, "headers": {}, "mimeType": "application/json"}
    return "Network.responseReceived", {
        "requestId": "1",
        "timestamp": 1.5,
        "response": response,
        "hasExtraInfo": more_to_come,
    }


ENDED = ("Network.loadingFinished", {"requestId": "1", "timestamp": 2.0, "encodedDataLength": 2})
UNTOLD = {
    "what really came was told": ([answered(more_to_come=True), came(200)], 1),
    "it was told before": ([came(200), answered(more_to_come=True)], 1),
    "there was nothing to tell": ([answered(more_to_come=False)], 1),
    "it was not told by the end": ([answered(more_to_come=True)], 0),
}


@pytest.mark.parametrize(("events", "kept"), UNTOLD.values(), ids=UNTOLD)
async def test_an_answer_is_kept_only_once_it_is_known_whether_it_set_a_cookie(tmp_path, events, kept):
    static = StaticAnswers(Redactor(()))
    recorded([asked(END), *events, ENDED], static)
    await static.write(tmp_path / "kept")
    assert len(read_archive(tmp_path / "kept").answers) == kept


@pytest.mark.parametrize("status", [500, 404])
def test_a_refusal_of_which_a_page_that_was_left_told_nothing_is_known_and_not_seen_to_its_end(status):
    found = recorded([asked(END), came(status)])[END]
    assert (found.status, found.failure, found.pending) == (status, Failure.HTTP_ERROR, False)
    assert found.truncated


def test_a_refusal_of_which_the_console_alone_told_is_known_unless_the_network_tells_of_another_answer():
    found = recorded([asked(END), asked_later("Script")], refusals={END: 401})
    assert (found[END].status, found[END].failure, found[END].truncated) == (401, Failure.HTTP_ERROR, True)
    assert found[NEXT].pending
    answer = [asked(END), answered(more_to_come=False), ENDED]
    assert recorded(answer, refusals={END: 401})[END].status == 200


def test_a_refusal_of_which_the_network_told_too_is_not_lent_to_the_next_request():
    refusal = {"status": 401, "headers": {}, "mimeType": "application/json"}
    first = "Network.responseReceived", {"requestId": "1", "timestamp": 1.5, "response": refusal}
    again = asked(END, requestId="2", timestamp=3.0)
    assert recorded([asked(END), first, ENDED, again], refusals={END: 401})[END].pending


def test_an_answer_of_which_nothing_further_was_told_stays_open():
    found = recorded([asked(END), came(200)])[END]
    assert (found.status, found.pending) == (None, True)


NEXT = "http://shop.test/next"


def asked_later(kind: str, **more: object) -> Event:
    return asked(NEXT, requestId="2", timestamp=2.0, type=kind, loaderId="second", **more)


def test_nobody_waits_for_what_a_page_asked_for_that_was_left():
    found = recorded([asked(END), asked_later("Script")])
    assert (found[END].failure, found[END].failure_text) == (Failure.ABANDONED, "its page was left")
    assert (found[END].pending, found[END].timings.total) == (False, 1.0)
    assert found[NEXT].pending


@pytest.mark.parametrize(("status", "left"), [(200, True), (503, True), (204, False), (302, False)])
def test_an_empty_page_that_asks_for_nothing_has_replaced_the_one_before(status, left):
    document = asked_later("Document")
    response = {"status": status, "headers": {}, "mimeType": "text/html"}
    came = "Network.responseReceived", {"requestId": "2", "timestamp": 2.5, "response": response}
    ended = "Network.loadingFinished", {"requestId": "2", "timestamp": 2.6, "encodedDataLength": 0}
    found = recorded([asked(END), document, came, ended])[END]
    assert found.pending is not left
    assert found.timings.total == pytest.approx(1.6 if left else 2.0)


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(asked_later("Document"), id="the next page is only asked for"),
        pytest.param(asked_later("Script", frameId="other"), id="a page came into another frame"),
        pytest.param(asked(NEXT, requestId="2", type="Script"), id="the page itself went on"),
    ],
)
def test_what_a_page_asked_for_that_still_stands_is_waited_for(later):
    assert recorded([asked(END), later])[END].pending


def test_the_end_of_what_a_page_asked_for_that_was_left_counts_where_it_is_told():
    found = recorded([asked(END), asked_later("Script"), answered(more_to_come=False), ENDED])
    assert (found[END].status, found[END].failure) == (200, None)
