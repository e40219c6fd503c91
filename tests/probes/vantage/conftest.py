from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.probes.vantage.dns_server import DnsServer


@pytest.fixture
async def dns() -> AsyncIterator[DnsServer]:
    async with DnsServer() as running:
        yield running
