from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.grafana.live.day import Day, lived
from tests.servers import Prometheus


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with lived(tmp_path_factory.mktemp("day")) as day:
        yield day


@pytest.fixture
async def prometheus(day: Day) -> AsyncIterator[Prometheus]:
    async with Prometheus(day.url) as prometheus:
        yield prometheus
