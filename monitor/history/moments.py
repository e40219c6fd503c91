"""Moments as they are stored: whole microseconds since 1970, in UTC."""

from __future__ import annotations

import datetime as dt

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def micros(moment: dt.datetime) -> int:
    """Return the stored form of an aware moment."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment_of(stored: int) -> dt.datetime:
    """Return the moment of a stored form."""
    return _EPOCH + dt.timedelta(microseconds=stored)
