from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import trustme

from monitor.domain.clock import SystemClock
from monitor.probes.http.client import Http
from monitor.probes.http.ledger import ExchangeFailed
from monitor.probes.http.limits import Limits
from monitor.probes.http.probe import HttpProbe, HttpSession
from monitor.probes.vantage.resolver import Resolver
from tests.builders import a_check, a_profile, a_target, an_assignment
from tests.probes.http.fault_server import FaultServer
from tests.servers import free_port
from tests.stamping import kernel_stamps

Opener = Callable[..., Awaitable[HttpSession]]


@pytest.fixture(scope="session", autouse=True)
def stamped() -> Iterator[None]:
    # A probe asks for stamps in the moment in which it is made here; that of a worker was made long before its runs.
    with kernel_stamps():
        yield


@pytest.fixture
def unused_tcp_port() -> int:
    # One that the system chose it may give to somebody else before the test has come so far.
    return free_port()


@pytest.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    made = HttpProbe(clock=SystemClock(), resolver=Resolver(elapsed=time.monotonic))
    yield made
    await made.close()


@pytest.fixture
async def small_probe() -> AsyncIterator[HttpProbe]:
    limits = Limits(body_bytes=100_000, header_bytes=20_000, header_count=100, redirects=5)
    made = HttpProbe(clock=SystemClock(), resolver=Resolver(elapsed=time.monotonic), limits=limits)
    yield made
    await made.close()


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as running:
        yield running


@pytest.fixture
async def stranger() -> AsyncIterator[FaultServer]:
    async with FaultServer(host="127.0.0.2") as running:
        yield running


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def authority_pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


@pytest.fixture
async def open_session(probe: HttpProbe) -> AsyncIterator[Opener]:
    opened: list[HttpSession] = []

    async def opener(base_url: str, *, using: HttpProbe | None = None, **values: Any) -> HttpSession:
        assignment = assignment_for(base_url, **values)
        session = await (using or probe).open(assignment, 1, started=time.monotonic())
        assert isinstance(session, HttpSession)
        session.begin_step("step")
        opened.append(session)
        return session

    yield opener
    for session in opened:
        await session.finish(failed=False)


def assignment_for(base_url: str, *, seconds: float = 10.0, **values: Any):
    profile = values.pop("profile", {})
    target = values.pop("target", {})
    check = {
        "target": a_target(base_url=base_url, **target),
        "profile": a_profile(**profile),
        "deadline": dt.timedelta(seconds=seconds),
    }
    check |= {name: values.pop(name) for name in ("values",) if name in values}
    return an_assignment(check=a_check(**check), **values)


@pytest.fixture
def failure_of_get() -> Callable[..., Awaitable[ExchangeFailed]]:
    async def get(http: Http, path: str = "/", **options: Any) -> ExchangeFailed:
        with pytest.raises(ExchangeFailed) as caught:
            await http.get(path, **options)
        return caught.value

    return get
