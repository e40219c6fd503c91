"""Work with a time limit, ours and other people's, done so that whatever comes of it comes back as a value."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_CANCELLATIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned(Generic[T]):
    """The work came to its end."""

    value: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The work raised, be it an error, ``SystemExit`` or a cancellation of its own making."""

    error: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """The work did not end in its time. ``stuck`` says that it ignores its cancellation and still runs."""

    stuck: bool


async def contain(
    start: Callable[[], Awaitable[T]], *, seconds: float, grace: float = 0.5
) -> Returned[T] | Raised | Overdue:
    """Do foreign work for at most ``seconds``, and ``grace`` more for it to heed its cancellation.

    Raises CancelledError only where the caller itself is cancelled; the work is then cancelled first.
    """
    task = asyncio.ensure_future(_settle_foreign(start))
    try:
        done, _ = await asyncio.wait({task}, timeout=max(0.0, seconds))
    except asyncio.CancelledError:
        await _cancel(task, grace)
        raise
    if done:
        return task.result()
    return Overdue(stuck=not await _cancel(task, grace))


async def settle(start: Callable[[], Awaitable[T]]) -> Returned[T] | Raised:
    """Do work of our own that keeps its own time, or that of whoever asks for it.

    Raises CancelledError only where the caller itself is cancelled.
    """
    try:
        return Returned(value=await start())
    except Exception as error:  # noqa: BLE001 - the point of this module
        return Raised(error=error)


async def limit(start: Callable[[], Awaitable[T]], *, seconds: float) -> Returned[T] | Raised | Overdue:
    """Do work of our own, which heeds its cancellation, for at most ``seconds``; without the cost of another task.

    Raises CancelledError only where the caller itself is cancelled.
    """
    try:
        async with asyncio.timeout(max(0.0, seconds)) as time:
            return Returned(value=await start())
    except TimeoutError as error:
        return Overdue(stuck=False) if time.expired() else Raised(error=error)
    except Exception as error:  # noqa: BLE001 - the point of this module
        return Raised(error=error)


async def _settle_foreign(start: Callable[[], Awaitable[T]]) -> Returned[T] | Raised:
    # Everything is caught inside the task: asyncio lets SystemExit and KeyboardInterrupt of a task end the whole loop.
    try:
        return Returned(value=await start())
    except BaseException as error:  # noqa: BLE001 - the point of this module
        return Raised(error=error)


async def _cancel(task: asyncio.Task[Returned[T] | Raised], grace: float) -> bool:
    for _ in range(_CANCELLATIONS):
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=grace / _CANCELLATIONS)
        if done:
            return True
    return False
