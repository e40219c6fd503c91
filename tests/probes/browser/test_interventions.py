from __future__ import annotations

import pytest

from monitor.domain.assignment import Intervention, InterventionKind
from monitor.domain.failure import Failure
from monitor.domain.profile import Engine
from monitor.probes.archive import ArchivedAnswer, write_archive
from monitor.probes.session import ProberError
from tests.probes.browser.site import reset

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]

FIREFOX = {"engine": Engine.FIREFOX}
ENGINES = pytest.mark.parametrize("profile", [{}, FIREFOX], ids=["chromium", "firefox"])


def a_change(kind, host="third.localhost", **values):
    return Intervention(kind=kind, host=host, **values)


@pytest.fixture
def archive(site, tmp_path):
    """An archive of a vendor's library, its data and its frame."""

    def third(path, body, kind, **headers):
        told = {"content-type": kind, "access-control-allow-origin": "*", **headers}
        return ArchivedAnswer(
            url=site.url(path, host="third.localhost"), body=body.encode(), headers=tuple(told.items())
        )

    answers = [
        third("/lib.js?v=1", "document.body.dataset.lib = 'good'", "text/javascript"),
        third("/data", '{"good": true}', "application/json"),
        third("/frame", "<p>good frame", "text/html"),
        third("/end", "<p>good end", "text/html"),
    ]
    write_archive(tmp_path / "good", answers)
    return str(tmp_path / "good")


@ENGINES
async def test_a_broken_vendor_is_replayed_from_the_archive(site, walk, archive, profile):
    lib, data = site.url("/lib.js?v=2", host="third.localhost"), site.url("/data", host="third.localhost")
    frame = site.url("/frame", host="third.localhost")
    site.page(
        "/",
        f"<body><script src='{lib}' crossorigin></script><iframe src='{frame}'></iframe><script>"
        f"fetch('{data}', {{headers: {{'X-Asked': '1'}}}}).then(r => r.json())"
        ".then(told => document.title = told.good)</script>",
    )
    for path in ("/lib.js", "/data", "/frame"):
        site.route(path, reset)

    async def act(browser):
        await browser.open("/")
        await browser.page.wait_for_function("document.title === 'true' && document.body.dataset.lib === 'good'")
        await browser.page.frame_locator("iframe").get_by_text("good frame").wait_for()

    replay = a_change(InterventionKind.REPLAY, archive=archive)
    attempt = await walk(act, interventions=(replay,), profile=profile)
    assert attempt.error is None
    for path in ("/lib.js", "/data", "/frame"):
        found = next(each for each in attempt.seen.exchanges if path in each.url and each.method == "GET")
        assert (found.status, found.failure, found.intervention) == (200, None, True), path
    assert not attempt.exchange("shop.localhost").intervention
    assert not [event for event in attempt.seen.events if event.kind == "replay_missed"]


@ENGINES
async def test_what_the_archive_cannot_answer_goes_on_and_is_counted(site, walk, archive, profile):
    other, posted = site.url("/other", host="third.localhost"), site.url("/data", host="third.localhost")
    site.page(
        "/",
        f"<script>Promise.all([fetch('{other}?a=1'), fetch('{posted}', {{method: 'POST', body: '1'}})])"
        ".then(() => document.title = 'done')</script>",
    )
    site.page("/other", "1", Access_Control_Allow_Origin="*")
    site.page("/data", "1", Access_Control_Allow_Origin="*")
    site.forget()

    async def act(browser):
        await browser.open("/")
        await browser.page.wait_for_function("document.title === 'done'")

    replay = a_change(InterventionKind.REPLAY, archive=archive)
    attempt = await walk(act, interventions=(replay,), profile=profile)
    assert attempt.error is None
    missed = [event.text for event in attempt.seen.events if event.kind == "replay_missed"]
    assert sorted(missed) == [posted, f"{other}?a=1"]
    assert {request.method for request in site.requests if request.host == "third.localhost"} >= {"GET", "POST"}
    assert not any(exchange.intervention for exchange in attempt.seen.exchanges)


async def test_a_redirect_of_ours_to_a_replayed_host_ends_in_the_archive(site, walk, archive):
    site.page("/pay", "", status=302, Location=site.url("/end", host="third.localhost"))
    site.route("/end", reset)

    async def act(browser):
        await browser.open("/pay")
        await browser.expect_text("good end")

    attempt = await walk(act, interventions=(a_change(InterventionKind.REPLAY, archive=archive),))
    assert attempt.error is None
    assert attempt.exchange("/end").intervention
    assert not attempt.exchange("/pay").intervention


async def test_only_the_named_part_of_a_host_is_changed(site, walk):
    site.page("/", "<script src='/tags/a.js'></script><script src='/app/a.js'></script>")
    for path in ("/tags/a.js", "/app/a.js"):
        site.page(path, "1", kind="text/javascript")
    block = a_change(InterventionKind.BLOCK, host="shop.localhost", path="/tags/")
    attempt = await walk(lambda browser: browser.open("/", wait_until="load"), interventions=(block,))
    assert attempt.error is None
    assert attempt.exchange("/tags/a.js").failure is Failure.BLOCKED_BY_INTERVENTION
    assert attempt.exchange("/tags/a.js").intervention
    assert attempt.exchange("/app/a.js").failure is None


async def test_a_blocked_host_is_blocked_behind_a_redirect_too(site, walk):
    site.page("/", "<script src='/via'></script>")
    site.page("/via", "", status=302, Location=site.url("/tag.js", host="third.localhost"))
    site.page("/tag.js", "1", kind="text/javascript")
    block = a_change(InterventionKind.BLOCK)
    attempt = await walk(lambda browser: browser.open("/", wait_until="load"), interventions=(block,))
    assert attempt.exchange("/tag.js").failure is Failure.BLOCKED_BY_INTERVENTION


@ENGINES
async def test_a_vendor_is_emptied_in_the_type_of_each_resource(site, walk, profile):
    lib, data = site.url("/lib.js", host="third.localhost"), site.url("/data", host="third.localhost")
    site.page(
        "/",
        f"<script src='{lib}' crossorigin></script><script>fetch('{data}', {{headers: {{'X-Asked': '1'}}}})"
        ".then(r => r.text()).then(text => document.title = 'got ' + text.length)</script>",
    )
    for path in ("/lib.js", "/data"):
        site.route(path, reset)

    async def act(browser):
        await browser.open("/")
        await browser.page.wait_for_function("document.title === 'got 0'")

    attempt = await walk(act, interventions=(a_change(InterventionKind.EMPTY),), profile=profile)
    assert attempt.error is None
    found = attempt.exchange("/lib.js")
    assert (found.status, found.mime_type, found.failure, found.intervention) == (200, "text/javascript", None, True)


@ENGINES
async def test_a_vendor_is_delayed(site, walk, profile):
    site.page("/", f"<script src='{site.url('/slow.js', host='third.localhost')}'></script>")
    site.page("/slow.js", "1", kind="text/javascript")
    delay = a_change(InterventionKind.DELAY, seconds=0.4)
    act = lambda browser: browser.open("/", wait_until="load")  # noqa: E731
    attempt = await walk(act, interventions=(delay,), profile=profile)
    assert attempt.error is None
    assert attempt.exchange("/slow.js").status == 200
    assert attempt.exchange("/slow.js").intervention
    after = attempt.exchange("/slow.js").timings
    assert after.started + after.total - attempt.exchange("shop.localhost").timings.started >= 0.4


async def test_a_delay_longer_than_the_run_does_not_hold_up_its_end(site, walk):
    site.page("/", f"<script async src='{site.url('/slow.js', host='third.localhost')}'></script><p>fine")
    delay = a_change(InterventionKind.DELAY, seconds=3600)
    attempt = await walk(lambda browser: browser.open("/"), interventions=(delay,))
    assert attempt.error is None
    assert attempt.exchange("/slow.js").pending


async def test_an_archive_that_cannot_be_read_is_a_fault_of_ours(probe, assign, tmp_path):
    for archive, words in ((str(tmp_path / "none"), "there is no archive"), (None, "names no archive")):
        replay = a_change(InterventionKind.REPLAY, archive=archive)
        with pytest.raises(ProberError, match=words) as raised:
            await probe.open(assign(interventions=(replay,)), 1, started=0.0)
        assert raised.value.fault == "internal"
        assert "third.localhost" in str(raised.value)
