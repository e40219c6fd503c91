"""How a browser is told of the changes that an experiment asks for."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import Callable

from playwright.async_api import BrowserContext, Route

from monitor.probes.browser.devtools import Channel
from monitor.probes.browser.first_party import FirstPartyHeaders
from monitor.probes.browser.network import Params
from monitor.probes.interventions import Asked, Give, Hold, Interventions, Refuse

_log = logging.getLogger(__name__)


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
