"""One courier for each receiver, kept over reloads as long as the receiver stays what it is."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from monitor.config.receivers import Receiver, WebhookReceiver
from monitor.domain.clock import Clock
from monitor.domain.secret import Redactor
from monitor.publishing.notifying.courier import Courier, CourierLimits, Waiting
from monitor.publishing.notifying.delivery import Transport
from monitor.publishing.notifying.mail import Mail
from monitor.publishing.notifying.notification import Notification, to_json
from monitor.publishing.notifying.webhook import Webhook

_log = logging.getLogger(__name__)

_LEAVING = 0.0


def transport_of(receiver: Receiver, clock: Clock) -> Transport:
    """Return the way to a receiver."""
    return Webhook(receiver) if isinstance(receiver, WebhookReceiver) else Mail(receiver, clock)


class Post:
    """Takes messages for receivers by name; never makes its caller wait."""

    def __init__(
        self,
        *,
        clock: Clock,
        told: Callable[[str, str, bool], None],
        jitter: Callable[[], float] = random.random,
        limits: CourierLimits | None = None,
    ) -> None:
        """Have no receivers yet; ``told`` learns receiver, id and whether it was reached, once for each message."""
        self._clock = clock
        self._told = told
        self._jitter = jitter
        self._limits = limits or CourierLimits()
        self._redactor = Redactor()
        self._couriers: dict[str, tuple[Receiver, Courier]] = {}

    async def configure(self, receivers: Iterable[Receiver], redactor: Redactor) -> None:
        """Take over receivers; what waits for one that has changed goes its new way; for one that is gone it ends."""
        self._redactor = redactor
        left: dict[str, tuple[Waiting, ...]] = {}
        # Whom it concerns is not the courier's business.
        wanted = {receiver.name: replace(receiver, teams=()) for receiver in receivers}
        for name, (receiver, courier) in tuple(self._couriers.items()):
            if wanted.get(name) != receiver:
                del self._couriers[name]
                left[name] = await courier.close(_LEAVING)
        for name, receiver in wanted.items():
            if name not in self._couriers:
                transport = await asyncio.to_thread(transport_of, receiver, self._clock)
                self._couriers[name] = receiver, self._courier(name, transport)
        for name, waiting in left.items():
            for each in waiting:
                self.put(name, each.data, age=self._clock.elapsed() - each.since)

    def draft(self, receiver: str, notification: Notification) -> dict[str, Any] | None:
        """Return a message as it will be sent, or nothing where there is no such receiver."""
        return to_json(notification, self._redactor) if receiver in self._couriers else None

    def put(self, receiver: str, data: dict[str, Any], *, age: float = 0.0) -> None:
        """Take a message that was decided ``age`` seconds ago and may have arrived already; returns at once."""
        known = self._couriers.get(receiver)
        if known is None:
            self.give_up(receiver, data["id"], "there is no such receiver any more")
        else:
            known[1].put(data, age=age)

    def give_up(self, receiver: str, number: str, reason: str) -> None:
        """End a message that is not to be sent."""
        extra = {"receiver": receiver, "notification": number, "reason": reason}
        _log.warning("a notification was given up", extra=extra)
        self._told(receiver, number, False)

    async def close(self, grace: float) -> None:
        """Go on delivering for ``grace`` seconds; what is left then has not ended, and is not given up."""
        couriers = [courier for _, courier in self._couriers.values()]
        self._couriers.clear()
        left = sum(map(len, await asyncio.gather(*(courier.close(grace) for courier in couriers))))
        if left:
            _log.warning("notifications wait for the next start", extra={"count": left})

    def _courier(self, name: str, transport: Transport) -> Courier:
        courier = Courier(
            name,
            transport,
            clock=self._clock,
            told=lambda number, delivered: self._told(name, number, delivered),
            jitter=self._jitter,
            limits=self._limits,
        )
        courier.start()
        return courier
