"""How an element is named to a person: Playwright's selectors, in the words of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playwright.async_api import Locator

_SELECTOR = re.compile(r"selector='(?P<selector>.*)'>\Z", re.DOTALL)
_ROLE = re.compile(r"internal:role=(?P<role>\w+)(?:\[name=(?P<name>.+?)[is]?\])?")
_QUOTED = re.compile(r"internal:(?P<kind>label|text)=(?P<name>.+?)[is]?\Z", re.DOTALL)
_ATTRIBUTE = re.compile(r"internal:(?:attr|testid)=\[(?P<name>[\w-]+)=(?P<value>.+?)[is]?\]")
_ENTER_FRAME = "internal:control=enter-frame"
_WORDS = {"label": "field", "text": "text"}


def described(target: str | Locator) -> str:
    """Return a locator, or a CSS selector, as a person would say it: ``link "Basket" in frame #card``."""
    if isinstance(target, str):
        return target
    found = _SELECTOR.search(str(target))
    if found is None:
        return str(target)
    parts = list(_parts(found["selector"].replace("\\'", "'")))
    return " in ".join(reversed(parts)) if parts else str(target)


def _parts(selector: str) -> Iterator[str]:
    pieces = selector.split(" >> ")
    for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
        if piece == _ENTER_FRAME or piece.startswith("nth="):
            continue
        yield f"frame {_element(piece)}" if following == _ENTER_FRAME else _element(piece)


def _element(piece: str) -> str:
    if found := _ROLE.match(piece):
        return f"{found['role']} {found['name']}" if found["name"] else found["role"]
    if found := _QUOTED.match(piece):
        return f"{_WORDS[found['kind']]} {found['name']}"
    if found := _ATTRIBUTE.match(piece):
        return f"{found['name']} {found['value']}"
    return piece
