"""Carries notifications to one receiver, off the path of every check: bounded in number, age and tries."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from monitor.domain.clock import Clock
from monitor.publishing.notifying.delivery import Delivery, DeliveryError, Transport

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierLimits:
    """What one receiver may cost; times in seconds.

    Attributes:
        waiting: Notifications that wait; beyond it the oldest is given up.
        age: A notification that is older is given up: by then a person has found out.
        attempt: What one try may take; then its connection is cut.
        first_pause: The pause after the first failed try; it doubles with each further one.
        longest_pause: The longest pause.
    """

    waiting: int = 100
    age: float = 3600.0
    attempt: float = 30.0
    first_pause: float = 1.0
    longest_pause: float = 60.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notification, and the moment of the monotonic clock from which its age counts."""

    data: dict[str, Any]
    since: float


class Courier:
    """One receiver's queue and the task that empties it, in order. ``told`` learns each one's id and its end, once."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        *,
        clock: Clock,
        told: Callable[[str, bool], None],
        jitter: Callable[[], float],
        limits: CourierLimits,
    ) -> None:
        """Carry to ``name`` by ``transport``; ``jitter`` gives a share between 0 and 1."""
        self._name = name
        self._transport = transport
        self._clock = clock
        self._told = told
        self._jitter = jitter
        self._limits = limits
        self._queue: deque[Waiting] = deque()
        self._carried: Waiting | None = None
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to carry; needs a running loop."""
        self._task = asyncio.create_task(self._work(), name=f"notifications of {self._name}")

    def put(self, data: dict[str, Any], *, age: float = 0.0) -> None:
        """Take a notification that is ``age`` seconds old; returns at once, whatever the receiver does."""
        if len(self._queue) >= self._limits.waiting:
            self._give_up(self._queue.popleft(), "too many wait for this receiver")
        self._queue.append(Waiting(data, self._clock.elapsed() - age))
        self._idle.clear()
        self._filled.set()

    async def close(self, grace: float) -> tuple[Waiting, ...]:
        """Go on for ``grace`` seconds while something waits; return what is left, which has not ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._idle.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        left = (self._carried, *self._queue) if self._carried is not None else tuple(self._queue)
        self._queue.clear()
        return left

    async def _work(self) -> None:
        while True:
            await self._filled.wait()
            while self._queue:
                self._carried = self._queue.popleft()
                reason = await self._carry(self._carried)
                waiting, self._carried = self._carried, None
                if reason:
                    self._give_up(waiting, reason)
                else:
                    self._told(waiting.data["id"], True)
            self._filled.clear()
            self._idle.set()

    async def _carry(self, waiting: Waiting) -> str:
        """Try until a notification is delivered; return why it has to be given up, or nothing."""
        pause = self._limits.first_pause
        while self._clock.elapsed() - waiting.since <= self._limits.age:
            try:
                await self._try(waiting.data)
            except DeliveryError as error:
                if error.lasting:
                    return str(error)
                extra = {"receiver": self._name, "error": str(error), "waiting": len(self._queue)}
                _log.info("a notification was not delivered yet", extra=extra)
            else:
                return ""
            await asyncio.sleep(pause * (0.5 + self._jitter() / 2))
            pause = min(2 * pause, self._limits.longest_pause)
        return "it has waited too long"

    async def _try(self, data: dict[str, Any]) -> None:
        if self._thread is not None and self._thread.is_alive():
            msg = "an earlier try still hangs"
            raise DeliveryError(msg)
        delivery = self._transport.delivery(data)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(
            target=_deliver, args=(delivery, loop, done), name=f"notify {self._name}", daemon=True
        )
        self._thread.start()
        try:
            async with asyncio.timeout(self._limits.attempt):
                await done
        except TimeoutError:
            msg = f"it took longer than {self._limits.attempt:g} s"
            raise DeliveryError(msg) from None
        finally:
            if not done.done() or done.cancelled():
                delivery.abort()

    def _give_up(self, waiting: Waiting, reason: str) -> None:
        _log.warning(
            "a notification was given up",
            extra={"receiver": self._name, "notification": waiting.data["id"], "reason": reason},
        )
        self._told(waiting.data["id"], False)


def _deliver(delivery: Delivery, loop: asyncio.AbstractEventLoop, done: asyncio.Future[None]) -> None:
    failure: DeliveryError | None = None
    try:
        delivery.send()
    except DeliveryError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - a try that breaks is a try that failed; its text may hold anything
        failure = DeliveryError(f"the try broke: {type(error).__name__}")
    # The loop may be gone when the program ends; then nobody waits any more.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, done, failure)


def _settle(done: asyncio.Future[None], failure: DeliveryError | None) -> None:
    if done.done():
        return
    if failure is None:
        done.set_result(None)
    else:
        done.set_exception(failure)
