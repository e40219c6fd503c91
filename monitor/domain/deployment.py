"""A new version of an own service was put into operation, as far as we were told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

KIND = "deployment"
_FIELDS = ("kind", "service", "version", "at", "url", "target", "environment")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_VERSION = re.compile(r"[!-~]{1,100}")
_LONGEST_URL = 500
_AHEAD = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment. ``(service, version, at)`` is its identity.

    Attributes:
        target: The name of the target that it concerns; empty where it concerns all of them.
        url: Where people find more about it: a pipeline, a release.
    """

    service: str
    version: str
    at: dt.datetime
    target: str = ""
    url: str = ""


def deployment_from(
    event: object, *, now: dt.datetime, targets: Collection[str], dated: bool = False, oldest: dt.datetime | None = None
) -> Deployment:
    """Return the deployment that an event from outside tells of. Raises ValueError with one sentence.

    An event without a moment happened ``now``, unless it must be ``dated``.
    """
    if not isinstance(event, Mapping):
        msg = 'an event is a JSON object such as {"kind": "deployment", "service": "shop-api", "version": "4.2.1"}'
        raise ValueError(msg)  # noqa: TRY004 - what is wrong is a value from outside
    strangers = sorted(str(key) for key in event if key not in _FIELDS)
    if strangers:
        msg = f"an event has no field {strangers[0][:40]!r}; it has {', '.join(_FIELDS)}"
        raise ValueError(msg)
    if event.get("kind") != KIND:
        msg = f"'kind' must be \"{KIND}\""
        raise ValueError(msg)
    return Deployment(
        service=_matched(event, "service", _SERVICE, "letters, digits, '.', '_', '/' and '-', at most 100"),
        version=_matched(event, "version", _VERSION, "visible ASCII without blanks, at most 100"),
        at=_moment(event.get("at"), now, dated=dated, oldest=oldest),
        target=_target(event, targets),
        url=_url(event.get("url")),
    )


def _matched(event: Mapping[str, object], name: str, form: re.Pattern[str], words: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        msg = f"'{name}' must be a text of {words} characters"
        raise ValueError(msg)
    return value


def _moment(value: object, now: dt.datetime, *, dated: bool, oldest: dt.datetime | None) -> dt.datetime:
    if value is None and not dated:
        return now
    try:
        found = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        msg = "'at' must be a moment with its offset, such as \"2026-11-26T04:00:00Z\""
        raise ValueError(msg)
    if found > now + _AHEAD:
        msg = "'at' lies in the future; tell of a deployment when it is done"
        raise ValueError(msg)
    if oldest is not None and found < oldest:
        msg = f"'at' lies before {oldest:%Y-%m-%d}, which is longer ago than runs are kept"
        raise ValueError(msg)
    return found.astimezone(dt.UTC)


def _target(event: Mapping[str, object], targets: Collection[str]) -> str:
    names = [event[key] for key in ("target", "environment") if event.get(key) not in (None, "")]
    if not names:
        return ""
    if not isinstance(names[0], str) or names[0] not in targets or any(name != names[0] for name in names):
        msg = f"'target' (or 'environment') must be one of: {', '.join(sorted(targets))}"
        raise ValueError(msg)
    return names[0]


def _url(value: object) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, str) and len(value) <= _LONGEST_URL and value.isprintable() and " " not in value:
        try:
            parts = urlsplit(value)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.password is None
        except ValueError:
            good = False
        if good:
            return value
    msg = f"'url' must be an http or https address without a password, at most {_LONGEST_URL} characters"
    raise ValueError(msg)
