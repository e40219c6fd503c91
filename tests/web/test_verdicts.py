"""Verdicts over the API: what a person says while the monitor runs."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from monitor.config.settings import WebSettings
from monitor.domain.secret import Secret
from monitor.web.app import create_app
from tests.builders import a_run
from tests.web.conftest import client_of
from tests.web.test_app import a_failed_run

PATH = "/api/v1/runs/bad-1/verdicts"
CORRECTION = {
    "say": "correct",
    "meant": "own.content",
    "culprit": "storefront",
    "reason": "we shipped an empty bundle",
    "author": "ada",
}


async def test_a_correction_is_in_force_and_the_rules_verdict_stays_on_record(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    answer = await client.post(PATH, json=CORRECTION)
    assert answer.status_code == 201
    assert answer.json()["in_force"] is True
    assert (await client.get("/api/v1/runs?limit=5")).json()["runs"][0]["detail"] == "own.content"
    first, second = (await client.get(PATH)).json()["verdicts"]
    assert (first["source"], first["detail"], first["in_force"]) == ("rules", "tp.connect", False)
    assert (second["source"], second["author"], second["because"], second["culprit"]) == (
        "person",
        "ada",
        "we shipped an empty bundle",
        "storefront",
    )


async def test_a_person_can_say_that_the_rules_were_right(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    answer = await client.post(PATH, json={"say": "confirm", "author": "ada"})
    assert answer.status_code == 201
    assert answer.json()["verdict"]["detail"] == "tp.connect"
    found = await parts.history.field_accuracy(parts.clock.now().replace(year=2020))
    assert (found.judged, found.right, found.detail_right) == (1, 1, 1)


async def test_a_run_is_judged_again_by_the_rules_of_the_monitor_itself(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    answer = await client.post(PATH, json={"say": "rejudge"})
    assert answer.status_code == 201
    assert answer.json()["verdict"]["ruleset"]
    assert [one["source"] for one in (await client.get(PATH)).json()["verdicts"]] == ["rules", "rejudged"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"say": "correct", "meant": "own.contnt", "reason": "x"}, "did you mean 'own.content'"),
        ({"say": "correct", "meant": "own.content"}, "needs a reason"),
        ({"say": "shout"}, "'say' must be one of: confirm, correct, rejudge"),
        ({"say": "correct", "meant": 3}, "'meant' must be a text"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_the_remedy(client: httpx.AsyncClient, parts, body, words) -> None:
    await parts.history.finished(a_failed_run())
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert len(await parts.history.verdicts("bad-1")) == 1


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"say": "' + b"x" * 70_000 + b'"}', b"[" * 60_000])
async def test_a_body_that_is_no_small_object_is_refused(client: httpx.AsyncClient, parts, body: bytes) -> None:
    await parts.history.finished(a_failed_run())
    assert (await client.post(PATH, content=body)).status_code == 400


async def test_verdicts_on_a_run_that_is_not_there_are_a_404(client: httpx.AsyncClient) -> None:
    assert (await client.get(PATH)).status_code == 404
    assert (await client.post(PATH, json=CORRECTION)).status_code == 404


async def test_a_page_of_another_site_cannot_correct_a_diagnosis(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    for header in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert (await client.post(PATH, json=CORRECTION, headers=header)).status_code == 403
    assert len(await parts.history.verdicts("bad-1")) == 1


async def test_without_the_password_nobody_corrects(parts) -> None:
    await parts.history.finished(a_failed_run())
    web = WebSettings(username="ada", password=Secret("web.password", "open sesame"))
    parts.settings = replace(parts.settings, web=web)
    async with client_of(create_app(parts)) as stranger:
        assert (await stranger.post(PATH, json=CORRECTION)).status_code == 401
        assert (await stranger.post(PATH, json=CORRECTION, auth=("ada", "open sesame"))).status_code == 201


async def test_a_run_that_kept_only_its_figures_is_not_judged_again(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_run(run_id="good-0"))
    await parts.history.finished(a_run(run_id="good-1", scheduled_at=a_run().scheduled_at.replace(minute=1)))
    answer = await client.post("/api/v1/runs/good-1/verdicts", json={"say": "rejudge"})
    assert answer.status_code == 422
    assert "its exchanges were not kept" in answer.json()["error"]
