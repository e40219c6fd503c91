from __future__ import annotations

import asyncio
import threading

import pytest

from monitor.domain.assignment import Intervention, InterventionKind
from monitor.domain.failure import Failure, Phase
from monitor.domain.secret import Secret
from tests.probes.browser.site import hang_up, reply, reset, stay_silent
from tests.waiting import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]


async def test_a_page_and_its_resources_are_recorded_in_full(site, walk):
    site.page("/", "<script src='/a.js'></script><img src='/i.png'>", server="shop/1", set_cookie="id=1; Path=/")
    site.page("/a.js", "fetch('/api')", kind="text/javascript")
    site.page("/api", "{}", kind="application/json")

    async def act(browser):
        async with browser.page.expect_response("**/api"):
            await browser.open("/")
        await walk.quiet()

    attempt = await walk(act)
    assert attempt.error is None
    script, api = attempt.exchange("/a.js"), attempt.exchange("/api")
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
    assert attempt.seen.exchanges[0].url == site.url("/")
    assert attempt.seen.vitals is not None


async def test_a_redirect_names_the_exchange_it_came_from(site, walk):
    site.page("/old", "", status=302, Location="/new")
    site.page("/new", "<p>here")
    attempt = await walk(lambda browser: browser.open("/old"))
    old, new = attempt.exchange("/old"), attempt.exchange("/new")
    assert (old.status, new.status) == (302, 200)
    assert new.redirected_from == old.id
    assert dict(old.headers)["location"] == "/new"


async def test_a_request_without_an_answer_is_recorded_as_pending(site, walk):
    site.page("/", "<script>fetch('/never')</script><p>shown")
    site.route("/never", stay_silent)

    async def act(browser):
        await browser.open("/")
        await walk.until(lambda so_far: so_far.exchange("/never").failed_phase is Phase.WAIT, "it was asked for")
        await walk.until(lambda so_far: so_far.exchange("/never").timings.total > 0.1, "asked for in vain")

    never = (await walk(act)).exchange("/never")
    assert never.pending
    assert never.failure is Failure.PENDING
    assert never.failed_phase is Phase.WAIT
    assert never.timings.total > 0.1


DOCUMENT_FAILURES = {
    "refused": ("http://shop.localhost:9", Failure.POLICY_ADDRESS, None),
    "reset": ("/reset", Failure.TCP_RESET, Phase.WAIT),
    "empty": ("/empty", Failure.HTTP_RESPONSE_EMPTY, Phase.WAIT),
    "loop": ("/loop", Failure.HTTP_RESPONSE_REDIRECT_LOOP, None),
    "unknown name": ("http://nowhere.invalid/", Failure.DNS_NAME_NOT_RESOLVED, Phase.RESOLVE),
    "expired": ("expired", Failure.TLS_CERT_DATE_INVALID, Phase.TLS),
    "wrong name": ("wrong", Failure.TLS_CERT_NAME_INVALID, Phase.TLS),
    "unknown issuer": ("unknown", Failure.TLS_CERT_AUTHORITY_INVALID, Phase.TLS),
}


@pytest.mark.parametrize("case", DOCUMENT_FAILURES)
async def test_a_document_that_cannot_be_had_names_its_failure(site, walk, case):
    path, failure, phase = DOCUMENT_FAILURES[case]
    site.route("/reset", reset)
    site.route("/empty", hang_up)
    site.page("/loop", "", status=302, Location="/loop")
    url = site.url("/", port=path) if path in site.ports else path
    attempt = await walk(lambda browser: browser.open(url))
    explained = attempt.session.explain(attempt.error)
    assert explained.kind == "exchange"
    exchange = next(exchange for exchange in attempt.seen.exchanges if exchange.id == explained.exchange)
    assert exchange.failure is failure
    if phase is not None:
        assert exchange.failed_phase is phase


async def test_a_refused_connection_fails_while_connecting(site, walk, unused_tcp_port):
    attempt = await walk(lambda browser: browser.open(f"http://shop.localhost:{unused_tcp_port}/"))
    exchange = attempt.seen.exchanges[0]
    assert exchange.failure is Failure.TCP_REFUSED
    assert exchange.failed_phase is Phase.CONNECT
    assert not exchange.request_sent


async def test_the_good_certificate_of_an_extra_authority_is_accepted_and_recorded(site, walk):
    site.page("/", "<p>safe")
    attempt = await walk(lambda browser: browser.open(site.url("/", port="https")))
    assert attempt.error is None
    facts = attempt.exchange("/").tls
    assert facts.version == "TLS 1.3"
    assert facts.chain[0].subject == "shop.localhost"
    assert facts.chain[0].not_after is not None
    assert attempt.exchange("/").timings.tls is not None


async def test_a_document_cut_short_is_explained_by_its_exchange(site, walk):
    async def short(_request, writer):
        await reply(writer, b"<p>half", length=1000)
        writer.close()

    site.route("/short", short)

    async def act(browser):
        browser.page.set_default_navigation_timeout(1500)
        try:
            await browser.open("/short")
        finally:
            await walk.until(lambda so_far: so_far.exchange("/short").failure is not Failure.PENDING, "cut short")

    attempt = await walk(act)
    exchange = attempt.exchange("/short")
    assert exchange.failure is Failure.HTTP_RESPONSE_TRUNCATED
    assert exchange.failed_phase is Phase.RECEIVE
    if attempt.error is not None:
        assert attempt.session.explain(attempt.error).exchange == exchange.id


BROKEN_PAGE = """
<meta http-equiv="Content-Security-Policy"
  content="script-src 'self' 'unsafe-inline' http://third.localhost:*; img-src 'none'">
<script src="/503.js"></script>
<script src="/text.js"></script>
<script src="/whole.js" integrity="sha384-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
  crossorigin></script>
<img src="/banned.png">
<script>
  fetch('http://third.localhost:PORT/foreign').catch(() => 0);
  new WebSocket('ws://shop.localhost:DEAD/socket');
  setTimeout(() => { throw new Error('bang'); }, 0);
  console.error('told you');
</script><script src="http://third.localhost:PORT/throws.js"></script>
"""


async def test_what_a_page_breaks_is_told_apart(site, walk, unused_tcp_port):
    body = BROKEN_PAGE.replace("PORT", str(site.ports["http"])).replace("DEAD", str(unused_tcp_port))
    site.page("/", body)
    site.page("/503.js", "late", status=503, kind="text/javascript")
    site.page("/text.js", "<p>", kind="text/html", X_Content_Type_Options="nosniff")
    site.page("/whole.js", "1", kind="text/javascript")
    site.page("/foreign", "{}", kind="application/json")
    site.page("/throws.js", "(function deep() { throw new Error('vendor') })()", kind="text/javascript")

    async def act(browser):
        await browser.open("/", wait_until="load")
        await walk.quiet()
        await walk.until(lambda so_far: so_far.seen.websockets[0].error, "the error of the socket")
        await walk.until(lambda so_far: len(so_far.seen.page_errors) > 1, "two errors of scripts")

    attempt = await walk(act)
    assert attempt.error is None
    assert attempt.exchange("/503.js").failure is Failure.HTTP_ERROR
    assert attempt.exchange("/503.js").status == 503
    assert attempt.exchange("/text.js").failure is Failure.POLICY_MIME
    assert attempt.exchange("/whole.js").failure is Failure.POLICY_SRI
    assert attempt.exchange("/banned.png").failure is Failure.POLICY_CSP
    assert attempt.exchange("/foreign").failure is Failure.POLICY_CORS
    assert attempt.exchange("/foreign").cors_error == "MissingAllowOriginHeader"
    (socket,) = attempt.seen.websockets
    assert "ERR_CONNECTION_REFUSED" in socket.error
    assert socket.host == "shop.localhost"
    messages = {error.message: error.frames for error in attempt.seen.page_errors}
    assert messages["vendor"][0].endswith("/throws.js")
    assert "bang" in messages
    assert any(line.text == "told you" for line in attempt.seen.console)


async def test_mixed_content_is_a_failure_of_policy(site, walk):
    site.page("/", f"<script src='{site.url('/plain.js', host='third.test')}'></script>")

    async def act(browser):
        await browser.open(site.url("/", port="https"), wait_until="load")

    plain = (await walk(act)).exchange("/plain.js")
    assert plain.failure is Failure.POLICY_MIXED_CONTENT


async def test_a_blocked_host_is_recognizably_our_own_doing(site, walk):
    site.page("/", f"<script src='{site.url('/tag.js', host='third.localhost')}'></script><p>fine")
    block = Intervention(kind=InterventionKind.BLOCK, host="third.localhost")
    attempt = await walk(lambda browser: browser.open("/", wait_until="load"), interventions=(block,))
    tag = attempt.exchange("/tag.js")
    assert tag.failure is Failure.BLOCKED_BY_INTERVENTION
    assert tag.intervention
    assert not attempt.seen.exchanges[0].intervention


async def test_frames_of_other_sites_and_workers_are_recorded_in_the_full_browser(site, walk):
    site.page("/", f"<iframe src='{site.url('/inner', host='third.localhost')}'></iframe>")
    site.page("/inner", "<script src='/in.js'></script><script>const worker = new Worker('/worker.js')</script>")
    site.page("/in.js", "1", kind="text/javascript")
    # Playwright lets a worker run without asking us: what it asks for in its first moments may be missed.
    site.page("/worker.js", "onmessage = () => fetch('/from-worker')", kind="text/javascript")
    site.page("/from-worker", "{}")

    async def act(browser):
        await browser.open("/", wait_until="load")
        await walk.watching(2)
        (frame,) = (frame for frame in browser.page.frames if frame.url.endswith("/inner"))
        await frame.evaluate("worker.postMessage('go')")
        await walk.until(lambda so_far: so_far.exchange("/from-worker").status == 200, "the worker has asked")
        await walk.quiet()

    attempt = await walk(act, profile={"full_browser": True})
    assert attempt.error is None
    for path in ("/inner", "/in.js", "/worker.js", "/from-worker"):
        assert not attempt.exchange(path).pending, path
    assert attempt.exchange("/from-worker").status == 200


async def test_what_a_popup_loads_is_recorded(site, walk):
    watched = threading.Event()

    async def when_watched(_request, writer):
        await asyncio.to_thread(watched.wait, 60)
        await reply(writer, b"<script src='/in-popup.js'></script><p>pay here")

    site.page("/", "<button onclick=\"window.open('/pay')\">pay</button>")
    site.route("/pay", when_watched)
    site.page("/in-popup.js", "1", kind="text/javascript")

    async def act(browser):
        await browser.open("/")
        async with browser.page.expect_popup() as opening:
            await browser.page.click("button")
            await walk.watching_a_popup()
            watched.set()
        popup = await opening.value
        await popup.get_by_text("pay here").wait_for()
        await walk.until(lambda so_far: not so_far.exchange("/in-popup.js").pending, "the script has come")
        await popup.close()

    attempt = await walk(act)
    assert attempt.error is None
    assert attempt.exchange("/pay").status == 200
    assert attempt.exchange("/in-popup.js").status == 200


async def test_headers_for_the_target_reach_no_third_party(site, walk):
    third = site.url("/pixel", host="third.localhost")
    site.page("/", f"<img src='{third}'><script>fetch('/hop').catch(() => 0); fetch('/api')</script>")
    site.page("/hop", "", status=302, Location=third + "?hop")
    site.page("/api", "{}")
    site.page("/pixel", "", kind="image/png")
    site.forget()

    async def act(browser):
        await browser.open("/", wait_until="load")
        await until(lambda: len(site.requests) >= 5, "all requests have arrived")

    target = {"headers": (("X-Key", Secret("key", "s3cr3t-key")), ("X-Plain", "yes"))}
    attempt = await walk(act, target=target, traceparent="00-aa-bb-01")
    assert attempt.error is None
    for request in site.requests:
        expected = request.host == "shop.localhost"
        assert ("x-key" in request.headers) is expected, request
        assert ("traceparent" in request.headers) is expected, request
    assert {request.host for request in site.requests} == {"shop.localhost", "third.localhost"}
    assert "s3cr3t-key" not in repr(attempt.seen)


async def test_a_service_worker_does_not_hide_that_the_origin_is_down(site, walk):
    site.page("/", "<script>navigator.serviceWorker.register('/sw.js').then(() => document.title = 'kept')</script>")
    worker = "self.addEventListener('fetch', e => e.respondWith(new Response('<p>cached')))"
    site.page("/sw.js", worker, kind="text/javascript")

    async def visit(browser):
        await browser.open("/")
        await browser.page.wait_for_function("document.title === 'kept'")

    assert (await walk(visit)).error is None
    site.route("/", reset)
    attempt = await walk(lambda browser: browser.open("/"))
    assert attempt.error is not None
    assert attempt.exchange("/").failure is Failure.TCP_RESET
