"""Builds the application of each host."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from monitor.demo.api import Api
from monitor.demo.basket import Baskets
from monitor.demo.bodies import on_refusal
from monitor.demo.catalog import TEAS, Catalog
from monitor.demo.hosts import PUBLIC, Addresses, Host
from monitor.demo.identity import Account, Accounts, IdentitySite
from monitor.demo.interference import Dressing, Interference
from monitor.demo.pages import Pages
from monitor.demo.payment import Payments, PaymentSite
from monitor.demo.storefront import Storefront
from monitor.demo.vendors import vendor_routes

if TYPE_CHECKING:
    from starlette.routing import Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from monitor.demo.orders import OrderBook
    from monitor.demo.world import World

_SHARED = (Host.API, Host.PAYMENT, Host.CHAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """What the applications of all hosts share."""

    pages: Pages
    addresses: Addresses
    world: World
    orders: OrderBook


def applications(premises: Premises) -> dict[Host, ASGIApp]:
    """Return the application of each host that a customer can reach."""
    routes = _routes(premises)
    return {host: _application(host, routes[host], premises) for host in PUBLIC}


def _routes(premises: Premises) -> dict[Host, list[Route]]:
    pages, addresses = premises.pages, premises.addresses
    catalog, payments, accounts = Catalog(TEAS), Payments(), Accounts(Account())
    storefront = Storefront(
        pages=pages,
        addresses=addresses,
        catalog=catalog,
        baskets=Baskets(catalog),
        orders=premises.orders,
        accounts=accounts,
    )
    return {
        Host.SHOP: storefront.routes(),
        Host.API: Api(catalog, premises.orders, payments).routes(),
        Host.PAYMENT: PaymentSite(payments, pages).routes(),
        Host.IDENTITY: IdentitySite(accounts, pages, addresses).routes(),
        **vendor_routes(pages),
    }


def _application(host: Host, routes: list[Route], premises: Premises) -> ASGIApp:
    site = Starlette(routes=routes, exception_handlers={HTTPException: on_refusal})
    app: ASGIApp = Interference(site, host=host, world=premises.world)
    if host in _SHARED:
        # The preflight's and the failures' headers belong to the server in front, so this stands outside.
        app = CORSMiddleware(
            app,
            allow_origins=[premises.addresses.url(Host.SHOP)],
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type"],
        )
    if host is Host.API:
        app = _Timed(app, allowed=premises.addresses.url(Host.SHOP))
    return Dressing(app, host=host, world=premises.world, origins=premises.addresses.urls())


class _Timed:
    """Says in Server-Timing how long the answer took to make, and lets the shop's pages read it."""

    def __init__(self, app: ASGIApp, *, allowed: str) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["server-timing"] = f"app;dur={(time.perf_counter() - started) * 1000:.1f}"
                headers["timing-allow-origin"] = self._allowed
            await send(message)

        await self._app(scope, receive, timed)
