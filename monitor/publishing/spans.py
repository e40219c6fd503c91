"""One finished run as spans: the run, its steps, and below each step the requests that it made. Pure."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from monitor.domain.evidence import Attempt, StepResult
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.run import Run
from monitor.domain.trace_context import trace_context_of

Attributes = dict[str, str | int | float | bool]

_NANOSECONDS = 1_000_000_000
_ERROR_STATUS = 400
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_BAD_STEPS = frozenset({StepOutcome.FAILED})
_FLAGS = TraceFlags(TraceFlags.SAMPLED)
# The words of OpenTelemetry's conventions for tests; a synthetic run is one, and its user agent says so.
_RESULTS = {Outcome.PASSED: "success", Outcome.DEGRADED: "success", Outcome.FAILED: "failure"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What all spans of a run share: its trace, its beginning, and who tells of it."""

    run: Run
    trace_id: int
    root: SpanContext
    begin: int
    resource: Resource
    scope: InstrumentationScope

    def nanoseconds(self, seconds: float) -> int:
        """Return a moment of the run, given in seconds from its start, in nanoseconds since 1970."""
        return self.begin + round(seconds * _NANOSECONDS)

    def context(self, name: str) -> SpanContext:
        """Return the context of a span of this run: the same name, the same id."""
        digest = hashlib.sha256(f"{self.run.run_id}/{name}".encode()).digest()
        return _context(self.trace_id, int.from_bytes(digest[:8], "big"))


def spans_of(run: Run, *, resource: Resource, scope: InstrumentationScope, run_url: str) -> tuple[ReadableSpan, ...]:
    """Return the spans of a run, the run itself first.

    Queries of URLs are left out, since they may hold what is nobody's business.
    """
    ids = trace_context_of(run.run_id)
    trace_id = int(ids.trace_id, 16)
    frame = _Frame(
        run=run,
        trace_id=trace_id,
        root=_context(trace_id, int(ids.span_id, 16)),
        # A float of seconds since 1970 does not hold nanoseconds, but it does hold microseconds.
        begin=round(run.started_at.timestamp() * 1_000_000) * 1_000,
        resource=resource,
        scope=scope,
    )
    return (_of_run(frame, run_url), *_of_attempts(frame))


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id=trace_id, span_id=span_id, is_remote=False, trace_flags=_FLAGS)


def _of_run(frame: _Frame, run_url: str) -> ReadableSpan:
    run = frame.run
    # A run in which we could not look is no error of those whose spans hang below it.
    failed = run.outcome is Outcome.FAILED
    diagnosis = run.judgement.diagnosis
    return ReadableSpan(
        name=f"journey {run.check.journey}",
        context=frame.root,
        resource=frame.resource,
        instrumentation_scope=frame.scope,
        attributes=_attributes_of(run, run_url),
        events=tuple(_event(frame, experiment) for experiment in run.evidence.experiments),
        status=_status(failed=failed, text=diagnosis.because if diagnosis else run.outcome.value),
        start_time=frame.nanoseconds(0.0),
        end_time=frame.nanoseconds(run.duration),
    )


def _attributes_of(run: Run, run_url: str) -> Attributes:
    check = run.check
    found: Attributes = {
        "test.suite.name": check.name,
        "test.suite.run.status": _RESULTS.get(run.outcome, "aborted"),
        "user_agent.synthetic.type": "test",
        "faultline.run.id": run.run_id,
        "faultline.run.url": run_url,
        "faultline.journey": check.journey,
        "faultline.target": check.target.name,
        "faultline.profile": check.profile.name,
        "faultline.location": run.location,
        "faultline.outcome": run.outcome.value,
        "faultline.validity": run.judgement.validity.value,
    }
    if check.team:
        found["faultline.team"] = check.team
    if check.service:
        found["faultline.service"] = check.service
    if (diagnosis := run.judgement.diagnosis) is not None:
        found |= {
            "faultline.cause": diagnosis.cause.value,
            "faultline.detail": diagnosis.detail.value,
            "faultline.confidence": diagnosis.confidence.value,
            "faultline.rule": diagnosis.rule,
        }
        if diagnosis.culprit is not None:
            found["faultline.culprit"] = diagnosis.culprit.name
    return found


def _event(frame: _Frame, experiment: Experiment) -> Event:
    attributes: Mapping[str, str] = {
        "faultline.experiment.kind": experiment.kind.value,
        "faultline.experiment.subject": experiment.subject,
        "faultline.experiment.outcome": experiment.outcome.value,
    }
    return Event(name="experiment", attributes=attributes, timestamp=frame.nanoseconds(experiment.started))


def _of_attempts(frame: _Frame) -> Iterator[ReadableSpan]:
    parents: dict[tuple[int, str], SpanContext] = {}
    for attempt in frame.run.evidence.attempts:
        for step in attempt.steps:
            if step.outcome is not StepOutcome.NOT_REACHED:
                context = frame.context(f"{attempt.number}/{step.name}")
                parents[attempt.number, step.name] = context
                yield _of_step(frame, attempt, step, context)
    for exchange in frame.run.evidence.exchanges:
        yield _of_exchange(frame, exchange, parents.get((exchange.attempt, exchange.step), frame.root))


def _of_step(frame: _Frame, attempt: Attempt, step: StepResult, context: SpanContext) -> ReadableSpan:
    failed = step.outcome in _BAD_STEPS
    attributes: Attributes = {
        "test.case.name": step.name,
        "test.case.result.status": "fail" if failed else "pass",
        "faultline.step.outcome": step.outcome.value,
        "faultline.attempt": attempt.number,
    }
    if step.capability:
        attributes["faultline.capability"] = step.capability
    return ReadableSpan(
        name=f"step {step.name}",
        context=context,
        parent=frame.root,
        resource=frame.resource,
        instrumentation_scope=frame.scope,
        attributes=attributes,
        status=_status(failed=failed, text=step.error.message if step.error else ""),
        start_time=frame.nanoseconds(step.started),
        end_time=frame.nanoseconds(step.started + step.duration),
    )


def _of_exchange(frame: _Frame, exchange: Exchange, parent: SpanContext) -> ReadableSpan:
    failed = exchange.failure is not None or (exchange.status or 0) >= _ERROR_STATUS
    begin = exchange.timings.started
    return ReadableSpan(
        name=exchange.method,
        kind=SpanKind.CLIENT,
        context=frame.context(f"exchange/{exchange.attempt}/{exchange.id}"),
        parent=parent,
        resource=frame.resource,
        instrumentation_scope=frame.scope,
        attributes=_attributes_of_exchange(exchange),
        status=_status(failed=failed, text=exchange.failure_text),
        start_time=frame.nanoseconds(begin),
        end_time=frame.nanoseconds(begin + exchange.timings.total),
    )


def _attributes_of_exchange(exchange: Exchange) -> Attributes:
    parts = urlsplit(exchange.url)
    path, place = parts.path or "/", parts.netloc.rpartition("@")[2]
    found: Attributes = {
        "http.request.method": exchange.method,
        "server.address": exchange.host,
        # Without the query: it may name a customer, and says little of what was asked.
        "url.full": f"{parts.scheme}://{place}{path}",
        "url.scheme": parts.scheme,
        "url.path": path,
        "user_agent.synthetic.type": "test",
    }
    port = _port_of(parts)
    if port is not None:
        found["server.port"] = port
    if exchange.status is not None:
        found["http.response.status_code"] = exchange.status
    if exchange.address is not None:
        found["network.peer.address"] = exchange.address
    if exchange.failure is not None:
        found["error.type"] = exchange.failure.value
    elif (exchange.status or 0) >= _ERROR_STATUS:
        found["error.type"] = str(exchange.status)
    for phase in ("resolve", "connect", "tls", "wait", "receive"):
        seconds: float | None = getattr(exchange.timings, phase)
        if seconds is not None:
            found[f"faultline.phase.{phase}"] = seconds
    return found


def _port_of(parts: SplitResult) -> int | None:
    """Return the port that was asked: the one in the URL, else that of its scheme."""
    with contextlib.suppress(ValueError):
        if parts.port is not None:
            return parts.port
    return _PORTS.get(parts.scheme)


def _status(*, failed: bool, text: str) -> Status:
    return Status(StatusCode.ERROR, text or None) if failed else Status(StatusCode.UNSET)
