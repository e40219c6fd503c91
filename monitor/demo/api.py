"""The shop's own API: the catalog and the orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitor.demo.bodies import read_json, refusal
from monitor.demo.orders import Line, OrderBook, is_allowed_callback

if TYPE_CHECKING:
    from starlette.requests import Request

    from monitor.demo.catalog import Catalog
    from monitor.demo.payment import Payments

_MOST_LINES = 20
_MOST_PIECES = 20


class Api:
    """Answers for products and orders in JSON."""

    def __init__(self, catalog: Catalog, orders: OrderBook, payments: Payments) -> None:
        self._catalog = catalog
        self._orders = orders
        self._payments = payments

    def routes(self) -> list[Route]:
        """Return what the host answers."""
        return [
            Route("/healthz", self._healthy),
            Route("/products", self._products),
            Route("/products/{slug}", self._product),
            Route("/orders", self._place, methods=["POST"]),
            Route("/orders/{number}", self._order),
        ]

    async def _healthy(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _products(self, request: Request) -> Response:
        found = self._catalog.search(request.query_params.get("q", ""))
        return JSONResponse({"count": len(found), "products": [product.document() for product in found]})

    async def _product(self, request: Request) -> Response:
        product = self._catalog.find(request.path_params["slug"])
        return refusal("there is no such product", status=404) if product is None else JSONResponse(product.document())

    async def _order(self, request: Request) -> Response:
        order = self._orders.find(request.path_params["number"])
        return refusal("there is no such order", status=404) if order is None else JSONResponse(order.document())

    async def _place(self, request: Request) -> Response:
        body = await read_json(request)
        email, callback = str(body.get("email", "")), body.get("callback_url")
        lines = self._lines(body.get("lines"))
        if lines is None:
            return refusal("lines must name products of the catalog, and a quantity from 1 to 20 for each")
        if "@" not in email:
            return refusal("email must be an email address")
        if callback is not None and not (isinstance(callback, str) and is_allowed_callback(callback)):
            return refusal("callback_url must be an http address on this machine")
        total = self._total(lines)
        payment = self._paid(body.get("payment"), total)
        if payment is None:
            return refusal("payment must be an invoice or a card token of the right amount", status=402)
        order = self._orders.place(email=email, lines=lines, total=total, payment=payment, callback=callback)
        return JSONResponse(order.document(), status_code=202, headers={"Location": f"/orders/{order.id}"})

    def _lines(self, value: object) -> tuple[Line, ...] | None:
        if not isinstance(value, list) or not 0 < len(value) <= _MOST_LINES:
            return None
        lines = []
        for item in value:
            product = item.get("product") if isinstance(item, dict) else None
            quantity = item.get("quantity", 1) if isinstance(item, dict) else None
            if not isinstance(product, str) or self._catalog.find(product) is None:
                return None
            if not isinstance(quantity, int) or not 0 < quantity <= _MOST_PIECES:
                return None
            lines.append(Line(product=product, quantity=quantity))
        return tuple(lines)

    def _total(self, lines: tuple[Line, ...]) -> int:
        products = ((self._catalog.find(line.product), line.quantity) for line in lines)
        return sum(product.price * quantity for product, quantity in products if product is not None)

    def _paid(self, payment: object, total: int) -> str | None:
        if payment == {"method": "invoice"}:
            return "invoice"
        token = payment.get("token") if isinstance(payment, dict) else None
        return "card" if isinstance(token, str) and self._payments.redeem(token, total) else None
