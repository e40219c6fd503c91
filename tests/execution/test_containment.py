from __future__ import annotations

import asyncio

import pytest

from monitor.execution.containment import Overdue, Raised, Returned, contain, limit


async def test_work_that_ends_returns_its_value():
    async def work():
        return 3

    assert await contain(work, seconds=10) == Returned(value=3)


@pytest.mark.parametrize("error", [ValueError(), SystemExit(), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_whatever_work_raises_comes_back_as_a_value(error):
    async def work():
        raise error

    assert await contain(work, seconds=10) == Raised(error=error)


async def test_work_that_cannot_even_be_started_comes_back_as_a_value():
    def work():
        msg = "takes no arguments"
        raise TypeError(msg)

    ended = await contain(work, seconds=10)
    assert isinstance(ended, Raised)
    assert isinstance(ended.error, TypeError)


async def test_work_over_its_time_is_cancelled():
    cancelled = []

    async def work():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    assert await contain(work, seconds=0.01) == Overdue(stuck=False)
    assert cancelled == [1]


async def test_work_that_heeds_only_its_second_cancellation_is_not_stuck():
    async def work():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(3600)

    assert await contain(work, seconds=0.01, grace=0.5) == Overdue(stuck=False)


async def test_work_that_heeds_none_is_left_behind():
    release = asyncio.Event()

    async def work():
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    assert await contain(work, seconds=0.01, grace=0.03) == Overdue(stuck=True)
    release.set()
    await asyncio.sleep(0)


async def test_our_own_work_is_limited_too():
    async def returns():
        return 3

    async def raises():
        msg = "of its own"
        raise TimeoutError(msg)

    async def hangs():
        await asyncio.sleep(3600)

    assert await limit(returns, seconds=10) == Returned(value=3)
    assert isinstance(await limit(raises, seconds=10), Raised)
    assert await limit(hangs, seconds=0.01) == Overdue(stuck=False)
    task = asyncio.create_task(limit(hangs, seconds=3600))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
