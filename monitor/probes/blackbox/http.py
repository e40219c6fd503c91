"""The prober ``http``: a request, the redirects behind it, and what the last answer is held against."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from urllib.parse import SplitResult

from monitor.probes.blackbox import requests
from monitor.probes.blackbox.addresses import choose_address
from monitor.probes.blackbox.encryption import Contexts, describe, suite_name
from monitor.probes.blackbox.gauges import Gauges
from monitor.probes.blackbox.judgement import Answer, judge
from monitor.probes.blackbox.modules import HttpModule
from monitor.probes.blackbox.occasion import Occasion
from monitor.probes.blackbox.redirects import Chain
from monitor.probes.blackbox.round_trip import Trip
from monitor.probes.http.failures import words_of
from monitor.probes.vantage.resolver import ResolveFailed

_DURATION = "probe_http_duration_seconds"
_GAUGES = (
    "probe_http_content_length",
    "probe_http_uncompressed_body_length",
    "probe_http_redirects",
    "probe_http_ssl",
    "probe_http_status_code",
    "probe_http_version",
    "probe_failed_due_to_regex",
)
_SHORTEST = 1e-6


class HttpProber:
    """Carries out the probes of HTTP modules."""

    def __init__(self, contexts: Contexts, *, user_agent: str, most_bytes: int) -> None:
        """Introduce itself as ``user_agent`` and keep at most so many bytes of a body."""
        self._contexts = contexts
        self._user_agent = user_agent
        self._most_bytes = most_bytes

    async def probe(self, occasion: Occasion, target: str, module: HttpModule) -> bool:
        """Ask, follow, judge, and say whether all was as wanted."""
        occasion.gauges.declare(*_GAUGES)
        protocols = ("h2", "http/1.1") if module.http2 else ("http/1.1",)
        try:
            url = requests.parse(target)
            address = await _address(occasion, url, module)
            context = await self._contexts.context(module.tls, *protocols)
            body = await asyncio.to_thread(module.body_file.read_bytes) if module.body_file else module.body
        except (OSError, ResolveFailed, ValueError) as error:
            occasion.say("The request cannot be made", err=words_of(error))
            return False
        occasion.gauges.declare_phases(_DURATION, "connect", "tls", "processing", "transfer")
        chain = Chain(occasion, module, context, most_bytes=self._most_bytes)
        try:
            await chain.follow(partial(requests.first, module, url, body, address, self._user_agent))
            return await self._conclude(occasion, module, chain)
        finally:
            chain.close()

    async def _conclude(self, occasion: Occasion, module: HttpModule, chain: Chain) -> bool:
        gauges, trip = occasion.gauges, chain.answer
        success, status, length, body_length = False, 0, 0, 0
        if trip is not None:
            answer = _answer_of(trip, refused_redirect=chain.refused_redirect, most_bytes=self._most_bytes)
            success, body_length = await judge(occasion, module, answer)
            status, length = answer.status, answer.content_length
        _tell_durations(gauges, chain, time.monotonic())
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
        gauges.set("probe_http_status_code", status)
        gauges.set("probe_http_content_length", length)
        gauges.set("probe_http_uncompressed_body_length", body_length)
        gauges.set("probe_http_redirects", chain.redirects)
        return success


async def _address(occasion: Occasion, url: SplitResult, module: HttpModule) -> str | None:
    if module.proxy is not None and not module.resolve_with_proxy:
        return None
    host = requests.ascii_host(url.hostname or "")
    before = time.monotonic()
    try:
        address, _ = await choose_address(occasion, host, preferred=module.preferred, fallback=module.fallback)
    finally:
        occasion.gauges.add_phase(_DURATION, "resolve", max(_SHORTEST, time.monotonic() - before))
    return address


def _answer_of(trip: Trip, *, refused_redirect: bool, most_bytes: int) -> Answer:
    observation = trip.observation
    return Answer(
        status=observation.status or 0,
        protocol="HTTP/2.0" if observation.protocol == "h2" else observation.protocol.upper(),
        method=observation.method,
        headers=tuple((name.decode("latin-1"), value) for name, value in observation.headers),
        body=observation.body,
        received=observation.body_received,
        error=words_of(trip.error) if trip.error is not None else "",
        closed=refused_redirect,
        capped=observation.truncated,
        counted=observation.counts_only,
        bodiless=observation.bodiless,
        most_bytes=most_bytes,
    )


def _tell_durations(gauges: Gauges, chain: Chain, ended: float) -> None:
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
            gauges.add_phase(_DURATION, "transfer", max(0.0, ended - trip.first_byte))
