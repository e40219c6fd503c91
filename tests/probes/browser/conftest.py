from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from monitor.domain.assignment import Assignment
from monitor.domain.profile import HostOverride
from monitor.domain.script_time import ScriptTime
from monitor.probes.browser import artifacts, devtools, handle, picture, session, static_answers
from monitor.probes.browser.probe import BrowserProbe
from monitor.probes.session import Observations, Session
from tests.browsers import give_time
from tests.builders import a_check, a_profile, a_target, an_assignment
from tests.probes.browser.site import FaultSite
from tests.servers import free_port
from tests.waiting import until


@pytest.fixture
def unused_tcp_port() -> int:
    # One that the system chose it may give to somebody else before the browser has come so far.
    return free_port()


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
        more = {"deadline": dt.timedelta(seconds=120), **values.pop("check", {})}
        check = a_check(target=a_target(**aim), profile=a_profile(**(profile or {})), **more)
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


class Walk:
    """Performs one step in a fresh session and returns what was seen."""

    def __init__(self, probe: BrowserProbe, assign: Callable[..., Assignment]) -> None:
        self._probe = probe
        self._assign = assign
        self._session: Any = None

    async def __call__(self, act: Act, *, sensitive: bool = False, **values: Any) -> Attempt:
        lent = await self._probe.open(self._assign(**values), 1, started=time.monotonic())
        self._session = lent._session
        lent.begin_step("only")
        error: BaseException | None = None
        try:
            await act(lent.handle)
        except Exception as raised:  # noqa: BLE001 - whatever a step raises is what the test asks about
            error = raised
            await lent.keep_failure("only", sensitive=sensitive)
        seen = await lent.finish(failed=error is not None)
        return Attempt(lent, seen, error)

    async def until(self, told: Callable[[Attempt], object], what: str) -> None:
        """Wait, in a step, until the browser has told of something; it tells what it does in its own time."""
        await until(lambda: told(Attempt(self._session, self._so_far(), None)), what)

    async def quiet(self) -> None:
        """Wait, in a step, until all that the page has asked for so far has ended and its bodies are read."""
        # What is on record of the page arrives before this answer does.
        await self._session._channel.send("Network.enable")
        await until(lambda: not self._is_busy(), "all requests have ended")

    async def watching(self, count: int) -> None:
        """Wait, in a step, until the recorder listens to so many frames and workers."""
        await until(lambda: len(self._targets()) >= count, f"{count} targets are listened to")
        await asyncio.gather(*(target.send("Network.enable") for target in self._targets()))

    async def watching_a_popup(self) -> None:
        """Wait, in a step, until the recorder listens to a popup, which answers nothing before it may go on."""
        await until(self._targets, "a popup is listened to")
        # The browser hands on what it is told in its order.
        await self._session._watch._channels[-1].send("Target.getTargets")

    def work(self) -> tuple[ScriptTime, ...]:
        """Return what scripts have told of their work so far."""
        found: tuple[ScriptTime, ...] = self._session._work.scripts()
        return found

    def _targets(self) -> list[Any]:
        return [target for channel in self._session._watch._channels for target in channel.descendants()]

    def _is_busy(self) -> bool:
        open_ones = any(exchange.pending for exchange in self._so_far().exchanges)
        return open_ones or bool(self._session._watch._hashing)

    def _so_far(self) -> Observations:
        journal = self._session._journal
        return Observations(
            exchanges=self._session._ledger.freeze(time.monotonic()),
            console=journal.console,
            page_errors=journal.page_errors,
            websockets=self._session._websockets(),
            events=journal.events,
            truncated=journal.truncations(),
        )


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give browsers the time that a busy machine needs to start, to open a page, to act and to show that they live."""
    give_time(monkeypatch)
    monkeypatch.setattr(session, "_ACTION_SECONDS", 60.0)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a session take the time it needs at its end: what is kept within seconds is not what every test asks."""
    monkeypatch.setattr(devtools, "_REPLY_LIMIT", 30.0)
    monkeypatch.setattr(devtools, "_FLUSH_LIMIT", 10.0)
    monkeypatch.setattr(handle, "_LOOK_SECONDS", 15.0)
    monkeypatch.setattr(session, "_MAKER_SECONDS", 60.0)
    monkeypatch.setattr(session, "_HASH_SECONDS", 30.0)
    monkeypatch.setattr(session, "_PICTURE_SECONDS", 30.0)
    monkeypatch.setattr(picture, "_LOOK_SECONDS", 15.0)
    monkeypatch.setattr(picture, "_PICTURE_MILLISECONDS", 15_000)
    monkeypatch.setattr(artifacts, "_TRACE_SECONDS", 30.0)
    monkeypatch.setattr(static_answers, "_WRITE_SECONDS", 30.0)


@pytest.fixture
def walk(probe: BrowserProbe, assign: Callable[..., Assignment]) -> Walk:
    return Walk(probe, assign)
