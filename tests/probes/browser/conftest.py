from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from monitor.domain.assignment import Assignment
from monitor.domain.profile import HostOverride
from monitor.probes.browser.probe import BrowserProbe
from monitor.probes.session import Observations, Session
from tests.builders import a_check, a_profile, a_target, an_assignment
from tests.probes.browser.site import FaultSite


@pytest.fixture(scope="module")
def site() -> Iterator[FaultSite]:
    site = FaultSite()
    site.start()
    yield site
    site.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def probe(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BrowserProbe]:
    probe = BrowserProbe(tmp_path_factory.mktemp("browsers"))
    yield probe
    await probe.close()


@pytest.fixture
def assign(site: FaultSite, tmp_path: Path) -> Callable[..., Assignment]:
    """Builds an assignment against the site; profiles and targets are given as keywords."""

    def build(
        *, profile: dict[str, Any] | None = None, target: dict[str, Any] | None = None, **values: Any
    ) -> Assignment:
        aim = {
            "base_url": site.url("").rstrip("/"),
            "hosts": (HostOverride(host="third.test", address="127.0.0.1"),),
            "extra_ca": site.authority,
            **(target or {}),
        }
        check = a_check(target=a_target(**aim), profile=a_profile(**(profile or {})), **values.pop("check", {}))
        return an_assignment(check=check, artifact_directory=str(tmp_path / "artifacts"), **values)

    return build


Act = Callable[[Any], Awaitable[Any]]


class Attempt:
    """What came of one attempt."""

    def __init__(self, session: Session, seen: Observations, error: BaseException | None) -> None:
        self.session = session
        self.seen = seen
        self.error = error

    def exchange(self, path: str) -> Any:
        return next(exchange for exchange in reversed(self.seen.exchanges) if path in exchange.url)


@pytest.fixture
def walk(probe: BrowserProbe, assign: Callable[..., Assignment]) -> Callable[..., Awaitable[Attempt]]:
    """Performs one step in a fresh session and returns what was seen."""

    async def go(act: Act, *, sensitive: bool = False, **values: Any) -> Attempt:
        session = await probe.open(assign(**values), 1, started=time.monotonic())
        session.begin_step("only")
        error: BaseException | None = None
        try:
            await act(session.handle)
        except Exception as raised:  # noqa: BLE001 - whatever a step raises is what the test asks about
            error = raised
            await session.keep_failure("only", sensitive=sensitive)
        seen = await session.finish(failed=error is not None)
        return Attempt(session, seen, error)

    return go
