"""Deployments in the store, and since when a check goes badly: what a diagnosis may know of the past."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import monitor.history.deployments
from monitor.domain.deployment import Deployment
from monitor.domain.outcome import Outcome
from tests.history.runs import CHECK, a_failed_run, a_passed_run, at


def a_deployment(minutes: float = 0, **values) -> Deployment:
    return Deployment(**{"service": "shop-api", "version": "4.2.1", "at": at(minutes), **values})


async def test_a_deployment_that_is_told_twice_is_one(opened, storage):
    history = await opened(storage)
    first = a_deployment(target="shop", url="https://ci.example.org/1")
    assert await history.deployed(first)
    assert not await history.deployed(replace(first, url="https://ci.example.org/2"))
    assert await history.deployed(a_deployment(1))
    assert await history.deployed(a_deployment(version="4.2.2"))
    kept = await history.deployments(at(-10), at(10))
    assert [(one.version, one.at) for one in kept] == [("4.2.1", at(1)), ("4.2.1", at(0)), ("4.2.2", at(0))]
    assert first in kept


async def test_deployments_are_read_by_their_span_and_survive_a_restart(opened, storage):
    history = await opened(storage)
    for minute in range(5):
        await history.deployed(a_deployment(minute))
    await history.close()
    history = await opened(storage)
    assert [one.at for one in await history.deployments(at(1), at(3))] == [at(3), at(2), at(1)]
    assert [one.at for one in await history.deployments(at(0), at(9), limit=2)] == [at(4), at(3)]


async def test_the_latest_of_each_service_is_one_even_where_two_share_its_moment(opened, storage):
    history = await opened(storage)
    for one in (
        a_deployment(0, version="1"),
        a_deployment(2, version="2"),
        a_deployment(2, version="3"),
        a_deployment(1, service="search"),
    ):
        await history.deployed(one)
    assert [(one.service, one.version) for one in await history.latest_deployments(10)] == [
        ("shop-api", "3"),
        ("search", "4.2.1"),
    ]
    assert len(await history.latest_deployments(1)) == 1


async def test_deployments_go_with_the_runs_of_their_time_and_never_grow_without_end(opened, storage, monkeypatch):
    monkeypatch.setattr(monitor.history.deployments, "MOST", 3)
    history = await opened(replace(storage, keep_runs=dt.timedelta(minutes=30), keep_evidence=dt.timedelta(minutes=30)))
    for minute in (-40, 0, 1, 2, 3, 4):
        await history.deployed(a_deployment(minute))
    await history.retain(at(5))
    assert [one.at for one in await history.deployments(at(-60), at(60))] == [at(4), at(3), at(2)]


async def test_a_check_goes_badly_since_the_first_bad_run_after_the_last_that_passed(opened, storage):
    history = await opened(storage)
    assert await history.bad_since(CHECK) is None
    await history.finished(a_failed_run(0))
    await history.finished(a_passed_run(1))
    assert await history.bad_since(CHECK) is None
    slow = a_failed_run(3)
    await history.finished(replace(slow, judgement=replace(slow.judgement, outcome=Outcome.DEGRADED)))
    unclear = a_failed_run(2)
    await history.finished(replace(unclear, judgement=replace(unclear.judgement, outcome=Outcome.INCONCLUSIVE)))
    await history.finished(a_failed_run(4))
    assert await history.bad_since(CHECK) == at(3)
