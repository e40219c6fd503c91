"""The order back end: an order is accepted at once and confirmed a moment later."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import urllib.request
from collections import OrderedDict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor.demo.effects import StallOrders

if TYPE_CHECKING:
    from monitor.demo.world import World

_log = logging.getLogger(__name__)

_KEPT = 1000
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CALLBACK_SECONDS = 5
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class OrderStatus(StrEnum):
    """How far an order has come."""

    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One product of an order, and how many of it."""

    product: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a customer ordered; ``callback`` is told when it is confirmed."""

    id: str
    email: str
    lines: tuple[Line, ...]
    total: int
    payment: str
    status: OrderStatus = OrderStatus.ACCEPTED
    callback: str | None = None

    def document(self) -> dict[str, object]:
        """Return what the API says of it: nothing of the customer."""
        return {
            "id": self.id,
            "status": self.status.value,
            "total": self.total,
            "currency": "EUR",
            "payment": self.payment,
            "lines": [{"product": line.product, "quantity": line.quantity} for line in self.lines],
        }


class OrderBook:
    """Keeps the latest orders in memory and confirms each after ``delay`` seconds, unless a fault stalls it."""

    def __init__(self, world: World, *, delay: float) -> None:
        self._world = world
        self._delay = delay
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, number: str) -> Order | None:
        """Return an order, or ``None``."""
        return self._orders.get(number)

    def place(self, *, email: str, lines: tuple[Line, ...], total: int, payment: str, callback: str | None) -> Order:
        """Accept an order."""
        number = "LK-" + "".join(secrets.choice(_ALPHABET) for _ in range(8))
        order = Order(id=number, email=email, lines=lines, total=total, payment=payment, callback=callback)
        self._orders[number] = order
        while len(self._orders) > _KEPT:
            self._orders.popitem(last=False)
        task = asyncio.create_task(self._confirm(number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return order

    async def close(self) -> None:
        """Forget what is still to be confirmed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _confirm(self, number: str) -> None:
        await asyncio.sleep(self._delay)
        await self._world.until(lambda: not self._world.effects(StallOrders))
        if number not in self._orders:
            return
        order = replace(self._orders[number], status=OrderStatus.CONFIRMED)
        self._orders[number] = order
        if order.callback is not None:
            await asyncio.to_thread(_call_back, order.callback, order.document())


def is_allowed_callback(url: str) -> bool:
    """Say whether the shop may call this address: http on this machine only."""
    try:
        parts = urlsplit(url)
        name = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme == "http" and name in _LOOPBACK


def _call_back(url: str, document: dict[str, object]) -> None:
    request = urllib.request.Request(  # noqa: S310 - is_allowed_callback admits http to loopback alone
        url,
        data=json.dumps(document).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())
    try:
        with opener.open(request, timeout=_CALLBACK_SECONDS):
            pass
    except OSError as error:
        _log.warning("the webhook of an order could not be delivered", extra={"error": type(error).__name__})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        """Follow nothing: a redirect could lead off this machine."""
