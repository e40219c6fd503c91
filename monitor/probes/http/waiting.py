"""Waiting for a promise to be kept: asking again and again until what is seen is what was promised."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import TypeVar

from monitor.probes.http.response import Response
from monitor.probes.session import ExpectationFailed

T = TypeVar("T")

_EVERY = dt.timedelta(seconds=1)
_SHOWN = 300


async def until(
    fetch: Callable[[], Awaitable[T]],
    predicate: Callable[[T], object],
    *,
    within: dt.timedelta,
    every: dt.timedelta = _EVERY,
    tolerated: tuple[type[Exception], ...] = (ExpectationFailed,),
) -> T:
    """Fetch until the predicate holds, and return what was fetched then.

    What ``tolerated`` names counts as "not yet", raised by either of the two. Raises ExpectationFailed with what was
    seen last where ``within`` passes first, or the last error itself where fetching never got that far.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + within.total_seconds()
    seen = "nothing at all"
    problem: Exception | None = None
    tries = 0
    while True:
        tries += 1
        try:
            async with asyncio.timeout_at(end):
                value = await fetch()
            if predicate(value):
                return value
            seen, problem = _shown(value), None
        except tolerated as error:
            seen, problem = str(error), error
        except TimeoutError:
            if loop.time() < end:
                raise
        if loop.time() + every.total_seconds() >= end:
            break
        await asyncio.sleep(every.total_seconds())
    if problem is not None and not isinstance(problem, ExpectationFailed):
        raise problem
    msg = f"not within {within.total_seconds():g} s and {tries} tries; last seen: {seen[:_SHOWN]}"
    raise ExpectationFailed(msg) from problem


def _shown(value: object) -> str:
    if isinstance(value, Response):
        return f"{value.status} {value.excerpt()}"
    return repr(value)
