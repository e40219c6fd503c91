"""From an origin to a connection that is ready for a request: resolve, connect, tunnel, encrypt, each timed apart."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass

from monitor.domain.exchange import TimeSource
from monitor.domain.failure import Failure, Phase
from monitor.probes.http.addresses import AddressPolicy
from monitor.probes.http.certificates import lacks_intermediate
from monitor.probes.http.channels import Channel, DeadlineReached, Reactor
from monitor.probes.http.dialing import Connected, Dialer
from monitor.probes.http.failures import NO_ISSUER, RESOURCES, Fault, words_of
from monitor.probes.http.http2 import Http2
from monitor.probes.http.limits import Limits
from monitor.probes.http.observation import Observation
from monitor.probes.http.outgoing import Origin
from monitor.probes.http.proxying import ProxyRoute, open_tunnel
from monitor.probes.http.securing import SecureChannel
from monitor.probes.http.trust import without_verification
from monitor.probes.vantage.resolver import NameView, ResolutionSource, ResolveFailed, Resolver
from monitor.probes.vantage.stamps import Timeline

_SECOND_LOOK = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How one client reaches others.

    Attributes:
        extra_ca: What its TLS context trusts beside the public authorities, in PEM form.
    """

    names: NameView
    policy: AddressPolicy
    context: ssl.SSLContext
    extra_ca: tuple[str, ...] = ()
    proxy: ProxyRoute | None = None

    def proxy_for(self, origin: Origin) -> ProxyRoute | None:
        """Return the proxy through which an origin is reached, if any."""
        return self.proxy if self.proxy is not None and self.proxy.serves(origin.host) else None


@dataclass(slots=True, eq=False)
class Connection:
    """A connection that is ready for a request, and what it shows of itself."""

    channel: Channel
    stream: Channel | SecureChannel
    http2: Http2 | None
    address: str
    port: int
    secure: SecureChannel | None = None
    chain: tuple[bytes, ...] = ()
    rests_since: float = 0.0

    def describe(self, observation: Observation) -> None:
        """Note on an exchange what it went over."""
        observation.address = self.address
        observation.port = self.port
        if self.secure is not None:
            observation.tls_version = self.secure.version
            observation.cipher = self.secure.cipher
            observation.chain = self.chain

    def close(self) -> None:
        """Close it."""
        self.channel.close()


class Connector:
    """Makes connections for all exchanges of a process."""

    def __init__(self, reactor: Reactor, resolver: Resolver, limits: Limits) -> None:
        """Use one reactor and one resolver."""
        self._resolver = resolver
        self._limits = limits
        self._dialer = Dialer(reactor, delay=limits.happy_eyeballs_delay)
        self._unverified = without_verification()

    async def connect(self, origin: Origin, route: Route, observation: Observation, deadline: float) -> Connection:
        """Return a fresh connection. Raises what resolver, network and TLS raise, and Fault."""
        proxy = route.proxy_for(origin)
        connected = await self._reach(origin, route, proxy, observation, deadline)
        channel = connected.channel
        try:
            if origin.scheme != "https":
                return Connection(channel, channel, None, connected.address, observation.port or 0)
            if proxy is not None:
                await self._tunnel(channel, proxy, origin, observation)
            secure = await self._encrypt(channel, origin, route, observation)
        except ssl.SSLCertVerificationError as error:
            channel.close()
            await self._look_again(error, connected.address, origin, route, observation)
            raise
        except BaseException:
            channel.close()
            raise
        http2 = Http2(self._limits) if secure.protocol == "h2" else None
        return Connection(channel, secure, http2, connected.address, observation.port or 0, secure, secure.chain())

    async def _reach(
        self, origin: Origin, route: Route, proxy: ProxyRoute | None, observation: Observation, deadline: float
    ) -> Connected:
        timeline = Timeline()
        host, port = (origin.host, origin.port) if proxy is None else (proxy.host, proxy.port)
        try:
            addresses = await self._resolve(host, port, route, observation, deadline, vetted=proxy is None)
            observation.port = port
            if len(addresses) == 1:
                observation.address = addresses[0]
            observation.enter(Phase.CONNECT, time.monotonic())
            connected = await self._dialer.dial(addresses, port, deadline=deadline, timeline=timeline)
        except (OSError, ResolveFailed, DeadlineReached) as error:
            if proxy is None or getattr(error, "errno", None) in RESOURCES:
                raise
            raise Fault(Failure.PROXY_CONNECTION_FAILED, f"the proxy cannot be reached: {words_of(error)}") from error
        observation.address = connected.address
        observation.connect = connected.seconds
        observation.notes += connected.lost
        return connected

    async def _resolve(
        self, host: str, port: int, route: Route, observation: Observation, deadline: float, *, vetted: bool
    ) -> tuple[str, ...]:
        observation.enter(Phase.RESOLVE, time.monotonic())
        try:
            resolution = await self._resolver.resolve(host, port=port, view=route.names, deadline=deadline)
        except ResolveFailed as error:
            if vetted:
                observation.resolution = error.resolution
            raise
        if vetted:
            # What is said of a proxy's name is no word on the host that is asked for.
            observation.resolution = resolution
        if resolution.source is ResolutionSource.DNS:
            observation.resolve = resolution.seconds
        addresses = resolution.addresses
        if not vetted:
            return addresses
        allowed = tuple([each for each in addresses if route.policy.refusal(each) is None])
        if not allowed:
            raise Fault(Failure.POLICY_ADDRESS, f"{host}: {route.policy.refusal(addresses[0])}")
        return allowed

    async def _tunnel(self, channel: Channel, proxy: ProxyRoute, origin: Origin, observation: Observation) -> None:
        before = time.monotonic()
        await open_tunnel(channel, proxy, origin, self._limits, seen=observation)
        observation.connect = (observation.connect or 0.0) + (time.monotonic() - before)

    async def _encrypt(self, channel: Channel, origin: Origin, route: Route, observation: Observation) -> SecureChannel:
        observation.enter(Phase.TLS, time.monotonic())
        secure = SecureChannel(channel, route.context, origin.host)
        observation.tls = await secure.handshake()
        return secure

    async def _look_again(
        self, error: ssl.SSLCertVerificationError, address: str, origin: Origin, route: Route, observation: Observation
    ) -> None:
        """Fetch the certificates that were refused; the library throws them away, and the person on call needs them."""
        observation.verify_code = error.verify_code
        deadline = time.monotonic() + _SECOND_LOOK
        proxy = route.proxy_for(origin)
        began = observation.phase_began
        try:
            channel, _ = await self._dialer.attempt(address, proxy.port if proxy else origin.port, deadline, Timeline())
        except (OSError, DeadlineReached):
            return
        try:
            if proxy is not None:
                await open_tunnel(channel, proxy, origin, self._limits)
            secure = SecureChannel(channel, self._unverified, origin.host)
            await secure.handshake()
            observation.chain = secure.chain()
            observation.tls_version, observation.cipher = secure.version, secure.cipher
        except (OSError, EOFError, DeadlineReached, Fault):
            return
        finally:
            channel.close()
            # The second look is ours: it must not lengthen the phase in which the site failed.
            observation.phase_began = began + (time.monotonic() - (deadline - _SECOND_LOOK))
        if error.verify_code in NO_ISSUER and lacks_intermediate(observation.chain, route.extra_ca):
            raise Fault(Failure.TLS_CERT_INCOMPLETE_CHAIN, _incomplete(error)) from error


def _incomplete(error: ssl.SSLCertVerificationError) -> str:
    return f"the server does not send the intermediate certificate: {error.verify_message}"


def source_of(timeline: Timeline) -> TimeSource:
    """Return whose clock timed an exchange."""
    return TimeSource.KERNEL if timeline.confirm() else TimeSource.USER
