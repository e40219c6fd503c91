"""A DNS server that answers, lies, stammers or keeps silent as a test asks."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Self

import dnslib

Reply = Callable[[dnslib.DNSRecord], dnslib.DNSRecord | bytes | None]


def answering(*records: str, rcode: str = "NOERROR") -> Reply:
    def reply(question: dnslib.DNSRecord) -> dnslib.DNSRecord:
        made = question.reply()
        made.header.rcode = getattr(dnslib.RCODE, rcode)
        for record in dnslib.RR.fromZone("\n".join(records)):
            if record.rtype in {question.q.qtype, dnslib.QTYPE.CNAME}:
                made.add_answer(record)
        return made

    return reply


class DnsServer(asyncio.DatagramProtocol):
    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host, self._port = host, port
        self.flags: list[int] = []
        self.names: dict[str, Reply] = {}
        self.by_tcp: dict[str, Reply] = {}
        self.delays: dict[str, float] = {}
        self.questions: list[tuple[str, str]] = []
        self.address = ""

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        while True:
            self._tcp = await asyncio.start_server(self._serve, self._host, self._port)
            port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._transport, _ = await loop.create_datagram_endpoint(lambda: self, (self._host, port))
                break
            except OSError:
                # Somebody has the same port for datagrams: try another one.
                self._tcp.close()
        self.address = f"{self._host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()
        self._tcp.close()

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        question = dnslib.DNSRecord.parse(data)
        name = str(question.q.qname).rstrip(".")
        self.questions.append((name, dnslib.QTYPE[question.q.qtype]))
        self.flags.append(question.header.bitmap)
        made = self._answer(self.names, question)
        if made is not None:
            asyncio.get_running_loop().call_later(self.delays.get(name, 0), self._transport.sendto, made, address)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = struct.unpack("!H", await reader.readexactly(2))[0]
        made = self._answer(self.by_tcp, dnslib.DNSRecord.parse(await reader.readexactly(length))) or b""
        writer.write(struct.pack("!H", len(made)) + made)
        await writer.drain()
        writer.close()

    def _answer(self, names: dict[str, Reply], question: dnslib.DNSRecord) -> bytes | None:
        name = str(question.q.qname).rstrip(".")
        made = names.get(name, answering(rcode="NXDOMAIN"))(question)
        return made.pack() if isinstance(made, dnslib.DNSRecord) else made
