"""The page of owners: what nobody named first, with a suggestion to take over."""

from __future__ import annotations

from dataclasses import replace

import httpx

from tests.builders import A_MOMENT, an_exchange
from tests.web.test_app import HOSTILE, a_failed_run


async def test_hosts_that_nobody_named_come_first_with_what_to_write(client: httpx.AsyncClient, parts) -> None:
    run = a_failed_run()
    exchanges = (
        an_exchange(id="1", host="www.shop.localhost", url="https://www.shop.localhost/"),
        an_exchange(id="2", host="www.google-analytics.com", url="https://www.google-analytics.com/g"),
        an_exchange(id="3", host="cdn.unheard-of.example", url=f"https://cdn.unheard-of.example/{HOSTILE}"),
    )
    await parts.history.finished(replace(run, evidence=replace(run.evidence, exchanges=exchanges)))
    page = (await client.get("/owners")).text
    assert "1 host has no known owner." in page
    assert (
        page.index("cdn.unheard-of.example") < page.index("www.google-analytics.com") < page.index("www.shop.localhost")
    )
    assert "Google Analytics" in page
    assert "vendors:" in page
    assert HOSTILE not in page


async def test_without_runs_the_page_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/owners?since=nonsense")
    assert answer.status_code == 200
    assert "No run of which everything is kept" in answer.text
    assert "in the last 24h" in answer.text


async def test_runs_of_a_check_that_is_gone_are_left_out_and_counted(client: httpx.AsyncClient, parts) -> None:
    run = a_failed_run()
    gone = replace(run, run_id="gone-1", check=replace(run.check, name="gone@shop/desktop"), scheduled_at=A_MOMENT)
    await parts.history.finished(gone)
    assert "1 were left out" in (await client.get("/owners")).text
