"""Who takes part in the scripted day: a shop's checks, its owners, its vendors and the places it is watched from."""

from __future__ import annotations

import datetime as dt
from typing import Any

from monitor.diagnosis.context import Context, contexts_for
from monitor.diagnosis.names import Names
from monitor.domain.check import Check, Schedule
from monitor.domain.journey import JourneyOutline, ProbeKind, StepOutline
from monitor.domain.ownership import CapabilityOwner, HostOwner, Ownership, PathOwner, Vendor
from tests.builders import a_check, a_profile, a_target

SHOP = "www.shop.example"
API = "api.shop.example"
PAY = "pay.examplepay.example"
SIGN_IN = "login.exampleid.example"
CDN = "cdn.examplecdn.example"
RUN_PAGES = "https://faultline.example"
STATS = "collect.examplestats.example"

FRANKFURT, PARIS, STORE = "frankfurt", "paris", "store-12"
PLACES = (FRANKFURT, PARIS, STORE)


def _vendor(name: str, host: str, objective: float | None, **values: Any) -> Vendor:
    return Vendor(name=name, hosts=(host,), objective=objective, **values)


OWNERSHIP = Ownership(
    domains=("shop.example",),
    hosts=(HostOwner(host=API, team="catalog", service="api"),),
    paths=(
        PathOwner(host="*", prefix="/checkout", team="payments", service="checkout"),
        PathOwner(host="*", prefix="/login", team="identity", service="account"),
        PathOwner(host="*", prefix="/search", team="catalog", service="search"),
        PathOwner(host="*", prefix="/orders", team="fulfillment", service="orders"),
    ),
    capabilities=(
        CapabilityOwner(capability="payments", team="payments", service="checkout"),
        CapabilityOwner(capability="identity", team="identity", service="account"),
        CapabilityOwner(capability="catalog", team="catalog", service="api"),
        CapabilityOwner(capability="search", team="catalog", service="search"),
        CapabilityOwner(capability="basket", team="storefront", service="shop"),
        CapabilityOwner(capability="orders", team="fulfillment", service="orders"),
    ),
    vendors=(
        _vendor("Example Pay", PAY, 0.999, critical=True, category="payment"),
        _vendor("Example ID", SIGN_IN, 0.995, critical=True, category="identity"),
        _vendor("Example CDN", CDN, 0.999, critical=True, category="cdn"),
        _vendor("Example Stats", STATS, None, category="analytics"),
    ),
    default_team="storefront",
)

# Name, title, capability and the host and path that a step asks.
Asked = tuple[str, str, str, str, str]
STEPS: dict[str, tuple[Asked, ...]] = {
    "checkout": (
        ("open-shop", "Open the shop", "catalog", SHOP, "/"),
        ("add-to-basket", "Put something into the basket", "basket", SHOP, "/basket"),
        ("pay", "Pay", "payments", PAY, "/charge"),
        ("see-confirmation", "See the confirmation", "payments", SHOP, "/checkout/done"),
    ),
    "login": (
        ("open-login", "Open the sign-in page", "identity", SHOP, "/login"),
        ("sign-in", "Sign in", "identity", SIGN_IN, "/token"),
        ("see-account", "See the account", "identity", SHOP, "/login/account"),
    ),
    "search": (
        ("open-shop", "Open the shop", "catalog", SHOP, "/"),
        ("search", "Search", "search", SHOP, "/search"),
    ),
    "catalog-api": (
        ("list-products", "List products", "catalog", API, "/products"),
        ("show-product", "Show one", "catalog", API, "/products/7"),
    ),
    "order-api": (
        ("place-order", "Place an order", "orders", API, "/orders"),
        ("track-order", "Track it", "orders", API, "/orders/7"),
    ),
    "legacy-feed": (("fetch-feed", "Fetch the feed", "catalog", API, "/feed"),),
}
BROWSER_JOURNEYS = frozenset({"checkout", "login", "search"})
OUTLINES = tuple(
    JourneyOutline(
        name=name,
        title=name.replace("-", " ").capitalize(),
        probe=ProbeKind.BROWSER if name in BROWSER_JOURNEYS else ProbeKind.HTTP,
        steps=tuple(StepOutline(name=step, title=title, capability=cap) for step, title, cap, _, _ in steps),
    )
    for name, steps in STEPS.items()
)


def _check(journey: str, profile: str, minutes: float, *, team: str, service: str, tier: int, **values: Any) -> Check:
    target = "shop" if journey in BROWSER_JOURNEYS else "shop-api"
    host = SHOP if target == "shop" else API
    stated = {
        "name": f"{journey}@{target}/{profile}",
        "journey": journey,
        "target": a_target(name=target, base_url=f"https://{host}"),
        "profile": a_profile(name=profile),
        "schedule": Schedule(interval=dt.timedelta(minutes=minutes)),
        "deadline": dt.timedelta(seconds=60),
        "team": team,
        "service": service,
        "tier": tier,
        **values,
    }
    return a_check(**stated)


def _seconds(value: float) -> dt.timedelta:
    return dt.timedelta(seconds=value)


BUY = {"process": "buy", "customers_per_hour": 1200, "value_per_customer": 64.0}
CHECKS: tuple[Check, ...] = (
    _check(
        "checkout", "desktop", 2, team="payments", service="checkout", tier=1,
        objective=0.995, budget=_seconds(4), **BUY,
    ),
    _check(
        "checkout", "phone", 5, team="payments", service="checkout", tier=1,
        objective=0.99, budget=_seconds(6), **{**BUY, "customers_per_hour": 2000},
    ),
    _check(
        "login", "desktop", 2, team="identity", service="account", tier=1,
        objective=0.995, budget=_seconds(3), process="sign-in", customers_per_hour=3000,
    ),
    _check(
        "search", "desktop", 2, team="catalog", service="search", tier=2,
        objective=0.99, budget=_seconds(2.5), process="find", customers_per_hour=9000,
    ),
    _check(
        "catalog-api", "desktop", 1, team="catalog", service="api", tier=1,
        objective=0.995, budget=_seconds(0.8), process="find",
    ),
    _check(
        "order-api", "desktop", 1, team="fulfillment", service="orders", tier=1,
        objective=0.995, process="buy",
    ),
    _check("legacy-feed", "desktop", 5, team="catalog", service="api", tier=3, objective=0.95),
)  # fmt: skip
BY_NAME = {check.name: check for check in CHECKS}
CHECKOUT, PHONE, LOGIN, SEARCH, CATALOG_API, ORDER_API, LEGACY = CHECKS


def contexts(names: Names) -> dict[str, Context]:
    """Return what the judge knows beside the evidence."""
    return contexts_for(CHECKS, OWNERSHIP, names)
