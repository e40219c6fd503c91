"""What a customer does, as code: all that a module of ``checks/`` needs, and all that it may import of the engine."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from monitor.domain.secret import Secret
from monitor.journeys.authoring import Journey, JourneyError, step
from monitor.journeys.expectations import eventually, expect_response, expect_that
from monitor.journeys.webhooks import Webhook, Webhooks
from monitor.probes.session import ExpectationFailed

if TYPE_CHECKING:
    from monitor.probes.browser import Browser, expect
    from monitor.probes.http import Http, HttpResponse

__all__ = [
    "Browser",
    "ExpectationFailed",
    "Http",
    "HttpResponse",
    "Journey",
    "JourneyError",
    "Secret",
    "Webhook",
    "Webhooks",
    "eventually",
    "expect",
    "expect_response",
    "expect_that",
    "step",
]

_PROBES = {
    "Browser": "monitor.probes.browser",
    "expect": "monitor.probes.browser",
    "Http": "monitor.probes.http",
    "HttpResponse": "monitor.probes.http",
}


def __getattr__(name: str) -> object:
    # Loaded when first asked for: a worker for HTTP journeys has no use for a browser's library, and the reverse.
    if name in _PROBES:
        return getattr(importlib.import_module(_PROBES[name]), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
