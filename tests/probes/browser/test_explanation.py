from __future__ import annotations

import pytest

from monitor.domain.evidence import StepErrorKind
from tests.probes.browser.provoking import click_in_vain, until_out_of_time
from tests.probes.browser.site import stay_silent

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]


async def explained(walk, act):
    attempt = await walk(act)
    return attempt.session.explain(attempt.error), attempt


async def test_an_element_in_the_way_is_named(site, walk):
    site.page("/", "<button>buy</button><div id='cmp' style='position:fixed;inset:0'></div>")

    async def act(browser):
        await browser.open("/")
        await click_in_vain(browser.page)

    error, _ = await explained(walk, act)
    assert error.kind is StepErrorKind.INTERCEPTED
    assert error.intercepted_by.startswith('<div id="cmp"')


async def test_two_matching_elements_are_ambiguous(site, walk):
    site.page("/", "<button>buy</button><button>buy</button>")

    async def act(browser):
        await browser.open("/")
        await browser.page.get_by_text("buy").click()

    error, _ = await explained(walk, act)
    assert error.kind is StepErrorKind.AMBIGUOUS
    assert "2 elements" in error.message


async def test_a_missing_element_is_a_timeout_that_says_what_was_awaited(site, walk):
    site.page("/", "<p>here")

    async def act(browser):
        await browser.open("/")
        await browser.page.get_by_role("button", name="buy").click(timeout=400)

    error, _ = await explained(walk, act)
    assert error.kind is StepErrorKind.TIMEOUT
    assert "button" in error.awaited
    assert "\n" not in error.message


async def test_a_page_that_answers_503_names_its_exchange(site, walk):
    site.page("/sale", "no", status=503)

    async def act(browser):
        await browser.open("/sale")

    error, attempt = await explained(walk, act)
    assert error.kind is StepErrorKind.EXCHANGE
    assert error.exchange == attempt.exchange("/sale").id
    assert "/sale answered 503" in error.message


async def test_a_page_that_never_answers_names_the_exchange_it_hangs_on(site, walk):
    site.route("/slow", stay_silent)
    site.forget()

    async def act(browser):
        def go(milliseconds):
            browser.page.set_default_navigation_timeout(milliseconds)
            return browser.open("/slow")

        await until_out_of_time(go, lambda _: site.seen("/slow"))

    error, attempt = await explained(walk, act)
    assert error.kind is StepErrorKind.TIMEOUT
    assert error.exchange == attempt.exchange("/slow").id
    assert attempt.exchange("/slow").pending


async def test_an_expectation_says_what_was_seen_instead(site, walk):
    site.page("/", "<p>Your basket is empty")

    async def act(browser):
        await browser.open("/")
        await browser.expect_text("Thank you", within=0.3)

    error, _ = await explained(walk, act)
    assert error.kind is StepErrorKind.EXPECTATION
    assert "'Thank you'" in error.message
    assert "Your basket is empty" in error.message


async def test_an_expected_path_that_is_not_reached_says_where_the_browser_is(site, walk):
    site.page("/here", "<p>here")

    async def act(browser):
        await browser.open("/here?query=1")
        await browser.expect_path("/here")
        await browser.expect_visible("p")
        await browser.expect_no_text("gone")
        await browser.expect_path("/there", within=0.3)

    error, _ = await explained(walk, act)
    assert error.kind is StepErrorKind.EXPECTATION
    assert "/here?query=1" in error.message


async def test_a_fault_of_the_journeys_code_is_named_as_such(site, walk):
    async def act(browser):
        {}["basket"]

    error, _ = await explained(walk, act)
    assert error.kind is StepErrorKind.SCRIPT
    assert error.message.startswith("KeyError")
