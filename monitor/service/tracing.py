"""Opens the destination of traces, where one is configured and the extra is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

import monitor
from monitor.config.settings import Settings
from monitor.service.startup import StartupError

if TYPE_CHECKING:
    from monitor.publishing.traces import Traces


def require_tracing(settings: Settings) -> None:
    """Raise StartupError where traces are asked for and the extra that sends them is not installed."""
    if settings.tracing is not None and importlib.util.find_spec("opentelemetry") is None:
        message = "tracing needs OpenTelemetry; install it from the checkout with: pip install '.[otel]'"
        raise StartupError(message)


def open_traces(settings: Settings, on_failure: Callable[[str], None]) -> Traces | None:
    """Return where traces go, ``None`` where nowhere; ``on_failure`` is told ``traces`` for each run that is lost."""
    if settings.tracing is None:
        return None
    # Half a second and a tenth of memory that a monitor without traces need not pay.
    from monitor.publishing.traces import Traces  # noqa: PLC0415 - the extra may not be installed

    return Traces(
        settings.tracing,
        version=monitor.__version__,
        location=settings.location,
        web_url=settings.web.url,
        on_failure=lambda: on_failure("traces"),
    )
