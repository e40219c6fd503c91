"""The prober ``http``: a request, the redirects behind it, and what the last answer is held against."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from urllib.parse import SplitResult

from monitor.probes.blackbox import requests
from monitor.probes.blackbox.addresses import choose_address
from monitor.probes.blackbox.encryption import Contexts, describe, suite_name
from monitor.probes.blackbox.judgement import Answer, judge
from monitor.probes.blackbox.modules import HttpModule
from monitor.probes.blackbox.occasion import Occasion
from monitor.probes.blackbox.requests import Ask, BadTarget
from monitor.probes.blackbox.round_trip import Errand, Trip, make_trip
from monitor.probes.http.cookies import Jar
from monitor.probes.http.failures import EXCEPTIONS, words_of
from monitor.probes.http.observation import Observation
from monitor.probes.http.proxying import ProxyRoute
from monitor.probes.vantage.resolver import ResolveFailed

_MOST_REDIRECTS = 10
_DURATION = "probe_http_duration_seconds"
_FAILURES: tuple[type[Exception], ...] = (
    *(kind for kind in EXCEPTIONS if issubclass(kind, Exception)),
    ValueError,
)


@dataclass(slots=True, kw_only=True)
class _Chain:
    """The requests of one probe: those that were made, and the answer that counts."""

    trips: list[Trip] = field(default_factory=list)
    redirects: int = 0
    answer: Trip | None = None
    refused_redirect: bool = False
    ended: float = 0.0


class HttpProber:
    """Carries out the probes of HTTP modules."""

    def __init__(self, contexts: Contexts, *, user_agent: str, most_bytes: int) -> None:
        """Introduce itself as ``user_agent`` and take in at most so many bytes of a body."""
        self._contexts = contexts
        self._user_agent = user_agent
        self._most_bytes = most_bytes

    async def probe(self, occasion: Occasion, target: str, module: HttpModule) -> bool:
        """Ask, follow, judge, and say whether all was as wanted."""
        gauges = occasion.gauges
        gauges.declare(
            "probe_http_content_length",
            "probe_http_uncompressed_body_length",
            "probe_http_redirects",
            "probe_http_ssl",
            "probe_http_status_code",
            "probe_http_version",
            "probe_failed_due_to_regex",
        )
        try:
            url = requests.parse(target)
            address = await self._address(occasion, url, module)
            context = await self._prepared(module)
            body = await asyncio.to_thread(module.body_file.read_bytes) if module.body_file else module.body
        except (OSError, ResolveFailed, ValueError) as error:
            occasion.say("The request cannot be made", err=words_of(error))
            return False
        gauges.declare_phases(_DURATION, "connect", "tls", "processing", "transfer")
        chain = _Chain()
        try:
            await self._begin(occasion, module, url, body, address, context, chain)
            return await self._conclude(occasion, module, chain)
        finally:
            for trip in chain.trips:
                trip.close()

    async def _begin(
        self,
        occasion: Occasion,
        module: HttpModule,
        url: SplitResult,
        body: bytes,
        address: str | None,
        context: ssl.SSLContext,
        chain: _Chain,
    ) -> None:
        try:
            ask = await asyncio.to_thread(requests.first, module, url, body, address, self._user_agent)
        except (OSError, ValueError) as error:
            occasion.say("Error for HTTP request", err=words_of(error))
            return
        await self._walk(occasion, module, ask, context, chain)

    async def _address(self, occasion: Occasion, url: SplitResult, module: HttpModule) -> str | None:
        if module.proxy is not None and not module.resolve_with_proxy:
            return None
        host = requests.ascii_host(url.hostname or "")
        before = time.monotonic()
        try:
            address, _ = await choose_address(occasion, host, preferred=module.preferred, fallback=module.fallback)
        finally:
            occasion.gauges.add_phase(_DURATION, "resolve", max(1e-6, time.monotonic() - before))
        return address

    async def _prepared(self, module: HttpModule) -> ssl.SSLContext:
        return await self._contexts.context(module.tls, *(("h2", "http/1.1") if module.http2 else ("http/1.1",)))

    async def _walk(
        self, occasion: Occasion, module: HttpModule, ask: Ask, context: ssl.SSLContext, chain: _Chain
    ) -> None:
        first, jar = ask, Jar()
        while True:
            trip = _trip(ask)
            chain.trips.append(trip)
            occasion.say("Making HTTP request", url=ask.address, host=ask.host or "")
            try:
                errand = self._errand(module, ask, first, context, jar, occasion.deadline)
                await make_trip(occasion.network, errand, trip)
            except _FAILURES as error:
                trip.error = error
                occasion.say("Error for HTTP request", err=words_of(error))
                if not trip.answered:
                    return
            location = requests.redirect_of(trip.observation.status or 0, _header(trip, b"location"))
            jar.take(ask.address, trip.observation.headers)
            if location is None:
                chain.answer = trip
                return
            chain.redirects += 1
            occasion.say("Received redirect", location=location)
            if chain.redirects > _MOST_REDIRECTS or not module.follow_redirects:
                occasion.say("Not following redirect")
                chain.answer, chain.refused_redirect = trip, True
                return
            trip.close()
            try:
                ask = requests.following(ask, trip.observation.status or 0, location)
            except BadTarget as error:
                occasion.say("Error for HTTP request", err=error)
                return

    def _errand(
        self, module: HttpModule, ask: Ask, first: Ask, context: ssl.SSLContext, jar: Jar, deadline: float
    ) -> Errand:
        origin = ask.origin
        at_start = requests.bare(ask.url) == requests.bare(first.url)
        # Where a redirect leads elsewhere, the name in its URL counts; at the start it is the one in the header.
        named = module.tls.server_name or _host_of(ask.host or "") if at_start else origin.host
        proxy = _route(module, origin.host)
        return Errand(
            outgoing=requests.outgoing(
                ask, jar.header(ask.address), named_by_url=proxy is not None and origin.scheme == "http"
            ),
            address=origin.host if at_start and ask.host is not None else None,
            context=context if origin.scheme == "https" else None,
            server_name=named or origin.host,
            proxy=proxy,
            deadline=deadline,
            most_bytes=self._taken(module),
        )

    def _taken(self, module: HttpModule) -> int:
        if module.compression or module.body_matches or module.body_not_matches:
            return self._most_bytes
        # Nobody looks at what it holds: up to a small limit, or to its end, it is only counted.
        return module.body_size_limit if module.body_size_limit <= self._most_bytes else 0

    async def _conclude(self, occasion: Occasion, module: HttpModule, chain: _Chain) -> bool:
        gauges, trip = occasion.gauges, chain.answer
        success, length, body_length = False, 0, 0
        if trip is not None:
            answer = _answer_of(trip, refused_redirect=chain.refused_redirect, most_bytes=self._most_bytes)
            success, body_length = await judge(occasion, module, answer)
            length = answer.content_length
            chain.ended = time.monotonic()
        _tell_durations(occasion, chain)
        if trip is not None and trip.secure is not None:
            gauges.set("probe_http_ssl", 1)
            describe(gauges, trip.secure, verified=module.tls.verify)
            gauges.set("probe_tls_cipher_info", 1, cipher=suite_name(trip.secure.cipher or ""))
            if module.fail_if_ssl:
                occasion.say("Final request was over SSL")
                success = False
        elif module.fail_if_not_ssl and success:
            occasion.say("Final request was not over SSL")
            success = False
        gauges.set("probe_http_status_code", (trip.observation.status or 0) if trip else 0)
        gauges.set("probe_http_content_length", length)
        gauges.set("probe_http_uncompressed_body_length", body_length)
        gauges.set("probe_http_redirects", chain.redirects)
        return success


def _trip(ask: Ask) -> Trip:
    started = time.monotonic()
    return Trip(Observation(id="", url=ask.address, host=ask.origin.host, method=ask.method, step="", started=started))


def _header(trip: Trip, name: bytes) -> bytes | None:
    return next((value for key, value in trip.observation.headers if key == name), None)


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


def _answer_of(trip: Trip, *, refused_redirect: bool, most_bytes: int) -> Answer:
    observation = trip.observation
    headers = tuple((name.decode("latin-1"), value) for name, value in observation.headers)
    return Answer(
        status=observation.status or 0,
        protocol="HTTP/2.0" if observation.protocol == "h2" else observation.protocol.upper(),
        method=observation.method,
        headers=headers,
        body=observation.body,
        received=observation.body_received,
        error=words_of(trip.error) if trip.error is not None else "",
        closed=refused_redirect,
        capped=observation.truncated,
        counted=observation.counts_only,
        bodiless=observation.bodiless,
        most_bytes=most_bytes,
    )


def _tell_durations(occasion: Occasion, chain: _Chain) -> None:
    gauges = occasion.gauges
    for number, trip in enumerate(chain.trips):
        if number:
            gauges.add_phase(_DURATION, "resolve", trip.resolve)
        if not trip.connected:
            continue
        gauges.add_phase(_DURATION, "connect", trip.connect)
        gauges.add_phase(_DURATION, "tls", trip.tls)
        if not trip.first_byte:
            continue
        gauges.add_phase(_DURATION, "processing", trip.observation.wait or 0.0)
        if trip is chain.answer:
            gauges.add_phase(_DURATION, "transfer", max(0.0, chain.ended - trip.first_byte))
