"""What pages do beside requests: console, errors, dialogs, popups, downloads, crashes; all of it capped."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Download, Page, WebError

from monitor.domain.evidence import ConsoleLevel, PageError, PageEvent, Truncation
from monitor.domain.evidence import ConsoleMessage as ConsoleLine
from monitor.probes.browser.failures import console_finding, refusal_told
from monitor.probes.browser.ledger import Ledger, Limits

_LEVELS = {"error": ConsoleLevel.ERROR, "assert": ConsoleLevel.ERROR, "warning": ConsoleLevel.WARNING}
_FRAME = re.compile(r"((?:https?|wss?|file|blob|webpack)[^\s()]*?)(?::\d+){1,2}\)?\s*$", re.MULTILINE)
_FRAMES = 10
_DEAFENING = 10
_CLOSE_LIMIT = 2.0


class PageJournal:
    """Listens to one context."""

    def __init__(self, context: BrowserContext, ledger: Ledger, limits: Limits) -> None:
        self._context = context
        self._ledger = ledger
        self._limits = limits
        self._seen: Counter[str] = Counter()
        self._console: list[ConsoleLine] = []
        self._errors: list[PageError] = []
        self._events: list[PageEvent] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._main: Page | None = None
        self._answer: tuple[bool, str | None] = (False, None)
        self._popups: set[Page] = set()
        self.crashed = False

    def listen(self) -> None:
        """Start listening, before the first page opens."""
        self._context.on("console", self._hear)
        self._context.on("weberror", self._note_error)
        self._context.on("dialog", self._dismiss)
        self._context.on("page", self._note_page)

    def adopt(self, page: Page) -> None:
        """Name the page that the journey walks on; every other one is a popup."""
        self._main = page
        self._watch(page)

    def answer_dialogs(self, *, accept: bool, text: str | None = None) -> None:
        """Answer dialogs in this way from now on, as the journey's author says."""
        self._answer = (accept, text)

    def close(self) -> None:
        """Stop everything that is still under way."""
        for task in tuple(self._tasks):
            task.cancel()

    @property
    def console(self) -> tuple[ConsoleLine, ...]:
        """Return the lines that were kept."""
        return tuple(self._console)

    @property
    def page_errors(self) -> tuple[PageError, ...]:
        """Return the uncaught exceptions that were kept."""
        return tuple(self._errors)

    @property
    def events(self) -> tuple[PageEvent, ...]:
        """Return what else happened; what is many is counted in one event."""
        return tuple(self._events)

    def note(self, kind: str, text: str = "") -> None:
        """Keep an event."""
        self._seen[kind] += 1
        if len(self._events) < self._limits.page_events:
            masked = self._ledger.mask(text, self._limits.text)
            self._events.append(PageEvent(kind=kind, text=masked, step=self._ledger.step))

    def truncations(self) -> tuple[Truncation, ...]:
        """Return what was cut."""
        counts = {
            "console": (len(self._console), self._seen["console"]),
            "page_errors": (len(self._errors), self._seen["page_errors"]),
            "page_events": (
                len(self._events),
                sum(self._seen[kind] for kind in self._seen if kind not in {"console", "page_errors"}),
            ),
        }
        return tuple(
            Truncation(what=what, kept=kept, seen=seen) for what, (kept, seen) in counts.items() if seen > kept
        )

    def _hear(self, message: ConsoleMessage) -> None:
        self._seen["console"] += 1
        if self._seen["console"] >= self._limits.console * _DEAFENING:
            self._context.remove_listener("console", self._hear)
        level = _LEVELS.get(message.type, ConsoleLevel.INFO)
        text = message.text
        finding = console_finding(text[:4000]) if level is not ConsoleLevel.INFO else None
        place = message.location
        if finding is not None:
            self._ledger.mark(finding.url or place.get("url", ""), finding.failure, text, untold=finding.untold)
        refusal = refusal_told(text) if level is ConsoleLevel.ERROR else None
        if refusal is not None:
            self._ledger.note_refusal(place.get("url", ""), refusal)
        # Chatter gets no more than half the room, so that it cannot crowd out errors.
        room = self._limits.console if level is ConsoleLevel.ERROR else self._limits.console // 2
        if len(self._console) < room:
            self._console.append(
                ConsoleLine(
                    level=level,
                    text=self._ledger.mask(text, self._limits.text),
                    url=self._ledger.clean_url(place.get("url", "")),
                    line=place.get("lineNumber"),
                    step=self._ledger.step,
                )
            )

    def _note_error(self, error: WebError) -> None:
        self._seen["page_errors"] += 1
        if self._seen["page_errors"] >= self._limits.page_errors * _DEAFENING:
            self._context.remove_listener("weberror", self._note_error)
        if len(self._errors) >= self._limits.page_errors:
            return
        thrown = error.error
        message = str(getattr(thrown, "message", None) or thrown)
        stack = (getattr(thrown, "stack", None) or "")[:20_000]
        frames: list[str] = []
        for url in _FRAME.findall(stack):
            clean = self._ledger.clean_url(url)
            if not frames or frames[-1] != clean:
                frames.append(clean)
        # Code that does not parse has no stack, only the place where reading it ended.
        place = error.location.get("url", "")
        if not frames and place.startswith(("http://", "https://")):
            frames.append(self._ledger.clean_url(place))
        self._errors.append(
            PageError(
                message=self._ledger.mask(message, self._limits.text),
                frames=tuple(frames[:_FRAMES]),
                step=self._ledger.step,
            )
        )

    def _dismiss(self, dialog: Dialog) -> None:
        accept, text = self._answer
        # Whoever leaves a page means it: staying would hold up the journey, as no customer would.
        accept = accept or dialog.type == "beforeunload"
        self.note("dialog", f"{dialog.type}: {dialog.message}")
        self._start(dialog.accept(text or dialog.default_value) if accept else dialog.dismiss())

    def _note_page(self, page: Page) -> None:
        if self._main is None or page is self._main:
            return
        self.note("popup", page.url)
        if len(self._popups) >= self._limits.popups:
            self._start(asyncio.wait_for(page.close(), _CLOSE_LIMIT))
            return
        self._popups.add(page)
        page.once("close", self._forget_popup)
        self._watch(page)

    def _forget_popup(self, page: Page) -> None:
        self._popups.discard(page)

    def _watch(self, page: Page) -> None:
        page.on("crash", self._note_crash)
        page.on("download", self._note_download)

    def _note_crash(self, page: Page) -> None:
        self.note("crash", page.url)
        self.crashed = self.crashed or page is self._main

    def _note_download(self, download: Download) -> None:
        self.note("download", f"refused: {download.url}")
        self._start(download.cancel())

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quietly(work: Coroutine[Any, Any, Any]) -> None:
    # Page, dialog or download may be gone before the answer arrives, or the author's own listener was quicker.
    with contextlib.suppress(Exception):
        await work
