"""What the shop sells."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One tea: its price in euro cents, and the two colors of its tin."""

    slug: str
    name: str
    kind: str
    origin: str
    price: int
    tin: str
    label: str
    summary: str
    description: str

    def document(self) -> dict[str, object]:
        """Return what the API says of it."""
        return {**asdict(self), "currency": "EUR", "available": True}


class Catalog:
    """The products, in the order of the shelf."""

    def __init__(self, products: tuple[Product, ...]) -> None:
        self._products = {product.slug: product for product in products}

    def find(self, slug: str) -> Product | None:
        """Return one product, or ``None``."""
        return self._products.get(slug)

    def search(self, words: str) -> tuple[Product, ...]:
        """Return the products in which each word occurs; all of them when there are no words."""
        wanted = words.casefold().split()
        return tuple(product for product in self._products.values() if all(word in _text(product) for word in wanted))


def _text(product: Product) -> str:
    return f"{product.name} {product.kind} {product.origin} {product.summary} {product.description}".casefold()


TEAS = (
    Product(
        slug="morning-assam",
        name="Morning Assam",
        kind="Black tea",
        origin="Assam, India",
        price=890,
        tin="#8c3b2a",
        label="#f6dcc0",
        summary="Malty, dark and awake before you are.",
        description="A second-flush leaf with enough body for milk. Four minutes, boiling water, no excuses.",
    ),
    Product(
        slug="first-flush-darjeeling",
        name="First Flush Darjeeling",
        kind="Black tea",
        origin="Darjeeling, India",
        price=1650,
        tin="#b98a2f",
        label="#fbf0d4",
        summary="The first leaves of spring: light, floral, a touch of muscat.",
        description="Picked in March from one garden at 1,900 meters. Three minutes at 90 °C keep it bright.",
    ),
    Product(
        slug="uji-sencha",
        name="Uji Sencha",
        kind="Green tea",
        origin="Uji, Japan",
        price=1420,
        tin="#3f6b3a",
        label="#e7f0d3",
        summary="Steamed, grassy and sweet at the end.",
        description="Deep-steamed leaf from the hills around Uji. One minute at 70 °C, and again, and again.",
    ),
    Product(
        slug="jasmine-pearls",
        name="Jasmine Pearls",
        kind="Green tea",
        origin="Fujian, China",
        price=1780,
        tin="#5c7f78",
        label="#eef3ea",
        summary="Rolled by hand, scented over five nights.",
        description="Each pearl opens in the cup. The blossoms are taken out after every night; the scent stays.",
    ),
    Product(
        slug="high-mountain-oolong",
        name="High Mountain Oolong",
        kind="Oolong",
        origin="Alishan, Taiwan",
        price=2150,
        tin="#3d5a80",
        label="#e3ecf5",
        summary="Buttery, floral, good for six infusions.",
        description="Grown above the clouds and rolled tight. Rinse once, then half a minute at 95 °C.",
    ),
    Product(
        slug="silver-needle",
        name="Silver Needle",
        kind="White tea",
        origin="Fuding, China",
        price=2480,
        tin="#8a8f98",
        label="#f4f4f2",
        summary="Only buds, only dried: almost nothing, done well.",
        description="Picked on two mornings a year. Five minutes at 75 °C, and nothing in it.",
    ),
    Product(
        slug="garden-peppermint",
        name="Garden Peppermint",
        kind="Herbal",
        origin="Franconia, Germany",
        price=620,
        tin="#2f7f6b",
        label="#dff3ea",
        summary="Whole leaves, as cool as the shed they dry in.",
        description="One herb, one field, no caffeine. Seven minutes under a lid.",
    ),
    Product(
        slug="cape-rooibos",
        name="Cape Rooibos",
        kind="Herbal",
        origin="Cederberg, South Africa",
        price=690,
        tin="#b5502e",
        label="#fbe3d0",
        summary="Red, round and never bitter.",
        description="Naturally without caffeine. It may stand as long as you forget it.",
    ),
)
