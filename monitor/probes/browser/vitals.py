"""Web Vitals of the first page, measured by Google's own library, and the long frames of every page."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from playwright.async_api import BrowserContext, Page

from monitor.domain.evidence import Vitals
from monitor.probes.browser.work import WorkWatch

_BINDING = "__faultlineVitals"
VITALS_SECONDS = 1.5
_LONGEST = 50_000
_WRAPPER = """(() => {
  if (window !== window.top || !location.protocol.startsWith('http')) return;
  %(library)s
  const seen = {page: performance.timeOrigin, longTasks: 0, longTaskSeconds: 0};
  const stringify = JSON.stringify, tell = window.%(binding)s, soon = queueMicrotask;
  // Each change is told at once: what a page says while it is being left is lost.
  let due = false;
  const report = () => { due = false; if (tell) tell(stringify(seen)); };
  const change = () => { if (!due) { due = true; soon(report); } };
  const keep = (name, unit) => metric => { seen[name] = metric.value / unit; change(); };
  const all = {reportAllChanges: true};
  webVitals.onTTFB(keep('ttfb', 1000), all);
  webVitals.onFCP(keep('fcp', 1000), all);
  webVitals.onLCP(keep('lcp', 1000), all);
  webVitals.onINP(keep('inp', 1000), {...all, durationThreshold: 16});
  webVitals.onCLS(keep('cls', 1), all);
  try {
    new PerformanceObserver(list => {
      for (const task of list.getEntries()) { seen.longTasks += 1; seen.longTaskSeconds += task.duration / 1000; }
      change();
    }).observe({type: 'longtask', buffered: true});
  } catch (error) { /* only Chromium knows long tasks */ }
  // The first word tells which page was the first.
  report();
  const {timeOrigin} = performance, page = location.href;
  const tellWork = frames => {
    const work = frames.flatMap(frame => Array.from(frame.scripts, script =>
      [(script.sourceURL || page).slice(0, 2000), (timeOrigin + script.startTime) / 1000, script.duration / 1000]));
    work.sort((one, other) => other[2] - one[2]);
    if (work.length && tell) tell(stringify({work: work.slice(0, 20)}));
  };
  let frames = null;
  if (PerformanceObserver.supportedEntryTypes.includes('long-animation-frame')) {
    frames = new PerformanceObserver(list => tellWork(list.getEntries()));
    frames.observe({type: 'long-animation-frame', buffered: true});
  }
  const now = () => {
    if (frames) tellWork(frames.takeRecords());
    return stringify(seen);
  };
  // A frame is told of once it was painted.
  const later = () => new Promise(done => {
    setTimeout(() => done(now()), 150);
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(now()))));
  });
  Object.defineProperty(window, '%(binding)sNow', {value: patient => patient && frames ? later() : now()});
})()"""


class VitalsWatch:
    """Keeps what the first page of an attempt reports, the last word of it; hands on what pages tell of their work."""

    def __init__(self, script: str, work: WorkWatch) -> None:
        self._script = script
        self._work = work
        self.is_answered = True
        self._page: float | None = None
        self._vitals: Vitals | None = None

    async def install(self, context: BrowserContext) -> None:
        """Put the library into every page to come."""
        await asyncio.gather(context.expose_binding(_BINDING, self._take), context.add_init_script(self._script))

    async def read(self, page: Page | None, *, patient: bool = False, within: float = VITALS_SECONDS) -> Vitals | None:
        """Return the vitals of the first page, asking it where it is still open; it has ``within`` seconds to answer.

        ``patient`` says that it is worth to wait for the frame that a page is just about to show.
        """
        if page is not None:
            asked = f"window.{_BINDING}Now ? window.{_BINDING}Now({str(patient).lower()}) : null"
            self.is_answered = False
            with contextlib.suppress(Exception):
                async with asyncio.timeout(within):
                    self._take(None, await page.evaluate(asked))
                    self.is_answered = True
        return self._vitals

    def _take(self, _source: object, told: object) -> None:
        if not isinstance(told, str) or len(told) > _LONGEST:
            return
        # A page can call this too: what it says must not break anything.
        with contextlib.suppress(ValueError, TypeError, KeyError):
            seen: dict[str, Any] = json.loads(told)
            if "work" in seen:
                self._work.take(seen["work"])
            elif self._page in {None, seen["page"]}:
                self._vitals, self._page = _parse(seen), seen["page"]


def vitals_script() -> str:
    """Return the script that every page is given: the library, and what keeps its numbers."""
    library = resources.files("monitor.probes.browser").joinpath("vendor/web-vitals.iife.js").read_text("utf-8")
    return _WRAPPER % {"library": library, "binding": _BINDING}


def _parse(seen: Mapping[str, Any]) -> Vitals:
    return Vitals(
        largest_contentful_paint=_number(seen, "lcp"),
        first_contentful_paint=_number(seen, "fcp"),
        time_to_first_byte=_number(seen, "ttfb"),
        interaction_to_next_paint=_number(seen, "inp"),
        cumulative_layout_shift=_number(seen, "cls"),
        long_tasks=int(seen["longTasks"]),
        long_task_seconds=float(seen["longTaskSeconds"]),
    )


def _number(seen: Mapping[str, Any], name: str) -> float | None:
    value = seen.get(name)
    return float(value) if isinstance(value, (int, float)) else None
