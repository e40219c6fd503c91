"""Non-blocking sockets in one edge-triggered epoll that is nested in the event loop."""

from __future__ import annotations

import asyncio
import errno
import os
import select
import socket
import time

from monitor.probes.vantage.stamps import CONTROL_SIZE, STAMP_DEPARTURE, Timeline, ask_for_stamps, round_trip

_READ_SIZE = 65_536
_READS_IN_A_ROW = 16
_MOST_EVENTS = 512
_HANGUP = select.EPOLLRDHUP | select.EPOLLHUP


class DeadlineReached(Exception):  # noqa: N818 - says what happened, not that something is wrong
    """The time of an exchange is up."""


class Reactor:
    """Watches the sockets of all exchanges of one process.

    Each socket is registered once and forgotten by the kernel when it is closed, so that an exchange costs one call
    instead of the four of ``add_reader`` and its kin.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Nest an epoll of our own in a loop. Raises OSError where no file is left."""
        self.loop = loop
        self._channels: dict[int, Channel] = {}
        self._epoll = select.epoll()
        loop.add_reader(self._epoll.fileno(), self._dispatch)
        # While one socket wants stamps the kernel stamps every packet, also those that arrive before a fresh
        # socket's own wish has taken effect.
        self._keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ask_for_stamps(self._keeper)

    def watch(self, channel: Channel, descriptor: int) -> None:
        """Tell a channel from now on what happens at its socket."""
        self._channels[descriptor] = channel
        self._epoll.register(descriptor, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET)

    def forget(self, descriptor: int) -> None:
        """Stop to tell; the socket is about to be closed."""
        self._channels.pop(descriptor, None)

    def close(self) -> None:
        """Stop watching everything."""
        for channel in list(self._channels.values()):
            channel.close()
        self.loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._keeper.close()

    def _dispatch(self) -> None:
        for descriptor, events in self._epoll.poll(0, _MOST_EVENTS):
            channel = self._channels.get(descriptor)
            if channel is not None:
                channel.notify(events)


class Channel:
    """One TCP connection: bytes out, bytes in, and when they came."""

    __slots__ = (
        "_descriptor",
        "_expired",
        "_hangup",
        "_reactor",
        "_readable",
        "_reads",
        "_sock",
        "_stamp_is_due",
        "_stamps",
        "_timer",
        "_waiter",
        "_writable",
        "arrived",
        "received",
        "sent_at",
        "timeline",
    )

    def __init__(self, reactor: Reactor, family: socket.AddressFamily, timeline: Timeline) -> None:
        """Make the socket. Raises OSError where no file is left."""
        self._reactor = reactor
        self.timeline = timeline
        self._sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stamps = ask_for_stamps(self._sock)
        self._descriptor = self._sock.fileno()
        self._readable = self._writable = self._hangup = self._expired = self._stamp_is_due = False
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reads = 0
        self.sent_at = self.arrived = 0.0
        self.received = 0

    def bind(self, address: str) -> None:
        """Speak from one of our own addresses. Raises OSError where it is none."""
        self._sock.bind(_endpoint(address, 0))

    async def connect(self, address: str, port: int) -> float:
        """Connect, and return the seconds it took on the wire. Raises OSError as the network refuses."""
        started = time.monotonic()
        code = self._sock.connect_ex(_endpoint(address, port))
        self._reactor.watch(self, self._descriptor)
        if code == errno.EINPROGRESS:
            while not self._writable:
                await self._wait()
            code = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        taken = time.monotonic() - started
        if code:
            raise OSError(code, os.strerror(code))
        self._writable = True
        measured = round_trip(self._sock)
        return measured if measured is not None and measured < taken else taken

    def expire_at(self, deadline: float) -> None:
        """Let every wait end with DeadlineReached at a moment of the loop's clock; a later call replaces an earlier."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._reactor.loop.call_at(deadline, self._expire)

    async def send(self, data: bytes, *, stamped: bool = False) -> None:
        """Send all bytes; ``sent_at`` is the moment at which the last of them were handed to the kernel.

        Where ``stamped`` is true it is the moment at which they left, by the kernel's own stamp: another thread may
        run for long between a reading of ours and the sending.
        """
        request = STAMP_DEPARTURE if stamped and self._stamps else []
        rest = memoryview(data)
        while True:
            # Nothing may stand between the two lines, or another thread could run between them.
            self.sent_at = time.monotonic()
            try:
                sent = self._sock.sendmsg((rest,), request) if request else self._sock.send(rest)
            except BlockingIOError:
                sent = 0
            if sent == len(rest):
                self._stamp_is_due = bool(request)
                self._take_stamp()
                return
            rest = rest[sent:]
            self._writable = False
            while not self._writable:
                await self._wait()

    async def receive(self) -> bytes:
        """Return the next bytes, none at the end; ``arrived`` is the moment at which they came in."""
        self._reads += 1
        if self._reads % _READS_IN_A_ROW == 0:
            # A peer that never pauses must not keep the loop from others, nor from our own deadline.
            await asyncio.sleep(0)
        while True:
            while not self._readable:
                await self._wait()
            if self._expired:
                raise DeadlineReached
            try:
                data, ancillary, _, _ = self._sock.recvmsg(_READ_SIZE, CONTROL_SIZE)
            except BlockingIOError:
                self._readable = False
                continue
            if len(data) < _READ_SIZE and not self._hangup:
                self._readable = False
            now = time.monotonic()
            # The end of a stream carries no stamp of its own.
            self.arrived = self.timeline.moment(ancillary, now) if data else now
            self.received += len(data)
            return data

    @property
    def usable(self) -> bool:
        """Say whether an idle connection still seems fit for another request."""
        return not (self._hangup or self._readable or self._expired)

    def notify(self, events: int) -> None:
        """Take note of what the kernel says about the socket."""
        awaited = not self._writable
        if events & _HANGUP:
            self._hangup = self._readable = self._writable = True
        elif events & select.EPOLLERR:
            # Without a hang-up it is the stamp of a departure that comes late; else reading tells what is wrong.
            self._readable |= not self._stamp_is_due
            self._take_stamp()
        if events & select.EPOLLIN:
            self._readable = True
        if events & select.EPOLLOUT:
            self._writable = True
        waiter = self._waiter
        # Whoever waits to read has no use for the news that writing is possible, as it has been all along.
        if waiter is not None and not waiter.done() and (self._readable or (awaited and self._writable)):
            waiter.set_result(None)

    def close(self) -> None:
        """Close the connection. May be called more than once."""
        if self._sock.fileno() < 0:
            # Its number may by now be another channel's.
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._reactor.forget(self._descriptor)
        self._sock.close()
        # Whoever still waits here would wait for ever.
        self._expire()

    def _take_stamp(self) -> None:
        if self._stamp_is_due:
            left = self.timeline.departure(self._sock, self.sent_at)
            if left is not None:
                self.sent_at = left
                self._stamp_is_due = False

    async def _wait(self) -> None:
        if self._expired:
            raise DeadlineReached
        waiter = self._waiter = self._reactor.loop.create_future()
        try:
            await waiter
        finally:
            self._waiter = None
        if self._expired:
            raise DeadlineReached

    def _expire(self) -> None:
        self._expired = True
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def _endpoint(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    if ":" not in address:
        return (address, port)
    literal, _, scope = address.partition("%")
    if not scope:
        return (literal, port, 0, 0)
    return (literal, port, 0, int(scope) if scope.isdigit() else socket.if_nametoindex(scope))
