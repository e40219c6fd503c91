"""The bundled shop, and single runs through it as ``faultline run`` makes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.settings import Settings
from monitor.demo import Ports, Shop
from monitor.diagnosis.rules import validity
from monitor.domain.clock import SystemClock
from monitor.domain.run import Run
from monitor.service import OneShot, StartupChoices, read_settings
from tests.builders import a_check, a_target

HERE = Path(__file__).parents[2]
VALUES = {"api": "api", "search": "shop", "checkout": "shop"}

Walk = Callable[[str], Awaitable[Run]]


@pytest.fixture(autouse=True)
def no_starving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether this machine is busy just now is tested by no test of the service, and may decide none."""
    for limit in ("PRESSURE_LIMIT", "LAG_LIMIT", "THROTTLED_LIMIT"):
        monkeypatch.setattr(validity, limit, 1e9)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(tmp_path / "shop", ports=Ports.free(), confirm_after=0.2) as shop:
        yield shop


def settings_for(shop: Shop, folder: Path) -> Settings:
    """The shop's own configuration, aimed at where this one really is."""
    settings = read_settings(HERE / "config" / "monitor.yaml", {}, StartupChoices(data=folder / "data"))
    checks = tuple(
        a_check(
            name=f"{journey}@{host}/desktop",
            journey=journey,
            target=a_target(name=host, base_url=shop.url(host), extra_ca=shop.ca_pem, hosts=shop.hosts),
            deadline=dt.timedelta(seconds=60),
            attempts=1,
        )
        for journey, host in VALUES.items()
    )
    controls = tuple(f"{shop.url(host).rstrip('/')}/generate_204" for host in ("news", "weather", "museum"))
    ownership = replace(settings.ownership, controls=controls)
    return replace(settings, checks=checks, ownership=ownership, journeys=HERE / "checks")


@pytest.fixture
async def walk(shop: Shop, tmp_path: Path) -> AsyncIterator[Walk]:
    """Run the check of a journey once."""
    settings = settings_for(shop, tmp_path)
    checks = {check.journey: check for check in settings.checks}
    async with OneShot(settings, clock=SystemClock()) as shot:

        async def walk(journey: str) -> Run:
            return await shot.make(checks[journey], artifacts=tmp_path)

        yield walk
