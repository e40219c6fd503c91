"""Notifications in the store: added in one commit with the run that they rest on, removed once they have ended."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from monitor.history.moments import micros, moment_of
from monitor.history.schema import NOTIFICATIONS

_OLDEST_FIRST = (NOTIFICATIONS.c.at, NOTIFICATIONS.c.receiver, NOTIFICATIONS.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A notification that a receiver may not have got yet.

    Attributes:
        id: The one under which the receiver knows it when it comes twice.
        at: When it was decided.
        body: What is sent, as JSON without secrets.
    """

    receiver: str
    id: str
    at: dt.datetime
    body: str


def row_of(unsent: Unsent) -> dict[str, Any]:
    """Return the row of a notification."""
    return {"receiver": unsent.receiver, "id": unsent.id, "at": micros(unsent.at), "body": unsent.body}


def waiting() -> sa.Select[Any]:
    """Return all that wait, the oldest first."""
    return sa.select(NOTIFICATIONS).order_by(*_OLDEST_FIRST)


def unsent_of(row: Any) -> Unsent:
    """Return the notification of a row."""
    return Unsent(receiver=row.receiver, id=row.id, at=moment_of(row.at), body=row.body)


def remove(connection: sa.Connection, receiver: str, number: str) -> None:
    """Remove one that has ended."""
    same = (NOTIFICATIONS.c.receiver == receiver, NOTIFICATIONS.c.id == number)
    connection.execute(sa.delete(NOTIFICATIONS).where(*same))


def remove_before(connection: sa.Connection, before: dt.datetime) -> int:
    """Remove those of receivers that are no more, which nobody will ever send; return how many went."""
    return connection.execute(sa.delete(NOTIFICATIONS).where(NOTIFICATIONS.c.at < micros(before))).rowcount
