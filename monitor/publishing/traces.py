"""Hands each run to an OpenTelemetry collector, off the check path: own thread, short queue, time limit."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from monitor.config.settings import TracingSettings
from monitor.domain.run import Run
from monitor.publishing.spans import spans_of

_log = logging.getLogger(__name__)

_WAITING = 200
_AT_ONCE = 20
_PATIENCE = 2.0


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
        # The exporter tells of every try that fails; what matters is told here, once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._exporter = OTLPSpanExporter(
            endpoint=settings.endpoint,
            headers={name: value.reveal() for name, value in settings.headers},
            timeout=settings.timeout.total_seconds(),
        )
        self._away = False
        self._queue: queue.Queue[Run | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._send_all, name="traces", daemon=True)
        self._thread.start()

    def publish(self, run: Run) -> None:
        """Take one run in; where the collector has fallen too far behind, its trace is dropped and counted."""
        try:
            self._queue.put_nowait(run)
        except queue.Full:
            self._failed(1)

    def close(self) -> None:
        """Send what waits, for a few seconds at most, and end the thread. Blocks: call it in a thread."""
        try:
            self._queue.put(None, timeout=_PATIENCE)
        except queue.Full:
            _log.warning("traces that waited for the collector are dropped", extra={"runs": self._queue.qsize()})
        self._thread.join(_PATIENCE)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # the package leaves it untyped

    def _send_all(self) -> None:
        open_ = True
        while open_:
            runs = [self._queue.get()]
            while len(runs) < _AT_ONCE and not self._queue.empty():
                runs.append(self._queue.get())
            open_ = runs[-1] is not None
            self._send([run for run in runs if run is not None])

    def _send(self, runs: list[Run]) -> None:
        spans: list[ReadableSpan] = []
        for run in runs:
            url = f"{self._web_url}/runs/{run.run_id}"
            spans += spans_of(run, resource=self._resource, scope=self._scope, run_url=url)
        if not spans:
            return
        if self._exporter.export(spans) is SpanExportResult.SUCCESS:
            self._succeeded()
        else:
            self._failed(len(runs))

    def _succeeded(self) -> None:
        if self._away:
            self._away = False
            _log.info("the collector takes traces again")

    def _failed(self, runs: int) -> None:
        for _ in range(runs):
            self._on_failure()
        if not self._away:
            # One line for each outage: a line for each run would bury what the monitor is for.
            self._away = True
            _log.warning("the collector takes no traces; they are dropped", extra={"endpoint": self._settings.endpoint})
