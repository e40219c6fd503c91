from __future__ import annotations

import pytest

from monitor.domain.assignment import Intervention, InterventionKind
from monitor.domain.failure import Failure, Phase
from monitor.domain.profile import Engine

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]
FIREFOX = {"engine": Engine.FIREFOX}


async def test_firefox_walks_a_page_and_records_it(site, walk, probe):
    site.page("/", "<p>here<script src='/a.js'></script>")
    site.page("/a.js", "console.error('told'); setTimeout(() => { throw new Error('bang') })", kind="text/javascript")

    async def act(browser):
        await browser.open("/", wait_until="load")
        await browser.expect_text("here")
        await walk.until(lambda so_far: so_far.seen.page_errors and so_far.seen.console, "a line and an error")
        await walk.until(lambda so_far: not so_far.exchange("/a.js").pending, "the script has come")
        # A quick machine is through with all that before it paints.
        await browser.page.wait_for_function("JSON.parse(__faultlineVitalsNow()).fcp")

    attempt = await walk(act, profile=FIREFOX)
    assert attempt.error is None
    script = attempt.exchange("/a.js")
    assert (script.status, script.mime_type, script.resource) == (200, "text/javascript", "script")
    assert attempt.exchange("/").timings.wait is not None
    assert not script.pending
    assert any(line.text == "told" for line in attempt.seen.console)
    assert any("bang" in error.message for error in attempt.seen.page_errors)
    assert attempt.seen.vitals.first_contentful_paint is not None
    assert "Firefox" in probe.engine


async def test_firefox_names_a_refused_connection_and_an_unknown_name(site, walk, unused_tcp_port):
    attempt = await walk(lambda browser: browser.open(f"http://shop.localhost:{unused_tcp_port}/"), profile=FIREFOX)
    assert attempt.seen.exchanges[0].failure is Failure.TCP_REFUSED
    assert attempt.seen.exchanges[0].failed_phase is Phase.CONNECT
    explained = attempt.session.explain(attempt.error)
    assert (explained.kind, explained.exchange) == ("exchange", attempt.seen.exchanges[0].id)


async def test_firefox_trusts_an_extra_authority_and_still_refuses_an_expired_certificate(site, walk):
    site.page("/", "<p>safe")
    attempt = await walk(lambda browser: browser.open(site.url("/", port="https")), profile=FIREFOX)
    assert attempt.error is None
    attempt = await walk(lambda browser: browser.open(site.url("/", port="expired")), profile=FIREFOX)
    assert attempt.error is not None
    assert attempt.seen.exchanges[0].failure is Failure.TLS_CERT_EXPIRED


async def test_firefox_blocks_a_host_for_an_experiment(site, walk):
    site.page("/", f"<script src='{site.url('/tag.js', host='third.localhost')}'></script><p>fine")
    block = Intervention(kind=InterventionKind.BLOCK, host="third.localhost")
    act = lambda browser: browser.open("/", wait_until="load")  # noqa: E731
    attempt = await walk(act, profile=FIREFOX, interventions=(block,))
    assert attempt.error is None
    assert attempt.exchange("/tag.js").failure is Failure.BLOCKED_BY_INTERVENTION
