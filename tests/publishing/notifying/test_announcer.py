"""What is told: the start and the end, once for each cause, and nothing in between."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from monitor.config.receivers import NotificationSettings, WebhookReceiver
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.evidence import StepError, StepErrorKind, StepResult
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.run import Judgement, Run
from monitor.domain.secret import Redactor, Secret
from monitor.history.values import RunSummary, Verdict
from monitor.investigation.correlation import Correlator
from monitor.publishing.notifying.announcer import Announcer
from monitor.publishing.notifying.notification import Notification, Status, to_json, to_text
from tests.builders import A_MOMENT, a_check, a_profile, a_run, a_target, an_attempt, an_evidence

CONTRACTS = Path("tests/contracts")
MINUTE = dt.timedelta(minutes=1)
PAY = Culprit(kind=CulpritKind.VENDOR, name="Example Pay", host="pay.example.net")


def a_check_of(journey: str, team: str | None = None, target: str = "shop"):
    return a_check(
        name=f"{journey}@{target}/desktop",
        journey=journey,
        target=a_target(name=target),
        profile=a_profile(),
        team=team,
    )


class StillClock:
    def now(self) -> dt.datetime:
        return A_MOMENT + 10 * MINUTE

    def elapsed(self) -> float:
        return 0.0


class Town:
    """An announcer beside a real correlator, and what it told whom."""

    def __init__(self, *journeys: str, receivers: Sequence[str] = ("oncall",), failures: int = 3, total: int = 5):
        self.sent: list[tuple[str, Notification]] = []
        self.maintained: set[str] = set()
        self.correlator = Correlator("here")
        self.checks = {journey: a_check_of(journey) for journey in journeys or ("checkout",)}
        self.receivers = tuple(WebhookReceiver(name=name, url="http://127.0.0.1/") for name in receivers)
        self.condition = {"failures": failures, "total": total}
        self.minute = 0
        self.begin()

    def begin(self) -> None:
        """As after a restart: nothing is known."""
        self.announcer = Announcer(
            location="here",
            web_url="https://faultline.example.org",
            clock=StillClock(),
            send=lambda name, notification: self.sent.append((name, notification)),
            incidents=self.correlator.open_incidents,
            maintained=lambda check, _: check in self.maintained,
        )
        self.configure()

    def configure(self) -> None:
        settings = NotificationSettings(**self.condition, receivers=self.receivers)
        self.announcer.configure(settings, self.checks.values(), {"checkout": "Buy a basket"})

    def run(self, outcomes: str, journey: str = "checkout", **values: object) -> None:
        for letter in outcomes:
            self.minute += 1
            run = a_run_that(letter, self.checks[journey], self.minute, **values)
            self.correlator.note(run)
            self.announcer.take(run)

    def told(self) -> list[str]:
        found = [f"{name} {message.status} {message.group}" for name, message in self.sent]
        self.sent.clear()
        return found


def a_run_that(letter: str, check, minute: int, *, culprit: Culprit | None = PAY, cause=Cause.THIRD_PARTY) -> Run:
    outcome = {"p": Outcome.PASSED, "d": Outcome.DEGRADED, "f": Outcome.FAILED, "?": Outcome.INCONCLUSIVE}[letter]
    at = A_MOMENT + minute * MINUTE
    failed = StepResult(
        name="pay",
        title="Pay",
        outcome=StepOutcome.FAILED,
        error=StepError(kind=StepErrorKind.EXCHANGE, message="no answer"),
    )
    diagnosis = Diagnosis(
        cause=cause,
        detail=Detail.TP_CONNECT if cause is Cause.THIRD_PARTY else Detail.UND_INSUFFICIENT,
        confidence=Confidence.CONFIRMED if culprit else Confidence.NONE,
        rule="R08",
        because="pay.example.net refuses connections, and the step needs it.",
        culprit=culprit,
    )
    bad = outcome is not Outcome.PASSED
    return a_run(
        run_id=f"{check.journey}-{minute}",
        check=check,
        scheduled_at=at,
        evidence=an_evidence(
            started_at=at, attempts=(an_attempt(outcome=outcome, steps=(failed,) if letter == "f" else ()),)
        ),
        judgement=Judgement(
            outcome=outcome,
            validity=Validity.INVALID if letter == "?" else Validity.VALID,
            diagnosis=diagnosis if bad else None,
        ),
    )


def a_notification(**values: object) -> Notification:
    town = Town()
    town.run("fff")
    ((_, notification),) = town.sent
    return replace(notification, **values)


FAILING, RESOLVED = "oncall failing vendor:Example Pay", "oncall resolved vendor:Example Pay"


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ("pppppp", []),
        ("ffpff", [FAILING]),
        ("ff", []),
        ("ffpppff", []),
        ("fff", [FAILING]),
        ("fffffffffff", [FAILING]),
        ("fffpp", [FAILING]),
        ("fffppp", [FAILING, RESOLVED]),
        ("fffpppfff", [FAILING, RESOLVED, FAILING]),
        ("fpfpfpfpf", [FAILING]),
        ("fpfpfppfppfppf", [FAILING]),
        ("fpfpfppp", [FAILING, RESOLVED]),
        ("ddddd", []),
        ("f?f?f", [FAILING]),
        ("fff???????", [FAILING]),
    ],
)
def test_only_the_start_and_the_end_are_told(runs: str, expected: list[str]):
    town = Town()
    town.run(runs)
    assert town.told() == expected


def test_runs_under_maintenance_are_neither_told_nor_counted():
    town = Town()
    town.maintained.add("checkout@shop/desktop")
    town.run("fffff")
    town.maintained.clear()
    town.run("ff")
    assert town.told() == []
    town.run("f")
    assert town.told() == [FAILING]


def test_what_a_vendor_does_to_several_checks_is_one_message_and_ends_with_the_last():
    town = Town("checkout", "gift-card", "subscribe")
    for journey in town.checks:
        town.run("f", journey)
    for journey in town.checks:
        town.run("ff", journey)
    ((name, message),) = town.sent
    assert name == "oncall"
    assert message.group == "vendor:Example Pay"
    assert message.scope == "vendor"
    assert [one.check for one in message.checks] == [
        "checkout@shop/desktop",
        "gift-card@shop/desktop",
        "subscribe@shop/desktop",
    ]
    town.sent.clear()
    town.run("ppp", "checkout")
    town.run("ppp", "subscribe")
    assert town.told() == []
    town.run("ppp", "gift-card")
    assert town.told() == [RESOLVED]


def test_what_nobody_can_tell_apart_is_told_of_each_check():
    town = Town("checkout", "search")
    for journey in town.checks:
        town.run("fff", journey, culprit=None, cause=Cause.UNDETERMINED)
    assert town.told() == [
        "oncall failing check:checkout@shop/desktop",
        "oncall failing check:search@shop/desktop",
    ]


def test_receivers_of_a_team_are_told_of_its_checks_also_when_they_join_later():
    town = Town("checkout", "search", receivers=("web", "pay", "all"))
    town.checks = {
        "checkout": replace(town.checks["checkout"], team="payments"),
        "search": replace(town.checks["search"], team="search"),
    }
    web, pay, everyone = town.receivers
    town.receivers = (replace(web, teams=("search",)), replace(pay, teams=("payments",)), everyone)
    town.configure()
    town.run("fff", "checkout")
    assert town.told() == ["pay failing vendor:Example Pay", "all failing vendor:Example Pay"]
    town.run("fff", "search")
    assert town.told() == ["web failing vendor:Example Pay"]
    town.run("ppp", "checkout")
    town.run("ppp", "search")
    assert town.told() == [f"{name} resolved vendor:Example Pay" for name in ("web", "pay", "all")]


def summary_of(run: Run) -> RunSummary:
    found = run.judgement.diagnosis
    return RunSummary(
        run_id=run.run_id,
        check=run.check.name,
        journey=run.check.journey,
        target=run.check.target.name,
        profile=run.check.profile.name,
        location=run.location,
        scheduled_at=run.scheduled_at,
        started_at=run.started_at,
        duration=run.duration,
        outcome=run.outcome,
        validity=run.judgement.validity,
        attempts=1,
        recovered=False,
        verdict=Verdict(
            cause=found.cause,
            detail=found.detail,
            confidence=found.confidence,
            rule=found.rule,
            because=found.because,
            culprit=found.culprit,
        )
        if found
        else None,
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("fff", "ff", []),
        ("fff", "ppp", [RESOLVED]),
        ("fffpp", "f", []),
        ("ff", "f", [FAILING]),
        ("fffppp", "p", []),
        ("fff??", "pp", []),
        ("fpfpfp", "fp", []),
        ("fpfpfp", "pp", [RESOLVED]),
    ],
)
def test_after_a_restart_nothing_is_told_twice_and_the_end_is(before: str, after: str, expected: list[str]):
    town = Town()
    runs = [a_run_that(letter, town.checks["checkout"], minute) for minute, letter in enumerate(before)]
    town.minute = len(before)
    town.announcer.restore("checkout@shop/desktop", [summary_of(run) for run in reversed(runs)], A_MOMENT)
    town.run(after)
    sent = list(town.sent)
    assert town.told() == expected
    if expected == [RESOLVED]:
        ((_, message),) = sent
        assert message.since == A_MOMENT
        assert message.because == "It was: pay.example.net refuses connections, and the step needs it."


def test_a_check_that_is_configured_no_more_ends_without_a_word():
    town = Town("checkout", "search")
    town.run("fff", "checkout")
    assert town.told() == [FAILING]
    kept = town.checks.pop("checkout")
    town.configure()
    assert town.told() == []
    town.checks["checkout"] = kept
    town.configure()
    town.run("fff", "checkout")
    assert town.told() == [FAILING]


def test_another_condition_holds_from_the_next_run_on():
    town = Town()
    town.run("fff")
    assert town.told() == [FAILING]
    town.condition = {"failures": 3, "total": 3}
    town.configure()
    town.run("p")
    assert town.told() == [RESOLVED]


def test_a_place_at_which_nearly_everything_fails_is_told_as_such():
    town = Town("a", "b", "c")
    town.checks = {
        "a": a_check_of("a", target="one"),
        "b": a_check_of("b", target="two"),
        "c": a_check_of("c", target="three"),
    }
    town.configure()
    for name in town.checks:
        town.run("f", name, culprit=Culprit(kind=CulpritKind.VENDOR, name=f"vendor {name}", host=f"{name}.example"))
    for _ in range(2):
        for name in town.checks:
            town.minute -= 1
            town.run("f", name, culprit=Culprit(kind=CulpritKind.VENDOR, name=f"vendor {name}", host=f"{name}.example"))
    ((_, message),) = town.sent
    assert message.group == "place"
    assert message.cause == "undetermined"
    assert "3 checks of different targets began to fail together as seen from here" in message.because


def test_the_data_is_as_the_committed_example_and_schema_say():
    schema = json.loads((CONTRACTS / "notification.schema.json").read_text("utf-8"))
    data = to_json(a_notification(), Redactor())
    assert data == json.loads((CONTRACTS / "notification.json").read_text("utf-8"))
    town = Town()
    town.run("fffppp")
    test = a_notification(status=Status.TEST, checks=(), culprit=None, cause="", detail="", confidence="", run_id="")
    for message in (*(each for _, each in town.sent), test):
        jsonschema.validate(to_json(message, Redactor()), schema)


def test_data_is_bounded_and_holds_no_secret():
    checks = tuple(replace(a_notification().checks[0], check=f"c{number}@shop/desktop") for number in range(70))
    found = a_notification(checks=checks, because="secret-4711 " + "x" * 5000)
    data = to_json(found, Redactor((Secret("x", "secret-4711"),)))
    assert (len(data["checks"]), data["checks_left_out"]) == (50, 20)
    assert len(data["because"]) == 2001
    assert "4711" not in json.dumps(data)
    assert "and 20 more" in to_text(data)


def test_a_title_says_what_fails_and_whose_that_is():
    found = a_notification()
    assert found.title == "Failing: Buy a basket (checkout@shop/desktop): third party, Example Pay"
    assert replace(found, status=Status.RESOLVED).title == "Resolved: Buy a basket (checkout@shop/desktop)"
    assert found.step == "pay"
    assert found.run_url == "https://faultline.example.org/runs/checkout-3"
