"""Who is told of failures by ourselves, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from monitor.domain.secret import Secret


class MailSecurity(StrEnum):
    """How the connection to a mail server is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceiver:
    """Somebody who takes notifications as JSON over HTTP.

    Attributes:
        teams: Only failures of these teams' checks are told; empty for all.
        extra_ca: Authorities in PEM form that are trusted beside the public ones.
    """

    name: str
    url: str | Secret
    headers: tuple[tuple[str, Secret], ...] = ()
    extra_ca: str | None = field(default=None, repr=False)
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailReceiver:
    """People who take notifications by e-mail, through one server.

    Attributes:
        teams: Only failures of these teams' checks are told; empty for all.
        extra_ca: Authorities in PEM form that are trusted beside the public ones.
    """

    name: str
    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    security: MailSecurity = MailSecurity.STARTTLS
    username: str | None = None
    password: Secret | None = None
    extra_ca: str | None = field(default=None, repr=False)
    teams: tuple[str, ...] = ()


Receiver = WebhookReceiver | EmailReceiver


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSettings:
    """Who is told, and when: a check is failing while ``failures`` of its last ``total`` conclusive runs failed."""

    failures: int = 3
    total: int = 5
    receivers: tuple[Receiver, ...] = ()
