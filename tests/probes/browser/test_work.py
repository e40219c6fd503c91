from __future__ import annotations

import time

import pytest

from monitor.domain.evidence import ScriptTime
from monitor.domain.secret import Secret
from monitor.probes.browser import session
from monitor.probes.browser.work import WorkWatch
from tests.probes.browser.provoking import keep_busy_for_ever
from tests.waiting import until

BUSY = "((end) => {{ while (performance.now() < end) {{}} }})(performance.now() + {0})"


def test_work_is_summed_by_script_and_step_and_the_longest_comes_first():
    watch = WorkWatch(lambda url: url)
    watch.begin_step("one", 100.0)
    watch.begin_step("two", 200.0)
    watch.take([["https://a.test/a.js", 150.0, 0.5], ["https://a.test/a.js", 199.9, 0.25]])
    watch.take([["https://a.test/a.js", 200.0, 2], ["https://b.test/b.js", 50.0, 0.1]])
    assert watch.scripts() == (
        ScriptTime(url="https://a.test/a.js", seconds=2.0, step="two"),
        ScriptTime(url="https://a.test/a.js", seconds=0.75, step="one"),
        ScriptTime(url="https://b.test/b.js", seconds=0.1, step=""),
    )


@pytest.mark.parametrize(
    "nonsense",
    [None, 7, {"a": 1}, [7], [["u", 1]], [[1, 1, 1]], [["u", "1", 1]], [["u", 1, None]], [["u", 1, -5]]],
)
def test_what_a_page_makes_up_is_dropped(nonsense):
    watch = WorkWatch(lambda url: url)
    watch.take(nonsense)
    watch.take([["u", float("nan"), 1.0], ["u", 1.0, float("inf")]])
    assert watch.scripts() == ()


def test_only_so_many_scripts_are_kept():
    watch = WorkWatch(lambda url: url)
    for number in range(1000):
        watch.take([[f"https://a.test/{number}", 1.0, 1 + number / 1000]])
    assert len(watch.scripts()) == 20


def told(lent):
    """Return the seconds of work by the end of the script's URL and the step."""
    return {(each.url.rpartition("/")[2], each.step): each.seconds for each in lent._session._work.scripts()}


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="module")
async def test_the_work_of_each_script_is_told_by_step_and_survives_a_navigation(site, probe, assign):
    vendor = site.url("/vendor.js?key=s3cr3t-key", host="third.localhost")
    site.page("/", f"<p>first<script src='{vendor}'></script><script>{BUSY.format(90)}</script>")
    site.page("/vendor.js", BUSY.format(150), kind="text/javascript")
    site.page("/next", "<button>go</button><script src='/own.js'></script>")
    work = f"document.querySelector('button').addEventListener('click', () => {{ {BUSY.format(120)} }})"
    site.page("/own.js", work, kind="text/javascript")
    check = {"values": (("key", Secret("key", "s3cr3t-key")),)}
    lent = await probe.open(assign(check=check), 1, started=time.monotonic())
    lent.begin_step("look")
    await lent.handle.open("/", wait_until="load")
    # A frame is told of once it was painted; what a customer leaves before that, nobody measured.
    await until(lambda: {("vendor.js?key=•••", "look"), ("", "look")} <= told(lent).keys(), "both scripts are told of")
    lent.begin_step("buy")
    await lent.handle.open("/next", wait_until="load")
    await lent.handle.page.click("button")
    await until(lambda: ("own.js", "buy") in told(lent), "the script of the second page is told of")
    scripts = (await lent.finish(failed=True)).scripts
    found = told(lent)
    assert found["vendor.js?key=•••", "look"] >= 0.14
    assert found["", "look"] >= 0.08
    assert found["own.js", "buy"] >= 0.11
    assert [script.seconds for script in scripts] == sorted(found.values(), reverse=True)


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="module")
async def test_a_page_that_was_busy_when_the_step_ended_still_tells_by_what(site, walk, monkeypatch):
    monkeypatch.setattr(session, "_BUSY_SECONDS", 60.0)
    site.page("/", f"<button>go</button><script src='{site.url('/vendor.js', host='third.localhost')}'></script>")
    work = f"console.log('busy'); {BUSY.format(3000)}"
    busy = f"document.querySelector('button').onclick = () => setTimeout(() => {{ {work} }}, 20)"
    site.page("/vendor.js", busy, kind="text/javascript")

    async def act(browser):
        await browser.open("/", wait_until="load")
        await browser.page.click("button")
        await walk.until(lambda so_far: so_far.seen.console, "the script is at it")
        await browser.expect_text("never", within=0.2)

    attempt = await walk(act)
    assert attempt.error is not None
    # A busy machine makes long frames of what is short.
    script = attempt.seen.scripts[0]
    assert script.url.endswith("/vendor.js")
    assert script.seconds >= 0.85


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="module")
async def test_of_a_page_that_never_answers_nothing_is_made_up(site, walk):
    site.page("/", "<p>here")

    async def act(browser):
        await browser.open("/", wait_until="load")
        await keep_busy_for_ever(browser.page)
        await walk.until(lambda so_far: so_far.seen.console, "the script is at it")
        told_before.extend(walk.work())
        await browser.expect_text("never", within=0.2)

    told_before = []
    attempt = await walk(act)
    assert attempt.error is not None
    assert list(attempt.seen.scripts) == told_before
