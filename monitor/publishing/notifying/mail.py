"""A letter: a notification sent by e-mail, as plain text with its data attached."""

from __future__ import annotations

import contextlib
import json
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from monitor.config.receivers import EmailReceiver, MailSecurity
from monitor.domain.clock import Clock
from monitor.publishing.notifying.delivery import DeliveryError, cut, reason_of, trust
from monitor.publishing.notifying.notification import to_text
from monitor.publishing.run_log import harmless

_TIMEOUT = 10.0
_FAREWELL = 2.0
_READY, _LASTING = 220, 500
_LONGEST_SUBJECT, _LONGEST_LINE = 180, 250


class Mail:
    """Sends through one mail server."""

    def __init__(self, receiver: EmailReceiver, clock: Clock) -> None:
        """Prepare the way."""
        self._receiver = receiver
        self._clock = clock
        self._context = None if receiver.security is MailSecurity.NONE else trust(receiver.extra_ca)
        self._owed = _Owed()

    def delivery(self, data: dict[str, Any]) -> _Letter:
        """Return a try to send a notification."""
        if self._owed.notification != data["id"]:
            self._owed = _Owed(data["id"])
        return _Letter(self._receiver, self._context, self._message(data), self._owed)

    def _message(self, data: dict[str, Any]) -> EmailMessage:
        subject = harmless(f"[Faultline] {data['title']}")[:_LONGEST_SUBJECT]
        # Folded as usual, a long first word would leave its first line blank.
        message = EmailMessage(SMTP.clone(max_line_length=_LONGEST_LINE) if subject.isascii() else SMTP)
        message["From"] = self._receiver.sender
        message["To"] = ", ".join(self._receiver.to)
        message["Subject"] = subject
        message["Date"] = format_datetime(self._clock.now())
        domain = self._receiver.sender.partition("@")[2]
        # The same letter has the same name each time, and all letters of an incident stand in one thread.
        message["Message-ID"] = f"<{data['id']}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(to_text(data))
        message.add_attachment(
            json.dumps(data, ensure_ascii=False, indent=2).encode("utf-8", "replace"),
            maintype="application",
            subtype="json",
            filename="notification.json",
        )
        return message


@dataclass(slots=True)
class _Owed:
    """Whom the next try of a notification is for alone, since all others have it; without addresses it is for all."""

    notification: str = ""
    addresses: tuple[str, ...] = ()


class _Letter:
    def __init__(
        self, receiver: EmailReceiver, context: ssl.SSLContext | None, message: EmailMessage, owed: _Owed
    ) -> None:
        self._receiver, self._context, self._message, self._owed = receiver, context, message, owed
        self._server: smtplib.SMTP | None = None

    def send(self) -> None:
        """Connect, protect the connection, say who we are where that is wanted, and send."""
        try:
            self._send()
        except smtplib.SMTPResponseException as error:
            lasting = error.smtp_code >= _LASTING
            msg = f"the mail server answered {error.smtp_code} {_step(error)}"
            raise DeliveryError(msg, lasting=lasting) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            few = f"{len(codes)} of " if len(codes) < len(self._receiver.to) else ""
            msg = f"the mail server refused {few}the receivers with {min(codes)}"
            raise DeliveryError(msg, lasting=min(codes) >= _LASTING) from None
        except smtplib.SMTPNotSupportedError:
            msg = "the mail server does not offer what is configured (STARTTLS or signing in), so nothing was sent"
            raise DeliveryError(msg, lasting=True) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryError(reason_of(error)) from None
        finally:
            if self._server is not None:
                self._server.close()

    def _send(self) -> None:
        receiver = self._receiver
        server = self._server = self._unconnected()
        # It takes the name for the certificate from its constructor alone, which would connect at once.
        server._host = receiver.host  # type: ignore[attr-defined]  # noqa: SLF001 - see above
        code, _ = server.connect(receiver.host, receiver.port)
        if code != _READY:
            raise smtplib.SMTPConnectError(code, b"")
        if receiver.security is MailSecurity.STARTTLS:
            server.starttls(context=self._context)
        if receiver.username is not None and receiver.password is not None:
            server.login(receiver.username, receiver.password.reveal())
        refused = server.send_message(self._message, to_addrs=self._owed.addresses or None)
        self._take_leave(server)
        if refused:
            # Whoever was not refused has the letter now, and must not get it again.
            self._owed.addresses = tuple(refused)
            raise smtplib.SMTPRecipientsRefused(refused)

    @staticmethod
    def _take_leave(server: smtplib.SMTP) -> None:
        """Say goodbye. The letter was accepted: what goes wrong from now on must not have it sent again."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if server.sock is not None:
                server.sock.settimeout(_FAREWELL)
            server.quit()

    def _unconnected(self) -> smtplib.SMTP:
        if self._context is not None and self._receiver.security is MailSecurity.TLS:
            return smtplib.SMTP_SSL(timeout=_TIMEOUT, context=self._context)
        return smtplib.SMTP(timeout=_TIMEOUT)

    def abort(self) -> None:
        """End the connection."""
        if self._server is not None:
            cut(self._server.sock)


def _step(error: smtplib.SMTPResponseException) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return "to our user name and password"
        case smtplib.SMTPSenderRefused():
            return "to our sender address"
        case smtplib.SMTPConnectError():
            return "when we connected"
        case _:
            return "to the letter"
