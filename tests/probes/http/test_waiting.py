from __future__ import annotations

import datetime as dt
import itertools

import pytest

from monitor.probes.http.ledger import ExchangeFailed
from monitor.probes.session import ExpectationFailed
from tests.probes.http.fault_server import reply

SOON = dt.timedelta(seconds=2)
QUICKLY = dt.timedelta(seconds=0.02)


async def test_a_promise_that_is_kept_in_time_returns_what_was_seen(server, open_session):
    states = itertools.chain([b'{"state": "new"}'] * 3, itertools.repeat(b'{"state": "shipped"}'))

    async def answer(_request, writer):
        writer.write(reply(next(states)))

    server.routes["/order"] = answer
    http = (await open_session(server.url())).handle
    response = await http.until(
        lambda: http.get("/order"),
        lambda seen: seen.json()["state"] == "shipped",
        within=dt.timedelta(seconds=5),
        every=QUICKLY,
    )
    assert response.json() == {"state": "shipped"}
    assert len(server.requests) == 4


async def test_a_promise_that_is_not_kept_tells_what_was_seen_last(server, open_session):
    server.routes["/order"] = reply(b'{"state": "new"}')
    http = (await open_session(server.url())).handle
    with pytest.raises(ExpectationFailed, match=r'not within 2 s.*200 \{"state": "new"\}'):
        await http.until(
            lambda: http.get("/order"), lambda seen: seen.json()["state"] == "x", within=SOON, every=QUICKLY
        )


async def test_an_expectation_and_a_failed_exchange_count_as_not_yet(open_session):
    http = (await open_session("http://127.0.0.1:1")).handle
    with pytest.raises(ExchangeFailed):
        await http.until(lambda: http.get("/"), lambda _: True, within=SOON, every=QUICKLY)

    async def fetch() -> int:
        return 1

    def never(_: int) -> bool:
        msg = "the order is not there"
        raise ExpectationFailed(msg)

    with pytest.raises(ExpectationFailed, match="the order is not there"):
        await http.until(fetch, never, within=SOON, every=QUICKLY)


async def test_a_fetch_that_hangs_does_not_outlast_the_promise(open_session):
    import asyncio

    http = (await open_session("http://127.0.0.1:1")).handle

    async def fetch() -> None:
        await asyncio.sleep(60)

    with pytest.raises(ExpectationFailed, match="nothing at all"):
        await http.until(fetch, bool, within=SOON, every=QUICKLY)
