"""What others tell us that happened: deployments."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from monitor.domain.deployment import KIND, Deployment, deployment_from
from monitor.history.values import HistoryError
from monitor.web import words
from monitor.web.body import json_body
from monitor.web.monitor import Monitor

_MOST_BYTES = 16_384
_MOST_LISTED = 100
_PATIENCE = 10.0
# A pipeline that tells of each deployment comes nowhere near; a loop that ran wild does.
_BURST, _PER_SECOND = 60.0, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentLine:
    """A deployment as the front page shows it."""

    service: str
    version: str
    age: str
    moment: str
    target: str
    url: str


class Events:
    """Routes about events."""

    def __init__(self, parts: Monitor) -> None:
        """Take in events for one monitor."""
        self._parts = parts
        self._allowed = _BURST
        self._asked = parts.clock.elapsed()

    async def add(self, request: Request) -> Response:
        """Take in a deployment; the same one a second time changes nothing, and is told so."""
        if not self._may():
            return JSONResponse({"error": "too many events; send at most one a second"}, 429, {"retry-after": "10"})
        body = await json_body(request, _MOST_BYTES)
        if body is None:
            return JSONResponse({"error": f"the body must be a JSON object of at most {_MOST_BYTES} bytes"}, 400)
        settings, now = self._parts.settings, self._parts.clock.now()
        targets = {check.target.name for check in settings.checks}
        try:
            oldest = now - settings.storage.keep_runs
            deployment = deployment_from(body, now=now, targets=targets, oldest=oldest)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        try:
            async with asyncio.timeout(_PATIENCE):
                new = await self._parts.deployed(deployment)
        except (HistoryError, TimeoutError) as error:
            why = str(error) or "the database does not answer"
            return JSONResponse({"error": f"it could not be kept, so send it again: {why}"}, 503)
        return JSONResponse({"event": as_data(deployment), "new": new}, 201 if new else 200)

    async def listed(self, request: Request) -> Response:  # noqa: ARG002 - every route is handed the request
        """Return the newest deployments of the time for which runs are kept."""
        now = self._parts.clock.now()
        since = now - self._parts.settings.storage.keep_runs
        try:
            found = await self._parts.history.deployments(since, now + dt.timedelta(minutes=5), limit=_MOST_LISTED)
        except HistoryError as error:
            return JSONResponse({"error": str(error)}, 503)
        return JSONResponse({"events": [as_data(one) for one in found]})

    def _may(self) -> bool:
        elapsed = self._parts.clock.elapsed()
        self._allowed = min(_BURST, self._allowed + (elapsed - self._asked) * _PER_SECOND)
        self._asked = elapsed
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True


def as_data(deployment: Deployment) -> dict[str, Any]:
    """Return a deployment as plain data."""
    return {
        "kind": KIND,
        "service": deployment.service,
        "version": deployment.version,
        "at": deployment.at.isoformat(),
        "target": deployment.target,
        "url": deployment.url,
    }


def deployment_lines(found: Sequence[Deployment], now: dt.datetime) -> tuple[DeploymentLine, ...]:
    """Return deployments as the front page shows them."""
    return tuple(
        DeploymentLine(
            service=one.service,
            version=one.version,
            age=words.span(max(0.0, (now - one.at).total_seconds())),
            moment=words.moment(one.at),
            target=one.target,
            url=one.url,
        )
        for one in found
    )
