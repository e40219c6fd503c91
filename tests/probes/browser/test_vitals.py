from __future__ import annotations

import json

import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]

PAGE = "<h1 style='font-size:60px'>A shop full of things</h1><button>buy</button>" + "<p>words</p>" * 30


async def test_vitals_are_those_of_the_first_page_even_under_a_strict_policy(site, walk):
    site.page("/", PAGE, Content_Security_Policy="default-src 'none'; style-src 'unsafe-inline'")
    site.page("/next", "<p>a second page, with nothing large on it")

    async def act(browser):
        await browser.open("/", wait_until="load")
        # An expression is evaluated by the debugger, which no policy of the page concerns. Each number comes by itself,
        # and what a page says while it is being left is lost.
        while not {"lcp", "cls"} <= json.loads(await browser.page.evaluate("__faultlineVitalsNow()")).keys():
            await browser.page.wait_for_timeout(20)
        await browser.open("/next")

    attempt = await walk(act)
    assert attempt.error is None
    vitals = attempt.seen.vitals
    assert 0 < vitals.time_to_first_byte < 10
    assert vitals.time_to_first_byte <= vitals.first_contentful_paint <= vitals.largest_contentful_paint < 10
    assert vitals.cumulative_layout_shift is not None


async def test_an_interaction_is_timed_to_the_next_paint(site, walk):
    busy = "onclick = () => { const end = performance.now() + 80; while (performance.now() < end) {} }"
    site.page("/", PAGE + f"<script>{busy}</script>")
    site.page("/next", PAGE)

    async def act(browser):
        await browser.open("/", wait_until="load")
        await browser.page.click("button")
        await browser.page.wait_for_function("JSON.parse(__faultlineVitalsNow()).inp")
        await browser.open("/next")

    vitals = (await walk(act)).seen.vitals
    assert 0.07 < vitals.interaction_to_next_paint < 5


async def test_a_long_task_and_a_shift_are_seen(site, walk):
    grow = "const d = document.createElement('div'); d.style.height = '300px'; document.body.prepend(d)"
    shove = f"setTimeout(() => {{ {grow} }}, 50)"
    busy = "setTimeout(() => { const end = performance.now() + 120; while (performance.now() < end) {} }, 20)"
    # Only what was painted can be seen to move.
    painted = "list.getEntriesByName('first-contentful-paint').length"
    watch = f"new PerformanceObserver(list => {{ if ({painted}) {{ {shove}; {busy} }} }})"
    site.page("/", PAGE + f"<script>{watch}.observe({{type: 'paint', buffered: true}})</script>")

    async def act(browser):
        await browser.open("/", wait_until="load")
        seen = "(seen => seen.longTasks && seen.cls)(JSON.parse(__faultlineVitalsNow()))"
        await browser.page.wait_for_function(seen)

    vitals = (await walk(act)).seen.vitals
    assert vitals.long_tasks >= 1
    assert vitals.long_task_seconds > 0.1
    assert vitals.cumulative_layout_shift > 0.01
