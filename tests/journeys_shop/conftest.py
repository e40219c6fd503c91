"""The journeys of checks/, walked by the engine through a real shop."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.demo import Ports, Shop
from monitor.domain.clock import SystemClock
from monitor.domain.journey import ProbeKind
from monitor.domain.secret import Secret
from monitor.execution.run import execute
from monitor.journeys.files import load
from monitor.probes.browser.probe import BrowserProbe
from monitor.probes.http.probe import HttpProbe
from monitor.probes.vantage.resolver import Resolver
from tests.browsers import give_time
from tests.builders import a_check, a_target, an_assignment

HERE = Path(__file__).parent
CHECKS = HERE.parents[1] / "checks"
VALUES = (("email", "ada@example.com"), ("password", Secret("password", "tea-for-two")))


def pytest_collection_modifyitems(items):
    # One shop and one browser serve all tests of this folder, so all must run in the loop in which they were started.
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    give_time(monkeypatch)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def open_shop(tmp_path_factory):
    async with Shop(tmp_path_factory.mktemp("shop"), ports=Ports.free(), confirm_after=0.2) as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="session")
async def shop(open_shop):
    yield open_shop
    await open_shop.mend()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def probes(tmp_path_factory):
    clock = SystemClock()
    browser = BrowserProbe(tmp_path_factory.mktemp("browsers"))
    http = HttpProbe(clock=clock, resolver=Resolver(elapsed=clock.elapsed))
    yield {ProbeKind.BROWSER: browser, ProbeKind.HTTP: http}
    await browser.close()
    await http.close()


@pytest.fixture
def walk(shop, probes, tmp_path):
    async def walk(name, *, seconds=60):
        journey = load(CHECKS, name)
        base = shop.url("api" if journey.declarative else "shop")
        check = a_check(
            name=f"{name}@shop/desktop",
            journey=name,
            target=a_target(base_url=base, extra_ca=shop.ca_pem),
            deadline=dt.timedelta(seconds=seconds),
            values=tuple((key, value) for key, value in VALUES if key in journey.parameters),
        )
        assignment = an_assignment(
            check=check,
            first_party=("shop.localhost",),
            artifact_directory=str(tmp_path),
        )
        return await execute(assignment, journey, probes[journey.probe], clock=SystemClock())

    return walk
