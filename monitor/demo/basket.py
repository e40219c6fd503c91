"""What customers have put in their baskets, by the cookie that names each."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.demo.catalog import Catalog, Product

_KEPT = 1000
_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketLine:
    """One product in a basket, and how many of it."""

    product: Product
    quantity: int

    @property
    def total(self) -> int:
        """Return the price of the line, in cents."""
        return self.product.price * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """The lines of one basket, in the order in which they were added."""

    lines: tuple[BasketLine, ...] = ()

    @property
    def total(self) -> int:
        """Return the price of everything, in cents."""
        return sum(line.total for line in self.lines)

    @property
    def count(self) -> int:
        """Return how many things are in it."""
        return sum(line.quantity for line in self.lines)


class Baskets:
    """Keeps the latest baskets in memory."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._baskets: OrderedDict[str, dict[str, int]] = OrderedDict()

    def open(self) -> str:
        """Start an empty basket and return the key for its cookie."""
        key = secrets.token_urlsafe(16)
        self._baskets[key] = {}
        while len(self._baskets) > _KEPT:
            self._baskets.popitem(last=False)
        return key

    def knows(self, key: str | None) -> bool:
        """Say whether a cookie names a basket."""
        return key in self._baskets

    def read(self, key: str | None) -> Basket:
        """Return what is in a basket; an unknown one is empty."""
        content = self._baskets.get(key or "", {})
        products = ((self._catalog.find(slug), quantity) for slug, quantity in content.items())
        return Basket(
            lines=tuple(
                BasketLine(product=product, quantity=quantity) for product, quantity in products if product is not None
            ),
        )

    def set(self, key: str, slug: str, quantity: int) -> None:
        """Put so many of a product in the basket; none takes it out."""
        content = self._baskets[key]
        if quantity <= 0:
            content.pop(slug, None)
        else:
            content[slug] = min(quantity, _MOST)

    def add(self, key: str, slug: str) -> None:
        """Put one more of a product in the basket."""
        self.set(key, slug, self._baskets[key].get(slug, 0) + 1)

    def clear(self, key: str | None) -> None:
        """Take everything out."""
        self._baskets.get(key or "", {}).clear()
