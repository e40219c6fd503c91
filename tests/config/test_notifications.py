"""The sections `notifications` and `events`: who is told of failures, and where deployments are told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.advice import advice
from monitor.config.receivers import EmailReceiver, MailSecurity, WebhookReceiver
from monitor.domain.secret import Secret

SMALLEST = """
location: here
targets: {shop: {base_url: "https://shop.example.com"}}
checks: [{journey: browse, target: shop}]
"""
WEBHOOK = """
notifications:
  failures: 2
  total: 4
  receivers:
    oncall:
      teams: [web]
      webhook: {url: "https://hooks.example.com/${HOOK}", headers: {Authorization: "${TOKEN}"}}
"""
MAIL = """
notifications:
  receivers:
    people:
      email: {to: [a@example.org, b@example.org], from: faultline@example.org, server: smtp.example.org, EXTRA}
"""
SECRETS = {"HOOK": "hook-4711", "TOKEN": "Bearer token-4711"}


def test_nobody_is_told_unless_somebody_is_named(loaded):
    settings = loaded(SMALLEST)
    assert settings.notifications.receivers == ()
    assert settings.events_file is None


def test_a_webhook_may_be_secret_and_sends_secret_headers(loaded):
    settings = loaded(SMALLEST + WEBHOOK, SECRETS)
    notifications = settings.notifications
    assert (notifications.failures, notifications.total) == (2, 4)
    (receiver,) = notifications.receivers
    assert isinstance(receiver, WebhookReceiver)
    assert (receiver.name, receiver.teams) == ("oncall", ("web",))
    assert isinstance(receiver.url, Secret)
    assert receiver.url.reveal() == "https://hooks.example.com/hook-4711"
    ((name, value),) = receiver.headers
    assert (name, value.reveal()) == ("Authorization", "Bearer token-4711")
    assert "4711" not in repr(settings)
    assert {secret.value for secret in settings.secrets} >= {"hook-4711", "Bearer token-4711"}


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("", ("smtp.example.org", 587, MailSecurity.STARTTLS)),
        ("security: tls", ("smtp.example.org", 465, MailSecurity.TLS)),
        ("security: none", ("smtp.example.org", 25, MailSecurity.NONE)),
        ("server: 'smtp.example.org:2525'", ("smtp.example.org", 2525, MailSecurity.STARTTLS)),
    ],
)
def test_a_mail_server_has_the_usual_port_of_its_protection(loaded, extra: str, expected: tuple):
    text = MAIL.replace(
        "server: smtp.example.org, EXTRA", extra if "server" in extra else f"server: smtp.example.org, {extra}"
    )
    (receiver,) = loaded(SMALLEST + text).notifications.receivers
    assert isinstance(receiver, EmailReceiver)
    assert (receiver.host, receiver.port, receiver.security) == expected
    assert receiver.to == ("a@example.org", "b@example.org")
    assert receiver.sender == "faultline@example.org"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (WEBHOOK.replace("total: 4", "total: 1"), "2 of 1 runs can never fail"),
        (WEBHOOK.replace("https://hooks", "ftp://hooks"), "the secret is not an http or https URL"),
        (WEBHOOK.replace("https://hooks.example.com/${HOOK}", "hooks.example.com"), "must start with https://"),
        (WEBHOOK.replace("${TOKEN}", "plain"), "a secret must not stand in this file"),
        (WEBHOOK.replace("${TOKEN}", "${MISSING}"), "MISSING is not set"),
        (WEBHOOK.replace("Authorization", "Host"), "set by the client itself"),
        (WEBHOOK.replace("webhook: {url", "webhok: {url"), "did you mean 'webhook'?"),
        (WEBHOOK + "      email: {to: [a@b.c], from: a@b.c, server: c}", "needs either 'webhook' or 'email'"),
        ("notifications: {receivers: {oncall: {}}}", "needs either 'webhook' or 'email'"),
        (MAIL.replace("a@example.org", '"A <a@example.org>"').replace(", EXTRA", ""), "is no e-mail address"),
        (MAIL.replace("a@example.org", '"a@example.org\\nBcc: x@y.z"').replace(", EXTRA", ""), "is no e-mail address"),
        (MAIL.replace("EXTRA", "username: x"), "both 'username' and 'password'"),
        (
            MAIL.replace("EXTRA", "security: none, username: x, password: '${TOKEN}'"),
            "a password must not be sent without protection",
        ),
        (MAIL.replace("smtp.example.org", "'smtp.example.org:99999'").replace(", EXTRA", ""), "is not host:port"),
    ],
)
def test_each_mistake_has_one_sentence_that_shows_no_secret(problems_of, text: str, why: str):
    problems = problems_of(SMALLEST + text, SECRETS)
    assert len(problems) == 1
    assert why in problems[0]
    assert "4711" not in problems[0]


def test_a_team_that_nobody_knows_is_refused(problems_of):
    (problem,) = problems_of(SMALLEST + WEBHOOK.replace("[web]", "[wep]"), SECRETS, ownership="teams: [web, pay]")
    assert "no team is called 'wep'; did you mean 'web'?" in problem


def test_the_file_of_events_stands_beside_the_configuration(loaded, tmp_path: Path):
    settings = loaded(SMALLEST + "events: {file: deployments.jsonl}\n")
    assert settings.events_file == tmp_path / "deployments.jsonl"


def test_links_that_lead_to_the_monitors_own_machine_are_advised_against(loaded):
    (told,) = (line for line in advice(loaded(SMALLEST + WEBHOOK, SECRETS)) if line.startswith("notifications"))
    assert told.startswith("notifications link to runs at http://127.0.0.1:9488, which others may not reach: set web.")
    reachable = 'web: {external_url: "https://faultline.example.org"}\n'
    assert not [
        line for line in advice(loaded(SMALLEST + WEBHOOK + reachable, SECRETS)) if line.startswith("notifications")
    ]
