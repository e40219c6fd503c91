"""A customer looks for a tea by words and finds it."""

from __future__ import annotations

from pages.shelf import Shelf

from monitor.journeys import Browser, Journey, step

TEA = "High Mountain Oolong"


@step("Open the shop", capability="catalog", budget="3s")
async def open_shop(browser: Browser) -> None:
    """The shelf is filled from the API."""
    await browser.open("/")
    await Shelf(browser).expect_tea(TEA)


@step("Search", capability="search", budget="3s")
async def search(browser: Browser) -> None:
    """The tea is among the results, and others are not."""
    shelf = Shelf(browser)
    await shelf.search("oolong")
    await browser.expect_path("/search")
    await shelf.expect_tea(TEA)
    await browser.expect_text("1 tea for “oolong”")


@step("Open the result", capability="catalog", budget="2s")
async def open_result(browser: Browser) -> None:
    """Its page says that it is for sale."""
    await Shelf(browser).choose(TEA)


journey = Journey(
    name="search",
    title="Find a tea",
    description="The shortest way from a wish to a product.",
    budget="8s",
    steps=(open_shop, search, open_result),
)
