from __future__ import annotations

import re

import pytest

from monitor.probes.browser.wording import described

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CASES = (
    (lambda page: page.get_by_role("link", name="Uji Sencha"), 'link "Uji Sencha"'),
    (lambda page: page.get_by_role("heading"), "heading"),
    (lambda page: page.get_by_role("button", name=re.compile("^Pay")), "button /^Pay/"),
    (lambda page: page.get_by_label("Card number"), 'field "Card number"'),
    (lambda page: page.get_by_text("Thank you", exact=True), 'text "Thank you"'),
    (lambda page: page.get_by_placeholder("Search"), 'placeholder "Search"'),
    (lambda page: page.get_by_test_id("order-number"), 'data-testid "order-number"'),
    (lambda page: page.locator("#basket li").first, "#basket li"),
    (
        lambda page: page.frame_locator("iframe[title='Card details']").get_by_label("Card number"),
        "field \"Card number\" in frame iframe[title='Card details']",
    ),
    (lambda page: page.locator("form").get_by_role("button", name="Pay"), 'button "Pay" in form'),
)


async def test_elements_are_named_as_a_person_would(walk):
    seen = []

    async def act(browser):
        seen.extend(described(make(browser.page)) for make, _ in CASES)

    attempt = await walk(act)
    assert attempt.error is None
    assert seen == [words for _, words in CASES]


async def test_a_selector_stays_as_its_author_wrote_it():
    assert described("#basket li") == "#basket li"
