"""Stands in front of a host's application and makes the faults that concern its requests."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from monitor.demo.effects import Delay, Hang, Respond, Rewrite, RewriteHeader

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from monitor.demo.hosts import Host
    from monitor.demo.world import World

_SERVER_ERROR = 500


class Interference:
    """Holds, delays, replaces and rewrites answers, as the faults of the moment ask for."""

    def __init__(self, app: ASGIApp, *, host: Host, world: World) -> None:
        self._app = app
        self._host = host
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, rightly or wrongly."""
        request = (self._host, str(scope["path"]), str(scope["method"]))
        held = await self._hold(request, receive)
        if held is None:
            return
        receive = held
        await self._world.pause(
            sum(effect.seconds for effect in self._world.effects(Delay) if effect.scope.covers(*request))
        )
        for answer in self._world.effects(Respond):
            if answer.scope.covers(*request):
                await _respond(answer)(scope, receive, send)
                return
        changes = [change for change in self._world.effects(Rewrite) if change.scope.covers(*request)]
        await self._app(scope, receive, _Rewriter(changes, send) if changes else send)

    async def _hold(self, request: tuple[Host, str, str], receive: Receive) -> Receive | None:
        def free() -> bool:
            return not any(effect.scope.covers(*request) for effect in self._world.effects(Hang))

        if free():
            return receive
        seen: list[Message] = []
        leaving = asyncio.create_task(_until_disconnected(receive, seen))
        freed = asyncio.create_task(self._world.until(free))
        await asyncio.wait((leaving, freed), return_when=asyncio.FIRST_COMPLETED)
        gone = leaving.done()
        for task in (leaving, freed):
            task.cancel()
        await asyncio.gather(leaving, freed, return_exceptions=True)
        if gone:
            return None

        async def again() -> Message:
            return seen.pop(0) if seen else await receive()

        return again


class Dressing:
    """Adds what every answer carries, and takes away or changes the headers that a fault is about."""

    def __init__(self, app: ASGIApp, *, host: Host, world: World, origins: dict[str, str]) -> None:
        self._app = app
        self._host = host
        self._world = world
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with the headers of the moment."""

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["date"] = formatdate(usegmt=True)
                # Asked for anew each time, so that faults show at once; but no secret, so that it may be kept.
                headers.setdefault("cache-control", "no-cache")
                if message["status"] < _SERVER_ERROR:
                    # What a load balancer answers in place of its servers rarely has their headers.
                    headers.setdefault("x-content-type-options", "nosniff")
                self._change(headers, str(scope["path"]), str(scope["method"]))
            await send(message)

        await self._app(scope, receive, dressed)

    def _change(self, headers: MutableHeaders, path: str, method: str) -> None:
        for effect in self._world.effects(RewriteHeader):
            if not effect.scope.covers(self._host, path, method) or effect.name not in headers:
                continue
            if effect.old is None:
                del headers[effect.name]
            else:
                old = effect.old.format(**self._origins)
                headers[effect.name] = headers[effect.name].replace(old, effect.new, 1)


class _Rewriter:
    """Holds an answer back until it is complete, then sends it changed."""

    def __init__(self, changes: list[Rewrite], send: Send) -> None:
        self._changes = changes
        self._send = send
        self._start: Message = {}
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        body = bytes(self._body)
        for change in self._changes:
            body = body.replace(change.old.encode(), change.new.encode(), 1)
        headers = MutableHeaders(scope=self._start)
        headers["content-length"] = str(len(body))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})


def _respond(answer: Respond) -> Response:
    return Response(
        answer.body,
        status_code=answer.status,
        media_type=answer.media_type,
        headers=dict(answer.headers),
    )


async def _until_disconnected(receive: Receive, seen: list[Message]) -> None:
    while True:
        message = await receive()
        seen.append(message)
        if message["type"] == "http.disconnect":
            return
