from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio

from monitor.demo import Ports, Shop
from tests.demo.visiting import Visitor

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    # One shop serves all tests of this folder, so all of them must run in the loop in which it was started.
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def shop_directory(tmp_path_factory):
    return tmp_path_factory.mktemp("shop")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def open_shop(shop_directory):
    async with Shop(shop_directory, ports=Ports.free(), confirm_after=0.05) as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="session")
async def shop(open_shop):
    yield open_shop
    await open_shop.mend()


@pytest.fixture
def visitor(shop):
    return Visitor(shop)
