from __future__ import annotations

import datetime as dt

import pytest

from monitor.domain.exchange import Certificate, Timings, TlsFacts
from monitor.journeys import ExpectationFailed, eventually, expect_response, expect_that
from monitor.probes.http.response import Headers, Response
from tests.builders import an_exchange

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def an_answer(text="", *, content_type="text/html", **exchange):
    exchange = an_exchange(url="https://shop.example/order", **exchange)
    return Response(
        status=exchange.status,
        reason=exchange.reason,
        url=exchange.url,
        headers=Headers((("content-type", content_type),)),
        body=text.encode(),
        cookies={},
        exchange=exchange,
        received_at=NOW,
    )


PAGE = an_answer("<h1>Sorry,   something\n went wrong</h1>")
ORDER = an_answer('{"order": {"id": 42, "paid": true, "lines": [1, 2]}}', content_type="application/json")


@pytest.mark.parametrize(
    "holds",
    [
        lambda: expect_that(3).equals(3).is_true().is_present().is_at_least(3).is_at_most(3).differs_from(4),
        lambda: expect_that("thanks, Ada").contains("Ada").matches("^thanks").has_length(11),
        lambda: expect_that([1, 2]).contains(2).has_length(2),
        lambda: expect_that({"a": 1}).contains("a"),
        lambda: expect_response(ORDER).has_status(200, 201).has_status_below(400).has_header("content-type", "JSON"),
        lambda: expect_response(ORDER).has_header("content-type", matching="^application/").has_no_header("x-debug"),
        lambda: expect_response(ORDER).has_json("order.id", 42).has_json("order.lines").came_within("1s"),
        lambda: expect_response(PAGE).has_text("Sorry").lacks_text("Thank you").matches("<h1>S.*"),
    ],
)
def test_what_is_true_passes(holds):
    holds()


@pytest.mark.parametrize(
    ("fails", "told"),
    [
        (lambda: expect_that(3, "the total").equals(4), "expected the total to be 4, saw 3"),
        (lambda: expect_that(None, "the order").is_present(), "expected the order to be there, saw None"),
        (lambda: expect_that("", "the name").is_true(), "expected the name to be true, saw ''"),
        (lambda: expect_that("3").is_at_least(3), "to be at least 3, saw '3'"),
        (lambda: expect_that(True).is_at_most(3), "to be at most 3, saw True"),
        (lambda: expect_that(7).contains("7"), "to contain '7', saw 7"),
        (lambda: expect_that(7).matches("7"), "to match '7', saw 7"),
        (
            lambda: expect_response(PAGE).has_status(201, 202),
            "expected status 201 or 202, saw 200, '<h1>Sorry, something went wrong</h1>' from GET",
        ),
        (
            lambda: expect_response(PAGE).has_text("Thank you"),
            r"to contain 'Thank you', saw '<h1>Sorry, something went wrong</h1>' from GET .*/order \(status 200\)",
        ),
        (lambda: expect_response(an_answer()).has_text("Thank you"), "saw an empty body"),
        (lambda: expect_response(PAGE).lacks_text("Sorry"), "expected the body not to contain 'Sorry'"),
        (lambda: expect_response(PAGE).matches("order [0-9]+"), "expected the body to match"),
        (lambda: expect_response(PAGE).has_header("x-cache"), "expected a header 'x-cache', saw none"),
        (lambda: expect_response(PAGE).has_header("content-type", "json"), "to contain 'json', saw 'text/html'"),
        (lambda: expect_response(PAGE).has_header("content-type", matching="^app"), "to match '.app', saw 'text/html'"),
        (lambda: expect_response(PAGE).has_no_header("content-type"), "expected no header 'content-type'"),
        (lambda: expect_response(PAGE).has_json("order"), "expected JSON, saw text/html: '<h1>Sorry"),
        (lambda: expect_response(ORDER).has_json("order.id", 43), "expected JSON 'order.id' to be 43, saw 42"),
        (lambda: expect_response(ORDER).has_json("order.paid", 1), "expected JSON 'order.paid' to be 1, saw True"),
        (lambda: expect_response(ORDER).has_json("basket.id"), "expected JSON to hold 'basket.id', but at the top"),
        (lambda: expect_response(PAGE).certificate_lasts(days=7), "saw no certificate"),
    ],
)
def test_what_is_false_says_what_was_seen(fails, told):
    with pytest.raises(ExpectationFailed, match=told):
        fails()


def test_a_certificate_is_expected_to_last():
    expiry = NOW + dt.timedelta(days=10, hours=1)
    tls = TlsFacts(chain=(Certificate(subject="shop", issuer="ca", not_after=expiry),))
    answer = an_answer(tls=tls)
    expect_response(answer).certificate_lasts(days=10)
    with pytest.raises(ExpectationFailed, match=r"lasts 14 days, saw 10\.0 days left"):
        expect_response(answer).certificate_lasts(days=14)


def test_an_answer_is_expected_in_time():
    answer = an_answer(timings=Timings(total=0.6))
    with pytest.raises(ExpectationFailed, match=r"an answer within 500ms, saw 0\.600 s"):
        expect_response(answer).came_within("500ms")


def test_a_long_body_is_shown_as_a_short_beginning():
    with pytest.raises(ExpectationFailed) as caught:
        expect_response(an_answer("x" * 1_000_000)).has_text("y")
    assert len(str(caught.value)) < 400


async def test_what_is_not_yet_true_is_asked_for_again():
    answers = iter([1, 2, 3])

    async def ask():
        value = next(answers)
        expect_that(value, "the count").equals(3)
        return value

    assert await eventually(ask, within="30s", every="1ms") == 3


async def test_what_never_becomes_true_says_what_was_seen_last_and_how_often_it_was_asked():
    async def ask():
        expect_that("open", "the order").equals("paid")

    with pytest.raises(
        ExpectationFailed, match=r"not within 0.05 s and \d+ tries; last seen: expected the order to be 'paid'"
    ):
        await eventually(ask, within="50ms", every="10ms")
