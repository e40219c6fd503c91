"""Changes of the world that an experiment asks for, and what becomes of each request; pure but for reading archives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from monitor.domain.assignment import Intervention, InterventionKind
from monitor.domain.evidence import ProberFault
from monitor.probes.archive import Archive, ArchivedAnswer, ArchiveError, read_archive
from monitor.probes.session import ProberError

_ALLOWED = "access-control-allow-origin"
_TYPES = {
    "document": "text/html",
    "script": "text/javascript",
    "stylesheet": "text/css",
    "image": "image/png",
    "font": "font/woff2",
    "media": "video/mp4",
    "xhr": "application/json",
    "fetch": "application/json",
    "manifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request that is about to be sent; names of headers in lower case."""

    method: str
    url: str
    resource: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Let the request fail, recognizably by our hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Give:
    """Answer the request ourselves."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Let the request go on after so many seconds."""

    seconds: float


Verdict = Refuse | Give | Hold


class Interventions:
    """All changes of one run. ``missed`` is told the URL of each request that an archive could not answer."""

    def __init__(
        self,
        changes: tuple[Intervention, ...],
        archives: Mapping[str, Archive],
        missed: Callable[[str], None] = lambda _url: None,
    ) -> None:
        self._changes = changes
        self._archives = archives
        self.missed = missed

    def __bool__(self) -> bool:
        """Say whether anything is changed at all."""
        return bool(self._changes)

    def blocks(self, url: str) -> bool:
        """Say whether requests to this URL are made to fail."""
        return any(change.kind is InterventionKind.BLOCK and _concerns(change, url) for change in self._changes)

    def verdict(self, asked: Asked) -> Verdict | None:
        """Return what is to become of a request; ``None`` where it goes on as if nobody had looked."""
        for change in self._changes:
            if _concerns(change, asked.url):
                found = self._of(change, asked)
                if found is not None:
                    return found
        return None

    def _of(self, change: Intervention, asked: Asked) -> Verdict | None:
        match change.kind:
            case InterventionKind.BLOCK:
                return Refuse()
            case InterventionKind.DELAY:
                return Hold(seconds=change.seconds)
            case InterventionKind.EMPTY:
                return _preflight(asked, "*") if _is_preflight(asked) else _nothing(asked)
            case InterventionKind.REPLAY:
                return self._replayed(self._archives[change.archive or ""], asked)

    def _replayed(self, archive: Archive, asked: Asked) -> Give | None:
        if _is_preflight(asked):
            answer = archive.find(asked.headers.get("access-control-request-method", ""), asked.url)
            return None if answer is None else _preflight(asked, dict(answer.headers).get(_ALLOWED, "*"))
        answer = archive.find(asked.method, asked.url)
        if answer is None:
            self.missed(asked.url)
            return None
        return _as_archived(answer)


async def load_interventions(changes: tuple[Intervention, ...]) -> Interventions:
    """Return the changes with their archives read. Raises ProberError where an archive cannot be used."""
    archives: dict[str, Archive] = {}
    for change in changes:
        if change.kind is not InterventionKind.REPLAY or change.archive in archives:
            continue
        if not change.archive:
            message = f"A replay of {change.host} names no archive."
            raise ProberError(ProberFault.INTERNAL, message)
        try:
            archives[change.archive] = await asyncio.to_thread(read_archive, Path(change.archive))
        except ArchiveError as error:
            raise ProberError(ProberFault.INTERNAL, f"{change.host} cannot be replayed: {error}.") from None
    return Interventions(changes, archives)


def _concerns(change: Intervention, url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    return host == change.host.lower().rstrip(".") and (parts.path or "/").startswith(change.path)


def _as_archived(answer: ArchivedAnswer) -> Give:
    return Give(status=answer.status, headers=answer.headers, body=answer.body)


def _is_preflight(asked: Asked) -> bool:
    return asked.method == "OPTIONS" and "access-control-request-method" in asked.headers


def _preflight(asked: Asked, allowed: str) -> Give:
    # A browser asks first whether it may ask: what is given afterwards is ours, so the leave is ours to give as well.
    headers = [
        (_ALLOWED, asked.headers.get("origin", allowed)),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", asked.headers["access-control-request-method"]),
        ("access-control-allow-headers", asked.headers.get("access-control-request-headers", "*")),
    ]
    return Give(status=204, headers=tuple(headers))


def _nothing(asked: Asked) -> Give:
    headers = [("content-type", _TYPES.get(asked.resource, "text/plain")), ("cache-control", "no-store")]
    # Without this a script of another origin would fail for want of leave, and not for want of content.
    headers.append((_ALLOWED, asked.headers.get("origin", "*")))
    if "origin" in asked.headers:
        headers.append(("access-control-allow-credentials", "true"))
    return Give(status=200, headers=tuple(headers))
