"""The list of runs and the way to the newest one: what alerts and dashboards link to."""

from __future__ import annotations

import datetime as dt
import html
import re
from dataclasses import replace

import httpx
import pytest

from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement
from tests.builders import A_MOMENT, a_check, a_profile, a_run, a_target
from tests.web.test_app import HOSTILE, a_failed_run

MINUTE = dt.timedelta(minutes=1)


def a_passed(number: int, **values: object):
    return a_run(**{"run_id": f"good-{number}", "scheduled_at": A_MOMENT - number * MINUTE, **values})


def of(journey: str, profile: str = "desktop"):
    return a_check(name=f"{journey}@shop/{profile}", journey=journey, profile=a_profile(name=profile))


def shown(page: str) -> list[str]:
    return re.findall(r'id="run-([^"]+)"', page)


async def test_runs_stand_newest_first_with_whose_a_failure_is(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_passed(2))
    await parts.history.finished(a_failed_run())
    await parts.history.finished(a_passed(1))
    page = (await client.get("/runs")).text
    assert shown(page) == ["bad-1", "good-1", "good-2"]
    assert "Example Pay" in page
    assert "in step pay" in page
    assert HOSTILE not in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("journey=browse", ["bad-1", "good-1"]),
        ("journey=pay", ["good-2"]),
        ("journey=pay&journey=browse", ["bad-1", "good-1", "good-2"]),
        ("profile=phone", ["good-2"]),
        ("target=shop&profile=desktop", ["bad-1", "good-1"]),
        ("target=other", []),
        ("location=elsewhere", []),
        ("check=browse@shop/desktop&outcome=passed", ["good-1"]),
        ("outcome=failed", ["bad-1"]),
        ("outcome=failed&outcome=passed", ["bad-1", "good-1", "good-2"]),
        ("cause=third_party", ["bad-1"]),
        ("cause=own_infrastructure", []),
        ("from=2026-03-02T09:59:00Z", ["bad-1", "good-1"]),
        ("to=2026-03-02T09:59:00Z", ["good-1", "good-2"]),
        ("from=1772445540000&to=1772445540000", ["good-1"]),
        ("from=now-45s&to=now", ["bad-1"]),
        ("journey=All&cause=$__all&outcome=", ["bad-1", "good-1", "good-2"]),
    ],
)
async def test_a_list_is_narrowed_by_what_links_name(
    client: httpx.AsyncClient, parts, query: str, expected: list[str]
) -> None:
    await parts.history.finished(a_failed_run())
    await parts.history.finished(a_passed(1))
    await parts.history.finished(a_passed(2, check=of("pay", "phone")))
    answer = await client.get(f"/runs?{query}")
    assert answer.status_code == 200
    assert shown(answer.text) == expected
    assert ("No run fits" in answer.text) == (not expected)
    data = (await client.get(f"/api/v1/runs?{query}")).json()
    assert [run["run_id"] for run in data["runs"]] == expected
    assert "next" not in data


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("outcome=failde", "did you mean 'failed'?"),
        ("cause=weather", "known are own_infrastructure, third_party"),
        ("journeyy=x", "did you mean 'journey'?"),
        ("from=yesterday", "is no moment of the last years; write"),
        ("from=99999999999999", "is no moment of the last years"),
        ("from=now&to=now-1h", "is later than"),
        ("from=now-1h&from=now-2h", "can be given once"),
        ("journey=" + "x" * 300, "a value that no run can have"),
        ("journey=%00", "a value that no run can have"),
        ("&".join(f"journey=j{n}" for n in range(60)), "at most 50 values"),
        ("cursor=nonsense", "is not one that a list gave"),
        ("cursor=2026-03-02T10:00:00~x", "is not one that a list gave"),
    ],
)
async def test_a_question_that_cannot_be_meant_gets_one_clear_answer(
    client: httpx.AsyncClient, query: str, why: str
) -> None:
    for path in ("/runs", "/runs/latest"):
        answer = await client.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert why in html.unescape(answer.text)
    data = await client.get(f"/api/v1/runs?{query}")
    assert data.status_code == 400
    assert why in data.json()["error"]


async def test_pages_follow_one_another_without_a_gap_or_a_repetition(client: httpx.AsyncClient, parts) -> None:
    # Two checks share each moment, so that a page ends between two runs of one moment.
    expected = set()
    for number in range(101):
        for journey in ("browse", "pay"):
            run = a_passed(number, run_id=f"{journey}-{number}", check=of(journey))
            await parts.history.finished(run)
            expected.add(run.run_id)
    address, seen = "/runs?target=shop", []
    for _ in range(4):
        page = (await client.get(address)).text
        seen += shown(page)
        older = re.search(r'id="older" href="([^"]+)"', page)
        if older is None:
            break
        address = html.unescape(older[1])
    assert len(seen) == len(expected) == 202
    assert set(seen) == expected
    assert "Back to the newest" in page
    first = (await client.get("/api/v1/runs?limit=150")).json()
    second = (await client.get(first["next"])).json()
    assert [run["run_id"] for run in (*first["runs"], *second["runs"])] == seen


async def test_the_way_to_the_newest_run_leads_to_it(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    await parts.history.finished(a_passed(1))
    answer = await client.get("/runs/latest?journey=browse&outcome=passed")
    assert (answer.status_code, answer.headers["location"]) == (302, "/runs/good-1")
    newest = await client.get("/runs/latest")
    assert newest.headers["location"] == "/runs/bad-1"


async def test_where_there_is_no_such_run_the_answer_says_what_was_asked_for(client: httpx.AsyncClient) -> None:
    answer = await client.get("/runs/latest?journey=browse&cause=third_party")
    assert answer.status_code == 404
    assert "There is no such run (asked for: journey browse, cause third_party)" in answer.text


async def test_a_journey_leads_to_its_runs_and_the_overview_to_those_of_each_check(client: httpx.AsyncClient) -> None:
    answer = await client.get("/journeys/browse")
    assert (answer.status_code, answer.headers["location"]) == (302, "/runs?journey=browse")
    page = (await client.get("/")).text
    assert 'href="/runs"' in page
    assert 'href="/runs?check=browse%40shop%2Fdesktop"' in page


async def test_narrowing_keeps_the_rest_and_each_property_can_be_left_out(client: httpx.AsyncClient, parts) -> None:
    page = html.unescape((await client.get("/runs?journey=browse&outcome=failed&from=now-1h")).text)
    assert 'aria-current="true" href="/runs?journey=browse&from=now-1h&outcome=failed"' in page
    assert 'href="/runs?outcome=failed&from=now-1h" aria-label="Leave out journey browse"' in page
    assert 'href="/runs?journey=browse&from=now-1h&outcome=failed"' in page
    assert 'aria-current="true" href="/runs?journey=browse&outcome=failed&from=now-1h">last hour' in page


async def test_a_list_that_ends_in_the_past_is_not_refreshed(client: httpx.AsyncClient) -> None:
    assert 'data-refresh="30"' in (await client.get("/runs?from=now-1h&to=now")).text
    assert 'data-refresh="0"' in (await client.get("/runs?to=2026-03-02T10:00:00Z")).text


async def test_hostile_names_stay_inert_on_the_list(client: httpx.AsyncClient, parts) -> None:
    run = a_passed(1)
    await parts.history.finished(replace(run, check=replace(run.check, journey=HOSTILE, target=a_target(name=HOSTILE))))
    answer = await client.get("/runs", params={"journey": HOSTILE})
    assert shown(answer.text) == ["good-1"]
    assert HOSTILE not in answer.text
    judged = Judgement(outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID)
    await parts.history.finished(replace(run, run_id="odd", scheduled_at=A_MOMENT, judgement=judged))
    assert shown((await client.get("/runs?outcome=inconclusive")).text) == ["odd"]
