"""Steps in a real browser, with everything it did on record."""

from __future__ import annotations

from monitor.probes.browser.probe import BrowserProbe

__all__ = ["BrowserProbe"]
