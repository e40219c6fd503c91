from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.virtual_time import VirtualLoop

# What is carried out there waits for nothing outside of its loop.
_VIRTUAL = {"test_allowance.py", "test_containment.py", "test_progress.py", "test_run.py"}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let deadlines come without anybody waiting for them."""
    return {"virtual": VirtualLoop} if item.path.name in _VIRTUAL else {"real": asyncio.new_event_loop}
