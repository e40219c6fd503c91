"""From a list of addresses to one connection, by the race of RFC 8305 ("happy eyeballs")."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from dataclasses import dataclass

from monitor.probes.http.channels import Channel, DeadlineReached, Reactor
from monitor.probes.http.failures import RESOURCES
from monitor.probes.vantage.stamps import Timeline

# An address that cannot be reached from here says less than one that answered with a refusal.
_UNTELLING = frozenset({errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EAFNOSUPPORT})


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection that won, how long its handshake took, and what became of addresses tried before it."""

    channel: Channel
    address: str
    seconds: float
    lost: tuple[str, ...] = ()


class Dialer:
    """Opens connections on one reactor."""

    def __init__(self, reactor: Reactor, *, delay: float) -> None:
        """Give each address ``delay`` seconds before the next one joins in."""
        self._reactor = reactor
        self._delay = delay

    async def dial(self, addresses: tuple[str, ...], port: int, *, deadline: float, timeline: Timeline) -> Connected:
        """Return a connection to the first address that answers. Raises OSError or DeadlineReached where none does."""
        if len(addresses) > 1:
            return await _Race(self, addresses, port, deadline, timeline).run(self._delay)
        channel, seconds = await self.attempt(addresses[0], port, deadline, timeline)
        return Connected(channel, addresses[0], seconds)

    async def attempt(
        self, address: str, port: int, deadline: float, timeline: Timeline, *, source: str = ""
    ) -> tuple[Channel, float]:
        """Return a connection to one address, where it is wanted from one of ours, and the seconds it took."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        channel = Channel(self._reactor, family, timeline)
        try:
            channel.expire_at(deadline)
            if source:
                channel.bind(source)
            return channel, await channel.connect(address, port)
        except OSError as error:
            channel.close()
            if error.errno == errno.EADDRNOTAVAIL and family == socket.AF_INET:
                # Our own ports are used up. With IPv6 the same number only says that we have no such address.
                raise OSError(errno.EMFILE, "no local port is left") from error
            raise
        except BaseException:
            channel.close()
            raise


class _Race:
    def __init__(
        self, dialer: Dialer, addresses: tuple[str, ...], port: int, deadline: float, timeline: Timeline
    ) -> None:
        self._dialer = dialer
        self._waiting = list(addresses)
        self._port = port
        self._deadline = deadline
        self._timeline = timeline
        self._running: dict[asyncio.Task[tuple[Channel, float]], str] = {}
        self._errors: list[tuple[str, BaseException]] = []

    async def run(self, delay: float) -> Connected:
        winner: asyncio.Task[tuple[Channel, float]] | None = None
        try:
            while winner is None:
                self._start_next()
                done, _ = await asyncio.wait(
                    self._running, timeout=delay if self._waiting else None, return_when=asyncio.FIRST_COMPLETED
                )
                winner = self._winner(done)
                if winner is None and not self._running and not self._waiting:
                    raise self._most_telling()
            channel, seconds = winner.result()
            address = self._running.pop(winner)
            return Connected(channel, address, seconds, tuple(self._lost()))
        finally:
            await self._dismiss()

    def _start_next(self) -> None:
        if self._waiting:
            address = self._waiting.pop(0)
            attempt = self._dialer.attempt(address, self._port, self._deadline, self._timeline)
            self._running[asyncio.ensure_future(attempt)] = address

    def _winner(self, done: set[asyncio.Task[tuple[Channel, float]]]) -> asyncio.Task[tuple[Channel, float]] | None:
        for task in done:
            error = task.exception()
            if error is None:
                return task
            if getattr(error, "errno", None) in RESOURCES:
                raise error
            self._errors.append((self._running.pop(task), error))
        return None

    def _lost(self) -> list[str]:
        failed = [f"{address}: {_short(error)}" for address, error in self._errors]
        return failed + [f"{address}: slower" for address in self._running.values()]

    def _most_telling(self) -> BaseException:
        telling = [error for _, error in self._errors if getattr(error, "errno", None) not in _UNTELLING]
        return (telling or [error for _, error in self._errors])[-1]

    async def _dismiss(self) -> None:
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        for task in self._running:
            if not task.cancelled() and task.exception() is None:
                task.result()[0].close()


def _short(error: BaseException) -> str:
    if isinstance(error, DeadlineReached):
        return "no answer in time"
    code = getattr(error, "errno", None)
    return os.strerror(code) if code else str(error)
