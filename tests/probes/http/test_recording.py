from __future__ import annotations

import pytest

from monitor.domain.failure import Failure, Phase
from monitor.domain.secret import Redactor, Secret
from monitor.probes.http.certificates import CertificateReader
from monitor.probes.http.ledger import Ledger
from monitor.probes.http.limits import Limits
from monitor.probes.http.observation import Observation
from monitor.probes.http.outgoing import Origin, Outgoing
from monitor.probes.http.recording import Recorder
from monitor.probes.http.response import Headers


@pytest.fixture
def recorder() -> Recorder:
    redactor = Redactor([Secret("token", "s3cret-token")])
    return Recorder(redactor=redactor, certificates=CertificateReader(), attempt=1, started=100.0)


def _observation(**values) -> Observation:
    fields = {
        "id": "1.1",
        "url": "http://x/?t=s3cret-token",
        "host": "x",
        "method": "GET",
        "step": "s",
        "started": 101.0,
    }
    return Observation(**{**fields, **values})


def _outgoing() -> Outgoing:
    return Outgoing(
        method="GET",
        url="http://x/",
        origin=Origin("http", "x", 80),
        authority=b"x",
        target=b"/",
        headers=((b"Host", b"x"), (b"X-One", b"1")),
        fields=b"Host: x\r\nX-One: 1\r\n",
        body=b"",
    )


def test_secrets_are_masked_wherever_a_server_sends_them_back(recorder):
    observation = _observation(
        status=302, reason=b"s3cret-token", headers=[(b"location", b"/?t=s3cret-token"), (b"set-cookie", b"a=b")]
    )
    observation.fail(Failure.HTTP_FAILED, "said s3cret-token", at=102.0)
    record = repr(recorder.record(observation))
    assert "s3cret-token" not in record
    assert "set-cookie" not in record


def test_what_a_server_says_is_one_short_harmless_line(recorder):
    text = recorder.text(b"a\r\nb\x1b[31m\xff\xe2\x80\xae" + b"x" * 5000)
    assert text.isprintable()
    assert text.startswith("a\\r\\nb\\x1b[31m")
    assert len(text) <= 501


def test_the_failed_phase_lasts_until_the_failure(recorder):
    for phase in Phase:
        observation = _observation(phase=phase, phase_began=101.5)
        observation.fail(Failure.HTTP_FAILED, "words", at=103.0)
        exchange = recorder.record(observation)
        assert exchange.timings.of(phase) == 1.5
        assert exchange.timings.total == 2.0
        assert exchange.timings.started == 1.0


def test_a_ledger_keeps_no_more_than_its_bound_but_every_failure(recorder):
    ledger = Ledger(recorder, Limits(exchanges=3), 1)
    for number in range(6):
        observation = ledger.begin(_outgoing(), None)
        if number == 5:
            observation.fail(Failure.TCP_REFUSED, "words", at=102.0)
        ledger.end(observation)
    assert [each.id for each in ledger.exchanges] == ["1.1", "1.2", "1.3", "1.6"]
    assert ledger.truncated[-1].what == "exchanges"
    assert (ledger.truncated[-1].kept, ledger.truncated[-1].seen) == (4, 6)


def test_a_request_goes_out_in_each_protocols_form():
    outgoing = _outgoing()
    extra = ((b"traceparent", b"00-1"),)
    assert (
        outgoing.http1(extra, absolute=False) == b"GET / HTTP/1.1\r\nHost: x\r\nX-One: 1\r\ntraceparent: 00-1\r\n\r\n"
    )
    assert outgoing.http1((), absolute=True).startswith(b"GET http://x/ HTTP/1.1\r\n")
    assert outgoing.http2(extra) == [
        (b":method", b"GET"),
        (b":authority", b"x"),
        (b":scheme", b"http"),
        (b":path", b"/"),
        (b"x-one", b"1"),
        (b"traceparent", b"00-1"),
    ]


def test_headers_are_found_in_any_case_and_keep_every_value():
    headers = Headers((("vary", "a"), ("x-one", "1"), ("vary", "b")))
    assert headers["Vary"] == "a, b"
    assert headers.all("VARY") == ("a", "b")
    assert list(headers) == ["vary", "x-one"]
    assert len(headers) == 2
    assert headers.get("missing") is None
    assert "1" not in repr(headers)
