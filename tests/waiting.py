"""Waiting for what happens elsewhere in its own time: a busy machine is slow, and that is no failure."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import pytest

PATIENCE = 60.0


async def until(condition: Callable[[], object], what: str, *, patience: float = PATIENCE) -> None:
    """Wait until something is so; what cannot be looked up yet is not so yet. After the patience the test fails."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with contextlib.suppress(LookupError, StopIteration, ValueError, AttributeError, TypeError):
            if condition():
                return
        await asyncio.sleep(0.01)
    pytest.fail(f"after {patience:g} s still not: {what}")
