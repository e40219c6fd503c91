"""Local servers of every kind that a probe may meet, right ones and wrong ones, and the modules to probe them with."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self

import brotli
import dnslib
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.probes.http.certificates import self_signed, serving
from tests.probes.http.fault_server import FaultServer, Request, close, hang, reply, then_close
from tests.probes.http.forward_proxy import ForwardProxy
from tests.probes.http.http2_server import Http2Server, answering, resetting
from tests.probes.vantage.dns_server import DnsServer, Reply
from tests.probes.vantage.dns_server import answering as dns_answering

TEXT = b"the shop is open\n" * 40
MOMENT = "Wed, 21 Oct 2015 07:28:00 GMT"

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Talker:
    """A TCP server that says what a test wants it to say."""

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._talk, self._tls, self._host = talk, tls, host
        self.address = ""

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, self._host, 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.address = f"[{self._host}]:{port}" if ":" in self._host else f"{self._host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


def saying(*lines: bytes, stay: bool = False) -> Talk:
    """Say some lines, then hang up or stay silent."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in lines:
            writer.write(line)
        await writer.drain()
        if stay:
            await reader.read()

    return talk


async def irc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    await reader.readline()
    writer.write(b":server NOTICE hello\r\nPING :12345\r\n")
    answer = await reader.readline()
    writer.write(b":server 001 prober\r\n" if answer == b"PONG 12345\n" else b":server 999 no\r\n")
    await writer.drain()
    await reader.read()


def smtp(tls: ssl.SSLContext | None) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        await reader.readline()
        writer.write(b"250-STARTTLS\r\n250 OK\r\n")
        await reader.readline()
        writer.write(b"220 go ahead\r\n" if tls else b"454 not now\r\n")
        await writer.drain()
        if tls is not None:
            await writer.start_tls(tls)
            await reader.readline()
            writer.write(b"250 encrypted\r\n")
            await writer.drain()
        await reader.read()

    return talk


def strangely_named() -> ssl.SSLContext:
    """Return a certificate whose names hold what a line of text needs to escape."""
    key = ec.generate_private_key(ec.SECP256R1())
    parts = (
        (x509.NameOID.COUNTRY_NAME, "DE"),
        (x509.NameOID.ORGANIZATION_NAME, ' Shop, Inc. + "Sons" <x>;\\ '),
        (x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "one"),
        (x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "#two"),
        (x509.NameOID.STREET_ADDRESS, "Straße 1"),
        (x509.NameOID.LOCALITY_NAME, "Berlin"),
        (x509.NameOID.STATE_OR_PROVINCE_NAME, "BE"),
        (x509.NameOID.POSTAL_CODE, "10115"),
        (x509.NameOID.EMAIL_ADDRESS, "shop@example.org"),
        (x509.NameOID.TITLE, "Printable title"),
        (x509.NameOID.COMMON_NAME, "#shop"),
        (x509.NameOID.SERIAL_NUMBER, "00042"),
    )
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x0A0B0C)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.DNSName("*.b.example")]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(pem).tempfile() as path:
        context.load_cert_chain(path)
    return context


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)


def names_over_tls(answer: Reply) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        made = answer(dnslib.DNSRecord.parse(await reader.readexactly(length)))
        assert isinstance(made, dnslib.DNSRecord)
        packed = made.pack()
        writer.write(len(packed).to_bytes(2, "big") + packed)
        await writer.drain()

    return talk


def guarded(header: str, wanted: str) -> Callable[[Request, asyncio.StreamWriter], Awaitable[object]]:
    """Let in only who shows the right header."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        good = request.header(header) == wanted
        writer.write(reply(b"in") if good else reply(b"out", status="401 Unauthorized"))

    return answer


async def telling(request: Request, writer: asyncio.StreamWriter) -> None:
    """Answer with what was asked, so that a module can look at it."""
    told = f"{request.method} {request.target} host={request.header('host')} body={request.body.decode()}"
    writer.write(reply(told.encode()))


def redirect(to: str, code: int = 302, *headers: str) -> bytes:
    return reply(b"moved", status=f"{code} Moved", headers=(f"Location: {to}", *headers))


def routes(port: int) -> dict[str, Any]:
    """Return what a plain server answers, by path."""
    packed, framed, small = gzip.compress(TEXT), zlib.compress(TEXT), brotli.compress(TEXT)
    bare = framed[2:-4]
    return {
        "/": reply(TEXT, headers=("Server: demo", "X-Colour: red", "X-Colour: blue")),
        "/missing": reply(b"", status="404 Not Found"),
        "/broken": reply(b"oh", status="500 Internal Server Error"),
        "/empty": b"HTTP/1.1 204 No Content\r\n\r\n",
        "/relative": redirect("/"),
        "/permanent": redirect("/", 301),
        "/absolute": redirect(f"http://127.0.0.1:{port}/"),
        "/by-name": redirect(f"http://localhost:{port}/"),
        "/loop": redirect("/loop"),
        "/nowhere": reply(b"", status="302 Found"),
        "/ftp": redirect("ftp://127.0.0.1/"),
        "/three": redirect("/two", 301),
        "/two": redirect("/relative", 308),
        "/dead-end": redirect("http://127.0.0.1:1/"),
        "/keep": redirect("/tell", 307),
        "/see-other": redirect("/tell", 303),
        "/tell": telling,
        "/gzip": reply(packed, headers=("Content-Encoding: gzip",)),
        "/gzip-cut": reply(packed[:-12], headers=("Content-Encoding: gzip",)),
        "/br": reply(small, headers=("Content-Encoding: br",)),
        "/br-cut": reply(small[:-3], headers=("Content-Encoding: br",)),
        "/deflate": reply(bare, headers=("Content-Encoding: deflate",)),
        "/deflate-framed": reply(framed, headers=("Content-Encoding: deflate",)),
        "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "/chunked-cut": then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        "/cut": then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"),
        "/old": then_close(b"HTTP/1.0 200 OK\r\n\r\nold but good"),
        "/silent": hang,
        "/half": _half,
        "/close": close,
        "/garbage": then_close(b"SSH-2.0-OpenSSH_9\r\n"),
        "/dated": reply(b"ok", headers=(f"Last-Modified: {MOMENT}",)),
        "/misdated": reply(b"ok", headers=("Last-Modified: yesterday",)),
        "/hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + reply(b"after all"),
        "/set": redirect("/cookie", 302, "Set-Cookie: seen=yes; Path=/"),
        "/cookie": guarded("cookie", "seen=yes"),
        "/basic": guarded("authorization", "Basic cHJvYmVyOmNvcnJlY3QgaG9yc2U="),
        "/bearer": guarded("authorization", "Bearer abc.def"),
        "/key": guarded("x-api-key", "open sesame"),
        "/agent": guarded("user-agent", "my own"),
    }


async def _half(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
    await writer.drain()
    await asyncio.Event().wait()


class World:
    """All servers, started; ``modules`` is the file for both probers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = AsyncExitStack()
        self.ca, self.stranger = trustme.CA(organization_name="Shop, Inc. <test>"), trustme.CA()

    async def __aenter__(self) -> Self:
        self._files()
        await self._web()
        await self._encrypted()
        await self._talkers()
        await self._names()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        for sock in self._full:
            sock.close()

    async def _start(self, server: Any) -> Any:
        return await self._stack.enter_async_context(server)

    def _files(self) -> None:
        self.ca_file = self.folder / "ca.pem"
        self.ca.cert_pem.write_to_path(self.ca_file)
        client = self.ca.issue_cert("client@example.org")
        self.client_cert, self.client_key = self.folder / "client.pem", self.folder / "client.key"
        self.client_cert.write_bytes(b"".join(each.bytes() for each in client.cert_chain_pems))
        client.private_key_pem.write_to_path(self.client_key)
        (self.folder / "password").write_text("correct horse\n")
        (self.folder / "body").write_text("from a file")

    async def _web(self) -> None:
        self.web = await self._start(FaultServer())
        self.web.routes = routes(self.web.port)
        self.six = await self._start(FaultServer(host="::1"))
        self.beside, self.other = await self._start(FaultServer()), await self._start(FaultServer(host="127.0.0.2"))
        self.beside.routes, self.other.routes = routes(self.beside.port), routes(self.other.port)
        self.web.routes |= {
            "/basic-beside": redirect(self.beside.url("/basic")),
            "/basic-elsewhere": redirect(self.other.url("/basic")),
            "/basic-by-name": redirect(self.web.url("/basic", host="localhost")),
            "/basic-here": redirect("/basic"),
            "/key-here": redirect("/key"),
        }
        self.proxy = await self._start(ForwardProxy({"127.0.0.1": self.web.port}))
        self.deaf = await self._start(Talker(saying(stay=True)))
        self._full, self.unreachable = _full_backlog()

    async def _encrypted(self) -> None:
        names = ("localhost", "127.0.0.1", "shop.example")
        good = self.ca.issue_cert(*names, common_name="shop", organization_name="Shop, Inc.")
        past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        old = self.ca.issue_cert(*names, not_before=past - dt.timedelta(days=30), not_after=past)
        self.good = serving(good)
        self.secure = await self._start(FaultServer(tls=self.good))
        self.secure.routes = routes(0) | {"/down": redirect(self.web.url("/")), "/up": reply(b"up")}
        self.web.routes["/up"] = redirect(self.secure.url("/up"))
        self.web.routes["/up-by-name"] = redirect(self.secure.url("/up", host="localhost"))
        self.expired = await self._start(FaultServer(tls=serving(old)))
        self.misnamed = await self._start(FaultServer(tls=serving(self.ca.issue_cert("other.example"))))
        self.own = await self._start(FaultServer(tls=self_signed("localhost")))
        self.strange = await self._start(FaultServer(tls=strangely_named()))
        self.foreign = await self._start(FaultServer(tls=serving(self.stranger.issue_cert(*names))))
        demanding = serving(good)
        demanding.verify_mode = ssl.CERT_REQUIRED
        demanding.maximum_version = ssl.TLSVersion.TLSv1_2
        self.ca.configure_trust(demanding)
        self.demanding = await self._start(FaultServer(tls=demanding))
        older = serving(good)
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        self.older = await self._start(FaultServer(tls=older))
        self.two = await self._start(Http2Server(serving(good, alpn=("h2", "http/1.1"))))
        self.two.acts = {
            "/long": answering(TEXT, **{"content-length": str(len(TEXT))}),
            "/gone": answering(b"", status="410"),
            "/reset": resetting(2),
            "/bare": lambda connection, stream, _: connection.send_headers(
                stream, [(":status", "403")], end_stream=True
            ),
            "/redirect": answering(b"", status="302", location="/"),
        }
        self.tunnel = await self._start(ForwardProxy({"127.0.0.1": self.secure.port}))
        self.good_for_streams = good

    async def _talkers(self) -> None:
        tls = serving(self.good_for_streams)
        self.ssh = await self._start(Talker(saying(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", stay=True)))
        self.short = await self._start(Talker(saying(b"SSH-1.99-old\r\nbye")))
        self.irc = await self._start(Talker(irc))
        self.mail = await self._start(Talker(smtp(tls)))
        self.poor_mail = await self._start(Talker(smtp(None)))
        self.pop = await self._start(Talker(saying(b"+OK ready\r\n", stay=True), tls))
        self.own_pop = await self._start(Talker(saying(b"+OK ready\r\n", stay=True), self_signed("localhost")))
        self.echo = await self._start(Talker(echo))
        self.six_echo = await self._start(Talker(echo, host="::1"))
        self.endless = await self._start(Talker(saying(b"x" * 200_000, stay=True)))

    async def _names(self) -> None:
        talk = names_over_tls(dns_answering("www.shop.example. 300 IN A 192.0.2.1"))
        self.secret_dns = await self._start(Talker(talk, serving(self.good_for_streams)))
        self.misnamed_dns = await self._start(Talker(talk, serving(self.ca.issue_cert("other.example"))))
        self.dns = await self._start(DnsServer())
        soa = "shop.example. 300 IN SOA ns.shop.example. mail.shop.example. 2026112601 1 2 3 4"
        here = ("www.shop.example. 300 IN A 192.0.2.1", "www.shop.example. 300 IN A 192.0.2.2")
        for names in (self.dns.names, self.dns.by_tcp):
            names["www.shop.example"] = dns_answering(*here)
            names["shop.example"] = dns_answering(soa)
            names["text.shop.example"] = dns_answering('text.shop.example. 60 IN TXT "v=spf1 -all" "two"')
            names["mail.shop.example"] = dns_answering("mail.shop.example. 60 IN MX 10 mx.shop.example.")
            names["broken.example"] = dns_answering(rcode="SERVFAIL")
            names["silent.example"] = lambda _question: None
            names["garbage.example"] = lambda question: question.pack()[:2] + b"\xff\xff"
            names["full.example"] = _full_reply
            names["wanted.example"] = _recursion_only


def _full_reply(question: dnslib.DNSRecord) -> dnslib.DNSRecord:
    made = question.reply()
    made.add_answer(*dnslib.RR.fromZone("full.example. 60 IN A 192.0.2.9"))
    made.add_auth(*dnslib.RR.fromZone("example. 60 IN NS ns1.example.\nexample. 60 IN NS ns2.example."))
    made.add_ar(*dnslib.RR.fromZone("ns1.example. 60 IN A 192.0.2.53"))
    return made


def _recursion_only(question: dnslib.DNSRecord) -> dnslib.DNSRecord:
    made = question.reply()
    made.header.rcode = dnslib.RCODE.NOERROR if question.header.rd else dnslib.RCODE.REFUSED
    return made


def _full_backlog() -> tuple[list[socket.socket], str]:
    """Return an address where the kernel takes no further connection, so that one hangs, and the sockets behind it."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    held = [listener]
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        held.append(client)
    return held, f"127.0.0.1:{listener.getsockname()[1]}"
