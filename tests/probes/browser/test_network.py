from __future__ import annotations

import asyncio

import pytest

from monitor.domain.failure import Failure, Phase
from tests.probes.browser.site import hang_up, reply, reset, stay_silent

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_page_and_its_resources_are_recorded_in_full(site, walk):
    site.page("/", "<script src='/a.js'></script><img src='/i.png'>", server="shop/1", set_cookie="id=1; Path=/")
    site.page("/a.js", "fetch('/api')", kind="text/javascript")
    site.page("/api", "{}", kind="application/json")

    async def act(browser):
        async with browser.page.expect_response("**/api"):
            await browser.open("/")

    attempt = await walk(act)
    assert attempt.error is None
    document, script, api = (attempt.exchange(path) for path in (":%d/" % site.ports["http"], "/a.js", "/api"))
    script = attempt.exchange("/a.js")
    assert (script.status, script.mime_type, script.protocol) == (200, "text/javascript", "http/1.1")
    assert script.address == "127.0.0.1"
    assert script.initiator.kind == "parser"
    assert api.initiator.kind == "script"
    assert api.initiator.frames[0].endswith("/a.js")
    assert script.body_sha256 is not None
    assert script.step == "only"
    assert 0 <= script.timings.started < 60
    assert script.timings.wait is not None
    assert all("cookie" not in name for exchange in attempt.seen.exchanges for name, _ in exchange.headers)
    assert document is not None
    assert attempt.seen.vitals is not None
    print(attempt.seen)
