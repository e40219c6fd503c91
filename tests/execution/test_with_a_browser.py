from __future__ import annotations

import datetime as dt
import os
import signal
import time
from pathlib import Path

import pytest

from monitor.domain.clock import SystemClock
from monitor.domain.evidence import ProberFault, StepErrorKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.execution import allowance
from monitor.execution.run import execute
from monitor.probes.browser.probe import BrowserProbe
from tests.browsers import give_time
from tests.builders import a_check, a_target, an_assignment
from tests.execution.driven import a_journey, a_step
from tests.journeys.shop import a_shop

pytestmark = pytest.mark.browser

# What hangs would do so for a minute and longer; a busy machine is late by less.
GRACE = 8.0


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    give_time(monkeypatch)


@pytest.fixture
async def probe(tmp_path):
    probe = BrowserProbe(tmp_path / "browsers")
    # Started beforehand, so that short deadlines are not spent on it.
    await probe.self_test()
    yield probe
    await probe.close()


async def carry_out(shop, journey, probe, *, seconds, attempts=1):
    check = a_check(target=a_target(base_url=shop.url), deadline=dt.timedelta(seconds=seconds))
    assignment = an_assignment(check=check, attempt_limit=attempts)
    return await execute(assignment, journey, probe, clock=SystemClock())


def browser_process(probe):
    """Return the browser itself where a script of the distribution started it."""
    pid = probe._pool.last.pid
    if not Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"/bin/sh"):
        return pid
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


async def open_shop(browser):
    await browser.open("/")


async def test_a_browser_killed_mid_step_is_our_fault_and_the_run_is_made_again(probe):
    killed = []

    async def sign_in(browser):
        if not killed:
            killed.append(probe._pool.last.pid)
            os.kill(killed[0], signal.SIGKILL)
        await browser.open("/sign-in")

    async with a_shop() as shop:
        evidence = await carry_out(shop, a_journey(a_step(open_shop), a_step(sign_in)), probe, seconds=60)
    first, second = evidence.attempts
    assert first.prober_fault is ProberFault.BROWSER_CRASHED
    assert [step.outcome for step in first.steps] == [StepOutcome.PASSED, StepOutcome.INCONCLUSIVE]
    assert second.outcome is Outcome.PASSED
    assert evidence.recovered


@pytest.mark.slow
async def test_a_halted_browser_is_our_fault_and_not_a_slow_site(probe):
    async def sign_in(browser):
        os.kill(browser_process(probe), signal.SIGSTOP)
        await browser.open("/sign-in")

    async with a_shop() as shop:
        began = time.monotonic()
        evidence = await carry_out(shop, a_journey(a_step(open_shop), a_step(sign_in)), probe, seconds=12)
        took = time.monotonic() - began
    assert evidence.last.outcome is Outcome.INCONCLUSIVE
    assert evidence.last.prober_fault is ProberFault.BROWSER_FROZEN
    assert took < 12 + GRACE


async def test_a_slow_site_is_not_taken_for_a_sick_browser(probe):
    async def wait_for_what_never_comes(browser):
        await browser.expect_text("Thank you", within=1)

    async with a_shop() as shop:
        journey = a_journey(a_step(open_shop), a_step(wait_for_what_never_comes), a_step(open_shop, name="after"))
        evidence = await carry_out(shop, journey, probe, seconds=40, attempts=2)
    assert [attempt.outcome for attempt in evidence.attempts] == [Outcome.FAILED, Outcome.FAILED]
    error = evidence.last.steps[1].error
    assert error.kind is StepErrorKind.EXPECTATION
    assert "Welcome" in error.message
    assert evidence.vantage.browser_alive is True
    assert {exchange.attempt for exchange in evidence.exchanges} == {1, 2}


@pytest.mark.slow
async def test_a_page_that_computes_for_ever_is_cut_off_in_time(probe, monkeypatch):
    # Steps get ten seconds, and what comes after them far more than the usual: the sign of life that is then asked for
    # shares the machine with the page, which goes on.
    monkeypatch.setattr(allowance, "_reserve", lambda deadline, _kind: deadline - 10)

    async def spin(browser):
        await browser.page.evaluate("() => { for (;;) {} }")

    async with a_shop() as shop:
        began = time.monotonic()
        evidence = await carry_out(shop, a_journey(a_step(open_shop), a_step(spin)), probe, seconds=40)
        took = time.monotonic() - began
    assert evidence.last.outcome is Outcome.FAILED
    assert evidence.last.steps[1].error.kind in {StepErrorKind.DEADLINE, StepErrorKind.TIMEOUT}
    assert evidence.last.steps[1].duration < 10 + GRACE
    assert took < 40 + GRACE
