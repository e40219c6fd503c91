"""What everything is called in one world: drawn from the seed, so that nothing can be learnt by heart."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.lab.vocabulary import AUTHORITY, CONTROLS, OWN, SERVERS, VENDORS

_FIRST = (
    "bal",
    "cor",
    "dan",
    "fen",
    "gal",
    "hol",
    "jor",
    "kel",
    "lum",
    "mar",
    "nor",
    "pel",
    "quin",
    "ros",
    "sol",
    "tam",
)
_MIDDLE = ("a", "e", "i", "o", "u", "and", "ent", "ill", "om", "ur")
_LAST = ("bec", "dex", "fold", "go", "lane", "mark", "nest", "port", "ra", "rix", "ston", "tra", "vane", "wick", "zen")
_TOP = ("test", "example")
_TEAMS = ("web", "storefront", "core", "platform", "edge-team", "sales", "delivery", "grow")
_LABELS: Mapping[str, tuple[str, ...]] = {
    "own": ("www", "shop", "store"),
    "api": ("api", "gw", "services", "data"),
    "flags": ("config", "features", "rollout"),
    "live": ("live", "stream", "push"),
    "hosted": ("support", "help", "care"),
    "pay": ("js", "secure", "checkout", "elements"),
    "cdn": ("cdn", "static", "libs", "npm"),
    "tags": ("t", "load", "tm"),
    "tag": ("s", "x", "script"),
    "cmp": ("consent", "cc", "privacy"),
    "ads": ("ads", "srv", "serve"),
    "ana": ("c", "collect", "m", "stats"),
    "fonts": ("fonts", "use", "type"),
    "maps": ("maps", "tiles", "geo"),
    "chat": ("widget", "app", "talk"),
    "captcha": ("verify", "human", "challenges"),
    "idp": ("login", "id", "accounts", "sso"),
    "saas": ("tenants", "edge1", "hosting"),
    "edge": ("pop1", "a7", "fra2"),
    "control1": ("www", "status", "connect"),
    "control2": ("www", "ping", "check"),
    "control3": ("www", "detect", "probe"),
    "edgecontrol": ("www", "news", "media"),
}
_CATEGORIES: Mapping[str, str] = {
    "pay": "payment",
    "cdn": "cdn",
    "tags": "tag-manager",
    "tag": "marketing",
    "cmp": "consent-provider",
    "ads": "ad",
    "ana": "analytics",
    "fonts": "cdn",
    "maps": "maps",
    "chat": "customer-success",
    "captcha": "captcha",
    "idp": "identity",
    "saas": "customer-success",
    "edge": "cdn",
}
_PATHS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "own": {
        "home": ("/",),
        "product": ("/p/", "/products/", "/item/"),
        "cart": ("/cart", "/basket", "/bag"),
        "checkout": ("/checkout", "/buy", "/order-now"),
        "pay": ("/pay", "/settle", "/payment"),
        "order": ("/orders/", "/thank-you/", "/receipt/"),
        "signin": ("/login", "/sign-in", "/session/new"),
        "start": ("/oauth/start", "/auth/go", "/sso/begin"),
        "callback": ("/auth/callback", "/oauth/return", "/sso/done"),
        "account": ("/account", "/me", "/profile"),
        "article": ("/journal/", "/stories/", "/guide/"),
        "app-js": ("/assets/main.", "/static/app.", "/build/bundle."),
        "pay-js": ("/assets/till.", "/static/chunk-pay.", "/build/settle."),
        "css": ("/assets/site.", "/static/look.", "/build/style."),
        "picture": ("/media/", "/img/", "/pictures/"),
        "reserve": ("/stock", "/availability", "/reserve"),
    },
    "api": {
        "prices": ("/v1/prices", "/v2/price-list", "/catalog/prices"),
        "basket": ("/v1/basket", "/v2/cart", "/sales/basket"),
        "orders": ("/v1/orders", "/v2/order", "/sales/orders"),
        "session": ("/v1/session", "/v2/tokens", "/identity/session"),
    },
    "flags": {"flags": ("/flags.json", "/v1/features", "/rollout.json")},
    "live": {"feed": ("/feed", "/ws", "/socket")},
    "hosted": {"ticket": ("/tickets", "/requests", "/cases")},
    "pay": {
        "script": ("/v3/pay.js", "/sdk.js", "/elements.js"),
        "frame": ("/v3/card", "/frame", "/fields"),
        "charges": ("/v3/charges", "/api/tokens", "/payments"),
        "hosted-page": ("/p/", "/go/", "/session/"),
    },
    "cdn": {"library": ("/libs/", "/npm/", "/ajax/")},
    "maps": {"points": ("/v1/points", "/geo/places", "/api/stores")},
    "ana": {
        "script": ("/a.js", "/m.js", "/t.js"),
        "beacon": ("/collect", "/hit", "/e"),
        "pixel": ("/px.gif", "/1.gif"),
    },
    "fonts": {"css": ("/css", "/kit.css", "/families")},
    "idp": {"authorize": ("/authorize", "/oauth2/auth", "/connect/authorize"), "login": ("/u/login", "/signin", "/do")},
}
_SCRIPTS = ("/loader.js", "/main.js", "/s.js", "/widget.js", "/v2.js", "/init.js")
_GOODS = ("Lamp", "Kettle", "Chair", "Blanket", "Teapot", "Clock", "Mirror", "Basket", "Stool", "Vase")
_KINDS = ("Oak", "Linen", "Copper", "Harbour", "Meadow", "Slate", "Amber", "Nordic", "Juniper", "Saffron")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "add": ("Add to cart", "Put in the basket", "Add to bag"),
    "checkout": ("Go to checkout", "Continue to checkout", "Order now"),
    "pay": ("Pay now", "Pay and order", "Place the order"),
    "card": ("Card number", "Number of your card", "Card"),
    "name": ("Your name", "Full name", "Name"),
    "address": ("Address", "Delivery address", "Where to"),
    "thanks": ("Thank you for your order", "Your order is in", "Order received"),
    "sorry": ("Sorry, something went wrong.", "We are sorry, please come back later.", "That did not work."),
    "reserved": ("Reserved for you", "In stock and held", "Your items are held"),
    "connecting": ("Connecting…", "One moment…", "Checking stock…"),
    "sign_in": ("Sign in with", "Continue with", "Log in with"),
    "signed_in": ("You are signed in as", "Signed in:", "Hello,"),
    "ask": ("Send", "Ask us", "Submit the request"),
    "received": ("We have received your request", "Your request is with us", "Thanks, we will answer soon"),
    "human": ("I am a person", "Not a robot", "Confirm that you are human"),
    "point": ("Choose a pick-up point", "Where will you collect it?", "Nearest shops"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that is drawn. ``port`` is one for all servers, each of which has an address of its own."""

    hosts: Mapping[str, str]
    addresses: Mapping[str, str]
    domains: Mapping[str, str]
    titles: Mapping[str, str]
    teams: Mapping[str, str]
    paths: Mapping[str, Mapping[str, str]]
    words: Mapping[str, str]
    brand: str
    product: str
    slug: str
    library: str
    token: str
    price: str
    port: int
    others: tuple[str, ...] = field(default=())

    def url(self, role: str, path: str = "") -> str:
        """Return scheme, host and, where it is not the usual one, port."""
        port = "" if self.port == 443 else f":{self.port}"
        return f"https://{self.hosts[role]}{port}{path}"

    def part(self, role: str, symbol: str) -> str:
        """Return the first part of the path that a symbol stands for on a role; a path is returned as it is."""
        known = self.paths.get({"origin": "own", "tenant": "hosted", "saas": "hosted"}.get(role, role), {})
        if symbol in known:
            return known[symbol]
        if symbol and not symbol.startswith("/"):
            msg = f"@{role} has no part '{symbol}'; it has: {', '.join(known) or 'none'}"
            raise ValueError(msg)
        return symbol

    def at(self, role: str, symbol: str) -> str:
        """Return the whole URL of a part."""
        return self.url(role, self.part(role, symbol))


def category_of(role: str) -> str:
    """Return the trade of a vendor, as a user would write it down."""
    return _CATEGORIES[role]


def draw(seed: str, *, port: int | None, block: int = 0) -> Names:
    """Return the names of a world. ``block`` keeps the addresses of worlds that live at the same time apart."""
    rng = random.Random(seed)
    taken: set[str] = set()

    def word() -> str:
        while True:
            made = rng.choice(_FIRST) + rng.choice(_MIDDLE) + rng.choice(_LAST)
            if made not in taken:
                taken.add(made)
                return made

    def domain() -> str:
        return f"{word()}.{rng.choice(_TOP)}"

    own, other = domain(), domain()
    domains = {role: domain() for role in (*VENDORS, *CONTROLS, "edgecontrol", "tenant")}
    domains |= {"own": own, "api": other, "flags": own, "live": own, "hosted": own}
    hosts = {role: f"{rng.choice(_LABELS[role])}.{domains[role]}" for role in _LABELS}
    hosts["tenant"] = f"{word()}.{domains['saas']}"
    hosts["origin"] = hosts["own"]
    hosts["target"] = f"{own.partition('.')[0]}.{domains['saas']}"
    hosts[AUTHORITY] = f"ns1.{own}"
    titles = {
        role: domains[role].partition(".")[0].title() + rng.choice(("", " Inc", " Labs", " GmbH")) for role in VENDORS
    }
    teams = dict(zip(OWN, rng.sample(_TEAMS, len(OWN)), strict=True))
    hexes = f"{rng.getrandbits(32):08x}"
    paths = {role: {symbol: rng.choice(options) for symbol, options in parts.items()} for role, parts in _PATHS.items()}
    for role in VENDORS:
        paths.setdefault(role, {}).setdefault("script", rng.choice(_SCRIPTS))
    for symbol in ("app-js", "pay-js", "css"):
        paths["own"][symbol] += hexes[:6] + (".css" if symbol == "css" else ".js")
    product = f"{rng.choice(_KINDS)} {rng.choice(_GOODS)}"
    others = tuple(f"{kind} {good}" for kind, good in zip(rng.sample(_KINDS, 4), rng.sample(_GOODS, 4), strict=True))
    return Names(
        hosts=hosts,
        addresses=_addresses(rng, block),
        domains=domains,
        titles=titles,
        teams=teams,
        paths=paths,
        words={symbol: rng.choice(options) for symbol, options in _WORDS.items()},
        brand=own.partition(".")[0].title(),
        product=product,
        slug=product.lower().replace(" ", "-"),
        library=word().title()[:6],
        token=hexes,
        price=f"{rng.randint(9, 240)}.{rng.randint(10, 99)}",
        port=port or rng.randint(12_000, 29_000),
        others=tuple(other for other in others if other != product),
    )


def _addresses(rng: random.Random, block: int) -> dict[str, str]:
    roles = (*SERVERS, "origin", "edge2", "proxy", "vantage1", "vantage2", "r1", "r2", "nobody", "portal")
    low, high = (2, 126) if block % 2 == 0 else (127, 251)
    found: dict[str, str] = {}
    while len(found) < len(roles):
        address = f"127.{rng.randint(low, high)}.{rng.randint(1, 250)}.{rng.randint(2, 250)}"
        if address not in found.values():
            found[roles[len(found)]] = address
    # Not drawn, so that what is drawn after it stays what it was.
    found[AUTHORITY] = f"127.{low}.{251 + block // 2 % 4}.53"
    # One machine of the vendor's serves every tenant.
    found["hosted"] = found["tenant"] = found["saas"]
    return found
