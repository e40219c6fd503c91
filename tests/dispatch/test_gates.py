from __future__ import annotations

import asyncio

import pytest

from monitor.dispatch.gates import TargetGates
from tests.builders import a_target


async def test_whoever_has_waited_longest_is_let_in_first():
    gates = TargetGates()
    target = a_target(concurrency=1)
    order: list[int] = []

    async def visit(number: int) -> None:
        assert await gates.enter(target, patience=5)
        order.append(number)
        await asyncio.sleep(0)
        gates.leave(target)

    await asyncio.gather(*(visit(number) for number in range(20)))
    assert order == list(range(20))
    assert gates._gates == {}


async def test_never_more_are_inside_than_the_target_allows():
    gates = TargetGates()
    target = a_target(concurrency=3)
    inside = 0
    most = 0

    async def visit() -> None:
        nonlocal inside, most
        assert await gates.enter(target, patience=5)
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.001)
        inside -= 1
        gates.leave(target)

    await asyncio.gather(*(visit() for _ in range(50)))
    assert most == 3
    assert gates._gates == {}


async def test_whoever_gives_up_waiting_leaves_nothing_behind():
    gates = TargetGates()
    target = a_target(concurrency=1)
    assert await gates.enter(target, patience=1)
    assert not await gates.enter(target, patience=0.01)
    waiting = asyncio.create_task(gates.enter(target, patience=5))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert gates.waiting() == 0
    gates.leave(target)
    assert gates._gates == {}


async def test_a_place_that_falls_to_someone_who_is_cancelled_is_handed_on():
    gates = TargetGates()
    target = a_target(concurrency=1)
    assert await gates.enter(target, patience=1)
    first = asyncio.create_task(gates.enter(target, patience=5))
    second = asyncio.create_task(gates.enter(target, patience=5))
    await asyncio.sleep(0)
    gates.leave(target)
    first.cancel()
    assert await second
    gates.leave(target)
    assert gates._gates == {}
