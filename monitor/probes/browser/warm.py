"""Keeps browsers warm, replaces them before they age, and ends the sick ones from outside."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserType, CDPSession, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from monitor.domain.evidence import ProberFault
from monitor.domain.profile import Engine
from monitor.probes.browser import processes
from monitor.probes.browser.executables import Executable, Executables, find_executable
from monitor.probes.browser.launch import (
    LaunchPlan,
    browser_environment,
    chromium_arguments,
    firefox_preferences,
    firefox_wrapper,
)
from monitor.probes.browser.shortcut import Shortcuts
from monitor.probes.browser.trust import write_trust_database
from monitor.probes.session import ProberError
from monitor.probes.vantage.health import disk_free

_log = logging.getLogger(__name__)

_START_LIMIT = 20.0
_CLOSE_LIMIT = 3.0
_KILLED_LIMIT = 2.0
_PING_LIMIT = 2.0
_MOST_WARM = 2
# Below this no new browser can be counted on, and what a run left over would be worth nothing.
_LEAST_ROOM = 16_000_000
_DRIVER = "run-driver"
_TITLES = {"shell": "Chromium headless shell", "chromium": "Chromium", "firefox": "Firefox", "webkit": "WebKit"}


class WarmBrowser:
    """One running browser and what is known of its process."""

    def __init__(self, *, plan: LaunchPlan, browser: Browser, pid: int | None, profile: Path | None, text: str) -> None:
        self.plan = plan
        self.browser = browser
        self.pid = pid
        self.profile = profile
        self.text = text
        self.runs = 0
        self._targets: CDPSession | None = None
        # What belonged to a dead browser holds its pipe open, so that every call to it would wait for its time limit.
        self._unwatch = processes.when_ended(pid, lambda: processes.kill_group(pid)) if pid else None

    def is_dead(self) -> bool:
        """Say whether its process has ended; Playwright's ``is_connected`` says yes long after."""
        return not processes.is_running(self.pid) if self.pid else not self.browser.is_connected()

    def is_frozen(self) -> bool:
        """Say whether its process was halted."""
        return self.pid is not None and processes.is_stopped(self.pid)

    async def targets(self) -> CDPSession:
        """Return the session, one per browser, that tells of every page a Chromium opens."""
        if self._targets is None:
            self._targets = await self.browser.new_browser_cdp_session()
            await self._targets.send("Target.setDiscoverTargets", {"discover": True, "filter": [{"type": "page"}]})
        return self._targets

    async def answers(self) -> bool:
        """Say whether a fresh page comes up within two seconds."""
        if self.is_dead() or self.is_frozen():
            return False
        try:
            async with asyncio.timeout(_PING_LIMIT):
                context = await self.browser.new_context()
                page = await context.new_page()
                sane = bool(await page.evaluate("6 * 7 === 42"))
                await context.close()
        except (TimeoutError, PlaywrightError, Exception):  # noqa: BLE001 - a dead driver raises bare Exception
            return False
        return sane

    async def close(self) -> None:
        """End it politely, or by force where it does not listen."""
        if not self.is_frozen():
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self.browser.close(), _CLOSE_LIMIT)
        if self.pid is not None and processes.is_running(self.pid):
            await self.kill()
        self.forget()

    async def kill(self) -> None:
        """End its whole process group at once."""
        gone = asyncio.Event()
        self.browser.once("disconnected", lambda _: gone.set())
        if self.pid is not None:
            processes.kill_group(self.pid)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(gone.wait(), _KILLED_LIMIT if self.browser.is_connected() else 0.1)
        self.forget()

    def forget(self) -> None:
        """Let go of what is left of it."""
        if self._unwatch is not None:
            self._unwatch()
        if self.profile is not None:
            shutil.rmtree(self.profile, ignore_errors=True)


class BrowserPool:
    """The driver and at most two warm browsers, one per launch plan."""

    def __init__(
        self, *, directory: Path, executables: Executables, runs_per_browser: int, environment: Mapping[str, str]
    ) -> None:
        self._directory = directory
        self._executables = executables
        self._runs_per_browser = runs_per_browser
        self._environment = environment
        self._numbers = itertools.count(1)
        self._shortcuts = Shortcuts()
        self._playwright: Playwright | None = None
        self._driver_pid: int | None = None
        self._place: Path | None = None
        self._warm: dict[LaunchPlan, WarmBrowser] = {}
        self.last: WarmBrowser | None = None

    @property
    def playwright(self) -> Playwright:
        """Return the running driver."""
        assert self._playwright is not None
        return self._playwright

    @property
    def driver_is_dead(self) -> bool:
        """Say whether the driver was started and has ended."""
        return self._driver_pid is not None and not processes.is_running(self._driver_pid)

    async def acquire(self, plan: LaunchPlan) -> WarmBrowser:
        """Return a warm browser for a plan, started afresh where there is none fit to use. Raises ProberError."""
        if self.driver_is_dead:
            await self._bury_driver()
        warm = self._warm.get(plan)
        if warm is not None and (warm.runs >= self._runs_per_browser or warm.is_dead() or warm.is_frozen()):
            await self.discard(warm)
            warm = None
        if warm is None:
            await self._make_room()
            warm = await self._launch_or_say_why(plan)
        warm.runs += 1
        # The most recently used stands last.
        self._warm.pop(plan, None)
        self._warm[plan] = self.last = warm
        return warm

    def retire(self, warm: WarmBrowser) -> None:
        """Let a browser serve no further run; it is ended when the next one is asked for."""
        warm.runs = max(warm.runs, self._runs_per_browser)

    async def discard(self, warm: WarmBrowser) -> None:
        """End a browser that is old or sick."""
        if self._warm.get(warm.plan) is warm:
            del self._warm[warm.plan]
        if self.driver_is_dead:
            await self._bury_driver()
        elif warm.is_dead() or warm.is_frozen():
            await warm.kill()
        else:
            await warm.close()

    async def alive(self) -> bool:
        """Say whether the browser that was used last, or else the driver, answers."""
        if self.driver_is_dead:
            return False
        return await self.last.answers() if self.last is not None else True

    async def close(self) -> None:
        """End everything and leave nothing behind; never raises."""
        for warm in list(self._warm.values()):
            with contextlib.suppress(Exception):
                await warm.close()
        self._warm.clear()
        await self._bury_driver()

    async def _make_room(self) -> None:
        while len(self._warm) >= _MOST_WARM:
            await self.discard(next(iter(self._warm.values())))

    async def _launch_or_say_why(self, plan: LaunchPlan) -> WarmBrowser:
        try:
            return await self._launch(plan)
        except (ProberError, OSError) as error:
            # Each part of a browser has other words for a disk without room, or none at all.
            left = disk_free(self._directory)
            missing = isinstance(error, ProberError) and error.fault is ProberFault.BROWSER_MISSING
            if left is None or left >= _LEAST_ROOM or missing:
                raise
            message = f"A browser could not be started: its disk has {left} bytes left ({error})."
            raise ProberError(ProberFault.DISK_FULL, message) from None

    async def _launch(self, plan: LaunchPlan) -> WarmBrowser:
        driver = await self._driver()
        assert self._place is not None
        executable = find_executable(
            plan.engine, full=plan.full_browser, configured=self._executables, bundled=_bundled(driver)
        )
        home = self._place / f"home-{next(self._numbers)}"
        home.mkdir(mode=0o700)
        known = set(processes.leaders_below(self._place))
        environment = browser_environment(home, self._shortcuts.to(home), self._environment)
        try:
            browser = await _start(driver, plan, executable, home, environment)
        except PlaywrightError as error:
            # Now and then a browser of a busy machine dies as it starts, and the next one lives.
            _log.warning("a browser did not start, trying once more", extra={"browser": executable.kind})
            try:
                browser = await _start(driver, plan, executable, home, environment)
            except PlaywrightError:
                raise _launch_error(error, executable) from None
        pid = next((pid for pid in processes.leaders_below(self._place) if pid not in known), None)
        profile = processes.profile_directory(pid, self._place) if pid else None
        text = f"{_TITLES[executable.kind]} {browser.version}"
        if plan.engine is Engine.CHROMIUM and not _sandboxed():
            text += " without sandbox (running as root)"
        _log.info("browser started", extra={"engine": text, "pid": pid})
        return WarmBrowser(plan=plan, browser=browser, pid=pid, profile=profile, text=text)

    async def _driver(self) -> Playwright:
        if self._playwright is None:
            self._place = self._directory / f"driver-{next(self._numbers)}"
            self._place.mkdir(mode=0o700, parents=True)
            others = processes.children_named(_DRIVER)
            try:
                async with asyncio.timeout(_START_LIMIT):
                    self._playwright = await _start_driver(self._place)
            except Exception as error:  # noqa: BLE001 - whatever it was, we cannot look
                message = f"Playwright's driver did not start: {str(error)[:200] or type(error).__name__}"
                raise ProberError(ProberFault.DRIVER_DIED, message) from None
            self._driver_pid = next(iter(processes.children_named(_DRIVER) - others), None)
        return self._playwright

    async def _bury_driver(self) -> None:
        playwright, self._playwright = self._playwright, None
        if playwright is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(playwright.stop(), _CLOSE_LIMIT)
        if self._driver_pid is not None:
            processes.kill(self._driver_pid)
        self._driver_pid = None
        for warm in self._warm.values():
            if warm.pid is not None:
                processes.kill_group(warm.pid)
            warm.forget()
        self._warm.clear()
        self._shortcuts.remove()
        if self._place is not None:
            for pid in processes.leaders_below(self._place):
                processes.kill_group(pid)
            with contextlib.suppress(OSError):
                await asyncio.to_thread(shutil.rmtree, self._place, ignore_errors=True)
            self._place = None


async def _start_driver(place: Path) -> Playwright:
    # The driver takes its place for profiles from the environment alone, and Playwright passes ours on as it stands.
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(place)
    try:
        return await async_playwright().start()
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


async def _start(
    driver: Playwright,
    plan: LaunchPlan,
    executable: Executable,
    home: Path,
    environment: dict[str, str | float | bool],
) -> Browser:
    path = executable.path
    options: dict[str, Any] = {
        "env": environment,
        "timeout": _START_LIMIT * 1000,
        "handle_sigint": False,
        "handle_sigterm": False,
        "handle_sighup": False,
    }
    if plan.authorities:
        database = home / ".pki" / "nssdb"
        await write_trust_database(database, "\n".join(plan.authorities))
        if executable.kind == "firefox":
            path = path or Path(driver.firefox.executable_path)
            wrapper = home / "firefox"
            wrapper.write_text(firefox_wrapper(path, database), encoding="utf-8")
            wrapper.chmod(0o700)
            path = wrapper
    if executable.channel:
        options["channel"] = executable.channel
    engine: BrowserType = getattr(driver, plan.engine.value)
    if plan.engine is Engine.CHROMIUM:
        options |= {"args": chromium_arguments(plan), "chromium_sandbox": _sandboxed()}
    elif plan.engine is Engine.FIREFOX:
        options["firefox_user_prefs"] = firefox_preferences(plan)
    return await engine.launch(executable_path=path, **options)


def _sandboxed() -> bool:
    # As root Chromium refuses to start with its sandbox.
    return os.geteuid() != 0


def _bundled(driver: Playwright) -> dict[str, str]:
    own = {kind: getattr(driver, kind).executable_path for kind in ("chromium", "firefox", "webkit")}
    shell = re.sub(r"chromium-(\d+)/chrome-linux(64)?/chrome$", r"chromium_headless_shell-\1", own["chromium"])
    found = sorted(Path(shell).glob("*/*headless*shell")) if shell != own["chromium"] else []
    return {**own, "shell": str(found[0]) if found else ""}


_PRESSURE = (
    ("ENOSPC", ProberFault.DISK_FULL, "the disk is full"),
    ("EMFILE", ProberFault.OUT_OF_FILES, "too many files are open"),
    ("ENFILE", ProberFault.OUT_OF_FILES, "too many files are open"),
    ("ENOMEM", ProberFault.OUT_OF_MEMORY, "memory is short"),
    ("EAGAIN", ProberFault.OUT_OF_MEMORY, "no further process may be started"),
)


def _launch_error(error: PlaywrightError, executable: Executable) -> ProberError:
    text = str(error)
    name = executable.path or executable.kind
    for sign, fault, reason in _PRESSURE:
        if sign in text:
            return ProberError(fault, f"The browser {name} could not be started: {reason}.")
    words = [line.strip() for line in text.splitlines() if "[err]" in line or "error while loading" in line]
    said = re.sub(r"^.*\[err\]\s*", "", words[-1])[:200] if words else text.splitlines()[0][:200]
    return ProberError(
        ProberFault.BROWSER_FOREIGN,
        f"The browser {name} did not start ({said}): run `{name} --version` to see why, then install it anew.",
    )
