"""Web Vitals of the first page, measured by Google's own library."""

from __future__ import annotations

import asyncio
import contextlib
import json
from importlib import resources
from typing import Any

from playwright.async_api import BrowserContext, Page

from monitor.domain.evidence import Vitals

_BINDING = "__faultlineVitals"
_LIMIT = 1.5
_WRAPPER = """(() => {
  if (window !== window.top || !location.protocol.startsWith('http')) return;
  %(library)s
  const seen = {longTasks: 0, longTaskSeconds: 0};
  const keep = (name, unit) => metric => { seen[name] = metric.value / unit; };
  const all = {reportAllChanges: true};
  webVitals.onTTFB(keep('ttfb', 1000), all);
  webVitals.onFCP(keep('fcp', 1000), all);
  webVitals.onLCP(keep('lcp', 1000), all);
  webVitals.onINP(keep('inp', 1000), all);
  webVitals.onCLS(keep('cls', 1), all);
  try {
    new PerformanceObserver(list => {
      for (const task of list.getEntries()) { seen.longTasks += 1; seen.longTaskSeconds += task.duration / 1000; }
    }).observe({type: 'longtask', buffered: true});
  } catch (error) { /* only Chromium knows long tasks */ }
  const stringify = JSON.stringify, tell = window.%(binding)s;
  let told = false;
  const report = () => {
    if (!told && tell) { told = true; tell(stringify(seen)); }
  };
  addEventListener('pagehide', report, true);
  Object.defineProperty(window, '%(binding)sNow', {value: () => stringify(seen)});
})()"""


class VitalsWatch:
    """Keeps what the first page of an attempt reports."""

    def __init__(self) -> None:
        self._vitals: Vitals | None = None

    async def install(self, context: BrowserContext) -> None:
        """Put the library into every page to come."""
        await asyncio.gather(context.expose_binding(_BINDING, self._take), context.add_init_script(_script()))

    async def read(self, page: Page | None) -> Vitals | None:
        """Return the vitals of the first page, asking it where it is still open."""
        if self._vitals is None and page is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_LIMIT):
                    told = await page.evaluate(f"window.{_BINDING}Now ? window.{_BINDING}Now() : null")
                if told:
                    self._vitals = _parse(told)
        return self._vitals

    def _take(self, _source: object, told: object) -> None:
        if self._vitals is None and isinstance(told, str):
            with contextlib.suppress(ValueError, TypeError):
                self._vitals = _parse(told)


def _script() -> str:
    library = resources.files("monitor.probes.browser").joinpath("vendor/web-vitals.iife.js").read_text("utf-8")
    return _WRAPPER % {"library": library, "binding": _BINDING}


def _parse(told: str) -> Vitals:
    seen: dict[str, Any] = json.loads(told)
    return Vitals(
        largest_contentful_paint=_number(seen, "lcp"),
        first_contentful_paint=_number(seen, "fcp"),
        time_to_first_byte=_number(seen, "ttfb"),
        interaction_to_next_paint=_number(seen, "inp"),
        cumulative_layout_shift=_number(seen, "cls"),
        long_tasks=int(seen["longTasks"]),
        long_task_seconds=float(seen["longTaskSeconds"]),
    )


def _number(seen: dict[str, Any], name: str) -> float | None:
    value = seen.get(name)
    return float(value) if isinstance(value, (int, float)) else None
