"""Tries whether a receiver of notifications can be reached."""

from __future__ import annotations

import os
import secrets
from typing import Annotated

import typer

from monitor.cli.exits import Exit
from monitor.cli.options import DEFAULT_CONFIG, ConfigOption
from monitor.config.receivers import Receiver
from monitor.config.settings import Settings
from monitor.domain.clock import Clock, SystemClock
from monitor.domain.secret import Redactor
from monitor.publishing.notifying.delivery import DeliveryError
from monitor.publishing.notifying.notification import Notification, Status, to_json
from monitor.publishing.notifying.post import transport_of
from monitor.reading.suggestion import did_you_mean
from monitor.service import StartupError, read_settings


def try_receiver(
    receiver: Annotated[str, typer.Argument(help="Name of a receiver in the section notifications.")],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Send a test notification to a receiver, once. Exit status: 0 delivered, 1 not delivered, 2 wrong usage."""
    settings = read_settings(config, os.environ)
    wanted = _receiver(settings, receiver)
    clock = SystemClock()
    data = to_json(a_test(settings, clock), Redactor(settings.secrets))
    try:
        transport_of(wanted, clock).delivery(data).send()
    except DeliveryError as error:
        print(f"{receiver} was not reached: {error}")
        raise typer.Exit(Exit.FAILED) from None
    print(f"{receiver} took a test notification")


def a_test(settings: Settings, clock: Clock) -> Notification:
    """Return a notification that only tries whether somebody can be reached."""
    now = clock.now()
    return Notification(
        id=secrets.token_hex(16),
        group="test",
        status=Status.TEST,
        at=now,
        since=now,
        location=settings.location,
        scope="check",
        checks=(),
        because="Somebody tries whether this receiver can be reached; nothing is wrong.",
        web_url=settings.web.url,
    )


def _receiver(settings: Settings, name: str) -> Receiver:
    receivers = {receiver.name: receiver for receiver in settings.notifications.receivers}
    if name in receivers:
        return receivers[name]
    if not receivers:
        msg = f"{settings.path} names no receivers; add one to the section notifications"
        raise StartupError(msg)
    hint = did_you_mean(name, receivers) or f"; there are {', '.join(receivers)}"
    msg = f"no receiver is called '{name}'{hint}"
    raise StartupError(msg)
