"""One courier for each receiver, kept over reloads as long as the receiver stays what it is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import replace

from monitor.config.receivers import Receiver, WebhookReceiver
from monitor.domain.clock import Clock
from monitor.domain.secret import Redactor
from monitor.publishing.notifying.courier import Courier, CourierLimits
from monitor.publishing.notifying.delivery import Transport
from monitor.publishing.notifying.mail import Mail
from monitor.publishing.notifying.notification import Notification, to_json
from monitor.publishing.notifying.webhook import Webhook

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
        told: Callable[[str, bool], None],
        jitter: Callable[[], float] = random.random,
        limits: CourierLimits | None = None,
    ) -> None:
        """Have no receivers yet; ``told`` learns the receiver and whether it was reached, once for each message."""
        self._clock = clock
        self._told = told
        self._jitter = jitter
        self._limits = limits or CourierLimits()
        self._redactor = Redactor()
        self._couriers: dict[str, tuple[Receiver, Courier]] = {}

    async def configure(self, receivers: Iterable[Receiver], redactor: Redactor) -> None:
        """Take over the receivers; what waits for one that has changed or is gone is given up."""
        self._redactor = redactor
        # Whom it concerns is not the courier's business.
        wanted = {receiver.name: replace(receiver, teams=()) for receiver in receivers}
        for name, (receiver, courier) in tuple(self._couriers.items()):
            if wanted.get(name) != receiver:
                del self._couriers[name]
                await courier.close(_LEAVING)
        for name, receiver in wanted.items():
            if name not in self._couriers:
                transport = await asyncio.to_thread(transport_of, receiver, self._clock)
                self._couriers[name] = receiver, self._courier(name, transport)

    def send(self, receiver: str, notification: Notification) -> None:
        """Take a message; returns at once."""
        known = self._couriers.get(receiver)
        if known is not None:
            known[1].put(to_json(notification, self._redactor))

    async def close(self, grace: float) -> None:
        """Go on delivering for ``grace`` seconds, then give up what is left."""
        couriers = [courier for _, courier in self._couriers.values()]
        self._couriers.clear()
        await asyncio.gather(*(courier.close(grace) for courier in couriers))

    def _courier(self, name: str, transport: Transport) -> Courier:
        courier = Courier(
            name,
            transport,
            clock=self._clock,
            told=lambda delivered: self._told(name, delivered),
            jitter=self._jitter,
            limits=self._limits,
        )
        courier.start()
        return courier
