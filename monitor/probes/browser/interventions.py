"""Changes of the world that an experiment asks for: what becomes of each request, and how a browser is told."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Route

from monitor.domain.assignment import Intervention, InterventionKind
from monitor.domain.evidence import ProberFault
from monitor.probes.archive import Archive, ArchivedAnswer, ArchiveError, read_archive
from monitor.probes.browser.devtools import Channel
from monitor.probes.browser.first_party import FirstPartyHeaders
from monitor.probes.browser.network import Params
from monitor.probes.session import ProberError

_log = logging.getLogger(__name__)

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
    """One request that a browser is about to send; names of headers in lower case."""

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


class RequestGate:
    """Deals with each request that Chromium's ``Fetch`` domain holds: an experiment's change first, then our headers.

    ``note`` is told the network's id and the URL of each request on which we laid a hand.
    """

    def __init__(
        self, *, interventions: Interventions, headers: FirstPartyHeaders | None, note: Callable[[str, str], None]
    ) -> None:
        self._interventions = interventions
        self._headers = headers
        self._note = note

    @property
    def patterns(self) -> list[dict[str, str]]:
        """Return the URL patterns to hold; none where there is nothing to do."""
        if self._interventions:
            # A redirect is asked about only where the request before it was.
            return [{"urlPattern": "*"}]
        return self._headers.patterns if self._headers is not None else []

    async def answer(self, channel: Channel, params: Params) -> None:
        """Answer a held request, or let it go on."""
        try:
            if await self._intervene(channel, params):
                return
        except Exception as error:  # noqa: BLE001 - a request that is held for ever would pass for a silent server
            _log.warning("a request was not dealt with", extra={"error": type(error).__name__})
        if self._headers is not None:
            await self._headers.answer(channel, params)
        else:
            await channel.send("Fetch.continueRequest", {"requestId": params["requestId"]})

    async def _intervene(self, channel: Channel, params: Params) -> bool:
        asked = _asked(params)
        verdict = self._interventions.verdict(asked)
        if verdict is None:
            return False
        self._note(params.get("networkId", ""), asked.url)
        match verdict:
            case Refuse():
                reason = {"requestId": params["requestId"], "errorReason": "BlockedByClient"}
                await channel.send("Fetch.failRequest", reason)
            case Hold(seconds=seconds):
                await asyncio.sleep(seconds)
                return False
            case Give():
                await channel.send("Fetch.fulfillRequest", _fulfillment(params["requestId"], verdict))
        return True


def _asked(params: Params) -> Asked:
    request = params["request"]
    return Asked(
        method=request["method"],
        url=request["url"],
        resource=str(params.get("resourceType", "")).lower(),
        headers={name.lower(): value for name, value in request["headers"].items()},
    )


def _fulfillment(request_id: str, given: Give) -> dict[str, object]:
    return {
        "requestId": request_id,
        "responseCode": given.status,
        "responseHeaders": [{"name": name, "value": value} for name, value in given.headers],
        "body": base64.b64encode(given.body).decode(),
    }


async def install_routes(context: BrowserContext, interventions: Interventions, note: Callable[[str], None]) -> None:
    """Have every request of an engine without DevTools asked about. This turns the HTTP cache off."""

    async def route_request(route: Route) -> None:
        # The page may be gone before the answer arrives.
        with contextlib.suppress(Exception):
            await _answer_route(route, interventions, note)

    await context.route("**/*", route_request)


async def _answer_route(route: Route, interventions: Interventions, note: Callable[[str], None]) -> None:
    request = route.request
    asked = Asked(method=request.method, url=request.url, resource=request.resource_type, headers=request.headers)
    verdict = interventions.verdict(asked)
    if verdict is not None:
        note(request.url)
    match verdict:
        case Refuse():
            await route.abort("blockedbyclient")
        case Give():
            await route.fulfill(status=verdict.status, headers=dict(verdict.headers), body=verdict.body)
        case Hold(seconds=seconds):
            await asyncio.sleep(seconds)
            await route.continue_()
        case None:
            await route.continue_()


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
