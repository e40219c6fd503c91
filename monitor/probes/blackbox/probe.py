"""Carries out probes on request: a bounded number at a time, each within its time, whatever the target does."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

from monitor.probes.blackbox.dns import probe_dns
from monitor.probes.blackbox.encryption import Contexts
from monitor.probes.blackbox.gauges import Gauges
from monitor.probes.blackbox.http import HttpProber
from monitor.probes.blackbox.modules import DnsModule, HttpModule, Module, TcpModule
from monitor.probes.blackbox.occasion import Network, Occasion
from monitor.probes.blackbox.tcp import probe_tcp
from monitor.probes.http.channels import Reactor
from monitor.probes.http.dialing import Dialer
from monitor.probes.vantage.resolver import Resolver

_EYEBALLS = 0.3
_MOST_BYTES = 16 << 20
# By then every part has given up by itself; this is for a part that does not.
_GRACE = 0.2


class TooManyProbes(Exception):  # noqa: N818 - it says what there is too much of
    """So many probes are under way that another one found no room in its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What came of a probe; ``lines`` are what it says of itself, secrets not yet masked."""

    gauges: Gauges
    lines: tuple[str, ...]


class Blackbox:
    """Probes targets by modules."""

    def __init__(
        self,
        *,
        user_agent: str,
        now: Callable[[], dt.datetime],
        resolver: Resolver | None = None,
        at_once: int = 32,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """Introduce itself as ``user_agent``; run ``at_once`` probes at a time; the network is touched later."""
        self._now = now
        self._resolver = resolver or Resolver(elapsed=time.monotonic)
        self._room = asyncio.Semaphore(at_once)
        self._contexts = Contexts()
        self._http = HttpProber(self._contexts, user_agent=user_agent, most_bytes=most_bytes)
        self._reactor: Reactor | None = None
        self._network: Network | None = None

    async def probe(self, target: str, module: Module, *, seconds: float) -> Probed:
        """Probe a target, and return what was found within ``seconds``. Raises TooManyProbes."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                await self._room.acquire()
        except TimeoutError:
            msg = "too many probes are under way; probe less often, or spread the targets over several monitors"
            raise TooManyProbes(msg) from None
        try:
            return await self._probe(target, module, started, seconds)
        finally:
            self._room.release()

    def close(self) -> None:
        """Break off what is under way and let the network go."""
        if self._reactor is not None:
            self._reactor.close()
            self._reactor = self._network = None

    async def _probe(self, target: str, module: Module, started: float, seconds: float) -> Probed:
        occasion = Occasion(network=self._connected(), deadline=started + seconds)
        occasion.gauges.declare("probe_success", "probe_duration_seconds")
        occasion.say("Beginning probe", probe=module.prober, timeout_seconds=round(seconds, 3))
        success = False
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + occasion.seconds_left + _GRACE):
                success = await self._carry_out(occasion, target, module)
        except TimeoutError:
            occasion.say("The probe was broken off", after_seconds=round(time.monotonic() - started, 3))
        duration = time.monotonic() - started
        occasion.gauges.set("probe_duration_seconds", duration)
        occasion.gauges.set("probe_success", 1 if success else 0)
        occasion.say("Probe succeeded" if success else "Probe failed", duration_seconds=round(duration, 6))
        return Probed(gauges=occasion.gauges, lines=tuple(occasion.lines))

    async def _carry_out(self, occasion: Occasion, target: str, module: Module) -> bool:
        match module.options:
            case HttpModule() as options:
                return await self._http.probe(occasion, target, options)
            case TcpModule() as options:
                return await probe_tcp(occasion, target, options, self._contexts)
            case DnsModule() as options:
                return await probe_dns(occasion, target, options, self._contexts)

    def _connected(self) -> Network:
        if self._network is None:
            self._reactor = Reactor(asyncio.get_running_loop())
            self._network = Network(
                dialer=Dialer(self._reactor, delay=_EYEBALLS), resolver=self._resolver, now=self._now
            )
        return self._network
