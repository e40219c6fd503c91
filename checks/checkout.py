"""A guest buys one tin of tea with a card."""

from __future__ import annotations

from pages.shelf import Shelf
from pages.till import Card, Till

from monitor.journeys import Browser, Journey, step

TEA = "Uji Sencha"


@step("Open the shop", capability="catalog", budget="3s")
async def open_shop(browser: Browser) -> None:
    """The shelf is filled from the API."""
    await browser.open("/")
    await Shelf(browser).expect_tea(TEA)


@step("Choose a tea", capability="catalog", budget="2s")
async def choose_product(browser: Browser) -> None:
    """Its page says that it is for sale."""
    await Shelf(browser).choose(TEA)


@step("Add it to the basket", capability="basket", budget="2s")
async def add_to_basket(browser: Browser) -> None:
    """The basket is kept by the server."""
    await browser.page.get_by_role("button", name="Add to basket").click()
    await browser.expect_path("/basket")
    await browser.expect_visible(browser.page.get_by_role("link", name=TEA))


@step("Go to checkout", capability="basket", budget="2s")
async def checkout(browser: Browser) -> None:
    """Name and address are taken."""
    await browser.page.get_by_role("link", name="Go to checkout").click()
    await browser.expect_path("/checkout")
    await Till(browser).say_where_it_goes(name="Monitor", email="monitor@example.com", address="1 Test Lane")


@step("Pay by card", capability="payments", budget="5s", effects=True)
async def pay(browser: Browser) -> None:
    """The provider's form appears, the card is charged, the order is placed."""
    till = Till(browser)
    await till.fill_in(Card())
    await till.pay()


@step("See the order confirmed", capability="orders", budget="5s")
async def confirmation(browser: Browser) -> str:
    """Return the number of the order."""
    await browser.expect_visible(browser.page.get_by_role("heading", name="Your order is confirmed"), within=15)
    return await browser.page.get_by_test_id("order-number").inner_text()


journey = Journey(
    name="checkout",
    title="Buy as a guest",
    description="The way on which the shop earns its money: from the shelf to a confirmed order.",
    budget="15s",
    steps=(open_shop, choose_product, add_to_basket, checkout, pay, confirmation),
)
