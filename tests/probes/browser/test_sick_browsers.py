from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from monitor.domain.evidence import ProberFault, StepErrorKind
from monitor.domain.failure import Failure
from monitor.probes.browser import processes
from monitor.probes.browser.probe import BrowserProbe
from monitor.probes.session import ProberError
from tests.probes.browser.site import stay_silent
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def open_session(probe, assign, **values):
    session = await probe.open(assign(**values), 1, started=time.monotonic())
    session.begin_step("only")
    return session


async def fail(work):
    (raised,) = await asyncio.gather(asyncio.wait_for(work, 60), return_exceptions=True)
    assert isinstance(raised, Exception)
    return raised


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def helpers_of(leader: int, kind: bytes) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if os.getpgid(int(entry.name)) == leader and b"--type=" + kind in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


async def test_a_killed_browser_is_our_fault_and_the_next_page_opens_soon(site, probe, assign):
    site.page("/", "<p>here")
    session = await open_session(probe, assign)
    await session.handle.open("/")
    os.kill(probe._pool.last.pid, signal.SIGKILL)
    error = await fail(session.handle.page.click("#nothing"))
    with pytest.raises(ProberError) as caught:
        session.explain(error)
    assert caught.value.fault is ProberFault.BROWSER_CRASHED
    assert not await probe.alive()
    seen = await session.finish(failed=True)
    assert seen.exchanges[0].status == 200
    before = time.monotonic()
    session = await open_session(probe, assign)
    assert time.monotonic() - before < 20
    await session.handle.open("/")
    await session.finish(failed=False)
    assert await probe.alive()


async def test_a_killed_renderer_is_a_crashed_page(site, probe, assign):
    site.page("/", "<p>here")
    session = await open_session(probe, assign)
    await session.handle.open("/")
    # Which of them shows the page, and which waits for the next one, no process list tells.
    for pid in helpers_of(probe._pool.last.pid, b"renderer"):
        os.kill(pid, signal.SIGKILL)
    error = await fail(session.handle.page.wait_for_selector("#nothing"))
    assert session.explain(error).kind is StepErrorKind.PAGE_CRASHED
    await session.keep_failure("only", sensitive=False)
    seen = await asyncio.wait_for(session.finish(failed=True), 60)
    assert any(event.kind == "crash" for event in seen.events)


async def test_a_halted_browser_is_our_fault_and_not_a_slow_site(site, probe, assign):
    site.page("/", "<p>here")
    session = await open_session(probe, assign)
    await session.handle.open("/")
    pid = probe._pool.last.pid
    os.kill(pid, signal.SIGSTOP)
    session.handle.page.set_default_timeout(500)
    error = await fail(session.handle.page.click("#nothing"))
    assert not await probe.alive()
    with pytest.raises(ProberError) as caught:
        session.explain(error)
    assert caught.value.fault is ProberFault.BROWSER_FROZEN
    await asyncio.wait_for(session.finish(failed=True), 60)
    assert not processes.is_running(pid)
    session = await open_session(probe, assign)
    await session.handle.open("/")
    await session.finish(failed=False)


async def test_a_killed_driver_leaves_no_browser_and_no_profile(site, assign, tmp_path):
    site.page("/", "<p>here")
    probe = BrowserProbe(tmp_path / "browsers")
    session = await open_session(probe, assign)
    await session.handle.open("/")
    browser = probe._pool.last.pid
    os.kill(probe._pool._driver_pid, signal.SIGKILL)
    error = await fail(session.handle.page.click("#nothing"))
    with pytest.raises(ProberError) as caught:
        session.explain(error)
    assert caught.value.fault is ProberFault.DRIVER_DIED
    await asyncio.wait_for(session.finish(failed=True), 60)
    session = await open_session(probe, assign)
    await session.handle.open("/")
    await session.finish(failed=False)
    assert not processes.is_running(browser)
    await probe.close()
    assert list((tmp_path / "browsers").iterdir()) == []
    assert processes.leaders_below(tmp_path) == ()


async def test_runs_and_kills_leave_nothing_behind(site, assign, tmp_path):
    site.page("/", "<p>here")
    probe = BrowserProbe(tmp_path / "browsers", runs_per_browser=4)
    files = 0
    for number in range(12):
        session = await open_session(probe, assign)
        await session.handle.open("/")
        if number in {2, 7}:
            os.kill(probe._pool.last.pid, signal.SIGKILL)
        await session.finish(failed=False)
        if number == 3:
            files = open_files()
    await until(lambda: open_files() <= files + 2, "no file is left open")
    await until(lambda: len(processes.leaders_below(tmp_path)) == 1, "one browser is left")
    await until(lambda: len(list((tmp_path / "browsers").glob("driver-*/*profile*"))) == 1, "one profile is left")
    driver = probe._pool._driver_pid
    await probe.close()
    assert list((tmp_path / "browsers").iterdir()) == []
    assert driver not in processes.children_named("run-driver")


async def test_at_most_two_browsers_are_kept_warm(site, assign, tmp_path):
    probe = BrowserProbe(tmp_path / "browsers")
    plans = [{"http2": False}, {}, {"http2": False}, {"extra_ca": site.authority}]
    for profile in plans:
        session = await open_session(probe, assign, profile=profile, target={"extra_ca": None})
        await session.finish(failed=False)
    await until(lambda: len(processes.leaders_below(tmp_path)) == 2, "two browsers are left")
    await probe.close()


async def test_no_debugging_port_is_open(probe):
    await probe.self_test()
    command = command_line(probe._pool.last.pid)
    assert b"--remote-debugging-pipe" in command
    assert b"--remote-debugging-port" not in command


async def test_a_browser_whose_session_nobody_waited_for_serves_no_other_run(site, probe, assign):
    session = await open_session(probe, assign)
    warm = probe._pool.last
    ending = asyncio.ensure_future(session.finish(failed=False))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.wait([ending])
    await (await open_session(probe, assign)).finish(failed=False)
    assert probe._pool.last is not warm
    assert warm.is_dead()


async def test_the_self_test_names_the_browser(probe):
    text = await probe.self_test()
    assert "Chromium headless shell" in text
    assert "Playwright" in text
    assert ("without sandbox" in text) == (os.geteuid() == 0)


@pytest.mark.parametrize("kind", [b"utility", b"gpu-process"], ids=["utility", "gpu"])
async def test_a_killed_helper_of_the_browser_is_survived_or_our_fault(site, probe, assign, kind):
    site.page("/", "<p>here")
    site.route("/silent", stay_silent)
    site.forget()
    session = await open_session(probe, assign)
    await session.handle.open("/")
    waiting = asyncio.ensure_future(session.handle.open("/silent"))
    await until(lambda: site.seen("/silent"), "the request is under way")
    for pid in helpers_of(probe._pool.last.pid, kind):
        os.kill(pid, signal.SIGKILL)
    session.handle.page.set_default_timeout(2_000)
    await asyncio.wait([waiting], timeout=5)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    seen = await asyncio.wait_for(session.finish(failed=True), 60)
    # What was under way is given up or still open; nothing is on record that a site could be blamed for.
    assert {exchange.failure for exchange in seen.exchanges} <= {None, Failure.ABANDONED, Failure.PENDING}
    session = await open_session(probe, assign)
    await session.handle.open("/")
    await session.finish(failed=False)
    assert await probe.alive()
