"""What a customer with a browser sees; Playwright directly, since the shop knows nothing of the engine."""

from __future__ import annotations

import os

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

pytestmark = pytest.mark.browser

SHELL = "/usr/bin/chromium-headless-shell"
# More than a busy machine needs to show a page; who sees sooner what is awaited goes on at once.
NOTICE = 30_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser():
    # Only where the tests run as root, as in a container: Chromium's sandbox refuses to start there.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=SHELL, args=arguments)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(shop, browser):
    context = await browser.new_context(base_url=shop.url("shop"), ignore_https_errors=True)
    context.set_default_timeout(NOTICE)
    yield await context.new_page()
    await context.close()


async def check_out(page):
    await page.goto("/products/uji-sencha")
    await page.get_by_role("button", name="Add to basket").click()
    await page.get_by_role("link", name="Go to checkout").click()


async def fill_in(page):
    await page.get_by_label("Name").fill("Ada Teatime")
    await page.get_by_label("Email").fill("ada@example.com")
    card = page.frame_locator("iframe[title='Card details']")
    await card.get_by_label("Card number").fill("4242 4242 4242 4242")
    await card.get_by_label("Expiry date").fill("12 / 30")
    await card.get_by_label("Security code").fill("123")


async def pay(page):
    await page.get_by_role("button", name="Pay", exact=False).click()
    await expect(page.get_by_role("heading", name="Your order is confirmed")).to_be_visible(timeout=NOTICE)


async def test_a_guest_buys(page):
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
    # What a page still asks for when the customer goes on is given up, and no trouble.
    page.on("requestfailed", lambda request: request.failure == "net::ERR_ABORTED" or troubles.append(request.url))
    await page.goto("/")
    await page.get_by_role("link", name="Uji Sencha").click()
    await page.get_by_role("button", name="Add to basket").click()
    await page.get_by_role("link", name="Go to checkout").click()
    await fill_in(page)
    await pay(page)
    assert troubles == []


async def test_somebody_signs_in(page):
    await page.goto("/")
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_role("link", name="Sign in with Example ID").click()
    await page.get_by_label("Email").fill("ada@example.com")
    await page.get_by_label("Password").fill("tea-for-two")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Hello, Ada Teatime")).to_be_visible(timeout=NOTICE)


@pytest.mark.parametrize("fault", ["api-500", "api-cors", "api-malformed", "api-rate-limit"])
async def test_a_shelf_that_cannot_be_fetched_is_said_to_be(shop, page, fault):
    await shop.break_(fault)
    await page.goto("/")
    await expect(page.get_by_text("Sorry, we could not fetch the shelf.")).to_be_visible(timeout=NOTICE)
    await shop.mend()
    await page.reload()
    await expect(page.get_by_role("link", name="Uji Sencha")).to_be_visible(timeout=NOTICE)


@pytest.mark.parametrize("fault", ["cdn-empty", "cdn-resets"])
async def test_without_its_library_the_shop_shows_no_tea(shop, page, fault):
    await shop.break_(fault)
    async with page.expect_event("pageerror") as error:
        await page.goto("/")
    assert "TinyFormat is not defined" in str(await error.value)


@pytest.mark.parametrize(
    "fault",
    [
        "web-csp",
        "payment-refuses",
        "payment-503",
        "payment-cors",
        "payment-throttles",
    ],
)
async def test_without_the_payment_provider_nobody_can_pay(shop, page, fault):
    await shop.break_(fault)
    await check_out(page)
    await expect(page.get_by_role("alert")).to_contain_text("not available", timeout=NOTICE)
    await expect(page.get_by_role("button", name="Pay", exact=False)).to_be_disabled()


async def test_without_its_script_the_pay_button_stays_gray(shop, page):
    await shop.break_("web-chunk-missing")
    await check_out(page)
    await expect(page.get_by_role("button", name="Pay", exact=False)).to_be_disabled(timeout=NOTICE)


async def test_a_script_that_throws_leaves_the_click_without_effect(shop, page):
    await shop.break_("web-script-throws")
    await check_out(page)
    await fill_in(page)
    async with page.expect_event("pageerror") as error:
        await page.get_by_role("button", name="Pay", exact=False).click()
    assert "readForm.from is not a function" in str(await error.value)


async def test_the_consent_notice_lies_over_the_pay_button(shop, page):
    await shop.break_("consent-overlay")
    await check_out(page)
    await fill_in(page)
    notice = page.get_by_role("complementary", name="Privacy")
    await expect(notice).to_be_visible(timeout=NOTICE)
    at_the_button = """button => { const box = button.getBoundingClientRect();
        return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2).tagName; }"""
    assert await page.locator("#pay").evaluate(at_the_button) == "ASIDE"


async def test_a_tag_takes_the_form_away(shop, page):
    await shop.break_("tag-removes-form")
    await check_out(page)
    await expect(page.get_by_role("heading", name="Wait! Ten percent off")).to_be_visible(timeout=NOTICE)
    await expect(page.get_by_label("Email")).to_have_count(0)


async def test_an_order_that_cannot_be_placed_is_said_to_be(shop, page):
    await shop.break_("order-500")
    await check_out(page)
    await fill_in(page)
    await page.get_by_role("button", name="Pay", exact=False).click()
    await expect(page.get_by_role("alert")).to_contain_text("could not be placed", timeout=NOTICE)


async def test_a_trial_shows_two_buttons(shop, page):
    await shop.break_("two-buttons")
    await check_out(page)
    await expect(page.get_by_role("button", name="Pay", exact=False)).to_have_count(2, timeout=NOTICE)


@pytest.mark.parametrize("fault", ["analytics-refuses", "ads-hang"])
async def test_a_harmless_fault_hurts_nobody(shop, page, fault):
    await shop.break_(fault)
    await page.goto("/products/uji-sencha", wait_until="commit")
    await page.get_by_role("button", name="Add to basket").click(no_wait_after=True)
    await page.get_by_role("link", name="Go to checkout").click(no_wait_after=True)
    await fill_in(page)
    await pay(page)


async def test_a_newcomer_breaks_and_mends_with_a_click(shop, page):
    await page.goto(shop.url("control"))
    await page.get_by_role("button", name="Break: Payment provider down").click()
    await expect(page.get_by_role("heading", name="Broken now", exact=True)).to_be_visible(timeout=NOTICE)
    assert [fault.name for fault in shop.broken] == ["payment-refuses"]
    await page.get_by_role("button", name="Mend everything").click()
    await expect(page.get_by_role("heading", name="All is well")).to_be_visible(timeout=NOTICE)
    assert shop.broken == ()
