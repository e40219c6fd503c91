"""A monitor for its pages: a real store, a configuration of two checks, and a health that a test sets."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from monitor.config.settings import Settings, StorageSettings, WebSettings
from monitor.domain.deployment import Deployment
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind
from monitor.history import History
from monitor.history.values import StoredRun
from monitor.investigation.correlation import Incident
from monitor.probes.blackbox.probe import Blackbox
from monitor.web.app import create_app
from monitor.web.monitor import Health
from monitor.web.run_view import OwnerName
from tests.builders import A_MOMENT, a_check


class StillClock:
    def __init__(self) -> None:
        self.moment = A_MOMENT + dt.timedelta(seconds=30)

    def now(self) -> dt.datetime:
        return self.moment

    def elapsed(self) -> float:
        return self.moment.timestamp()


class TestMonitor:
    __test__ = False

    def __init__(self, settings: Settings, history: History, clock: StillClock) -> None:
        self.settings, self.history, self.clock = settings, history, clock
        self.catalogue = JourneyCatalogue(
            journeys=(JourneyOutline(name="browse", title="Browse the shop", probe=ProbeKind.HTTP, steps=()),)
        )
        self.in_force_since = {check.name: A_MOMENT for check in settings.checks}
        self.state = Health()
        self.incidents: tuple[Incident, ...] = ()
        self.reload_problems: tuple[str, ...] = ()
        self.reloads = 0
        self.blackbox = Blackbox(user_agent="Faultline/test", now=lambda: dt.datetime.now(dt.UTC), at_once=4)

    def health(self) -> Health:
        return self.state

    def open_incidents(self) -> tuple[Incident, ...]:
        return self.incidents

    async def deployed(self, deployment: Deployment) -> bool:
        return await self.history.deployed(deployment)

    async def reload(self) -> Sequence[str]:
        self.reloads += 1
        return self.reload_problems

    def metrics(self, accept: str) -> tuple[bytes, str]:
        return b"faultline_up 1\n", "text/plain; version=0.0.4"

    def run_json(self, stored: StoredRun) -> Mapping[str, object]:
        return {"run_id": stored.summary.run_id}

    def owner_of(self, url: str, stored: StoredRun) -> OwnerName:
        return OwnerName(party="own_infrastructure", name="storefront")


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[TestMonitor]:
    clock = StillClock()
    storage = StorageSettings(directory=tmp_path / "data")
    history = await History.open(storage, clock=clock)
    settings = Settings(
        path=tmp_path / "monitor.yaml",
        location="here",
        journeys=tmp_path,
        checks=(a_check(), a_check(name="other@shop/desktop")),
        storage=storage,
    )
    made = TestMonitor(settings, history, clock)
    yield made
    made.blackbox.close()
    await history.close()


def with_password(parts: TestMonitor, web: WebSettings) -> Starlette:
    parts.settings = replace(parts.settings, web=web)
    return create_app(parts)


def client_of(app: Starlette, **values: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:9488", **values)


@pytest.fixture
async def client(parts: TestMonitor) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(parts)) as client:
        yield client
