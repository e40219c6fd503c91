"""Hands each run to an OpenTelemetry collector, away from the checks: a thread of its own, a short queue, a time limit."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from monitor.config.settings import TracingSettings
from monitor.domain.run import Run
from monitor.publishing.spans import spans_of

_log = logging.getLogger(__name__)

_WAITING = 200
_PATIENCE = 5.0


class Traces:
    """Sends one trace for each run by OTLP over HTTP. A collector that is slow or away costs traces, never a run."""

    def __init__(
        self, settings: TracingSettings, *, version: str, location: str, web_url: str, on_failure: Callable[[], None]
    ) -> None:
        """Start the thread; ``on_failure`` is told, from any thread, of each run whose trace could not be sent."""
        self._settings = settings
        self._web_url = web_url.rstrip("/")
        self._on_failure = on_failure
        self._resource = Resource(
            {"service.name": settings.service_name, "service.version": version, "faultline.location": location}
        )
        self._scope = InstrumentationScope("faultline", version)
        self._exporter = OTLPSpanExporter(
            endpoint=settings.endpoint,
            headers={name: value.reveal() for name, value in settings.headers},
            timeout=settings.timeout.total_seconds(),
        )
        self._queue: queue.Queue[Run | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._send_all, name="traces", daemon=True)
        self._thread.start()

    def publish(self, run: Run) -> None:
        """Take one run in. Raises ``queue.Full`` where the collector has fallen too far behind."""
        self._queue.put_nowait(run)

    def close(self) -> None:
        """Send what waits, for a few seconds at most, and end the thread. Blocks: call it in a thread."""
        try:
            self._queue.put(None, timeout=_PATIENCE)
        except queue.Full:
            _log.warning("traces that waited for the collector are dropped", extra={"runs": self._queue.qsize()})
        self._thread.join(_PATIENCE)
        self._exporter.shutdown()

    def _send_all(self) -> None:
        while (run := self._queue.get()) is not None:
            if not self._sent(run):
                self._on_failure()

    def _sent(self, run: Run) -> bool:
        try:
            spans = spans_of(
                run, resource=self._resource, scope=self._scope, run_url=f"{self._web_url}/runs/{run.run_id}"
            )
            return self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception:
            # The thread must outlive whatever one run or the exporter does.
            _log.exception("a trace could not be made", extra={"run_id": run.run_id})
            return False
