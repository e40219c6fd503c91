from __future__ import annotations

import datetime as dt

import pytest

from monitor.domain.clock import SystemClock
from monitor.domain.evidence import ProberFault, StepErrorKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.secret import Secret
from monitor.execution.run import execute
from monitor.journeys.declarative import read_journey
from monitor.probes.http.probe import HttpProbe
from monitor.probes.vantage.resolver import Resolver
from tests.builders import a_check, a_target, an_assignment
from tests.journeys.shop import a_shop


@pytest.fixture
async def probe():
    clock = SystemClock()
    probe = HttpProbe(clock=clock, resolver=Resolver(elapsed=clock.elapsed))
    yield probe
    await probe.close()


@pytest.fixture
def carry_out(write, probe):
    """Write a journey with these steps and carry it out against a shop."""

    async def carry_out(shop, steps, *, attempts=1, seconds=20, **values):
        head = f"name: j\ntitle: J\nparameters: [{', '.join(values)}]\n"
        journey = read_journey(write("j.yaml", head + steps))
        check = a_check(
            target=a_target(base_url=shop.url),
            values=tuple(values.items()),
            deadline=dt.timedelta(seconds=seconds),
        )
        assignment = an_assignment(check=check, attempt_limit=attempts)
        return await execute(assignment, journey, probe, clock=SystemClock())

    return carry_out


def seen(evidence):
    step = next(step for step in evidence.last.steps if step.error)
    return step.error.message


async def test_a_value_taken_from_each_place_is_used_by_later_steps(carry_out):
    steps = """
steps:
  - title: Open the login page
    request: {url: /login}
    expect: {text: "<form>", headers: {content-type: text/html}}
    take:
      csrf: {body: 'name="csrf" value="([^"]+)"'}
      stage: {header: X-Step}
  - title: Log in
    request:
      method: POST
      url: /login
      form: {user: "${email}", password: "${password}", csrf: "${csrf}", stage: "${stage}"}
    take:
      user: {json: user.id}
      sid: {cookie: sid}
      token: {json: token}
  - title: Place the order
    effects: true
    request:
      method: POST
      url: /orders
      headers: {authorization: "Bearer ${token}-${sid}"}
      json: {user: "${user}", note: "for ${email}, $${literally}"}
    expect:
      status: 201
      json: {order.user: "${user}", order.id: {at_least: 1, at_most: 99}}
    take:
      order: {json: order.id}
  - title: Look at the order
    request: {url: "/orders/${order}", query: {as: "${email}", deep: true}}
    expect:
      json: {id: "${order}", query.as: "${email}", query.deep: "true", state: {matches: "^pa.d$", contains: ai}}
      within: 10s
"""
    async with a_shop() as shop:
        evidence = await carry_out(shop, steps, email="a+b@example.org", password=Secret("pw", "p&ss word"))
    assert evidence.last.outcome is Outcome.PASSED, seen(evidence)
    (_, _, form), (_, _, order) = shop.asked
    assert form == "user=a%2Bb%40example.org&password=p%26ss+word&csrf=tok-7&stage=login"
    assert order == repr(({"user": 7, "note": "for a+b@example.org, ${literally}"}, "Bearer t-1-s-9"))
    assert [exchange.step for exchange in evidence.exchanges] == [step.name for step in evidence.last.steps]
    assert "p&ss word" not in repr(evidence)


@pytest.mark.parametrize(
    ("page", "expect", "told"),
    [
        ("<h1>Something went wrong</h1>", 'text: "Sign in"', "to contain 'Sign in', saw '<h1>Something went wrong"),
        ("", 'text: "Sign in"', "saw an empty body"),
        ("<h1>Bitte anmelden</h1>", 'matches: "Sign (in|up)"', "to match 'Sign (in|up)', saw '<h1>Bitte anmelden"),
        ("<h1>Sorry</h1>", "no_text: Sorry", "the body not to contain 'Sorry', saw '<h1>Sorry</h1>'"),
        ("<h1>Hi</h1>", "headers: {x-step: home}", "header 'x-step' to contain 'home', saw 'login'"),
        ("<h1>Hi</h1>", "headers: {x-step: {absent: true}}", "expected no header 'x-step', saw 'login'"),
        ("<h1>Hi</h1>", "headers: {x-step: {matches: '^h'}}", "header 'x-step' to match '^h', saw 'login'"),
        ("<h1>Hi</h1>", "status: [201, 204]", "expected status 201 or 204, saw 200"),
        ("<h1>Hi</h1>", "json: {a: 1}", "expected JSON, saw text/html"),
        ("<h1>Hi</h1>", "certificate_days_left: 14", "a certificate that lasts 14 days, saw no certificate"),
    ],
)
async def test_an_answer_that_is_not_what_was_promised_is_shown(carry_out, page, expect, told):
    steps = f"steps:\n  - title: Look\n    request: {{url: /login}}\n    expect:\n      {expect}\n"
    async with a_shop(login_page=page) as shop:
        evidence = await carry_out(shop, steps)
    assert evidence.last.outcome is Outcome.FAILED
    assert evidence.last.steps[0].error.kind is StepErrorKind.EXPECTATION
    assert told in seen(evidence)
    assert f"GET {shop.url}/login (status 200)" in seen(evidence)


async def test_an_answer_that_came_later_than_promised_is_shown(carry_out):
    steps = "steps:\n  - title: Look\n    request: {url: /login}\n    expect: {within: 100ms}\n"
    async with a_shop(seconds_before_the_login_page=0.3) as shop:
        evidence = await carry_out(shop, steps)
    assert evidence.last.outcome is Outcome.FAILED
    assert evidence.last.steps[0].error.kind is StepErrorKind.EXPECTATION
    assert "expected an answer within 100ms, saw" in seen(evidence)
    assert f"GET {shop.url}/login (status 200)" in seen(evidence)


async def test_an_error_status_is_a_failure_where_none_is_named(carry_out):
    async with a_shop() as shop:
        evidence = await carry_out(shop, "steps:\n  - title: Look\n    request: {url: /nowhere}\n")
    assert "expected a status below 400, saw 404 Not Found, 'Not Found'" in seen(evidence)


async def test_redirects_are_followed_unless_the_redirect_is_what_is_expected(carry_out):
    steps = """
steps:
  - title: Follow
    request: {url: /moved}
    expect: {status: 200, text: csrf}
  - title: Stay
    request: {url: /moved, follow_redirects: false}
    expect: {status: 307, headers: {location: /login}}
"""
    async with a_shop() as shop:
        evidence = await carry_out(shop, steps)
    assert evidence.last.outcome is Outcome.PASSED, seen(evidence)


POLL = """
steps:
  - title: Wait for the payment
    request: {url: /orders/42}
    expect: {json: {state: paid}}
    until: {within: %s, every: 10ms}
    take: {state: {json: state}}
"""


async def test_a_step_polls_until_the_back_end_keeps_its_promise(carry_out):
    async with a_shop(polls_until_paid=3) as shop:
        evidence = await carry_out(shop, POLL % "10s")
    assert evidence.last.outcome is Outcome.PASSED, seen(evidence)
    assert len(evidence.exchanges) == 4


async def test_a_promise_that_is_not_kept_says_what_was_seen_last(carry_out):
    async with a_shop(polls_until_paid=10**6) as shop:
        evidence = await carry_out(shop, POLL % "2s")
    assert evidence.last.outcome is Outcome.FAILED
    assert "not within 2 s" in seen(evidence)
    assert "expected JSON 'state' to be 'paid', saw 'open'" in seen(evidence)


WEBHOOK = """
steps:
  - title: Place the order
    effects: true
    webhook: shipped
    request:
      method: POST
      url: /orders
      json: {callback: "${shipped}"}
  - title: Wait for the parcel
    receive: {webhook: shipped, within: %s}
    expect:
      headers: {content-type: json}
      json: {order.state: shipped}
    take: {order: {json: order.id}}
  - title: Look at it
    request: {url: "/orders/${order}"}
"""


async def test_a_step_receives_the_webhook_that_an_earlier_one_asked_for(carry_out, probe):
    async with a_shop() as shop:
        evidence = await carry_out(shop, WEBHOOK % "10s")
    assert evidence.last.outcome is Outcome.PASSED, seen(evidence)
    assert probe._hooks._hooks == {}


async def test_a_webhook_that_does_not_come_is_a_broken_promise_and_the_order_is_not_repeated(carry_out):
    async with a_shop(calls_back=False) as shop:
        evidence = await carry_out(shop, WEBHOOK % "50ms", attempts=3)
    assert evidence.last.outcome is Outcome.FAILED
    assert "no webhook came within 0.05 s" in seen(evidence)
    assert len(evidence.attempts) == 1
    assert len(shop.asked) == 1
    assert evidence.last.steps[2].outcome is StepOutcome.NOT_REACHED


async def test_a_regular_expression_that_could_take_long_says_nothing_about_the_site(carry_out):
    steps = "steps:\n  - title: Look\n    request: {url: /login}\n    expect: {matches: '(.*a.{200})$'}\n"
    async with a_shop(login_page="a" * 1_000_000) as shop:
        evidence = await carry_out(shop, steps)
    assert evidence.last.outcome is Outcome.INCONCLUSIVE
    assert evidence.last.prober_fault is ProberFault.ASSERTION_TIMEOUT


async def test_a_regular_expression_that_ruins_other_engines_is_answered(carry_out):
    steps = "steps:\n  - title: Look\n    request: {url: /login}\n    expect: {matches: '(a+)+$'}\n"
    async with a_shop(login_page="a" * 1_000_000) as shop:
        evidence = await carry_out(shop, steps)
    assert evidence.last.outcome is Outcome.PASSED
    assert evidence.duration < 10


async def test_a_value_in_a_regular_expression_stands_for_itself(carry_out):
    steps = "steps:\n  - title: Look\n    request: {url: /login}\n    expect: {matches: '^${mail}$'}\n"
    async with a_shop(login_page="a.b+c@example.org") as shop:
        assert (await carry_out(shop, steps, mail="a.b+c@example.org")).last.outcome is Outcome.PASSED
        shop.login_page = "aXb+c@example.org"
        assert (await carry_out(shop, steps, mail="a.b+c@example.org")).last.outcome is Outcome.FAILED


async def test_a_server_that_is_gone_is_an_exchange_that_failed(carry_out):
    async with a_shop() as shop:
        pass
    evidence = await carry_out(shop, "steps:\n  - title: Look\n    request: {url: /login}\n", attempts=2)
    assert [attempt.outcome for attempt in evidence.attempts] == [Outcome.FAILED] * 2
    error = evidence.last.steps[0].error
    assert error.kind is StepErrorKind.EXCHANGE
    assert error.exchange in {exchange.id for exchange in evidence.exchanges}


async def test_a_secret_that_the_site_sends_back_is_masked(carry_out):
    steps = "steps:\n  - title: Look\n    request: {url: /login}\n    expect: {text: 'Hello ${password}'}\n"
    async with a_shop(login_page="<p>no such user: hunter-22-x</p>") as shop:
        evidence = await carry_out(shop, steps, password=Secret("pw", "hunter-22-x"))
    assert evidence.last.outcome is Outcome.FAILED
    assert "hunter-22-x" not in repr(evidence)
