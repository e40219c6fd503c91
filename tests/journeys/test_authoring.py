from __future__ import annotations

import datetime as dt
import importlib
import sys

import pytest

import monitor.journeys
from monitor.domain import journey as domain
from monitor.domain.journey import ProbeKind
from monitor.journeys import Journey, JourneyError, step


@step("Fill the basket", capability="basket", budget="1500ms")
async def fill_basket(browser: Browser) -> int:  # noqa: F821 - annotations are read as text
    return 3


@step("Pay", effects=True, sensitive=True)
async def pay(browser: monitor.journeys.Browser, *, fill_basket: int, card: str) -> str:
    return ""


def test_a_step_is_named_after_its_function():
    assert fill_basket.name == "fill-basket"
    assert fill_basket.title == "Fill the basket"
    assert fill_basket.budget == dt.timedelta(seconds=1.5)
    assert (pay.effects, pay.sensitive) == (True, True)


def test_a_journey_is_a_value_of_the_vocabulary_and_knows_its_probe():
    journey = Journey(name="buy", title="Buy", steps=(fill_basket, pay), parameters=("card",), budget="20s")
    assert isinstance(journey, domain.Journey)
    assert journey.probe is ProbeKind.BROWSER
    assert journey.budget == dt.timedelta(seconds=20)
    assert journey == Journey(name="buy", title="Buy", steps=(fill_basket, pay), parameters=("card",), budget="20s")
    with pytest.raises(AttributeError):
        journey.name = "sell"


async def over_http(http: Http): ...  # noqa: F821 - as above


async def without_kind(session): ...


async def without_session(): ...


async def by_position(http: Http, basket): ...  # noqa: F821 - as above


async def asks(http: Http, *, receipt): ...  # noqa: F821 - as above


async def asks_later(http: Http, *, over_http): ...  # noqa: F821 - as above


async def asks_if_there(http: Http, *, receipt=None): ...  # noqa: F821 - as above


def make(*acts, **values):
    return Journey(**{"name": "buy", "title": "Buy", "steps": tuple(step("A step")(act) for act in acts), **values})


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: make(over_http, name="Buy it"), "journey name 'Buy it' must be kebab-case"),
        (lambda: make(over_http, name="x" * 61), "at most 60"),
        (make, "has no steps"),
        (lambda: make(over_http, steps=step("A step")(over_http)), "has no steps"),
        (lambda: make(steps=(over_http,)), "is not a step; decorate it"),
        (lambda: make(over_http, over_http), "two steps named 'over-http'"),
        (lambda: make(without_kind), "annotate 'session' as Browser or Http"),
        (lambda: make(without_session), "must take the session first"),
        (lambda: make(by_position), "takes 'basket' by position; put '\\*,'"),
        (lambda: make(over_http, asks), "no earlier step and no parameter; known here: over_http"),
        (lambda: make(asks_later, over_http), "not an earlier step; change the order"),
        (lambda: make(over_http, parameters="card"), "must be a tuple"),
        (lambda: make(over_http, parameters=("over_http",)), "cannot be a parameter"),
        (lambda: make(over_http, parameters=("a-b",)), "cannot be a parameter"),
        (lambda: make(over_http, budget="5 minutes"), "is not a duration; write 30s"),
        (lambda: Journey(name="x", title="X", steps=(fill_basket, step("S")(over_http))), "same kind of session"),
        (lambda: step("A step", budget="soon")(over_http), "budget of 'over_http'"),
        (lambda: step("A step")(lambda http: None), "must be a coroutine function"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(build, told):
    with pytest.raises(JourneyError, match=told):
        build()


def test_a_mistake_knows_its_line():
    with pytest.raises(JourneyError) as caught:
        make(over_http, asks)
    assert caught.value.line == asks.__code__.co_firstlineno


def test_a_step_may_ask_for_what_nobody_gives_where_it_has_a_default():
    assert make(over_http, asks_if_there).probe is ProbeKind.HTTP


def test_writing_http_journeys_loads_no_browser_library():
    code = "import sys, monitor.journeys; sys.exit(any(name.startswith('playwright') for name in sys.modules))"
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there():
    module = importlib.import_module("monitor.journeys")
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError):
        _ = module.nothing
