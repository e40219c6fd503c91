"""A request and the redirects behind it, each over a connection of its own."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable

from monitor.probes.blackbox import requests
from monitor.probes.blackbox.modules import HttpModule
from monitor.probes.blackbox.occasion import Occasion
from monitor.probes.blackbox.requests import Ask, BadTarget
from monitor.probes.blackbox.round_trip import Errand, Trip, make_trip
from monitor.probes.http.cookies import Jar
from monitor.probes.http.failures import EXCEPTIONS, words_of
from monitor.probes.http.observation import Observation
from monitor.probes.http.proxying import ProxyRoute

_MOST_REDIRECTS = 10
_FAILURES: tuple[type[Exception], ...] = (
    *(kind for kind in EXCEPTIONS if issubclass(kind, Exception)),
    ValueError,
)


class Chain:
    """The requests of one probe, made one after the other.

    Attributes:
        trips: Those that were made, whatever came of them.
        answer: The one whose answer counts; nothing where the last one had none.
        refused_redirect: The answer that counts leads on to where it is not followed.
    """

    def __init__(self, occasion: Occasion, module: HttpModule, context: ssl.SSLContext, *, most_bytes: int) -> None:
        """Encrypt by the context where it is asked for, and take in at most so many bytes of a body."""
        self._occasion = occasion
        self._module = module
        self._context = context
        self._most_bytes = most_bytes
        self._jar = Jar()
        self.trips: list[Trip] = []
        self.redirects = 0
        self.answer: Trip | None = None
        self.refused_redirect = False

    async def follow(self, prepare: Callable[[], Ask]) -> None:
        """Make the request that is prepared in a thread, and those that redirects ask for."""
        try:
            first = await asyncio.to_thread(prepare)
        except (OSError, ValueError) as error:
            self._occasion.say("Error for HTTP request", err=words_of(error))
            return
        ask: Ask | None = first
        while ask is not None:
            ask = await self._make(ask, first)

    def close(self) -> None:
        """Close every connection."""
        for trip in self.trips:
            trip.close()

    async def _make(self, ask: Ask, first: Ask) -> Ask | None:
        trip = Trip(Observation(id="", url=ask.address, host="", method=ask.method, step="", started=time.monotonic()))
        self.trips.append(trip)
        self._occasion.say("Making HTTP request", url=ask.address, host=ask.host or "")
        try:
            await make_trip(self._occasion.network, self._errand(ask, first), trip)
        except _FAILURES as error:
            trip.error = error
            self._occasion.say("Error for HTTP request", err=words_of(error))
            if not trip.answered:
                return None
        self._jar.take(ask.address, trip.observation.headers)
        return self._next(ask, trip)

    def _next(self, ask: Ask, trip: Trip) -> Ask | None:
        status = trip.observation.status or 0
        location = requests.redirect_of(status, trip.header(b"location"))
        if location is None:
            self.answer = trip
            return None
        self.redirects += 1
        self._occasion.say("Received redirect", location=location)
        if self.redirects > _MOST_REDIRECTS or not self._module.follow_redirects:
            self._occasion.say("Not following redirect")
            self.answer, self.refused_redirect = trip, True
            return None
        trip.close()
        try:
            return requests.following(ask, status, location)
        except BadTarget as error:
            self._occasion.say("Error for HTTP request", err=error)
            return None

    def _errand(self, ask: Ask, first: Ask) -> Errand:
        origin = ask.origin
        at_start = requests.bare(ask.url) == requests.bare(first.url)
        # Where a redirect leads elsewhere, the name in its URL counts; at the start it is the one in the header.
        named = self._module.tls.server_name or _host_of(ask.host or "") if at_start else origin.host
        proxy = _route(self._module, origin.host)
        cookie = self._jar.header(ask.address)
        return Errand(
            outgoing=requests.outgoing(ask, cookie, named_by_url=proxy is not None and origin.scheme == "http"),
            address=origin.host if at_start and ask.host is not None else None,
            context=self._context if origin.scheme == "https" else None,
            server_name=named or origin.host,
            proxy=proxy,
            deadline=self._occasion.deadline,
            most_bytes=self._taken(),
        )

    def _taken(self) -> int:
        module = self._module
        if module.compression or module.body_matches or module.body_not_matches:
            return self._most_bytes
        # Nobody looks at what it holds: up to a small limit, or to its end, it is only counted.
        return module.body_size_limit if module.body_size_limit <= self._most_bytes else 0


def _host_of(authority: str) -> str:
    host, colon, port = authority.rpartition(":")
    bare = host if colon and port.isdigit() else authority
    return bare.removeprefix("[").removesuffix("]")


def _route(module: HttpModule, host: str) -> ProxyRoute | None:
    options = module.proxy
    if options is None:
        return None
    route = ProxyRoute(
        host=options.host,
        port=options.port,
        authorization=options.authorization.reveal().encode() if options.authorization else None,
        bypass=options.bypass,
        connect_headers=tuple((name.encode(), value.encode()) for name, value in options.connect_headers),
    )
    return route if route.serves(host) else None
