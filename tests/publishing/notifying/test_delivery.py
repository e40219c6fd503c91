"""Real webhooks and real mail servers: what arrives, what is refused, and that no secret is told."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from monitor.config.receivers import MailSecurity
from monitor.domain.secret import Secret
from monitor.publishing.notifying.delivery import DeliveryError
from monitor.publishing.notifying.mail import Mail
from monitor.publishing.notifying.webhook import Webhook
from tests.publishing.notifying.receivers import AUTHORITY_PEM, CLOCK, Hook, Mailbox, a_message, mail_server

# The mail server of the tests warns of passwords without protection, which only these tests allow.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
PASSWORD = Secret("mail password of people", "secret-4711")


def test_a_webhook_gets_the_notification_and_the_secret_header(hook: Hook):
    receiver = hook.receiver(headers=(("Authorization", Secret("token", "Bearer secret-4711")),))
    Webhook(receiver).delivery(a_message()).send()
    ((path, headers, body),) = hook.requests
    assert path == "/hook?room=7"
    assert headers["authorization"] == "Bearer secret-4711"
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["idempotency-key"] == "abc123"
    assert body == a_message()


@pytest.mark.parametrize(
    ("status", "lasting"),
    [(500, False), (503, False), (429, False), (408, False), (404, True), (401, True), (302, True)],
)
def test_what_a_webhook_answers_decides_whether_it_is_tried_again(hook: Hook, status: int, lasting):
    hook.answers = [status]
    with pytest.raises(DeliveryError, match=f"it answered {status}") as raised:
        Webhook(hook.receiver()).delivery(a_message()).send()
    assert raised.value.lasting is lasting
    assert [path for path, _, _ in hook.requests] == ["/hook?room=7"]


def test_a_webhook_over_tls_trusts_the_authority_that_is_named_and_no_other():
    hook = Hook(tls=True)
    try:
        Webhook(hook.receiver(extra_ca=AUTHORITY_PEM)).delivery(a_message()).send()
        with pytest.raises(DeliveryError, match="its certificate is not trusted") as raised:
            Webhook(hook.receiver()).delivery(a_message()).send()
        assert not raised.value.lasting
    finally:
        hook.close()
    assert len(hook.requests) == 1


def test_no_error_of_a_webhook_holds_its_address(hook: Hook):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    for url in (f"http://127.0.0.1:{free}/secret-4711", "http://secret-4711.invalid/"):
        receiver = hook.receiver(url=Secret("webhook of oncall", url))
        with pytest.raises(DeliveryError) as raised:
            Webhook(receiver).delivery(a_message()).send()
        assert "4711" not in str(raised.value)
    with pytest.raises(DeliveryError) as raised:
        Webhook(hook.receiver(headers=(("X", Secret("x", "secret-4711\r\nEvil: 1")),))).delivery(a_message()).send()
    assert str(raised.value) == "ValueError"
    assert hook.requests == []


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
@pytest.mark.parametrize("signing_in", [True, False])
def test_a_letter_arrives_protected_as_configured(security: str, signing_in):
    mailbox = Mailbox()
    with mail_server(mailbox, security=security, signing_in=signing_in) as receiver:
        known = {"username": "faultline", "password": PASSWORD} if signing_in else {}
        Mail(replace(receiver, security=MailSecurity(security), **known), CLOCK).delivery(a_message()).send()
    ((protected, envelope),) = mailbox.letters
    assert protected is (security == "starttls") or security == "tls"
    assert envelope.mail_from == "faultline@example.org"
    assert envelope.rcpt_tos == ["a@example.org", "b@example.org"]
    letter = message_from_bytes(envelope.content, policy=policy.default)
    assert letter["Subject"] == "[Faultline] Failing: Buy (checkout@shop/desktop): third party, Example Pay"
    assert letter["Message-ID"] == "<abc123@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    text = letter.get_body(("plain",)).get_content()
    for shown in (
        "pay.example.net refuses connections ✓ and the step needs it.",
        "Journey: checkout",
        "Step: pay",
        "Cause: third party tp.connect confirmed",
        "Culprit: Example Pay pay.example.net",
        "https://faultline.example.org/runs/run-1",
    ):
        assert shown in text
    (attached,) = letter.iter_attachments()
    assert json.loads(attached.get_content()) == a_message()


def test_a_server_that_offers_no_starttls_is_not_written_to():
    mailbox = Mailbox()
    with (
        mail_server(mailbox, security="none") as receiver,
        pytest.raises(DeliveryError, match="does not offer what is configured") as raised,
    ):
        Mail(receiver, CLOCK).delivery(a_message()).send()
    assert raised.value.lasting
    assert mailbox.letters == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_server_with_a_foreign_certificate_never_learns_the_password(security: str):
    mailbox = Mailbox()
    with mail_server(mailbox, security=security, signing_in=True) as receiver:
        stranger = replace(
            receiver, extra_ca=None, security=MailSecurity(security), username="faultline", password=PASSWORD
        )
        with pytest.raises(DeliveryError, match="its certificate is not trusted"):
            Mail(stranger, CLOCK).delivery(a_message()).send()
    assert mailbox.letters == []


def test_a_wrong_password_is_told_without_it():
    mailbox = Mailbox()
    with mail_server(mailbox, security="starttls", signing_in=True) as receiver:
        mistaken = replace(receiver, username="faultline", password=Secret("p", "wrong-4711"))
        with pytest.raises(DeliveryError, match="answered 535 to our user name and password") as raised:
            Mail(mistaken, CLOCK).delivery(a_message()).send()
    assert raised.value.lasting
    assert "4711" not in str(raised.value)


@pytest.mark.parametrize(
    ("refusals", "outcome"),
    [
        (["550 no such user", "550 no such user"], True),
        (["451 later", "550 no such user"], False),
    ],
    ids=["all for good", "one for now"],
)
def test_refused_receivers_are_tried_again_only_where_that_may_help(refusals: list[str], outcome):
    mailbox = Mailbox()
    mailbox.refusals = refusals
    with mail_server(mailbox, security="starttls") as receiver:
        delivery = Mail(receiver, CLOCK).delivery(a_message())
        with pytest.raises(DeliveryError, match="refused the receivers") as raised:
            delivery.send()
    assert raised.value.lasting is outcome
    assert mailbox.letters == []


def test_one_of_two_receivers_that_is_refused_for_good_is_told_and_the_other_has_the_letter():
    mailbox = Mailbox()
    mailbox.refusals = ["550 no such user"]
    with (
        mail_server(mailbox, security="starttls") as receiver,
        pytest.raises(DeliveryError, match="refused 1 of the receivers with 550") as raised,
    ):
        Mail(receiver, CLOCK).delivery(a_message()).send()
    assert raised.value.lasting
    assert [envelope.rcpt_tos for _, envelope in mailbox.letters] == [["b@example.org"]]


def test_only_the_receiver_that_was_refused_for_now_gets_the_letter_at_the_next_try():
    mailbox = Mailbox()
    mailbox.refusals = ["451 later"]
    with mail_server(mailbox, security="starttls") as receiver:
        mail = Mail(receiver, CLOCK)
        with pytest.raises(DeliveryError, match="refused 1 of the receivers with 451") as raised:
            mail.delivery(a_message()).send()
        mail.delivery(a_message()).send()
        mail.delivery(a_message(id="another")).send()
    assert not raised.value.lasting
    told = [envelope.rcpt_tos for _, envelope in mailbox.letters]
    assert told == [["b@example.org"], ["a@example.org"], ["a@example.org", "b@example.org"]]


def test_a_server_that_hangs_up_after_it_took_the_letter_does_not_get_it_again():
    mailbox = Mailbox()
    mailbox.hangs_up = True
    with mail_server(mailbox, security="starttls") as receiver:
        Mail(receiver, CLOCK).delivery(a_message()).send()
    assert len(mailbox.letters) == 1


def test_a_hostile_title_makes_no_further_header():
    mailbox = Mailbox()
    message = a_message(title="x\r\nBcc: evil@example.org", because="y\r\n.\r\nRCPT TO:<evil@example.org>\x1b[31m")
    with mail_server(mailbox, security="starttls") as receiver:
        Mail(receiver, CLOCK).delivery(message).send()
    ((_, envelope),) = mailbox.letters
    assert envelope.rcpt_tos == ["a@example.org", "b@example.org"]
    letter = message_from_bytes(envelope.content, policy=policy.default)
    assert letter["Bcc"] is None
    assert letter["Subject"] == "[Faultline] x\\x0d\\x0aBcc: evil@example.org"
    assert "\x1b" not in letter.get_body(("plain",)).get_content()
