"""What receivers are told, as data (the schema ``faultline.notification/v1``) and in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from monitor.domain.diagnosis import Culprit
from monitor.domain.secret import Redactor
from monitor.publishing.run_json import masked, moment
from monitor.publishing.run_log import harmless

SCHEMA = "faultline.notification/v1"
MOST_CHECKS = 50
_LONGEST = 2000
_WORDS = {
    "own_infrastructure": "own infrastructure",
    "third_party": "third party",
    "client_environment": "client environment",
    "undetermined": "undetermined",
}


class Status(StrEnum):
    """Whether something begins to fail, is over, or is only tried."""

    FAILING = "failing"
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """A check that a notification is about."""

    check: str
    journey: str = ""
    title: str = ""
    target: str = ""
    profile: str = ""
    team: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message.

    Attributes:
        id: Stays the same when a message has to be sent again.
        group: The same for everything that is told of one incident, from its start to its end.
        scope: What the checks have in common: the check itself, a vendor, a host, the place that we look from.
        since: The first failure that is known of.
        step: The step that failed in the run.
        because: The sentence of the diagnosis that a person can act on.
        run_id: The run that it rests on: the one that failed, or the one after which all was well.
    """

    id: str
    group: str
    status: Status
    at: dt.datetime
    since: dt.datetime
    location: str
    scope: str
    checks: tuple[Concerned, ...]
    step: str = ""
    cause: str = ""
    detail: str = ""
    confidence: str = ""
    culprit: Culprit | None = None
    because: str = ""
    run_id: str = ""
    web_url: str = ""

    @property
    def run_url(self) -> str:
        """Return the address of the run's page."""
        return f"{self.web_url}/runs/{self.run_id}" if self.run_id else self.web_url

    @property
    def title(self) -> str:
        """Return the message in one line."""
        if self.status is Status.TEST:
            return f"A test of Faultline, seen from {self.location}"
        first = self.checks[0]
        rest = f" and {len(self.checks) - 1} more" if len(self.checks) > 1 else ""
        what = f"{first.title or first.journey or first.check} ({first.check}){rest}"
        if self.status is Status.RESOLVED:
            return f"Resolved: {what}"
        whose = f": {_WORDS.get(self.cause, self.cause)}" if self.cause else ""
        return f"Failing: {what}{whose}{f', {self.culprit.name}' if self.culprit else ''}"


def to_json(notification: Notification, redactor: Redactor) -> dict[str, Any]:
    """Return plain data ready for ``json.dumps``, secrets masked and every text bounded."""
    culprit = notification.culprit
    data = {
        "schema": SCHEMA,
        "id": notification.id,
        "group": notification.group,
        "status": notification.status.value,
        "title": notification.title,
        "at": moment(notification.at),
        "since": moment(notification.since),
        "location": notification.location,
        "scope": notification.scope,
        "journey": notification.checks[0].journey if notification.checks else "",
        "step": notification.step,
        "cause": notification.cause or None,
        "detail": notification.detail or None,
        "confidence": notification.confidence or None,
        "culprit": {"kind": culprit.kind.value, "name": culprit.name, "host": culprit.host} if culprit else None,
        "because": notification.because,
        "run_id": notification.run_id or None,
        "run_url": notification.run_url,
        "checks": [_concerned(check) for check in notification.checks[:MOST_CHECKS]],
        "checks_left_out": max(0, len(notification.checks) - MOST_CHECKS),
    }
    found: dict[str, Any] = _bounded(masked(data, redactor))
    return found


def to_text(data: dict[str, Any]) -> str:
    """Return a notification, given as data, as the plain text of a letter."""
    if data["status"] == Status.TEST:
        return f"{data['title']}.\n\nNothing is wrong: somebody tried whether this receiver can be reached.\n"
    lines = [data["title"], ""]
    if data["because"]:
        lines += [data["because"], ""]
    lines += [f"{name}: {value}" for name, value in _facts(data) if value]
    lines += ["", data["run_url"], ""]
    return "\n".join(harmless(line) for line in lines)


def _facts(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    culprit = data["culprit"] or {}
    names = [check["check"] for check in data["checks"]]
    more = f" and {data['checks_left_out']} more" if data["checks_left_out"] else ""
    cause = " ".join(part for part in (_WORDS.get(data["cause"] or "", ""), data["detail"], data["confidence"]) if part)
    return (
        ("Journey", data["journey"]),
        ("Step", data["step"]),
        ("Cause", cause),
        ("Culprit", " ".join(part for part in (culprit.get("name"), culprit.get("host")) if part)),
        ("Checks", ", ".join(names) + more),
        ("Failing since", data["since"]),
        ("Told at", data["at"]),
        ("Seen from", data["location"]),
    )


def _concerned(check: Concerned) -> dict[str, Any]:
    return {
        "check": check.check,
        "journey": check.journey,
        "target": check.target,
        "profile": check.profile,
        "team": check.team,
        "service": check.service,
    }


def _bounded(value: Any) -> Any:
    match value:
        case str():
            return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
        case dict():
            return {key: _bounded(item) for key, item in value.items()}
        case list():
            return [_bounded(item) for item in value]
        case _:
            return value
