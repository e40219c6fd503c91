"""The list of teas, on the home page and among the results of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.journeys import Browser


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a customer can do with the list."""

    browser: Browser

    async def search(self, words: str) -> None:
        """Look for teas by words."""
        await self.browser.page.get_by_role("searchbox", name="Search teas").fill(words)
        await self.browser.page.get_by_role("button", name="Search").click()

    async def expect_tea(self, name: str) -> None:
        """Expect a tea to be in the list."""
        await self.browser.expect_visible(self.browser.page.get_by_role("link", name=name))

    async def choose(self, name: str) -> None:
        """Go to the page of a tea and expect it to be for sale."""
        await self.browser.page.get_by_role("link", name=name).click()
        await self.browser.expect_visible(self.browser.page.get_by_role("heading", name=name))
        await self.browser.expect_visible(self.browser.page.get_by_role("button", name="Add to basket"))
