"""Deployments that pipelines tell us of."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

import httpx
import pytest

from monitor.config.settings import WebSettings
from monitor.domain.deployment import Deployment
from monitor.domain.secret import Secret
from monitor.history import HistoryError
from tests.builders import A_MOMENT
from tests.web.conftest import client_of, with_password
from tests.web.test_app import a_failed_run

EVENT = {"kind": "deployment", "service": "shop-api", "version": "4.2.1"}


async def test_a_deployment_is_kept_once_and_listed(client: httpx.AsyncClient, parts) -> None:
    event = {**EVENT, "at": "2026-03-02T10:48:00+01:00", "environment": "shop", "url": "https://ci.example.org/7"}
    first = await client.post("/api/v1/events", json=event)
    assert first.status_code == 201
    assert first.json()["new"] is True
    again = await client.post("/api/v1/events", json=event)
    assert (again.status_code, again.json()["new"]) == (200, False)
    (kept,) = (await client.get("/api/v1/events")).json()["events"]
    assert kept == {
        "kind": "deployment",
        "service": "shop-api",
        "version": "4.2.1",
        "at": "2026-03-02T09:48:00+00:00",
        "target": "shop",
        "url": "https://ci.example.org/7",
    }


async def test_a_deployment_without_a_moment_happened_now(client: httpx.AsyncClient, parts) -> None:
    answer = await client.post("/api/v1/events", json=EVENT)
    assert answer.json()["event"]["at"] == parts.clock.moment.isoformat()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "outage"}, "'kind' must be"),
        ({"service": ""}, "'service' must be a text"),
        ({"service": "<script>"}, "'service' must be a text"),
        ({"service": "x" * 101}, "'service' must be a text"),
        ({"version": 4}, "'version' must be a text"),
        ({"version": "4 2"}, "'version' must be a text"),
        ({"version": "4\n2"}, "'version' must be a text"),
        ({"at": "yesterday"}, "'at' must be a moment with its offset"),
        ({"at": "2026-03-02T10:00:00"}, "'at' must be a moment with its offset"),
        ({"at": 1772445600}, "'at' must be a moment with its offset"),
        ({"at": "2026-03-02T11:00:00Z"}, "lies in the future"),
        ({"at": "2025-03-02T11:00:00Z"}, "longer ago than runs are kept"),
        ({"target": "shopp"}, "must be one of: shop"),
        ({"target": "shop", "environment": "other"}, "must be one of: shop"),
        ({"target": ["shop"]}, "must be one of: shop"),
        ({"url": "javascript:alert(1)"}, "'url' must be an http or https address"),
        ({"url": "https://u:p@ci.example.org"}, "'url' must be an http or https address"),
        ({"url": "https://[bad"}, "'url' must be an http or https address"),
        ({"color": "red"}, "an event has no field 'color'"),
    ],
)
async def test_an_event_that_is_not_understood_gets_one_clear_error(
    client: httpx.AsyncClient, change: dict[str, object], why: str
) -> None:
    answer = await client.post("/api/v1/events", json={**EVENT, **change})
    assert answer.status_code == 422
    assert why in answer.json()["error"]
    assert (await client.get("/api/v1/events")).json()["events"] == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"[" * 100_000, b'{"kind": "' + b"x" * 20_000 + b'"}'], ids=lambda body: str(len(body))
)
async def test_a_body_that_is_no_event_or_too_large_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/api/v1/events", content=body)
    assert answer.status_code == 400
    assert "JSON object of at most" in answer.json()["error"]


async def test_a_pipeline_that_ran_wild_is_slowed_down(client: httpx.AsyncClient, parts) -> None:
    answers = [
        (await client.post("/api/v1/events", json={**EVENT, "version": str(number)})).status_code
        for number in range(62)
    ]
    assert answers == [201] * 60 + [429] * 2
    parts.clock.moment += dt.timedelta(seconds=2)
    assert (await client.post("/api/v1/events", json=EVENT)).status_code == 201


async def test_another_site_may_not_tell_and_a_password_is_wanted(client: httpx.AsyncClient, parts) -> None:
    foreign = await client.post("/api/v1/events", json=EVENT, headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403
    web = WebSettings(username="a", password=Secret("web.password", "secret-4711"))
    async with client_of(with_password(parts, web)) as locked:
        assert (await locked.post("/api/v1/events", json=EVENT)).status_code == 401
        assert (await locked.post("/api/v1/events", json=EVENT, auth=("a", "secret-4711"))).status_code == 201


async def test_what_cannot_be_kept_is_to_be_sent_again(client: httpx.AsyncClient, parts, monkeypatch) -> None:
    async def refuse(_: Deployment) -> bool:
        message = "the disk is full"
        raise HistoryError(message)

    monkeypatch.setattr(parts, "deployed", refuse)
    answer = await client.post("/api/v1/events", json=EVENT)
    assert answer.status_code == 503
    assert "send it again: the disk is full" in answer.json()["error"]


async def test_ten_pipelines_that_tell_of_one_deployment_make_one(client: httpx.AsyncClient) -> None:
    event = {**EVENT, "at": "2026-03-02T09:48:00Z"}
    answers = await asyncio.gather(*(client.post("/api/v1/events", json=event) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len((await client.get("/api/v1/events")).json()["events"]) == 1


async def test_the_front_page_shows_what_was_deployed_lately(client: httpx.AsyncClient, parts) -> None:
    assert "Deployed lately" not in (await client.get("/")).text
    await client.post("/api/v1/events", json={**EVENT, "target": "shop", "url": "https://ci.example.org/7?a=1&b=2"})
    parts.clock.moment += dt.timedelta(minutes=12)
    page = (await client.get("/")).text
    assert "Deployed lately" in page
    assert "shop-api 4.2.1</a> (shop) 12 min ago" in page
    assert 'href="https://ci.example.org/7?a=1&amp;b=2" rel="noreferrer"' in page


async def test_the_page_of_a_run_shows_what_was_deployed_before_its_failure(client: httpx.AsyncClient, parts) -> None:
    run = a_failed_run()
    before = Deployment(service="shop-api", version="4.2.1", at=A_MOMENT - dt.timedelta(minutes=12))
    later = Deployment(service="search", version="9", at=A_MOMENT + dt.timedelta(minutes=1))
    evidence = replace(run.evidence, deployments=(before, later), failing_since=A_MOMENT)
    await parts.history.finished(replace(run, evidence=evidence))
    page = (await client.get("/runs/bad-1")).text
    assert "Deployed before" in page
    assert "shop-api 4.2.1" in page
    assert "search 9" not in page
