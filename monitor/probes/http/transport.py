"""The transport below httpx: one hop at a time, timed at the socket, and each seen to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx

from monitor.domain.failure import Failure, Phase
from monitor.probes.http import http1
from monitor.probes.http.connecting import Connection, Connector, Route, source_of
from monitor.probes.http.decoding import decode
from monitor.probes.http.failures import Fault, failure_of, raise_if_ours, words_of
from monitor.probes.http.intervening import intervene
from monitor.probes.http.limits import Limits
from monitor.probes.http.observation import Observation
from monitor.probes.http.outgoing import Origin, Outgoing, outgoing_of
from monitor.probes.interventions import Interventions
from monitor.probes.vantage.stamps import Timeline

REDIRECTED_FROM = "redirected_from"
MOST_BYTES = "most_bytes"
_PROXY_AUTH_REQUIRED = 407
_SURELY_OPEN = 2.0
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})

Extra = tuple[tuple[bytes, bytes], ...]


class TransportFailed(Exception):  # noqa: N818 - the site's failure as a rule, not an error of ours
    """An exchange failed; what was seen of it is in ``observation``."""

    def __init__(self, observation: Observation) -> None:
        """Keep what was seen."""
        super().__init__(observation.failure_text)
        self.observation = observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How the transport of one session behaves.

    Attributes:
        deadline: A reading of ``time.monotonic()`` at which every exchange gives up.
        headers_for: Headers that requests to a host carry in this run only.
        observe: Makes and keeps the observation of a new exchange, told the id of the one that redirected to it.
        interventions: What an experiment changes; ``None`` for an ordinary run.
    """

    deadline: float
    headers_for: Callable[[str], Extra]
    observe: Callable[[Outgoing, str | None], Observation]
    offline: bool = False
    interventions: Interventions | None = None


class Transport(httpx.AsyncBaseTransport):
    """Carries the requests of one session; connections are its own and end with it.

    Within a session a connection is used again, as a client does; nothing is shared between sessions, so that each
    run resolves, connects and shakes hands anew. A response comes with its body taken in and decoded, and with its
    ``observation`` among the extensions.
    """

    def __init__(self, connector: Connector, route: Route, limits: Limits, conduct: Conduct) -> None:
        """Connect by one route, in one way."""
        self._connector = connector
        self._route = route
        self._limits = limits
        self._conduct = conduct
        self._idle: dict[Origin, list[Connection]] = {}
        self._busy: set[Connection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry out one request for a client of httpx. Raises what ``carry_out`` does."""
        return response_of(await self.carry_out(request), request)

    async def carry_out(self, request: httpx.Request) -> Observation:
        """Carry out one request. Raises TransportFailed where there is no whole response, ProberError where we fail."""
        outgoing = outgoing_of(request)
        observation = self._conduct.observe(outgoing, request.extensions.get(REDIRECTED_FROM))
        observation.most_bytes = request.extensions.get(MOST_BYTES)
        timeout = request.extensions.get("timeout")
        deadline = self._conduct.deadline
        if timeout:
            deadline = min(deadline, observation.started + timeout["read"])
        try:
            await self._carry(outgoing, observation, deadline)
        except asyncio.CancelledError:
            observation.fail(Failure.PENDING, "still open when the attempt ended", at=time.monotonic())
            raise
        except Exception as error:
            observation.fail(failure_of(error, observation.phase), _words(error, observation), at=time.monotonic())
            raise_if_ours(error, observation.failure)
            raise TransportFailed(observation) from error
        return observation

    async def aclose(self) -> None:
        """Close every connection of the session."""
        for connections in (*self._idle.values(), tuple(self._busy)):
            for connection in connections:
                connection.close()
        self._idle.clear()
        self._busy.clear()

    async def _carry(self, outgoing: Outgoing, observation: Observation, deadline: float) -> None:
        changes = self._conduct.interventions
        if changes is not None and await intervene(changes, outgoing, observation, deadline):
            return
        if self._conduct.offline:
            observation.enter(Phase.CONNECT, observation.started)
            raise Fault(Failure.TCP_OFFLINE, "the network of this client profile is offline")
        reused = self._take_idle(outgoing)
        if reused is not None:
            reused.channel.timeline = Timeline()
            reused.channel.expire_at(deadline)
            reused.describe(observation)
            try:
                await self._exchange(reused, outgoing, observation)
            except (OSError, Fault) as error:
                if not _went_stale(error, outgoing, observation):
                    raise
            else:
                return
        connection = await self._connector.connect(outgoing.origin, self._route, observation, deadline)
        connection.describe(observation)
        await self._exchange(connection, outgoing, observation)

    def _take_idle(self, outgoing: Outgoing) -> Connection | None:
        waiting = self._idle.get(outgoing.origin)
        # Servers close what has rested for long. What must not be sent twice is not tried on such a connection.
        since = 0.0 if outgoing.method in _IDEMPOTENT else time.monotonic() - _SURELY_OPEN
        while waiting:
            connection = waiting.pop()
            if connection.channel.usable and connection.rests_since >= since:
                return connection
            connection.close()
        return None

    async def _exchange(self, connection: Connection, outgoing: Outgoing, observation: Observation) -> None:
        keep = False
        self._busy.add(connection)
        try:
            keep = await self._converse(connection, outgoing, observation)
        finally:
            self._busy.discard(connection)
            observation.source = source_of(connection.channel.timeline)
            if keep:
                connection.rests_since = time.monotonic()
                self._idle.setdefault(outgoing.origin, []).append(connection)
            else:
                connection.close()
        self._finish(outgoing, observation)

    async def _converse(self, connection: Connection, outgoing: Outgoing, observation: Observation) -> bool:
        extra = self._conduct.headers_for(outgoing.origin.host)
        if connection.http2 is not None:
            return await connection.http2.converse(connection.stream, outgoing.http2(extra), outgoing.body, observation)
        proxy = self._route.proxy_for(outgoing.origin) if outgoing.origin.scheme == "http" else None
        if proxy is not None:
            extra += proxy.headers
        data = outgoing.http1(extra, absolute=proxy is not None)
        return await http1.converse(connection.stream, data, observation, self._limits)

    def _finish(self, outgoing: Outgoing, observation: Observation) -> None:
        codings = [value.decode("latin-1") for name, value in observation.headers if name == b"content-encoding"]
        if codings and observation.body:
            most = observation.most_bytes or self._limits.body_bytes
            observation.body, observation.truncated = decode(
                observation.body, ",".join(codings), most=most, cut=observation.truncated
            )
        if observation.status == _PROXY_AUTH_REQUIRED and self._route.proxy_for(outgoing.origin) is not None:
            raise Fault(Failure.PROXY_AUTH_REQUIRED, "the proxy asks for other credentials than ours (407)")


def response_of(observation: Observation, request: httpx.Request) -> httpx.Response:
    """Return what was answered to a request in httpx's form."""
    return httpx.Response(
        observation.status or 0,
        # What is handed on is decoded already.
        headers=[each for each in observation.headers if each[0] != b"content-encoding"],
        stream=_Body(observation.body),
        request=request,
        extensions={"observation": observation},
    )


class _Body(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


def _went_stale(error: OSError | Fault, outgoing: Outgoing, observation: Observation) -> bool:
    """Say whether an idle connection had been closed by the server, so that the request may be sent anew."""
    closed = isinstance(error, ConnectionError) or getattr(error, "failure", None) is Failure.HTTP_RESPONSE_EMPTY
    fresh = observation.status is None and not observation.reason and observation.phase is not Phase.RECEIVE
    return closed and fresh and outgoing.method in _IDEMPOTENT


def _words(error: BaseException, observation: Observation) -> str:
    words = words_of(error)
    if observation.phase is not Phase.RECEIVE or isinstance(error, Fault):
        return words
    expected = next((value for name, value in observation.headers if name == b"content-length"), None)
    of = f" of {expected.decode('latin-1')}" if expected else ""
    return f"{words}; the body was truncated after {observation.body_received}{of} bytes"
