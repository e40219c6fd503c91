"""Stamps of the kernel, for tests that ask for its word on when something came: it takes a moment to begin them."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from monitor.probes.vantage.stamps import CONTROL_SIZE, ask_for_stamps

PATIENCE = 60.0


@contextlib.contextmanager
def kernel_stamps() -> Iterator[None]:
    """Keep a socket open that wants stamps; for as long the kernel stamps all that arrives, from the first byte on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keeper:
        keeper.bind(("127.0.0.1", 0))
        ask_for_stamps(keeper)
        end = time.monotonic() + PATIENCE
        while not _is_stamped(keeper):
            if time.monotonic() > end:
                pytest.fail("the kernel stamps nothing that arrives")
            time.sleep(0.01)
        yield


def _is_stamped(keeper: socket.socket) -> bool:
    """Send a datagram from a socket to itself, and say whether it came with a stamp."""
    keeper.sendto(b"?", keeper.getsockname())
    return bool(keeper.recvmsg(1, CONTROL_SIZE)[1])
