"""One DNS question to one server, exactly as asked, and its answer whole."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.SOA import SOA

RCODES = frozenset(rcode.name for rcode in dns.rcode.Rcode)
TYPES = frozenset(kind.name for kind in dns.rdatatype.RdataType)
CLASSES = frozenset({"IN", "CH", "HS", "ANY", "NONE"})
_LARGEST = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, of whom, and how.

    Attributes:
        transport: ``udp`` or ``tcp``.
        context: How to encrypt; only over ``tcp``.
        server_name: Whose certificate the server has to show.
    """

    name: str
    kind: str
    of_class: str
    recursion: bool
    address: str
    port: int
    transport: str
    source: str = ""
    context: ssl.SSLContext | None = None
    server_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What was answered; each record is a line of a zone file with tabs between its parts.

    Attributes:
        connect: Seconds before the question was on its way.
        request: Seconds from the question to its answer.
        serial: The serial number of the last SOA record in the answer.
    """

    rcode: str
    answer: tuple[str, ...]
    authority: tuple[str, ...]
    additional: tuple[str, ...]
    serial: int | None
    connect: float
    request: float


class QuestionFailed(Exception):  # noqa: N818 - the server's failure, not an error of ours
    """There is no answer; the message says why, the times how long was waited for what."""

    def __init__(self, message: str, *, connect: float, request: float) -> None:
        """Keep the times beside the message."""
        super().__init__(message)
        self.connect = connect
        self.request = request


async def put(question: Question, *, seconds: float) -> Reply:
    """Ask once and return the answer. Raises QuestionFailed where none comes within ``seconds``."""
    started = time.monotonic()
    errand = _Errand(question)
    try:
        async with asyncio.timeout(seconds):
            response = await errand.run()
    except (dns.exception.DNSException, OSError, EOFError, ValueError, struct.error) as error:
        words = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        now = time.monotonic()
        asked = errand.asked or now
        raise QuestionFailed(words, connect=asked - started, request=now - asked) from error
    sections = [_records(section) for section in (response.answer, response.authority, response.additional)]
    if response.opt is not None:
        sections[2] = (*sections[2], ";; OPT PSEUDOSECTION")
    serials = [record.serial for rrset in response.answer for record in rrset if isinstance(record, SOA)]
    return Reply(
        rcode=dns.rcode.to_text(response.rcode()),
        answer=sections[0],
        authority=sections[1],
        additional=sections[2],
        serial=serials[-1] if serials else None,
        connect=errand.asked - started,
        request=time.monotonic() - errand.asked,
    )


class _Errand:
    """Takes one question to its server; ``asked`` is the moment at which the way was clear for it."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self.asked = 0.0

    async def run(self) -> dns.message.Message:
        question = self._question
        message = dns.message.make_query(
            dns.name.from_text(question.name), question.kind, question.of_class, use_edns=False
        )
        if not question.recursion:
            message.flags &= ~dns.flags.RD
        wire = message.to_wire()
        data = await (self._by_datagram(wire) if question.transport == "udp" else self._by_stream(wire))
        return dns.message.from_wire(data, one_rr_per_rrset=True)

    async def _by_datagram(self, wire: bytes) -> bytes:
        question, loop = self._question, asyncio.get_running_loop()
        with socket.socket(socket.AF_INET6 if ":" in question.address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            if question.source:
                sock.bind((question.source, 0))
            # Connected, it takes nobody else's word, and hears of it when nobody listens there.
            await loop.sock_connect(sock, (question.address, question.port))
            self.asked = time.monotonic()
            await loop.sock_sendall(sock, wire)
            while True:
                data = await loop.sock_recv(sock, _LARGEST)
                if data[:2] == wire[:2]:
                    return data

    async def _by_stream(self, wire: bytes) -> bytes:
        question = self._question
        reader, writer = await asyncio.open_connection(
            question.address,
            question.port,
            ssl=question.context,
            server_hostname=question.server_name if question.context else None,
            local_addr=(question.source, 0) if question.source else None,
        )
        try:
            self.asked = time.monotonic()
            writer.write(struct.pack("!H", len(wire)) + wire)
            await writer.drain()
            length = struct.unpack("!H", await reader.readexactly(2))[0]
            return await reader.readexactly(length)
        finally:
            writer.transport.abort()


def _records(section: list[dns.rrset.RRset]) -> tuple[str, ...]:
    return tuple(
        f"{rrset.name}\t{rrset.ttl}\t{dns.rdataclass.to_text(rrset.rdclass)}\t{dns.rdatatype.to_text(rrset.rdtype)}"
        f"\t{record}"
        for rrset in section
        for record in rrset
    )
