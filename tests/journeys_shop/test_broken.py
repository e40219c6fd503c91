from __future__ import annotations

import pytest

from monitor.domain.evidence import StepErrorKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome, StepOutcome


def failed(evidence):
    assert evidence.last.outcome is Outcome.FAILED
    assert evidence.last.prober_fault is None
    return next(step for step in evidence.last.steps if step.outcome is StepOutcome.FAILED)


@pytest.mark.parametrize(
    ("fault", "journey", "step"),
    [
        ("api-500", "api", "list-products"),
        ("api-malformed", "api", "list-products"),
        ("api-rate-limit", "order", "place-order"),
        ("order-500", "order", "place-order"),
        ("captive-portal", "api", "list-products"),
        ("line-cut", "api", "list-products"),
    ],
)
async def test_a_program_fails_at_the_step_that_is_hurt(shop, walk, fault, journey, step):
    await shop.break_(fault)
    assert failed(await walk(journey)).name == step


async def test_a_step_with_effects_is_made_once_however_it_ends(shop, walk):
    await shop.break_("order-500")
    evidence = await walk("order")
    placed = [exchange for exchange in evidence.exchanges if exchange.method == "POST"]
    assert [exchange.status for exchange in placed] == [500]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ("web-certificate-expired", Failure.TLS_CERT_DATE_INVALID),
        ("web-certificate-name", Failure.TLS_CERT_NAME_INVALID),
        ("web-redirect-loop", Failure.HTTP_RESPONSE_REDIRECT_LOOP),
        ("web-refuses", Failure.TCP_REFUSED),
    ],
)
async def test_what_failed_at_the_front_door_is_on_record(shop, walk, fault, failure):
    await shop.break_(fault)
    evidence = await walk("search")
    assert failed(evidence).name == "open-shop"
    assert failure in {exchange.failure for exchange in evidence.exchanges}


@pytest.mark.browser
async def test_two_pay_buttons_are_ambiguous_and_neither_is_pressed(shop, walk):
    await shop.break_("two-buttons")
    evidence = await walk("checkout")
    step = failed(evidence)
    assert (step.name, step.error.kind) == ("pay", StepErrorKind.AMBIGUOUS)
    assert not [exchange for exchange in evidence.exchanges if exchange.url.endswith("/v1/tokens")]


@pytest.mark.browser
@pytest.mark.parametrize("fault", ["analytics-refuses", "ads-hang"])
async def test_a_harmless_fault_fails_no_journey(shop, walk, fault):
    await shop.break_(fault)
    assert (await walk("checkout")).last.outcome in (Outcome.PASSED, Outcome.DEGRADED)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "journey", "step", "kind"),
    [
        ("payment-refuses", "checkout", "pay", StepErrorKind.EXPECTATION),
        ("consent-overlay", "checkout", "pay", StepErrorKind.INTERCEPTED),
    ],
)
async def test_a_customer_fails_at_the_step_that_is_hurt(shop, walk, fault, journey, step, kind):
    await shop.break_(fault)
    seen = failed(await walk(journey))
    assert (seen.name, seen.error.kind) == (step, kind)


@pytest.mark.browser
async def test_no_secret_is_left_in_the_evidence(walk):
    evidence = await walk("login")
    assert "tea-for-two" not in repr(evidence)
