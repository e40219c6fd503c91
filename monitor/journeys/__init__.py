"""What a customer does, as code: all that a module of ``checks/`` needs, and all that it may import of the engine."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from monitor.domain.secret import Secret
from monitor.journeys.authoring import Journey, JourneyError, step
from monitor.journeys.expectations import eventually, expect_response, expect_that
from monitor.probes.session import ExpectationFailed

if TYPE_CHECKING:
    from playwright.async_api import expect

    from monitor.probes.browser.handle import Browser
    from monitor.probes.http.client import Http
    from monitor.probes.http.response import Response
    from monitor.probes.http.webhook import Webhook

__all__ = [
    "Browser",
    "ExpectationFailed",
    "Http",
    "Journey",
    "JourneyError",
    "Response",
    "Secret",
    "Webhook",
    "eventually",
    "expect",
    "expect_response",
    "expect_that",
    "step",
]

# Loaded when first asked for: a worker for HTTP journeys has no use for a browser's library.
_LATE = {
    "Browser": ("monitor.probes.browser.handle", "Browser"),
    "expect": ("playwright.async_api", "expect"),
    "Http": ("monitor.probes.http.client", "Http"),
    "Response": ("monitor.probes.http.response", "Response"),
    "Webhook": ("monitor.probes.http.webhook", "Webhook"),
}


def __getattr__(name: str) -> object:
    if name in _LATE:
        module, original = _LATE[name]
        return getattr(importlib.import_module(module), original)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
