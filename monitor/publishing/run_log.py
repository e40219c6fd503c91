"""The log: one line for each finished run, and every other record in the same form."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections.abc import Callable
from typing import Any, TextIO

from monitor.domain.outcome import Outcome
from monitor.domain.run import Run
from monitor.domain.secret import Redactor
from monitor.publishing.run_json import moment

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LEVELS = {
    Outcome.PASSED: logging.INFO,
    Outcome.DEGRADED: logging.WARNING,
    Outcome.FAILED: logging.WARNING,
    Outcome.INCONCLUSIVE: logging.WARNING,
}
_COLORS = {"passed": "32", "degraded": "33", "failed": "31", "inconclusive": "35"}


def harmless(text: str) -> str:
    """Return a text in which no character can end a line or steer a terminal."""
    return _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class JsonFormatter(logging.Formatter):
    """Writes each record as one line of JSON, secrets masked."""

    def __init__(self, redactor: Redactor) -> None:
        """Keep what knows the secrets."""
        super().__init__()
        self._redactor = redactor
        self._encode = json.JSONEncoder(ensure_ascii=False, default=str).encode

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        fields: dict[str, Any] = {
            "ts": moment(dt.datetime.fromtimestamp(record.created, dt.UTC)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **_extra(record),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info).splitlines()
        line = self._encode(fields)
        # With nothing escaped, every text stands in the line as it is: looking at the line is looking at them all.
        if "\\" not in line and not _UNSAFE.search(line) and not self._redactor.finds(line):
            return line
        return self._encode(self._clean(fields))

    def _clean(self, value: Any) -> Any:
        match value:
            case str():
                return harmless(self._redactor.mask(value))
            case dict():
                return {self._clean(str(key)): self._clean(item) for key, item in value.items()}
            case list() | tuple():
                return [self._clean(item) for item in value]
            case None | bool() | int() | float():
                return value
            case _:
                return harmless(self._redactor.mask(str(value)))


class ConsoleFormatter(logging.Formatter):
    """Writes each record for a person at a terminal, secrets masked and nothing of it obeyed by the terminal."""

    def __init__(self, redactor: Redactor, *, color: bool) -> None:
        """Keep what knows the secrets, and whether colors are wanted."""
        super().__init__()
        self._redactor = redactor
        self._color = color

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; an exception adds its own."""
        extra = _extra(record)
        outcome = extra.get("outcome")
        text = _sentence(extra) if outcome else _plain(record.getMessage(), extra)
        time = dt.datetime.fromtimestamp(record.created, dt.UTC).strftime("%H:%M:%S")
        line = harmless(self._redactor.mask(text))
        if outcome and self._color:
            line = line.replace(str(outcome), f"\x1b[{_COLORS.get(str(outcome), '0')}m{outcome}\x1b[0m", 1)
        level = "" if record.levelno < logging.WARNING or outcome else f"{record.levelname.lower()}: "
        lines = [f"{time} {level}{line}"]
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            lines += [f"  {harmless(self._redactor.mask(each))}" for each in trace]
        return "\n".join(lines)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def _plain(event: str, extra: dict[str, Any]) -> str:
    return " ".join([event, *(f"{key}={value}" for key, value in extra.items() if value not in (None, ""))])


def _sentence(extra: dict[str, Any]) -> str:
    words = [
        str(extra["outcome"]).ljust(len("inconclusive")),
        str(extra["check"]),
        f"{extra['duration_seconds']:.2f} s",
    ]
    if extra.get("recovered"):
        words.append("recovered")
    if extra.get("detail"):
        words.append(f"[{extra['detail']}]")
    if extra.get("because"):
        words.append(str(extra["because"]))
    return " ".join([*words, f"(run {extra['run_id']})"])


def formatter_for(stream: TextIO, redactor: Redactor, environment: Callable[[str], str | None]) -> logging.Formatter:
    """Return the form that suits where the log goes: for people on a terminal, else JSON. ``NO_COLOR`` is respected."""
    if stream.isatty():
        return ConsoleFormatter(redactor, color=not environment("NO_COLOR"))
    return JsonFormatter(redactor)


def spare_records() -> None:
    """Have records leave out what none of our lines shows and what is found out anew for each of them."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


class RunLog:
    """Logs one line for each finished run."""

    def __init__(self, logger: logging.Logger) -> None:
        """Write to this logger."""
        self._logger = logger

    def publish(self, run: Run) -> None:
        """Log what came of a run."""
        level = _LEVELS[run.outcome]
        if not self._logger.isEnabledFor(level):
            return
        # Where in our code a line was written says nothing about a run, and is dear to find out.
        record = self._logger.makeRecord(
            self._logger.name, level, __file__, 0, "run finished", (), None, extra=_fields(run)
        )
        self._logger.handle(record)


def _fields(run: Run) -> dict[str, Any]:
    diagnosis = run.judgement.diagnosis
    steps = run.evidence.last.steps if run.evidence.attempts else ()
    return {
        "run_id": run.run_id,
        "check": run.check.name,
        "journey": run.check.journey,
        "location": run.location,
        "step": next((step.name for step in steps if step.error is not None), None),
        "outcome": str(run.outcome),
        "validity": str(run.judgement.validity),
        "recovered": bool(run.evidence.attempts) and run.evidence.recovered,
        "cause": diagnosis.cause.value if diagnosis else None,
        "detail": diagnosis.detail.value if diagnosis else None,
        "rule": diagnosis.rule if diagnosis else None,
        "culprit": diagnosis.culprit.name if diagnosis and diagnosis.culprit else None,
        "because": diagnosis.because if diagnosis else None,
        "duration_seconds": round(run.duration, 3),
        "scheduled_at": moment(run.scheduled_at),
    }
