"""The section ``notifications`` of ``monitor.yaml``, and what is made of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.config.draft import Draft, collected
from monitor.config.header_name import HeaderName
from monitor.config.receivers import EmailReceiver, MailSecurity, NotificationSettings, Receiver, WebhookReceiver
from monitor.config.secrets import SecretUnavailable, SecretValue, Value
from monitor.domain.secret import Secret
from monitor.reading.addresses import check_url, is_loopback, split_host_port
from monitor.reading.names import PathText, Slug, check_slug
from monitor.reading.problem import Path, quoted
from monitor.reading.suggestion import did_you_mean
from monitor.reading.validation import FileModel

_PORTS = {MailSecurity.TLS: 465, MailSecurity.STARTTLS: 587, MailSecurity.NONE: 25}
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


def check_mail_address(value: str) -> str:
    """Return a plain e-mail address as it is. Raises ValueError where it is none."""
    if not _ADDRESS.fullmatch(value):
        msg = f"{quoted(value)} is no e-mail address; write oncall@example.org, without a name beside it"
        raise ValueError(msg)
    return value


def check_server(value: str) -> str:
    """Return ``host`` or ``host:port`` as it is. Raises ValueError where it is neither."""
    split_host_port(value)
    return value


_Address = Annotated[str, AfterValidator(check_mail_address)]


class WebhookModel(FileModel):
    """A receiver of JSON over HTTP."""

    url: Value = Field(description="Address that notifications are posted to; may be a secret.")
    headers: dict[HeaderName, SecretValue] = Field(
        default_factory=dict, description="Headers of each request, such as a token: `${NAME}` or `{file: path}`."
    )
    extra_ca: PathText | None = Field(
        default=None, description="PEM file of certificate authorities trusted beside the public ones."
    )


class EmailModel(FileModel):
    """Receivers of e-mail."""

    to: list[_Address] = Field(min_length=1, max_length=50, description="Addresses that are written to.")
    sender: _Address = Field(alias="from", description="Address that writes.")
    server: Annotated[str, AfterValidator(check_server)] = Field(
        description="Mail server: `host`, or `host:port` where the port is not the usual one of `security`."
    )
    security: Literal["tls", "starttls", "none"] = Field(
        default="starttls", description="`tls` from the first byte (465), `starttls` (587), or `none` (25)."
    )
    username: str | None = Field(default=None, min_length=1, max_length=200, description="User name at the server.")
    password: SecretValue | None = Field(default=None, description="Its password: `${NAME}` or `{file: path}`.")
    extra_ca: PathText | None = Field(
        default=None, description="PEM file of certificate authorities trusted beside the public ones."
    )

    @model_validator(mode="after")
    def _whole_credentials(self) -> Self:
        if (self.username is None) != (self.password is None):
            msg = "needs both 'username' and 'password', or neither"
            raise ValueError(msg)
        if self.security == "none" and self.password and not is_loopback(split_host_port(self.server).host):
            msg = "a password must not be sent without protection; set 'security' to starttls or tls"
            raise ValueError(msg)
        return self


class ReceiverModel(FileModel):
    """Somebody who is told of failures: by a webhook or by e-mail."""

    webhook: WebhookModel | None = Field(default=None, description="Told by JSON over HTTP.")
    email: EmailModel | None = Field(default=None, description="Told by e-mail.")
    teams: list[Slug] = Field(
        default_factory=list, max_length=100, description="Only checks of these teams; all where it is left out."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.webhook is None) == (self.email is None):
            msg = "needs either 'webhook' or 'email'; make two receivers of both"
            raise ValueError(msg)
        return self


class NotificationsModel(FileModel):
    """Who is told of failures, for those who run no Alertmanager."""

    failures: int = Field(default=3, ge=1, le=100, description="Failed runs among the last `total` that are told of.")
    total: int = Field(default=5, ge=1, le=100, description="How many of a check's last conclusive runs are counted.")
    receivers: dict[Annotated[str, AfterValidator(check_slug)], ReceiverModel] = Field(
        default_factory=dict, max_length=20, description="Who is told, by name."
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.failures > self.total:
            msg = f"{self.failures} of {self.total} runs can never fail; make 'total' at least 'failures'"
            raise ValueError(msg)
        return self


def notifications_from(model: NotificationsModel, teams: Collection[str], draft: Draft) -> NotificationSettings:
    """Return who is told; a receiver whose secret is not to be had is a problem."""
    made = (_receiver(name, each, teams, draft) for name, each in model.receivers.items())
    return NotificationSettings(
        failures=model.failures, total=model.total, receivers=tuple(one for one in made if one is not None)
    )


def _receiver(name: str, model: ReceiverModel, teams: Collection[str], draft: Draft) -> Receiver | None:
    place = ("notifications", "receivers", name)
    for index, team in enumerate(model.teams):
        if teams and team not in teams:
            hint = did_you_mean(team, teams) or "; add it to 'teams' in the ownership file"
            draft.refuse((*place, "teams", index), f"no team is called {quoted(team)}{hint}")
    if model.webhook is not None:
        return _webhook(name, model.webhook, tuple(model.teams), (*place, "webhook"), draft)
    if model.email is not None:
        return _email(name, model.email, tuple(model.teams), (*place, "email"), draft)
    return None


def _webhook(
    name: str, model: WebhookModel, teams: tuple[str, ...], place: Path, draft: Draft
) -> WebhookReceiver | None:
    steps = {
        header: functools.partial(draft.secret, source, f"header {header} of {name}")
        for header, source in model.headers.items()
    }
    headers, missing = collected(steps)
    for reason in missing:
        draft.refuse((*place, "headers"), reason)
    try:
        url = draft.value(model.url, f"webhook of {name}")
        check_url(url.reveal() if isinstance(url, Secret) else url)
        authorities = draft.authorities(model.extra_ca)
    except SecretUnavailable as error:
        draft.refuse(place, str(error))
        return None
    except ValueError as error:
        # What a secret holds is not shown, whatever is wrong with it.
        secret = not model.url.literal
        draft.refuse((*place, "url"), "the secret is not an http or https URL" if secret else str(error))
        return None
    return WebhookReceiver(name=name, url=url, headers=tuple(headers.items()), extra_ca=authorities, teams=teams)


def _email(name: str, model: EmailModel, teams: tuple[str, ...], place: Path, draft: Draft) -> EmailReceiver | None:
    security = MailSecurity(model.security)
    server = split_host_port(model.server)
    try:
        password = draft.secret(model.password, f"mail password of {name}") if model.password else None
        authorities = draft.authorities(model.extra_ca)
    except SecretUnavailable as error:
        draft.refuse(place, str(error))
        return None
    return EmailReceiver(
        name=name,
        to=tuple(model.to),
        sender=model.sender,
        host=server.host,
        port=server.port or _PORTS[security],
        security=security,
        username=model.username,
        password=password,
        extra_ca=authorities,
        teams=teams,
    )
