from __future__ import annotations

import pytest

from monitor.demo import Ports, Shop
from tests.demo.visiting import Visitor


@pytest.fixture(scope="session")
def shop_directory(tmp_path_factory):
    return tmp_path_factory.mktemp("shop")


@pytest.fixture
async def shop(shop_directory):
    async with Shop(shop_directory, ports=Ports.free(), confirm_after=0.05) as shop:
        yield shop


@pytest.fixture
def visitor(shop):
    return Visitor(shop)
