"""What goes wrong on a page in good runs too explains no failure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.diagnosis.as_ever import key_of
from monitor.diagnosis.names import load_names
from monitor.domain.evidence import PageError, StepErrorKind, WebSocketFacts
from monitor.domain.exchange import Initiator
from monitor.history.good_answers import reference_of
from monitor.investigation.comparison import compare
from tests.builders import A_MOMENT, a_run
from tests.diagnosis.incidents import SHOP, Court, failed, page, request

BUNDLE = f"{SHOP}assets/main.3f2a91bc.js"
NULL = PageError(message="Cannot read properties of null (reading 'focus')", frames=(BUNDLE,), step="pay")
DEAD = WebSocketFacts(url="wss://www.shop.example/live?id=1", host="www.shop.example", error="403", step="pay")


@pytest.fixture
def court() -> Court:
    return Court(load_names())


def a_page(**values):
    code = request(BUNDLE, resource="script", initiator=Initiator(kind="parser", url=SHOP), body_sha256="a")
    return failed(page(), code, kind=StepErrorKind.EXPECTATION, **values)


def compared_with(evidence, good):
    reference = reference_of(a_run(evidence=good), None)
    return replace(evidence, compared=compare(evidence, reference, A_MOMENT))


def test_an_exception_that_good_runs_throw_too_is_not_the_cause(court):
    as_ever = compared_with(a_page(page_errors=(NULL,)), a_page(page_errors=(NULL,)))
    assert court.detail(as_ever) == court.detail(compared_with(a_page(), a_page())) == "und.script_or_app_change"
    new = compared_with(a_page(page_errors=(NULL,)), a_page())
    assert court.detail(new) == "own.script"


def test_a_socket_that_never_opens_in_good_runs_either_is_not_the_cause(court):
    as_ever = compared_with(a_page(websockets=(DEAD,)), a_page(websockets=(DEAD,)))
    assert court.detail(as_ever) == "und.script_or_app_change"
    opened = replace(DEAD, error=None, answered=True)
    assert court.detail(compared_with(a_page(websockets=(DEAD,)), a_page(websockets=(opened,)))) == "own.connect"


def test_what_another_clients_good_run_threw_excuses_nothing(court):
    evidence = compared_with(a_page(page_errors=(NULL,)), a_page(page_errors=(NULL,)))
    as_another = replace(evidence, compared=replace(evidence.compared, profile="phone"))
    assert court.detail(as_another) == "own.script"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (replace(NULL, frames=(BUNDLE.replace("3f2a91bc", "77ab12cd"),)), True),
        (replace(NULL, message=NULL.message.replace("focus", "value")), False),
        (replace(NULL, frames=("https://tags.adverts.example/main.3f2a91bc.js",)), False),
        (replace(NULL, step="open"), True),
        (PageError(message=NULL.message), False),
    ],
)
def test_an_exception_is_the_same_by_its_place_and_words_whatever_the_build_is_called(other, same):
    assert (key_of(other) == key_of(NULL)) is same
