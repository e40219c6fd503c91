"""One attempt in one fresh context: lends the page, records what happens, keeps what shows a failure."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from playwright.async_api import BrowserContext, Page, Playwright

from monitor.domain.assignment import Assignment
from monitor.domain.evidence import Artifact, ProberFault, StepError, StepErrorKind, Truncation, Vitals, WebSocketFacts
from monitor.domain.exchange import Exchange
from monitor.domain.profile import Engine
from monitor.domain.secret import Redactor
from monitor.probes.browser import explanation
from monitor.probes.browser.artifacts import ArtifactFolder, keep_har, keep_trace
from monitor.probes.browser.assigned import SessionSettings, secrets_of
from monitor.probes.browser.devtools import Channel, DevtoolsWatch, Emulation
from monitor.probes.browser.emulation import context_options, emulation_of
from monitor.probes.browser.events import EventRecorder
from monitor.probes.browser.first_party import first_party_headers
from monitor.probes.browser.handle import Browser
from monitor.probes.browser.interventions import RequestGate, install_routes
from monitor.probes.browser.journal import PageJournal
from monitor.probes.browser.ledger import Ledger
from monitor.probes.browser.makers import makers_anew, makers_of, trace_nodes
from monitor.probes.browser.network import NetworkRecorder
from monitor.probes.browser.picture import take_picture
from monitor.probes.browser.static_answers import StaticAnswers
from monitor.probes.browser.vitals import VITALS_SECONDS, VitalsWatch
from monitor.probes.browser.warm import WarmBrowser
from monitor.probes.browser.work import WorkWatch
from monitor.probes.interventions import Interventions, load_interventions
from monitor.probes.session import Observations, ProberError

_log = logging.getLogger(__name__)

_ACTION_SECONDS = 10.0
_RESERVE = 0.1
_BUSY_SECONDS = 5.0
_HASH_SECONDS = 0.5
_CLOSE_SECONDS = 3.0
_PICTURE_SECONDS = 5.0
_MAKER_SECONDS = 4.0


class BrowserSession:
    """What the steps of one attempt are lent."""

    def __init__(
        self,
        *,
        warm: WarmBrowser,
        playwright: Playwright,
        context: BrowserContext,
        assignment: Assignment,
        attempt: int,
        started: float,
        settings: SessionSettings,
        driver_is_dead: Callable[[], bool],
        interventions: Interventions,
    ) -> None:
        self.warm = warm
        self.is_sick = False
        self._playwright = playwright
        self._context = context
        self._assignment = assignment
        self._attempt = attempt
        self._started = started
        self._settings = settings
        self._driver_is_dead = driver_is_dead
        self._deadline = started + assignment.check.deadline.total_seconds() * (1 - _RESERVE)
        self._redactor = Redactor(secrets_of(assignment))
        limits = settings.limits
        self._interventions = interventions
        self._ledger = self._new_ledger()
        self._static = StaticAnswers(self._redactor) if assignment.archive_to else None
        self._recorder = NetworkRecorder(self._ledger, limits, self._static)
        self._events = EventRecorder(context, self._ledger, limits)
        self._journal = PageJournal(context, self._ledger, limits)
        self._work = WorkWatch(self._ledger.clean_url)
        self._vitals = VitalsWatch(settings.vitals_script, self._work)
        self._folder = ArtifactFolder(assignment.artifact_directory, attempt)
        self._artifacts: list[Artifact] = []
        self._watch: DevtoolsWatch | None = None
        self._channel: Channel | None = None
        self._browser: Browser | None = None

    @classmethod
    async def start(
        cls,
        *,
        warm: WarmBrowser,
        playwright: Playwright,
        assignment: Assignment,
        attempt: int,
        started: float,
        settings: SessionSettings,
        driver_is_dead: Callable[[], bool],
    ) -> BrowserSession:
        """Open a fresh context and start recording."""
        interventions = await load_interventions(assignment.interventions)
        context = await warm.browser.new_context(**context_options(playwright, assignment))
        session = cls(
            warm=warm,
            playwright=playwright,
            context=context,
            assignment=assignment,
            attempt=attempt,
            started=started,
            settings=settings,
            driver_is_dead=driver_is_dead,
            interventions=interventions,
        )
        await session._prepare()
        return session

    async def _prepare(self) -> None:
        profile = self._assignment.check.profile
        self._journal.listen()
        self._interventions.missed = lambda url: self._journal.note("replay_missed", url)
        if profile.javascript:
            await self._vitals.install(self._context)
        await asyncio.gather(*self._intervene(), *self._trace())
        page = await self._context.new_page()
        self._journal.adopt(page)
        if profile.engine is Engine.CHROMIUM:
            await self._watch_devtools(page)
        else:
            self._events.listen()
            page.on("websocket", self._events.note_socket)
        if profile.network is not None and profile.network.offline:
            await self._context.set_offline(True)
        check = self._assignment.check
        self._browser = Browser(
            page=page,
            base_url=check.target.base_url,
            values=dict(check.values),
            redactor=self._redactor,
            journal=self._journal,
            remaining=self._remaining,
        )
        self._set_timeouts()

    async def _watch_devtools(self, page: Page) -> None:
        self._watch = self._new_watch(self._recorder)
        self._watch.on_flood = self._after_flood
        self._channel = channel = await self._watch.watch(await self._context.new_cdp_session(page))
        about, targets = await asyncio.gather(channel.send("Target.getTargetInfo"), self.warm.targets())
        await self._watch.watch_popups(targets, about["targetInfo"]["targetId"])
        if self._follows_a_failure:
            await trace_nodes(channel)

    def _new_watch(self, recorder: NetworkRecorder) -> DevtoolsWatch:
        gate = RequestGate(
            interventions=self._interventions,
            headers=first_party_headers(self._assignment),
            note=recorder.note_intervention,
        )
        emulation = emulation_of(self._assignment.check.profile)
        if gate.patterns:
            command = ("Fetch.enable", {"patterns": gate.patterns})
            emulation = Emulation(everywhere=(*emulation.everywhere, command), pages=emulation.pages)
        watch = DevtoolsWatch(recorder, self._settings.limits, emulation)
        watch.on_request_paused = gate.answer if gate.patterns else None
        return watch

    def _after_flood(self) -> None:
        self._ledger.cut_open_ones()
        if not self._ledger.is_full:
            self._events.listen()

    def _intervene(self) -> Iterable[asyncio.Future[None]]:
        # Chromium is told per page, and better: Playwright's routes let redirects pass.
        if self._interventions and self._assignment.check.profile.engine is not Engine.CHROMIUM:
            note = self._ledger.note_intervention
            yield asyncio.ensure_future(install_routes(self._context, self._interventions, note))

    def _trace(self) -> Iterable[asyncio.Future[None]]:
        if self._settings.traces and self._folder.is_open:
            yield asyncio.ensure_future(self._context.tracing.start(screenshots=True, snapshots=True))

    def _new_ledger(self) -> Ledger:
        return Ledger(
            started=self._started,
            attempt=self._attempt,
            redactor=self._redactor,
            limits=self._settings.limits,
            blocks=self._interventions.blocks,
        )

    @property
    def _follows_a_failure(self) -> bool:
        return self._attempt > 1 or bool(self._assignment.interventions) or bool(self._assignment.until)

    @property
    def handle(self) -> Browser:
        """Return what journey code is given."""
        assert self._browser is not None
        return self._browser

    def begin_step(self, name: str) -> None:
        """Say that what is observed from now on belongs to this step."""
        self._ledger.step = name
        self._work.begin_step(name, time.time())
        self._set_timeouts()

    def explain(self, error: BaseException) -> StepError:
        """Turn what a step raised into a fact about the step. Raises ProberError where the fault is ours."""
        if isinstance(error, ProberError):
            raise error
        self._raise_if_ours(error)
        explained = explanation.explain(error, self._ledger)
        if self._journal.crashed:
            # What is expected of a page that is gone says nothing, however patiently it was waited for.
            return StepError(
                kind=StepErrorKind.PAGE_CRASHED, message="the page crashed", detail=explained.message[:500]
            )
        return explained

    def _raise_if_ours(self, error: BaseException) -> None:
        if self._driver_is_dead() or "Connection closed while reading from the driver" in str(error):
            self.is_sick = True
            message = "Playwright's driver died; it is started again for the next run."
            raise ProberError(ProberFault.DRIVER_DIED, message) from None
        if self.warm.is_dead():
            self.is_sick = True
            message = "The browser died during the run; a fresh one is started for the next."
            raise ProberError(ProberFault.BROWSER_CRASHED, message) from None
        if self.warm.is_frozen():
            self.is_sick = True
            message = "The browser was halted from outside and answers nothing; it is replaced."
            raise ProberError(ProberFault.BROWSER_FROZEN, message) from None

    async def complete(self, error: StepError) -> StepError:
        """Return the error with who made the element in the way; never raises, gives up by itself within seconds."""
        if not error.intercepted_by or self._channel is None or self._journal.crashed or self._is_lost():
            return error
        stack: tuple[str, ...] = ()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_MAKER_SECONDS):
                if self._follows_a_failure:
                    stack = await makers_of(self._channel, error.intercepted_by)
                else:
                    stack = await self._makers_anew(error.intercepted_by)
        return replace(error, intercepted_stack=tuple(self._ledger.clean_url(url) for url in stack))

    async def _makers_anew(self, element: str) -> tuple[str, ...]:
        url = self.handle.page.url.partition("#")[0]
        shown = self._ledger.latest(url)
        if not url.startswith("http") or (shown is not None and shown.method != "GET") or self._ledger.is_unwelcome():
            return ()
        options = context_options(self._playwright, self._assignment)
        context = await self.warm.browser.new_context(**options, storage_state=await self._context.storage_state())
        aside = self._new_ledger()
        watch = self._new_watch(NetworkRecorder(aside, self._settings.limits))
        try:
            return await makers_anew(context, watch, url, element)
        finally:
            self._journal.note("second_look", f"{aside.seen} requests: {url}")
            await watch.settle(0)
            await asyncio.wait_for(context.close(), _CLOSE_SECONDS)

    async def keep_failure(self, step: str, *, sensitive: bool) -> None:
        """Keep a picture of a failure; never raises, gives up by itself within seconds."""
        if sensitive or not self._folder.is_open or self._journal.crashed or self._is_lost():
            return
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_PICTURE_SECONDS):
                picture = await take_picture(self.handle, self._redactor)
            if picture is not None:
                self._keep(await asyncio.to_thread(self._folder.keep, "screenshot", ".png", picture, step=step))

    async def finish(self, *, failed: bool) -> Observations:
        """Stop observing, release the page, and return what was seen. Never raises."""
        vitals = await self._read_vitals(patient=failed)
        if self._watch is not None:
            with contextlib.suppress(Exception):
                await self._watch.settle(0 if self._is_lost() else _HASH_SECONDS)
        self._recorder.tell_refusals()
        self._ledger.tell_refusals()
        self._ledger.abandon_left_ones()
        now = time.monotonic()
        exchanges = self._ledger.freeze(now)
        if failed:
            await self._keep_files(exchanges, now)
            vitals = await self._wait_while_busy() or vitals
        elif self._static is not None:
            await self._static.write(Path(self._assignment.archive_to))
        self._journal.close()
        await self._release()
        return Observations(
            exchanges=exchanges,
            console=self._journal.console,
            page_errors=self._journal.page_errors,
            websockets=self._websockets(),
            events=self._journal.events,
            vitals=vitals,
            scripts=self._work.scripts(),
            artifacts=tuple(self._artifacts),
            truncated=self._truncations(),
        )

    async def _read_vitals(self, *, patient: bool, within: float = VITALS_SECONDS) -> Vitals | None:
        if self._is_lost() or self._journal.crashed:
            return await self._vitals.read(None)
        return await self._vitals.read(self.handle.page, patient=patient, within=within)

    async def _wait_while_busy(self) -> Vitals | None:
        # What keeps a page busy until a step fails tells of itself only once it lets go. By then what was open when the
        # step ended is written down, so that nothing which comes now passes for what came in time.
        if self._vitals.is_answered:
            return None
        return await self._read_vitals(patient=True, within=min(_BUSY_SECONDS, self._remaining()))

    async def _keep_files(self, exchanges: tuple[Exchange, ...], now: float) -> None:
        started_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=now - self._started)
        self._keep(await keep_har(self._folder, exchanges, started_at=started_at, creator=self.warm.text))
        if self._settings.traces and self._folder.is_open and not self.handle.secret_typed and not self._is_lost():
            path = self._settings.scratch / f"trace-{self._assignment.run_id}-{self._attempt}.zip"
            self._keep(await keep_trace(self._folder, self._context, path))

    async def _release(self) -> None:
        if self._is_lost():
            self.is_sick = True
            return
        try:
            await asyncio.wait_for(self._context.close(), _CLOSE_SECONDS)
        except Exception as error:  # noqa: BLE001 - a context that does not close leaves a browser nobody may use again
            self.is_sick = True
            _log.warning("browser context did not close", extra={"error": type(error).__name__})

    def _websockets(self) -> tuple[WebSocketFacts, ...]:
        return self._recorder.websockets() + self._events.websockets()

    def _truncations(self) -> tuple[Truncation, ...]:
        of_network = self._watch.truncations() if self._watch is not None else ()
        return (*self._ledger.truncations(), *self._journal.truncations(), *of_network)

    def _keep(self, artifact: Artifact | None) -> None:
        if artifact is not None:
            self._artifacts.append(artifact)

    def _is_lost(self) -> bool:
        return self.is_sick or self._driver_is_dead() or self.warm.is_dead() or self.warm.is_frozen()

    def _remaining(self) -> float:
        return max(0.1, self._deadline - time.monotonic())

    def _set_timeouts(self) -> None:
        milliseconds = min(_ACTION_SECONDS, self._remaining()) * 1000
        self._context.set_default_timeout(milliseconds)
        self._context.set_default_navigation_timeout(milliseconds)
