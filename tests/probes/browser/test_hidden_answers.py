"""What a browser keeps from a page, and tells an observer all the same."""

from __future__ import annotations

import pytest

from monitor.domain.failure import Failure
from tests.probes.browser.site import flood_websocket, reset, stay_silent
from tests.waiting import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]


async def visit(walk, path, told):
    """Look at a page until this is told of the newest exchange with a path, and return what was seen."""

    async def act(browser):
        await browser.open("/", wait_until="load")
        await walk.until(lambda so_far: told(so_far.exchange(path)), path)

    return await walk(act)


def is_over(exchange):
    return not exchange.pending


async def test_the_status_of_a_script_that_is_refused_for_its_type_is_known(site, walk):
    script = site.url("/lib.js", host="third.localhost")
    site.page("/", f"<script src='{script}'></script>")
    site.page("/lib.js", "{}", status=503, kind="application/json", X_Content_Type_Options="nosniff", X_Cdn="edge")
    attempt = await visit(walk, "/lib.js", lambda lib: lib.failure is Failure.HTTP_ERROR)
    found = attempt.exchange("/lib.js")
    assert (found.status, found.failure) == (503, Failure.HTTP_ERROR)
    assert dict(found.headers)["x-cdn"] == "edge"
    assert found.mime_type == "application/json"


async def test_a_script_of_the_wrong_type_that_was_answered_200_stays_a_failure_of_policy(site, walk):
    script = site.url("/lib.js", host="third.localhost")
    site.page("/", f"<script src='{script}'></script>")
    site.page("/lib.js", "{}", kind="application/json", X_Content_Type_Options="nosniff")
    found = (await visit(walk, "/lib.js", lambda lib: is_over(lib) and lib.status)).exchange("/lib.js")
    assert (found.status, found.failure) == (200, Failure.POLICY_MIME)


@pytest.mark.parametrize(
    ("status", "failure"),
    [(200, Failure.POLICY_CORS), (503, Failure.HTTP_ERROR), (429, Failure.HTTP_ERROR), (404, Failure.HTTP_ERROR)],
)
async def test_an_answer_without_leave_to_read_it_is_told_apart_by_its_status(site, walk, status, failure):
    site.page("/", f"<script>fetch('{site.url('/data', host='third.localhost')}').catch(() => 0)</script>")
    site.page("/data", "{}", status=status, kind="application/json")
    found = (await visit(walk, "/data", lambda data: is_over(data) and data.status)).exchange("/data")
    assert (found.status, found.failure) == (status, failure)
    assert found.cors_error == "MissingAllowOriginHeader"


async def test_a_redirect_lends_its_status_to_nothing_that_follows_it(site, walk):
    site.page("/", f"<script>fetch('{site.url('/hop', host='third.localhost')}').catch(() => 0)</script>")
    end = site.url("/end", host="third.localhost")
    site.page("/hop", "", status=302, Location=end, Access_Control_Allow_Origin="*")
    site.route("/end", reset)
    attempt = await visit(walk, "/end", is_over)
    assert (attempt.exchange("/end").status, attempt.exchange("/end").failure) == (None, Failure.TCP_RESET)
    assert attempt.exchange("/hop").status == 302


async def test_a_preflight_that_is_refused_stays_a_failure_of_policy_of_what_it_was_for(site, walk):
    url = site.url("/data", host="third.localhost")
    site.page("/", f"<script>fetch('{url}', {{headers: {{'X-Asked': '1'}}}}).catch(() => 0)</script>")
    site.page("/data", "{}", status=405)

    async def act(browser):
        await browser.open("/", wait_until="load")
        await walk.until(lambda so_far: by_method(so_far)["GET"].failure and by_method(so_far)["OPTIONS"].status, url)

    def by_method(attempt):
        return {each.method: each for each in attempt.seen.exchanges if "/data" in each.url}

    exchanges = by_method(await walk(act))
    assert exchanges["GET"].failure is Failure.POLICY_CORS
    assert exchanges["GET"].status is None
    assert exchanges["OPTIONS"].status == 405


@pytest.mark.parametrize(
    "headers", [{"X_Frame_Options": "DENY"}, {"Content_Security_Policy": "frame-ancestors 'none'"}], ids=["xfo", "csp"]
)
@pytest.mark.parametrize("host", ["shop.localhost", "third.localhost"])
async def test_a_page_that_refuses_to_stand_in_a_frame_is_a_failure_of_policy(site, walk, headers, host):
    site.page("/", f"<iframe src='{site.url('/framed', host=host)}'></iframe>")
    site.page("/framed", "<p>no", **headers)
    attempt = await visit(walk, "/framed", lambda framed: is_over(framed) and framed.failure)
    found = attempt.exchange("/framed")
    assert (found.status, found.failure) == (200, Failure.POLICY_FRAME)
    assert attempt.seen.exchanges[0].failure is None


async def test_a_style_sheet_of_the_wrong_type_and_a_module_of_the_wrong_type_are_failures_of_policy(site, walk):
    site.page("/", "<!doctype html><link rel=stylesheet href='/a.css'><script type=module src='/m.js'></script>")
    site.page("/a.css", "p {}", kind="text/plain", X_Content_Type_Options="nosniff")
    site.page("/m.js", "1", kind="text/plain")

    async def act(browser):
        await browser.open("/", wait_until="load")
        for path in ("/a.css", "/m.js"):
            await walk.until(lambda so_far, path=path: so_far.exchange(path).failure, path)

    attempt = await walk(act)
    assert attempt.exchange("/a.css").failure is Failure.POLICY_MIME
    assert attempt.exchange("/m.js").failure is Failure.POLICY_MIME


async def test_a_request_and_a_frame_over_plain_http_are_failures_of_policy(site, walk):
    plain = site.url("/data", host="third.test")
    site.page("/", f"<iframe src='{plain}?frame'></iframe><script>fetch('{plain}?fetch').catch(() => 0)</script>")
    site.page("/data", "{}")

    async def act(browser):
        await browser.open(site.url("/", port="https"))
        for query in ("?fetch", "?frame"):
            await walk.until(lambda so_far, query=query: is_over(so_far.exchange(query)), query)

    attempt = await walk(act)
    assert attempt.exchange("?fetch").failure is Failure.POLICY_MIXED_CONTENT
    assert attempt.exchange("?frame").failure is Failure.POLICY_MIXED_CONTENT


async def test_a_websocket_that_is_answered_with_an_error_says_so(site, walk):
    site.page("/", "<script>new WebSocket('ws://' + location.host + '/socket')</script>")
    site.page("/socket", "no", status=503)

    async def act(browser):
        await browser.open("/")
        await walk.until(lambda so_far: so_far.seen.websockets[0].error, "the error of the socket")

    (socket,) = (await walk(act)).seen.websockets
    assert "503" in socket.error


@pytest.mark.parametrize(("handler", "answered"), [(stay_silent, False), (flood_websocket, True)])
async def test_of_a_websocket_it_is_known_whether_its_handshake_was_answered(site, walk, handler, answered):
    site.page("/", "<script>new WebSocket('ws://' + location.host + '/socket')</script>")
    site.route("/socket", handler)
    site.forget()

    async def act(browser):
        await browser.open("/")
        await until(lambda: site.seen("/socket"), "the handshake has arrived")
        await walk.until(lambda so_far: so_far.seen.websockets[0].answered is answered, "how it was answered")

    (socket,) = (await walk(act)).seen.websockets
    assert (socket.answered, socket.error) == (answered, None)


async def test_a_redirect_without_leave_is_a_failure_of_policy(site, walk):
    site.page("/", "<script>fetch('/hop').catch(() => 0)</script>")
    site.page("/hop", "", status=302, Location=site.url("/end", host="third.localhost"))
    site.page("/end", "{}")
    found = (await visit(walk, "/end", lambda end: is_over(end) and end.status)).exchange("/end")
    assert (found.status, found.failure) == (200, Failure.POLICY_CORS)
