from __future__ import annotations

import io
import json
import logging

import pytest

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement
from monitor.domain.secret import Redactor, Secret
from monitor.publishing.publishers import Publishers
from monitor.publishing.run_log import ConsoleFormatter, JsonFormatter, RunLog, formatter_for
from tests.builders import a_run, an_attempt, an_evidence

CANARY = "s3cr3t/canary+value"
REDACTOR = Redactor((Secret("canary", CANARY),))


@pytest.fixture
def logged():
    """Return a function that publishes runs to a log with a formatter and gives what was written."""
    logger = logging.Logger("faultline.test")  # noqa: LOG001 - known to this test alone
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)

    def log(*runs, formatter=None, write=None) -> str:
        handler.setFormatter(formatter or JsonFormatter(REDACTOR))
        for run in runs:
            RunLog(logger).publish(run)
        if write:
            write(logger)
        return stream.getvalue()

    return log


def a_failed_run(because="It refused.", **values):
    diagnosis = Diagnosis(
        cause=Cause.THIRD_PARTY,
        detail=Detail.TP_CONNECT,
        confidence=Confidence.PROBABLE,
        rule="R08",
        because=because,
        culprit=Culprit(kind=CulpritKind.VENDOR, name="Example Pay", host="pay.example"),
    )
    judgement = Judgement(outcome=Outcome.FAILED, validity=Validity.VALID, diagnosis=diagnosis)
    return a_run(judgement=judgement, **values)


def test_each_run_is_one_line_of_json(logged):
    lines = logged(a_run(), a_failed_run()).splitlines()
    passed, failed = map(json.loads, lines)
    assert (passed["level"], passed["outcome"], passed["cause"]) == ("info", "passed", None)
    assert failed["event"] == "run finished"
    assert failed["level"] == "warning"
    assert (failed["cause"], failed["detail"], failed["culprit"]) == ("third_party", "tp.connect", "Example Pay")
    assert failed["run_id"] == "run-1"
    assert {"ts", "check", "journey", "location", "step", "duration_seconds", "because"} <= set(failed)


def test_a_recovered_run_says_so(logged):
    evidence = an_evidence(attempts=(an_attempt(outcome=Outcome.FAILED), an_attempt(number=2)))
    assert json.loads(logged(a_run(evidence=evidence)))["recovered"] is True


HOSTILE = "NUL\x00 bell\x07 \x1b[2J\x1b]0;title\x07\r\nHTTP/1.1 200 OK \u2028 \u202egnp.exe \x9b31m"


@pytest.mark.parametrize(
    "formatter",
    [JsonFormatter(REDACTOR), ConsoleFormatter(REDACTOR, color=False)],
    ids=["json", "console"],
)
def test_hostile_words_are_one_line_and_steer_no_terminal(logged, formatter):
    written = logged(a_failed_run(because=HOSTILE), formatter=formatter)
    assert written.count("\n") == 1
    assert written.endswith("\n")
    assert not {character for character in written[:-1] if ord(character) < 32 or 0x7F <= ord(character) <= 0x9F}
    assert "\u202e" not in written
    assert "\u2028" not in written


@pytest.mark.parametrize(
    "formatter",
    [JsonFormatter(REDACTOR), ConsoleFormatter(REDACTOR, color=True)],
    ids=["json", "console"],
)
def test_no_secret_is_ever_written(logged, formatter):
    def write(logger):
        logger.warning("typed %s", CANARY, extra={"nested": {"deep": [CANARY]}, CANARY: 1})
        try:
            int(CANARY)
        except ValueError:
            logger.exception("failed with %r", Secret("canary", CANARY))

    written = logged(a_failed_run(because=f"It answered {CANARY}"), formatter=formatter, write=write)
    assert "canary+value" not in written
    assert "s3cr3t" not in written
    assert "•••" in written


def test_a_person_at_a_terminal_reads_a_sentence(logged):
    written = logged(a_failed_run(), formatter=ConsoleFormatter(REDACTOR, color=False))
    assert "failed" in written
    assert "browse@shop/desktop" in written
    assert "[tp.connect] It refused. (run run-1)" in written


def test_color_is_only_for_terminals_that_want_it(logged):
    assert "\x1b[31mfailed\x1b[0m" in logged(a_failed_run(), formatter=ConsoleFormatter(REDACTOR, color=True))


def test_the_form_follows_the_place():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert isinstance(formatter_for(io.StringIO(), REDACTOR, {}.get), JsonFormatter)
    assert isinstance(formatter_for(Terminal(), REDACTOR, {}.get), ConsoleFormatter)


def test_what_is_no_run_is_logged_in_the_same_form(logged):
    def write(logger):
        logger.error("the store is full", extra={"free_bytes": 0, "path": object()})

    record = json.loads(logged(write=write))
    assert (record["event"], record["level"], record["free_bytes"]) == ("the store is full", "error", 0)


# Destinations.


class Destination:
    def __init__(self, error=None):
        self.error = error
        self.runs = []

    def publish(self, run):
        if self.error:
            raise self.error
        self.runs.append(run)


def test_a_destination_that_fails_does_not_stop_the_others(caplog):
    first, broken, last = Destination(), Destination(OSError("full")), Destination()
    failures = []
    publishers = Publishers({"first": first, "broken": broken, "last": last}, on_failure=failures.append)
    with caplog.at_level(logging.ERROR):
        publishers.publish(a_run())
    assert (len(first.runs), len(last.runs), failures) == (1, 1, ["broken"])
    assert [each.destination for each in caplog.records if each.name.startswith("monitor.")] == ["broken"]


def test_a_counter_that_fails_too_changes_nothing():
    last = Destination()

    def broken_counter(_):
        raise OSError

    publishers = Publishers({"broken": Destination(OSError()), "last": last}, on_failure=broken_counter)
    publishers.publish(a_run())
    assert len(last.runs) == 1
