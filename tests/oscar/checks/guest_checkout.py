"""A guest buys walking boots in the django-oscar shop."""

from __future__ import annotations

from monitor.journeys import Browser, Journey, step

BOOTS = "Walking boots"
ADDRESS = {"first_name": "Ada", "last_name": "Monitor", "line1": "1 Test Lane", "line4": "London", "postcode": "N1 9GU"}


@step("Browse the catalogue", capability="catalog")
async def browse(browser: Browser) -> None:
    """The list of products is there."""
    await browser.open("/catalogue/category/outdoor_1/")
    await browser.expect_visible(browser.page.get_by_role("link", name=BOOTS).last)


@step("Search", capability="search")
async def search(browser: Browser) -> None:
    """The boots are found by a word of their title."""
    await browser.page.locator("input[name=q]").first.fill("boots")
    await browser.page.locator("input[name=q]").first.press("Enter")
    await browser.expect_path("/search/")
    found = browser.page.get_by_role("link", name=BOOTS).last
    await browser.expect_visible(found)
    await found.click()
    await browser.expect_visible(browser.page.get_by_role("heading", name=BOOTS, level=1))


@step("Add to the basket", capability="basket")
async def add_to_basket(browser: Browser) -> None:
    """The basket holds the boots."""
    await browser.page.get_by_role("button", name="Add to basket").first.click()
    await browser.open("/basket/")
    await browser.expect_visible(browser.page.get_by_role("link", name=BOOTS).last)


@step("Say who and where", capability="checkout")
async def address(browser: Browser) -> None:
    """The shop takes a guest's address; its own script must have switched the password field off."""
    page = browser.page
    await page.get_by_role("link", name="Proceed to checkout").first.click()
    await page.locator("input[name=username]").fill("guest@example.org")
    await page.get_by_role("button", name="Continue").click()
    await browser.expect_path("/checkout/shipping-address/")
    for name, value in ADDRESS.items():
        await page.locator(f"[name={name}]").fill(value)
    await page.get_by_role("button", name="Continue").click()
    await browser.expect_path("/checkout/payment-details/")


@step("Place the order", capability="orders", effects=True)
async def place_order(browser: Browser) -> None:
    """The shop says thank you, with a number."""
    page = browser.page
    await page.get_by_role("link", name="Continue").or_(page.get_by_role("button", name="Continue")).first.click()
    await page.get_by_role("button", name="Place order").first.click()
    await browser.expect_path("/checkout/thank-you/")
    await browser.expect_visible(page.get_by_role("heading", name="confirmation"))


journey = Journey(
    name="guest-checkout",
    title="Buy boots as a guest",
    steps=(browse, search, add_to_basket, address, place_order),
)
