"""The checkout page, with the card form of the payment provider in a frame of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.journeys import Browser

_PAY = re.compile(r"^Pay\b")
_ORDER = re.compile(r"/orders/LK-")
_AT_MOST = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card that the payment provider takes for a test."""

    number: str = "4242 4242 4242 4242"
    expiry: str = "12 / 34"
    code: str = "123"


@dataclass(frozen=True, slots=True)
class Till:
    """What a customer does at checkout."""

    browser: Browser

    async def say_where_it_goes(self, *, name: str, email: str, address: str) -> None:
        """Fill in who gets the parcel."""
        page = self.browser.page
        await page.get_by_label("Name").fill(name)
        await page.get_by_label("Email").fill(email)
        await page.get_by_label("Address").fill(address)

    async def fill_in(self, card: Card) -> None:
        """Fill in the card form; that it appears is the payment provider's promise."""
        form = self.browser.page.frame_locator("iframe[title='Card details']")
        await self.browser.expect_visible(form.get_by_label("Card number"))
        await form.get_by_label("Card number").fill(card.number)
        await form.get_by_label("Expiry date").fill(card.expiry)
        await form.get_by_label("Security code").fill(card.code)

    async def pay(self) -> None:
        """Press the button and expect to be led to the order."""
        await self.browser.page.get_by_role("button", name=_PAY).click()
        await self.browser.page.wait_for_url(_ORDER, timeout=_AT_MOST * 1000, wait_until="commit")
