from __future__ import annotations

import datetime as dt
import gzip
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from monitor.config.settings import TracingSettings
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.evidence import StepError, StepErrorKind, StepResult
from monitor.domain.exchange import Timings
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.run import Judgement, Run
from monitor.domain.secret import Secret
from monitor.domain.trace_context import trace_context_of
from monitor.publishing.traces import Traces
from tests.builders import A_MOMENT, a_run, an_attempt, an_evidence, an_exchange

PATIENCE = 60.0


class Collector:
    """A small OTLP receiver: keeps what it was sent, and answers as it is told to."""

    def __init__(self) -> None:
        self.requests: Queue[tuple[dict[str, str], ExportTraceServiceRequest]] = Queue()
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                # Read once: a test may change it as soon as the answer is out.
                status = collector.status
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()
                if status == 200:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    collector.requests.put((headers, ExportTraceServiceRequest.FromString(body)))

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"

    def spans(self, count: int) -> list[Span]:
        found: list[Span] = []
        while len(found) < count:
            _, request = self.requests.get(timeout=PATIENCE)
            found += [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def failures() -> Queue[None]:
    return Queue()


@pytest.fixture
def traces(collector, failures):
    settings = TracingSettings(
        endpoint=collector.url,
        headers=(("x-api-key", Secret("x-api-key", "otlp-key")),),
        timeout=dt.timedelta(seconds=PATIENCE),
    )
    opened = Traces(
        settings,
        version="1.2.3",
        location="here",
        web_url="http://monitor.example",
        on_failure=lambda: failures.put(None),
    )
    yield opened
    opened.close()


def attributes(span: Span) -> dict[str, object]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}


def a_failed_run() -> Run:
    pay = StepResult(
        name="pay",
        title="Pay",
        outcome=StepOutcome.FAILED,
        started=1.0,
        duration=2.0,
        capability="payments",
        error=StepError(kind=StepErrorKind.EXPECTATION, message="no receipt"),
    )
    attempt = an_attempt(
        outcome=Outcome.FAILED,
        steps=(
            StepResult(name="open", title="Open", outcome=StepOutcome.PASSED, started=0.0, duration=1.0),
            pay,
            StepResult(name="leave", title="Leave", outcome=StepOutcome.NOT_REACHED),
        ),
    )
    request = an_exchange(
        id="x1",
        url="https://pay.example/charge?card=4111",
        host="pay.example",
        method="POST",
        step="pay",
        status=502,
        timings=Timings(started=1.25, wait=0.5, total=0.75),
    )
    tried = Experiment(
        kind=ExperimentKind.REPLAY,
        subject="pay.example",
        outcome=Outcome.PASSED,
        started=3.5,
        duration=0.5,
        hosts=("pay.example",),
    )
    diagnosis = Diagnosis(
        cause=Cause.THIRD_PARTY,
        detail=Detail.TP_CONTENT,
        confidence=Confidence.CONFIRMED,
        rule="R08",
        because="Example Pay answered 502.",
        culprit=Culprit(kind=CulpritKind.VENDOR, name="Example Pay", host="pay.example"),
    )
    evidence = an_evidence(duration=3.0, attempts=(attempt,), exchanges=(request,), experiments=(tried,))
    judged = Judgement(outcome=Outcome.FAILED, validity=Validity.VALID, diagnosis=diagnosis)
    return replace(a_run(), evidence=evidence, judgement=judged)


def test_a_failed_run_is_one_trace_of_the_run_its_steps_and_their_requests(collector, traces):
    run = a_failed_run()
    traces.publish(run)
    spans = {span.name: span for span in collector.spans(4)}
    assert set(spans) == {f"journey {run.check.journey}", "step open", "step pay", "POST"}
    root = spans[f"journey {run.check.journey}"]
    context = trace_context_of(run.run_id)
    assert {span.trace_id.hex() for span in spans.values()} == {context.trace_id}
    assert root.span_id.hex() == context.span_id, "own servers hang their spans below the run's"
    assert root.parent_span_id == b""
    assert spans["step pay"].parent_span_id == root.span_id
    assert spans["POST"].parent_span_id == spans["step pay"].span_id
    assert spans["POST"].kind == Span.SPAN_KIND_CLIENT
    begin = int(A_MOMENT.timestamp() * 1e9)
    assert (root.start_time_unix_nano, root.end_time_unix_nano) == (begin, begin + 3_000_000_000)
    assert spans["POST"].start_time_unix_nano == begin + 1_250_000_000
    assert spans["POST"].end_time_unix_nano == begin + 2_000_000_000


def test_the_spans_say_whose_failure_it_was_and_that_the_client_is_synthetic(collector, traces):
    run = a_failed_run()
    traces.publish(run)
    spans = {span.name: span for span in collector.spans(4)}
    root = spans[f"journey {run.check.journey}"]
    said = attributes(root)
    assert said["user_agent.synthetic.type"] == "test"
    assert (said["faultline.cause"], said["faultline.detail"]) == ("third_party", "tp.content")
    assert said["faultline.culprit"] == "Example Pay"
    assert said["faultline.run.url"] == f"http://monitor.example/runs/{run.run_id}"
    assert root.status.code == Status.STATUS_CODE_ERROR
    assert root.status.message == "Example Pay answered 502."
    assert [event.name for event in root.events] == ["experiment"]
    assert attributes(spans["step pay"])["faultline.capability"] == "payments"
    assert spans["step pay"].status.message == "no receipt"
    assert spans["step open"].status.code == Status.STATUS_CODE_UNSET
    asked = attributes(spans["POST"])
    assert asked["error.type"] == "502"
    assert (asked["url.full"], asked["server.address"], asked["server.port"]) == (
        "https://pay.example/charge", "pay.example", 443,
    )  # fmt: skip


def test_a_run_in_which_we_could_not_look_is_neither_an_error_nor_a_success(collector, traces):
    run = replace(a_run(), judgement=Judgement(outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID))
    traces.publish(run)
    root = collector.spans(1)[0]
    assert root.status.code == Status.STATUS_CODE_UNSET
    assert attributes(root)["test.suite.run.status"] == "aborted"


def test_queries_of_urls_stay_at_home_and_the_key_travels_in_its_header_only(collector, traces):
    traces.publish(a_failed_run())
    headers, request = collector.requests.get(timeout=PATIENCE)
    assert headers["x-api-key"] == "otlp-key"
    assert b"4111" not in request.SerializeToString()
    assert b"otlp-key" not in request.SerializeToString()


def test_a_collector_that_refuses_costs_the_trace_and_says_so_once(collector, traces, failures, caplog):
    collector.status = 400
    for number in range(2):
        traces.publish(replace(a_failed_run(), run_id=f"refused-{number}"))
        failures.get(timeout=PATIENCE)
    collector.status = 200
    traces.publish(replace(a_failed_run(), run_id="taken"))
    assert len(collector.spans(4)) == 4
    traces.close()
    told = [record.message for record in caplog.records if record.name == "monitor.publishing.traces"]
    assert told.count("the collector takes no traces; they are dropped") == 1


def test_runs_beyond_the_queue_are_dropped_and_counted_without_waiting(failures):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        settings = TracingSettings(
            endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces", timeout=dt.timedelta(seconds=1)
        )
        traces = Traces(settings, version="1", location="here", web_url="", on_failure=lambda: failures.put(None))
        for _ in range(300):
            traces.publish(a_failed_run())
        assert failures.qsize() >= 80, "200 wait, and at most 20 are on their way"
        traces.close()
