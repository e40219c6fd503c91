"""Carrying to real receivers that fail, hang and come back: bounded, in order, and off everybody's path."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from monitor.domain.secret import Redactor, Secret
from monitor.publishing.notifying.courier import Courier, CourierLimits
from monitor.publishing.notifying.notification import Notification
from monitor.publishing.notifying.post import Post
from monitor.publishing.notifying.webhook import Webhook
from tests.publishing.notifying.receivers import CLOCK, QUICK, Hook, a_message
from tests.publishing.notifying.test_announcer import a_notification


class Told:
    """Counts what was delivered and given up, and waits for so many ends."""

    def __init__(self) -> None:
        self.ends: list[bool] = []
        self._changed = asyncio.Event()

    def __call__(self, number: str, delivered: bool) -> None:  # noqa: FBT001 - as the courier calls it
        self.ends.append(delivered)
        self._changed.set()

    async def until(self, count: int) -> list[bool]:
        async with asyncio.timeout(60):
            while len(self.ends) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.ends


class HandClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self):
        return CLOCK.now()

    def elapsed(self) -> float:
        return self.seconds


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def courier_to(told: Told) -> AsyncIterator[Callable[..., Courier]]:
    couriers: list[Courier] = []

    def make(hook: Hook, *, clock=CLOCK, limits: CourierLimits = QUICK) -> Courier:
        transport = Webhook(hook.receiver())
        courier = Courier("oncall", transport, clock=clock, told=told, jitter=lambda: 0.0, limits=limits)
        courier.start()
        couriers.append(courier)
        return courier

    yield make
    for courier in couriers:
        await courier.close(0)


async def test_what_a_receiver_refuses_for_now_is_tried_again_in_order(hook: Hook, told: Told, courier_to):
    hook.answers = [503, 429, 204]
    courier = courier_to(hook)
    courier.put(a_message(id="1"))
    courier.put(a_message(id="2"))
    assert await told.until(2) == [True, True]
    assert [body["id"] for body in hook.bodies] == ["1", "1", "1", "2"]


async def test_what_a_receiver_refuses_for_good_is_given_up_at_once(hook: Hook, told: Told, courier_to, caplog):
    hook.answers = [410]
    courier = courier_to(hook)
    courier.put(a_message(id="1"))
    courier.put(a_message(id="2"))
    assert await told.until(2) == [False, True]
    assert [body["id"] for body in hook.bodies] == ["1", "2"]
    (record,) = [
        each for each in caplog.records if each.levelno == logging.WARNING and each.name.startswith("monitor.")
    ]
    assert (record.receiver, record.reason) == ("oncall", "it answered 410")


async def test_a_receiver_that_hangs_costs_its_own_messages_and_nobody_waits(hook: Hook, told: Told, courier_to):
    hook.release.clear()
    courier = courier_to(hook, limits=replace(QUICK, waiting=3))
    courier.put(a_message(id="0"))
    await asyncio.to_thread(hook.arrived.acquire)
    for number in range(1, 6):
        courier.put(a_message(id=str(number)))
    # One is under way and three wait: the two oldest of those that waited were given up.
    assert told.ends == [False, False]
    hook.release.set()
    assert await told.until(6) == [False, False, True, True, True, True]
    assert [body["id"] for body in hook.bodies] == ["0", "3", "4", "5"]


async def test_a_try_that_takes_too_long_is_broken_off_and_made_again(hook: Hook, told: Told, courier_to):
    hook.release.clear()
    courier = courier_to(hook, limits=replace(QUICK, attempt=0.2))
    courier.put(a_message())
    await asyncio.to_thread(hook.arrived.acquire)
    await asyncio.to_thread(hook.arrived.acquire)
    hook.release.set()
    assert await told.until(1) == [True]


async def test_a_server_that_accepts_and_never_speaks_leaves_no_thread_behind(hook: Hook, told: Told):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        transport = Webhook(hook.receiver(url=f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        limits = replace(QUICK, attempt=0.1)
        courier = Courier("silent", transport, clock=CLOCK, told=told, jitter=lambda: 0.0, limits=limits)
        courier.start()
        courier.put(a_message())
        for _ in range(2):
            connection, _ = await asyncio.to_thread(silent.accept)
            with connection:
                connection.settimeout(20)
                # It ends where the try is broken off, and not before.
                while await asyncio.to_thread(connection.recv, 65_536):
                    pass
        assert len(await courier.close(0)) == 1
    assert told.ends == []
    for thread in threading.enumerate():
        if thread.name == "notify silent":
            await asyncio.to_thread(thread.join, 20)
            assert not thread.is_alive()


async def test_a_message_that_has_waited_too_long_is_given_up(hook: Hook, told: Told, courier_to):
    clock = HandClock()
    hook.release.clear()
    courier = courier_to(hook, clock=clock, limits=replace(QUICK, age=60))
    courier.put(a_message(id="1"))
    courier.put(a_message(id="2"))
    await asyncio.to_thread(hook.arrived.acquire)
    clock.seconds = 61
    hook.answers = [503]
    hook.release.set()
    assert await told.until(2) == [False, False]
    assert [body["id"] for body in hook.bodies] == ["1"]


async def test_at_the_end_what_can_be_delivered_is_and_the_rest_has_not_ended(hook: Hook, told: Told, courier_to):
    courier = courier_to(hook)
    courier.put(a_message(id="1"))
    await courier.close(10)
    assert told.ends == [True]
    hook.release.clear()
    stuck = courier_to(hook)
    stuck.put(a_message(id="2"))
    stuck.put(a_message(id="3"))
    await asyncio.to_thread(hook.arrived.acquire)
    await asyncio.to_thread(hook.arrived.acquire)
    left = await stuck.close(0)
    assert [waiting.data["id"] for waiting in left] == ["2", "3"]
    assert told.ends == [True]


def put(post: Post, receiver: str, notification: Notification) -> dict[str, Any]:
    data = post.draft(receiver, notification)
    assert data is not None
    post.put(receiver, data)
    return data


async def test_a_reload_keeps_what_waits_for_a_receiver_that_stays_and_masks_secrets(hook: Hook):
    ends: list[tuple[str, bool]] = []
    enough = asyncio.Event()

    def told(name: str, number: str, delivered: bool) -> None:  # noqa: FBT001 - as the post calls it
        ends.append((name, delivered))
        if len(ends) == 3:
            enough.set()

    hook.release.clear()
    post = Post(clock=CLOCK, told=told, jitter=lambda: 0.0, limits=QUICK)
    stays, goes = hook.receiver("stays"), hook.receiver("goes")
    redactor = Redactor((Secret("x", "secret-4711"),))
    await post.configure((stays, goes), redactor)
    notification = a_notification(because="it shows secret-4711")
    for name in ("stays", "goes"):
        put(post, name, notification)
    await asyncio.to_thread(hook.arrived.acquire)
    await asyncio.to_thread(hook.arrived.acquire)
    await post.configure((replace(stays, teams=("web",)), hook.receiver("new")), redactor)
    assert ends == [("goes", False)]
    put(post, "new", notification)
    assert post.draft("goes", notification) is None
    hook.release.set()
    async with asyncio.timeout(60):
        await enough.wait()
    assert sorted(ends) == [("goes", False), ("new", True), ("stays", True)]
    assert "4711" not in str(hook.bodies)
    await post.close(5)


async def test_what_waits_for_a_receiver_whose_address_changes_goes_its_new_way(hook: Hook):
    ends: list[tuple[str, str, bool]] = []
    hook.answers = [503] * 1000
    post = Post(clock=CLOCK, told=lambda *end: ends.append(end), jitter=lambda: 0.0, limits=QUICK)
    await post.configure((hook.receiver(),), Redactor(()))
    sent = put(post, "oncall", a_notification())
    await asyncio.to_thread(hook.arrived.acquire)
    elsewhere = Hook()
    await post.configure((elsewhere.receiver(),), Redactor(()))
    await post.close(20)
    elsewhere.close()
    assert elsewhere.bodies == [sent]
    assert ends == [("oncall", sent["id"], True)]
