from __future__ import annotations

import time

import pytest

from monitor.domain.assignment import Intervention, InterventionKind
from monitor.domain.profile import Engine
from monitor.domain.secret import Secret
from tests.probes.browser.provoking import click_in_vain

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]

OVER = "position:fixed;inset:0;z-index:9"
WAYS = {
    "createElement": "const d = document.createElement('div'); d.id = 'cmp'; d.style = OVER; document.body.append(d)",
    "innerHTML": "document.body.insertAdjacentHTML('beforeend', `<div id=cmp style='${OVER}'><b>cookies?</b></div>`)",
    "later": "setTimeout(() => document.body.insertAdjacentHTML('beforeend', `<div id=cmp style='${OVER}'></div>`), 9)",
}


@pytest.fixture
def click(probe, assign):
    """Clicks a button in the first or in a later attempt, and returns the completed error and what was seen."""

    async def go(*, attempt=1, **values):
        session = await probe.open(assign(**values), attempt, started=time.monotonic())
        session.begin_step("only")
        await session.handle.open("/", wait_until="load")
        await session.handle.page.wait_for_selector("#cmp, #sale", state="attached")
        error = None
        try:
            await click_in_vain(session.handle.page)
        except Exception as raised:  # noqa: BLE001 - the error is what is asked about
            error = await session.complete(session.explain(raised))
        return error, await session.finish(failed=True)

    return go


def a_shop(site, script="", markup=""):
    vendor = site.url("/banner.js", host="third.localhost")
    site.page("/", f"<body><button>pay</button>{markup}<script src='{vendor}'></script></body>")
    site.page("/banner.js", f"const OVER = '{OVER}'; {script}", kind="text/javascript")
    return vendor


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("attempt", [1, 2])
async def test_the_script_that_made_the_element_in_the_way_is_named(site, click, way, attempt):
    vendor = a_shop(site, WAYS[way])
    error, _ = await click(attempt=attempt)
    assert error.intercepted_by.startswith('<div id="cmp"')
    assert error.intercepted_stack == (vendor,)


@pytest.mark.parametrize("attempt", [1, 2])
async def test_of_an_element_in_the_markup_the_page_is_named(site, click, attempt):
    a_shop(site, markup=f"<div class='sale\tnow' id='sale' style='{OVER}' hidden-no><i>-50 %</i></div>")
    error, _ = await click(attempt=attempt)
    assert error.intercepted_stack == (site.url("/"),)


async def test_the_stack_goes_from_the_tag_to_the_manager_that_made_it_run(site, click):
    tag = site.url("/tag.js", host="third.localhost")
    vendor = a_shop(site, "cover = () => { addCover() }; setTimeout(() => cover(), 60)")
    site.page("/", f"<body><button>pay</button><script src='{vendor}'></script><script src='{tag}'></script></body>")
    site.page("/tag.js", f"function addCover() {{ {WAYS['innerHTML']} }}", kind="text/javascript")
    error, _ = await click()
    assert error.intercepted_stack == (tag, vendor)


async def test_a_second_look_is_told_of_and_leaves_no_trace_in_the_run(site, click):
    a_shop(site, WAYS["innerHTML"])
    site.forget()
    _, seen = await click()
    assert len(site.seen("/")) == 2
    assert [exchange.url for exchange in seen.exchanges if exchange.resource == "document"] == [site.url("/")]
    (look,) = [event for event in seen.events if event.kind == "second_look"]
    assert look.text == f"2 requests: {site.url('/')}"
    assert not [event for event in seen.events if event.kind == "popup"]


async def test_a_second_look_carries_the_targets_headers_to_us_alone(site, click):
    a_shop(site, WAYS["innerHTML"])
    site.forget()
    target = {"headers": (("X-Key", Secret("key", "s3cr3t-key")),)}
    error, _ = await click(target=target)
    assert error.intercepted_stack
    assert {(request.host, "x-key" in request.headers) for request in site.requests} == {
        ("shop.localhost", True),
        ("third.localhost", False),
    }


async def test_nobody_is_looked_at_again_who_asked_us_to_come_less_often(site, click):
    # The element comes last: what is clicked in vain is clicked when we have been asked.
    a_shop(site, f"fetch('/api').then(() => {{ {WAYS['innerHTML']} }})")
    site.page("/api", "", status=429)
    site.forget()
    error, _ = await click()
    assert error.intercepted_stack == ()
    assert len(site.seen("/")) == 1


async def test_an_experiment_names_the_maker_without_a_second_look(site, click):
    vendor = a_shop(site, WAYS["innerHTML"])
    site.forget()
    block = Intervention(kind=InterventionKind.BLOCK, host="third.test")
    for values in ({"interventions": (block,)}, {"until": "only"}):
        error, _ = await click(**values)
        assert error.intercepted_stack == (vendor,)
    assert len(site.seen("/")) == 2


async def test_another_engine_names_the_element_and_no_maker(site, click):
    a_shop(site, WAYS["innerHTML"])
    error, _ = await click(profile={"engine": Engine.FIREFOX})
    assert error.intercepted_by.startswith('<div id="cmp"')
    assert error.intercepted_stack == ()
