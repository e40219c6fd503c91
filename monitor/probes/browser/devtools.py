"""Chromium's own account of the network, through the DevTools protocol: of a page, its foreign frames and its workers.

One session per page; frames of other sites and workers are reached through it with messages inside messages, because
Playwright hands on only what comes from the session itself.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession

from monitor.domain.evidence import Truncation
from monitor.probes.browser.ledger import Entry, Limits
from monitor.probes.browser.network import NetworkRecorder, Params
from monitor.probes.problem_details import problem_type

_log = logging.getLogger(__name__)

_REPLY_LIMIT = 3.0
_FLUSH_LIMIT = 0.5
_ATTACH = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": False}
_HASHED = frozenset({"document", "script", "stylesheet", "xhr", "fetch"})
_HASHERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulation:
    """Commands that every page, frame and worker is given before it does anything."""

    everywhere: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    pages: tuple[tuple[str, Mapping[str, Any]], ...] = ()


class Channel:
    """A way to one target: the page's own session, or messages inside the messages of another channel."""

    def __init__(self, send: Callable[[str, dict[str, Any]], Coroutine[Any, Any, Any]]) -> None:
        self._send = send
        self.children: dict[str, ChildChannel] = {}

    async def send(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Send a command and return its result."""
        return await self._send(method, dict(params or {}))

    def descendants(self) -> list[ChildChannel]:
        """Return every target that is reached through this channel, however deep."""
        return [found for child in self.children.values() for found in (child, *child.descendants())]


class ChildChannel(Channel):
    """A target that is reached through its parent's channel."""

    def __init__(self, parent: Channel, session: str) -> None:
        super().__init__(self._wrapped)
        self._parent = parent
        self._session = session
        self._numbers = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Any]] = {}

    async def _wrapped(self, method: str, params: dict[str, Any]) -> Any:
        number = next(self._numbers)
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        message = json.dumps({"id": number, "method": method, "params": params})
        try:
            await self._parent.send("Target.sendMessageToTarget", {"sessionId": self._session, "message": message})
            return await asyncio.wait_for(reply, _REPLY_LIMIT)
        finally:
            self._replies.pop(number, None)

    def take_reply(self, message: Params) -> None:
        """Hand an answer to the command that waits for it."""
        reply = self._replies.get(message["id"])
        if reply is not None and not reply.done():
            reply.set_result(message.get("result") or {})


class DevtoolsWatch:
    """Listens to one attempt's pages and keeps the listening cheap: a flood ends it, visibly."""

    def __init__(self, recorder: NetworkRecorder, limits: Limits, emulation: Emulation) -> None:
        self._recorder = recorder
        self._limits = limits
        self._emulation = emulation
        self._channels: list[Channel] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._hashers = asyncio.Semaphore(_HASHERS)
        self._hashing: set[asyncio.Task[None]] = set()
        self._hashed = 0
        self._hashed_bytes = 0
        self._events = 0
        self._kept_events = 0
        self._closed = False
        self._unlisten: list[Callable[[], None]] = []
        self.on_request_paused: Callable[[Channel, Params], Coroutine[Any, Any, None]] | None = None
        self.on_flood: Callable[[], None] | None = None
        self.flooded = False

    async def watch(self, session: CDPSession) -> Channel:
        """Start listening to a page."""
        channel = Channel(session.send)
        self._channels.append(channel)
        for method in self._recorder.methods:
            session.on(method, _bound(self._take, channel, method))
        for method in ("Target.attachedToTarget", "Target.receivedMessageFromTarget", "Fetch.requestPaused"):
            session.on(method, _bound(self._take, channel, method))
        commands = (*self._emulation.everywhere, *self._emulation.pages)
        await asyncio.gather(
            channel.send("Network.enable"),
            channel.send("Target.setAutoAttach", _ATTACH),
            *(channel.send(method, params) for method, params in commands),
        )
        return channel

    async def settle(self, limit: float) -> None:
        """Wait shortly for what is on its way here and for hashes that are still being made, then drop the rest."""
        if limit > 0 and not self.flooded:
            # What pages, frames and workers have told so far arrives before their answer does.
            targets = [target for channel in self._channels for target in (channel, *channel.descendants())]
            flush = (_quietly(target.send("Network.enable")) for target in targets)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*flush), _FLUSH_LIMIT)
        if self._hashing:
            await asyncio.wait(self._hashing, timeout=limit)
        self._closed = True
        for unlisten in self._unlisten:
            unlisten()
        for task in (*self._hashing, *self._tasks):
            task.cancel()

    def truncations(self) -> tuple[Truncation, ...]:
        """Return what was cut."""
        cut = self._recorder.truncations()
        if self.flooded:
            cut += (Truncation(what="network_events", kept=self._kept_events, seen=self._events),)
        return cut

    def _take(self, channel: Channel, method: str, params: Params) -> None:
        if self._closed:
            return
        self._events += 1
        match method:
            case "Target.receivedMessageFromTarget":
                self._unwrap(channel, params)
            case "Target.attachedToTarget":
                self._start(self._adopt(channel, params))
            case "Fetch.requestPaused":
                if self.on_request_paused is not None:
                    self._start(self.on_request_paused(channel, params))
            case _:
                if not self.flooded:
                    self._record(channel, method, params)

    def _record(self, channel: Channel, method: str, params: Params) -> None:
        self._recorder.note(method, params)
        if method == "Network.loadingFinished":
            self._consider_hashing(channel, params["requestId"])
        if (
            self._events > self._limits.events
            or self._recorder.stream_events > self._limits.stream_events
            or self._recorder.is_full
        ):
            self._stop_listening()

    def _stop_listening(self) -> None:
        self.flooded = True
        self._kept_events = self._events
        _log.info("page floods the recorder", extra={"events": self._events})
        for channel in self._channels:
            for target in (channel, *channel.descendants()):
                self._start(target.send("Network.disable"))
        if self.on_flood is not None:
            self.on_flood()

    def _unwrap(self, channel: Channel, params: Params) -> None:
        child = channel.children.get(params["sessionId"])
        if child is None:
            return
        message = json.loads(params["message"])
        if "id" in message:
            child.take_reply(message)
        else:
            self._take(child, message["method"], message.get("params") or {})

    async def watch_popups(self, session: CDPSession, opener: str) -> None:
        """Listen to the browser for pages that the target ``opener`` opens, and to them before they load anything.

        Playwright tells of a popup only when its page has been answered.
        """
        channel = Channel(session.send)
        self._channels.append(channel)
        openers = {opener}

        def created(params: Params) -> None:
            info = params["targetInfo"]
            if self._closed or info["type"] != "page" or info.get("openerId") not in openers:
                return
            if len(openers) <= self._limits.popups:
                openers.add(info["targetId"])
                self._start(self._attach(channel, info))

        def told(params: Params) -> None:
            self._take(channel, "Target.receivedMessageFromTarget", params)

        self._listen(session, "Target.targetCreated", created)
        self._listen(session, "Target.receivedMessageFromTarget", told)

    async def _attach(self, channel: Channel, info: Params) -> None:
        attached = await channel.send("Target.attachToTarget", {"targetId": info["targetId"], "flatten": False})
        await self._adopt(channel, {"sessionId": attached["sessionId"], "targetInfo": info})

    def _listen(self, session: CDPSession, method: str, handler: Callable[[Params], None]) -> None:
        session.on(method, handler)
        self._unlisten.append(lambda: session.remove_listener(method, handler))

    async def _adopt(self, parent: Channel, params: Params) -> None:
        child = ChildChannel(parent, params["sessionId"])
        parent.children[params["sessionId"]] = child
        commands: list[tuple[str, Mapping[str, Any]]] = list(self._emulation.everywhere)
        if params["targetInfo"]["type"] in {"iframe", "page"}:
            commands += self._emulation.pages
        else:
            self._recorder.note_worker(params["targetInfo"]["url"])
        if not self.flooded:
            commands.insert(0, ("Network.enable", {}))
        commands.append(("Target.setAutoAttach", _ATTACH))
        if params["targetInfo"]["type"] != "page":
            # A popup waits for Playwright, which has more to do to it than we.
            commands.append(("Runtime.runIfWaitingForDebugger", {}))
        await asyncio.gather(*(_quietly(child.send(method, params)) for method, params in commands))

    def _consider_hashing(self, channel: Channel, request_id: str) -> None:
        entry = self._recorder.entry(request_id)
        size = (entry.body_bytes or 0) if entry is not None else 0
        if (
            entry is None
            or not (entry.resource in _HASHED or self._is_wanted(entry, size))
            or not 0 < size <= self._limits.hashed_body_bytes
            or self._hashed >= self._limits.hashed_bodies
            or self._hashed_bytes + size > self._limits.hashed_total_bytes
        ):
            return
        self._hashed += 1
        self._hashed_bytes += size
        self._start(self._hash(channel, request_id, entry), self._hashing)

    def _is_wanted(self, entry: Entry, size: int) -> bool:
        static = self._recorder.static
        return static is not None and static.wants(entry, size)

    async def _hash(self, channel: Channel, request_id: str, entry: Entry) -> None:
        # A page that went on has dropped its bodies: the exchange then stays without a hash.
        with contextlib.suppress(Exception):
            async with self._hashers:
                body = await channel.send("Network.getResponseBody", {"requestId": request_id})
                raw = base64.b64decode(body["body"]) if body["base64Encoded"] else body["body"].encode()
                entry.body_sha256 = hashlib.sha256(raw).hexdigest()
                entry.problem = problem_type(entry.status, entry.mime_type, raw)
                if self._recorder.static is not None:
                    self._recorder.static.hold(request_id, entry, raw, text=not body["base64Encoded"])

    def _start(self, work: Coroutine[Any, Any, None], group: set[asyncio.Task[None]] | None = None) -> None:
        tasks = self._tasks if group is None else group
        task = asyncio.get_running_loop().create_task(_quietly(work))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _quietly(work: Coroutine[Any, Any, Any]) -> None:
    # A target may be gone before its command arrives; that is no news.
    with contextlib.suppress(Exception):
        await work


def _bound(take: Callable[[Channel, str, Params], None], channel: Channel, method: str) -> Callable[[Params], None]:
    return lambda params: take(channel, method, params)
