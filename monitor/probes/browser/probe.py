"""The browser probe: lends sessions in warm browsers, and tells a sick browser from a slow site."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from monitor.domain.assignment import Assignment
from monitor.domain.evidence import ProberFault
from monitor.domain.journey import ProbeKind
from monitor.probes.browser.assigned import SessionSettings
from monitor.probes.browser.executables import Executables
from monitor.probes.browser.launch import LaunchPlan, plan_launch
from monitor.probes.browser.ledger import Limits
from monitor.probes.browser.session import BrowserSession
from monitor.probes.browser.vitals import vitals_script
from monitor.probes.browser.warm import BrowserPool, WarmBrowser
from monitor.probes.session import Observations, ProberError

_log = logging.getLogger(__name__)

_OPEN_SECONDS = 8.0
_OPEN_TRIES = 2
_SELF_TEST_PAGE = '<!doctype html><title>Faultline</title><button onclick="this.textContent = 6 * 7">count</button>'
_SELF_TEST_SECONDS = 10.0


class BrowserProbe:
    """Performs steps in a real browser.

    Args:
        directory: Where profiles and other files of browsers live; emptied by :meth:`close`.
        executables: Browsers that the configuration names.
        runs_per_browser: After so many runs a browser is replaced by a fresh one.
        traces: Keep a Playwright trace of failed attempts in which no secret was typed (costs time in every run).
        limits: How much of one attempt is kept.
        environment: The environment, of which a browser is given only what it needs.
    """

    def __init__(
        self,
        directory: Path,
        *,
        executables: Executables | None = None,
        runs_per_browser: int = 50,
        traces: bool = False,
        limits: Limits | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._pool = BrowserPool(
            directory=directory,
            executables=executables or Executables(),
            runs_per_browser=runs_per_browser,
            environment=os.environ if environment is None else environment,
        )
        self._settings = SessionSettings(
            limits=limits or Limits(), traces=traces, scratch=directory, vitals_script=vitals_script()
        )

    @property
    def kind(self) -> ProbeKind:
        """Return the technique."""
        return ProbeKind.BROWSER

    @property
    def engine(self) -> str:
        """Return name and version of the browser that was used last, and of its driver."""
        browser = self._pool.last.text if self._pool.last is not None else "no browser yet"
        return f"{browser}, Playwright {version('playwright')}"

    async def open(self, assignment: Assignment, attempt: int, *, started: float) -> LentSession:
        """Lend a fresh page for one attempt; that it opens is also the liveness test of the browser.

        Raises ProberError where we cannot look.
        """
        plan = plan_launch(assignment.check.profile, assignment.check.target)
        fault = ProberError(ProberFault.INTERNAL, "no browser was tried")
        for _ in range(_OPEN_TRIES):
            warm = await self._pool.acquire(plan)
            try:
                async with asyncio.timeout(_OPEN_SECONDS):
                    session = await BrowserSession.start(
                        warm=warm,
                        playwright=self._pool.playwright,
                        assignment=assignment,
                        attempt=attempt,
                        started=started,
                        settings=self._settings,
                        driver_is_dead=lambda: self._pool.driver_is_dead,
                    )
            except ProberError:
                raise
            except Exception as error:  # noqa: BLE001 - a dead driver raises bare Exception
                fault = self._fault_of(error, warm)
                _log.warning("browser did not open a page", extra={"fault": fault.fault.value})
                await self._pool.discard(warm)
            else:
                return LentSession(session, self._pool)
        raise fault

    async def alive(self) -> bool:
        """Answer within two seconds whether the browser that was used last opens a fresh page."""
        return await self._pool.alive()

    async def self_test(self, plan: LaunchPlan | None = None) -> str:
        """Start a browser, let it run a built-in page, and return its name and version. Raises ProberError."""
        warm = await self._pool.acquire(plan or LaunchPlan())
        try:
            async with asyncio.timeout(_SELF_TEST_SECONDS):
                context = await warm.browser.new_context()
                page = await context.new_page()
                await page.set_content(_SELF_TEST_PAGE)
                await page.click("button")
                counted = await page.inner_text("button")
                await context.close()
        except Exception as error:  # noqa: BLE001 - whatever it was, we cannot look
            fault = self._fault_of(error, warm)
            await self._pool.discard(warm)
            raise fault from None
        if counted != "42":
            message = f"The browser {warm.text} does not run scripts as it should: install it anew."
            raise ProberError(ProberFault.BROWSER_FOREIGN, message)
        return self.engine

    async def close(self) -> None:
        """Release everything; never raises."""
        await self._pool.close()

    def _fault_of(self, error: Exception, warm: WarmBrowser) -> ProberError:
        if self._pool.driver_is_dead:
            return ProberError(ProberFault.DRIVER_DIED, "Playwright's driver died while a page was opened.")
        if warm.is_dead():
            return ProberError(ProberFault.BROWSER_CRASHED, f"{warm.text} died while a page was opened.")
        if warm.is_frozen() or isinstance(error, TimeoutError):
            return ProberError(ProberFault.BROWSER_FROZEN, f"{warm.text} did not open a page in {_OPEN_SECONDS:g} s.")
        words = (str(error).splitlines() or [type(error).__name__])[0][:200]
        return ProberError(ProberFault.INTERNAL, f"{warm.text} refused to open a page: {words}")


class LentSession:
    """A session that takes its browser out of service where it turned out sick."""

    def __init__(self, session: BrowserSession, pool: BrowserPool) -> None:
        self._session = session
        self._pool = pool
        self.handle = session.handle
        self.begin_step = session.begin_step
        self.explain = session.explain
        self.complete = session.complete
        self.keep_failure = session.keep_failure

    async def finish(self, *, failed: bool) -> Observations:
        """Stop observing, release the page and what is sick, and return what was seen. Never raises."""
        try:
            seen = await self._session.finish(failed=failed)
        except asyncio.CancelledError:
            # Whoever waited has given up: what is left open in this browser is nobody's any more.
            self._pool.retire(self._session.warm)
            raise
        if self._session.is_sick:
            try:
                await self._pool.discard(self._session.warm)
            except Exception as error:  # noqa: BLE001 - the next open starts a fresh one whatever became of this
                _log.warning("sick browser could not be ended", extra={"error": type(error).__name__})
        return seen
