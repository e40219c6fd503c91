"""One request over a connection of its own, timed by phase as the blackbox exporter times it."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field

from monitor.domain.failure import Phase
from monitor.probes.blackbox.encryption import encrypt
from monitor.probes.blackbox.occasion import Network
from monitor.probes.http import http1
from monitor.probes.http.channels import Channel
from monitor.probes.http.http2 import Http2
from monitor.probes.http.limits import Limits
from monitor.probes.http.observation import Observation
from monitor.probes.http.outgoing import Outgoing
from monitor.probes.http.proxying import ProxyRoute, open_tunnel
from monitor.probes.http.securing import SecureChannel
from monitor.probes.vantage.resolver import NameView
from monitor.probes.vantage.stamps import Timeline

_HEADER_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One request and the way it goes.

    Attributes:
        address: Where to connect to; ``None`` where the name in the URL has yet to be looked up.
        context: How to encrypt, ``None`` over plain HTTP.
        most_bytes: How much of the body is taken in; 0 where it is only counted.
    """

    outgoing: Outgoing
    address: str | None
    context: ssl.SSLContext | None
    server_name: str
    proxy: ProxyRoute | None
    deadline: float
    most_bytes: int


@dataclass(slots=True)
class Trip:
    """What was seen of one request so far; durations are seconds."""

    observation: Observation
    resolve: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    connected: bool = False
    secure: SecureChannel | None = None
    channel: Channel | None = None
    first_byte: float = 0.0
    error: Exception | None = field(default=None, repr=False)

    @property
    def answered(self) -> bool:
        """Say whether there is a status."""
        return self.observation.status is not None

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header of the answer."""
        return next((value for key, value in self.observation.headers if key == name), None)

    def close(self) -> None:
        """Close the connection."""
        if self.channel is not None:
            self.channel.close()


async def make_trip(network: Network, errand: Errand, trip: Trip) -> None:
    """Carry out one request, noting what is seen as it is seen. Raises what network, TLS and the parsers raise."""
    trip.channel = channel = await _connect(network, errand, trip)
    stream: Channel | SecureChannel = channel
    if errand.context is not None:
        if errand.proxy is not None:
            before = time.monotonic()
            await open_tunnel(channel, errand.proxy, errand.outgoing.origin, _HEADER_LIMITS)
            trip.connect += time.monotonic() - before
        stream, trip.tls = await encrypt(channel, errand.context, errand.server_name)
        trip.secure = stream
    trip.connected = True
    observation = trip.observation
    observation.most_bytes = errand.most_bytes or None
    observation.counts_only = not errand.most_bytes
    try:
        await _converse(stream, errand, trip)
    finally:
        if trip.answered or observation.phase is Phase.RECEIVE:
            trip.first_byte = observation.phase_began


async def _connect(network: Network, errand: Errand, trip: Trip) -> Channel:
    origin, proxy = errand.outgoing.origin, errand.proxy
    host, port = (origin.host, origin.port) if proxy is None else (proxy.host, proxy.port)
    addresses: tuple[str, ...]
    if proxy is None and errand.address is not None:
        addresses = (errand.address,)
    else:
        before = time.monotonic()
        found = await network.resolver.resolve(host, port=port, view=NameView(), deadline=errand.deadline)
        addresses = found.addresses
        trip.resolve = time.monotonic() - before
    connected = await network.dialer.dial(addresses, port, deadline=errand.deadline, timeline=Timeline())
    trip.connect = connected.seconds
    return connected.channel


async def _converse(stream: Channel | SecureChannel, errand: Errand, trip: Trip) -> None:
    outgoing, observation = errand.outgoing, trip.observation
    if trip.secure is not None and trip.secure.protocol == "h2":
        await Http2(_HEADER_LIMITS).converse(stream, outgoing.http2(()), outgoing.body, observation)
        return
    through = errand.proxy if errand.context is None else None
    data = outgoing.http1(through.headers if through else (), absolute=through is not None)
    await http1.converse(stream, data, observation, _HEADER_LIMITS)
