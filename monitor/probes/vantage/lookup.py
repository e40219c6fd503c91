"""One question for the addresses of one name, put to servers in turn until one of them answers or time is up."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import struct
import time
from dataclasses import dataclass, field

from dns.rcode import Rcode
from dns.rdatatype import RdataType

from monitor.domain.failure import Failure
from monitor.domain.profile import Asking
from monitor.probes.vantage.message import Answer, MalformedAnswer, decode_answer, encode_question
from monitor.probes.vantage.stamps import CONTROL_SIZE, Timeline, ask_for_stamps
from monitor.probes.vantage.system import NameServer

_RESOLUTION_DELAY = 0.05
_AFTER_GARBAGE = 0.25
_LARGEST_DATAGRAM = 65535
_DEFINITE = frozenset({Rcode.NOERROR, Rcode.NXDOMAIN})
_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


@dataclass(slots=True)
class Replies:
    """What came back: one definite answer for each kind of address, and what else was seen meanwhile.

    Attributes:
        seconds: From the first question to the last answer, by the kernel's clock where it gives one.
    """

    definite: dict[RdataType, Answer] = field(default_factory=dict)
    refusals: list[Answer] = field(default_factory=list)
    malformed: bool = False
    unreachable: bool = False
    seconds: float = 0.0

    @property
    def failure(self) -> Failure:
        """Return why there is no definite answer."""
        if self.refusals:
            return failure_of(self.refusals[-1].rcode)
        if self.malformed:
            return Failure.DNS_MALFORMED
        return Failure.DNS_UNREACHABLE if self.unreachable else Failure.DNS_TIMED_OUT


def failure_of(rcode: int) -> Failure:
    """Return the failure that an answer's code stands for."""
    match rcode:
        case Rcode.NXDOMAIN:
            return Failure.DNS_NAME_NOT_RESOLVED
        case Rcode.SERVFAIL:
            return Failure.DNS_SERVER_FAILURE
        case Rcode.REFUSED:
            return Failure.DNS_REFUSED
        case Rcode.FORMERR:
            return Failure.DNS_MALFORMED
        case _:
            return Failure.DNS_FAILED


class Lookup:
    """Asks for some kinds of address records of a name at once, over UDP, and over TCP where an answer is cut short."""

    def __init__(
        self, name: str, kinds: tuple[RdataType, ...], *, rng: random.Random, asking: Asking = Asking.USUAL
    ) -> None:
        """Prepare one question for each kind."""
        self._name = name.rstrip(".").lower()
        identifiers = rng.sample(range(1 << 16), len(kinds))
        self._questions = {
            identifier: (kind, encode_question(identifier, self._name, kind, asking))
            for identifier, kind in zip(identifiers, kinds, strict=True)
        }
        self._replies = Replies()
        self._sockets: list[socket.socket] = []
        self._tcp: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._arrived = 0.0
        self._timeline = Timeline()
        self._changed = asyncio.Event()

    async def ask(self, servers: tuple[NameServer, ...], *, attempts: int, patience: float, deadline: float) -> Replies:
        """Return what came back. Never raises but for want of files or memory (OSError)."""
        loop = asyncio.get_running_loop()
        started = time.monotonic()
        try:
            for round_ in range(attempts):
                for server in servers:
                    self._send(loop, server)
                    until = min(deadline, loop.time() + patience * (1 + round_) / 2)
                    if await self._settled(loop, until) or loop.time() >= deadline:
                        return self._replies
            return self._replies
        finally:
            self._close(loop)
            complete = len(self._replies.definite) == len(self._questions)
            # Where we waited in vain for one of the answers, that wait counts as well.
            self._replies.seconds = (self._arrived if complete else time.monotonic()) - started

    def _send(self, loop: asyncio.AbstractEventLoop, server: NameServer) -> None:
        family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
        self._refused = 0
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        ask_for_stamps(sock)
        self._sockets.append(sock)
        try:
            sock.connect((server.address, server.port))
            for kind, question in self._questions.values():
                if kind not in self._replies.definite:
                    sock.send(question)
        except OSError as error:
            if error.errno in _RESOURCES:
                raise
            self._replies.unreachable = True
            self._changed.set()
            return
        loop.add_reader(sock.fileno(), self._receive, loop, sock, server)

    def _receive(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, server: NameServer) -> None:
        while True:
            try:
                data, ancillary, _, _ = sock.recvmsg(_LARGEST_DATAGRAM, CONTROL_SIZE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # An ICMP message said that nobody listens there.
                self._replies.unreachable = True
                loop.remove_reader(sock.fileno())
                self._changed.set()
                return
            self._take(data, server, self._timeline.moment(ancillary, time.monotonic()))

    def _take(self, data: bytes, server: NameServer, arrived: float) -> None:
        try:
            answer = decode_answer(data)
        except MalformedAnswer:
            self._replies.malformed = True
            self._changed.set()
            return
        kind, question = self._questions.get(answer.identifier, (None, b""))
        if kind is None or answer.kind != kind or answer.question != self._name:
            # Somebody else's answer, or a forged one: the true one may still come.
            return
        if answer.truncated:
            task = asyncio.get_running_loop().create_task(self._ask_by_tcp(question, server))
            self._tcp.add(task)
            task.add_done_callback(self._tcp.discard)
        elif answer.rcode in _DEFINITE:
            self._replies.definite[kind] = answer
            self._arrived = max(self._arrived, arrived)
            self._changed.set()
        else:
            self._replies.refusals.append(answer)
            self._refused += 1
            self._changed.set()

    async def _ask_by_tcp(self, question: bytes, server: NameServer) -> None:
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_connection(server.address, server.port)
            writer.write(struct.pack("!H", len(question)) + question)
            length = struct.unpack("!H", await reader.readexactly(2))[0]
            answer = decode_answer(await reader.readexactly(length))
            self._replies.definite[self._questions[answer.identifier][0]] = answer
            self._arrived = time.monotonic()
        except (OSError, EOFError, KeyError):
            self._replies.unreachable = True
        except MalformedAnswer:
            self._replies.malformed = True
        finally:
            if writer is not None:
                writer.close()
            self._changed.set()

    async def _settled(self, loop: asyncio.AbstractEventLoop, until: float) -> bool:
        while True:
            verdict = self._verdict()
            if verdict is not None:
                return verdict
            # RFC 8305: once one kind of address is known, the other is waited for only briefly.
            known = any(answer.addresses for answer in self._replies.definite.values())
            patience = _RESOLUTION_DELAY if known else _AFTER_GARBAGE if self._replies.malformed else None
            end = until if patience is None else min(until, loop.time() + patience)
            self._changed.clear()
            handle = loop.call_at(end, self._changed.set)
            try:
                await self._changed.wait()
            finally:
                handle.cancel()
            if loop.time() >= end:
                return known or self._verdict() is True

    def _verdict(self) -> bool | None:
        """Say whether all is known (true), this server is of no use (false), or waiting makes sense (none)."""
        replies = self._replies
        if len(replies.definite) == len(self._questions):
            return True
        if any(answer.rcode == Rcode.NXDOMAIN for answer in replies.definite.values()):
            return True
        if len(replies.definite) + self._refused >= len(self._questions):
            return any(answer.addresses for answer in replies.definite.values())
        return False if replies.unreachable and not self._tcp and not replies.definite else None

    def _close(self, loop: asyncio.AbstractEventLoop) -> None:
        for task in self._tcp:
            task.cancel()
        for sock in self._sockets:
            loop.remove_reader(sock.fileno())
            sock.close()
