"""The shop's own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from monitor.demo.bodies import read_form
from monitor.demo.hosts import Host

if TYPE_CHECKING:
    from starlette.requests import Request

    from monitor.demo.basket import Baskets
    from monitor.demo.catalog import Catalog
    from monitor.demo.hosts import Addresses
    from monitor.demo.identity import Accounts
    from monitor.demo.orders import OrderBook
    from monitor.demo.pages import Pages

_BASKET, _VISITOR = "basket", "visitor"


class Storefront:
    """Answers with pages; products come from the API, in the browser."""

    def __init__(
        self,
        *,
        pages: Pages,
        addresses: Addresses,
        catalog: Catalog,
        baskets: Baskets,
        orders: OrderBook,
        accounts: Accounts,
    ) -> None:
        self._pages = pages
        self._addresses = addresses
        self._catalog = catalog
        self._baskets = baskets
        self._orders = orders
        self._accounts = accounts
        self._policy = _content_security_policy(addresses)

    def routes(self) -> list[Route]:
        """Return what the host answers."""
        return [
            Route("/", self._home),
            Route("/healthz", self._healthy),
            Route("/assets/{name}", self._asset),
            Route("/search", self._search),
            Route("/products/{slug}", self._product),
            Route("/basket", self._basket),
            Route("/basket", self._change_basket, methods=["POST"]),
            Route("/checkout", self._checkout),
            Route("/orders/{number}", self._order),
            Route("/login", self._login),
            Route("/login/start", self._start_login),
            Route("/login/callback", self._finish_login),
            Route("/account", self._account),
            Route("/logout", self._logout, methods=["POST"]),
            Route("/{rest:path}", self._missing),
        ]

    async def _home(self, request: Request) -> Response:
        return self._page(request, "home.html")

    async def _healthy(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _asset(self, request: Request) -> Response:
        return self._pages.asset(request.url.path) or PlainTextResponse("Not found", status_code=404)

    async def _search(self, request: Request) -> Response:
        return self._page(request, "search.html", words=request.query_params.get("q", ""))

    async def _product(self, request: Request) -> Response:
        product = self._catalog.find(request.path_params["slug"])
        return await self._missing(request) if product is None else self._page(request, "product.html", product=product)

    async def _basket(self, request: Request) -> Response:
        return self._page(request, "basket.html")

    async def _change_basket(self, request: Request) -> Response:
        form = await read_form(request)
        slug, quantity = form.get("product", ""), form.get("quantity", "")
        if self._catalog.find(slug) is None:
            return await self._missing(request)
        answer = RedirectResponse("/basket", status_code=303)
        key = request.cookies.get(_BASKET)
        if key is None or not self._baskets.knows(key):
            key = self._baskets.open()
            answer.set_cookie(_BASKET, key, secure=True, httponly=True, samesite="lax")
        if quantity.isdecimal():
            self._baskets.set(key, slug, int(quantity[:3]))
        else:
            self._baskets.add(key, slug)
        return answer

    async def _checkout(self, request: Request) -> Response:
        basket = self._baskets.read(request.cookies.get(_BASKET))
        return self._page(request, "checkout.html") if basket.lines else RedirectResponse("/basket", status_code=303)

    async def _order(self, request: Request) -> Response:
        order = self._orders.find(request.path_params["number"])
        if order is None:
            return await self._missing(request)
        self._baskets.clear(request.cookies.get(_BASKET))
        return self._page(request, "order.html", order=order)

    async def _login(self, request: Request) -> Response:
        return self._page(request, "login.html", account=self._accounts.known)

    async def _start_login(self, _request: Request) -> Response:
        state = self._accounts.expect()
        callback = f"{self._addresses.url(Host.SHOP)}/login/callback"
        question = urlencode({"client_id": "leaf-and-kettle", "redirect_uri": callback, "state": state})
        return RedirectResponse(f"{self._addresses.url(Host.IDENTITY)}/authorize?{question}", status_code=303)

    async def _finish_login(self, request: Request) -> Response:
        known = self._accounts.redeem(request.query_params.get("code", ""), request.query_params.get("state", ""))
        if known is None:
            return RedirectResponse("/login", status_code=303)
        answer = RedirectResponse("/account", status_code=303)
        answer.set_cookie(_VISITOR, self._accounts.admit(known), secure=True, httponly=True, samesite="lax")
        return answer

    async def _account(self, request: Request) -> Response:
        if self._accounts.visitor(request.cookies.get(_VISITOR)) is None:
            return RedirectResponse("/login", status_code=303)
        return self._page(request, "account.html")

    async def _logout(self, request: Request) -> Response:
        self._accounts.dismiss(request.cookies.get(_VISITOR))
        answer = RedirectResponse("/", status_code=303)
        answer.delete_cookie(_VISITOR)
        return answer

    async def _missing(self, request: Request) -> Response:
        return self._page(request, "missing.html", status=404)

    def _page(self, request: Request, name: str, *, status: int = 200, **values: object) -> Response:
        answer = self._pages.page(
            request,
            name,
            status=status,
            basket=self._baskets.read(request.cookies.get(_BASKET)),
            visitor=self._accounts.visitor(request.cookies.get(_VISITOR)),
            **values,
        )
        answer.headers["Content-Security-Policy"] = self._policy
        answer.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
        return answer


def _content_security_policy(addresses: Addresses) -> str:
    def of(*hosts: Host) -> str:
        return " ".join(addresses.url(host) for host in hosts)

    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {of(Host.PAYMENT, Host.CDN, Host.TAGS, Host.STATS, Host.ADS, Host.CHAT)} 'self'",
            f"connect-src {of(Host.API, Host.PAYMENT, Host.STATS, Host.CHAT)} 'self'",
            f"frame-src {of(Host.PAYMENT)}",
            f"style-src {of(Host.FONTS)} 'self' 'unsafe-inline'",
            f"font-src {of(Host.FONTS)}",
            f"img-src {of(Host.STATS, Host.ADS)} 'self' data:",
            f"form-action {of(Host.IDENTITY)} 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        ),
    )
