from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import brotli
import pytest
import trustme

from monitor.domain.secret import Secret
from monitor.probes.blackbox.addresses import address_hash
from monitor.probes.blackbox.decompression import NotCompressed, decompress
from monitor.probes.blackbox.encryption import suite_name
from monitor.probes.blackbox.judgement import http_date
from monitor.probes.blackbox.modules import (
    Credentials,
    DnsModule,
    HttpModule,
    Module,
    ProxyOptions,
    TcpModule,
    TlsOptions,
    Turn,
)
from monitor.probes.blackbox.patterns import Pattern, expand
from monitor.probes.blackbox.probe import Blackbox, Probed
from tests.probes.http.certificates import serving
from tests.probes.http.fault_server import FaultServer, dripping, hang, reply
from tests.probes.vantage.dns_server import DnsServer


@pytest.fixture
async def blackbox() -> AsyncIterator[Blackbox]:
    made = Blackbox(user_agent="Faultline/test", now=lambda: dt.datetime.now(dt.UTC), most_bytes=100_000)
    yield made
    made.close()


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as running:
        yield running


def a_module(options: HttpModule | TcpModule | DnsModule) -> Module:
    return Module(name="m", options=options)


async def probed(blackbox: Blackbox, target: str, options: object, *, seconds: float = 20.0) -> Probed:
    return await blackbox.probe(target, a_module(options), seconds=seconds)


async def test_a_body_that_nobody_looks_at_may_be_of_any_length(blackbox: Blackbox, server: FaultServer):
    server.routes["/"] = reply(b"x" * 1_000_000)
    found = await probed(blackbox, server.url("/"), HttpModule())
    assert found.gauges.get("probe_success") == 1
    assert found.gauges.get("probe_http_uncompressed_body_length") == 1_000_000


@pytest.mark.parametrize(("limit", "success", "length"), [(900_000, 0, 900_000), (1_000_000, 1, 1_000_000)])
async def test_a_limit_above_what_is_kept_is_kept_to(blackbox, server: FaultServer, limit: int, success, length):
    server.routes["/"] = reply(b"x" * 1_000_000)
    found = await probed(blackbox, server.url("/"), HttpModule(body_size_limit=limit))
    assert found.gauges.get("probe_success") == success
    assert found.gauges.get("probe_http_uncompressed_body_length") == length


async def test_a_body_that_is_matched_is_bounded_and_fails_beyond(blackbox: Blackbox, server: FaultServer):
    server.routes["/"] = reply(b"x" * 1_000_000)
    found = await probed(blackbox, server.url("/"), HttpModule(body_not_matches=(Pattern.of("x"),)))
    assert found.gauges.get("probe_success") == 0
    assert found.gauges.get("probe_http_uncompressed_body_length") == 100_000
    assert any("larger than 100000 bytes" in line for line in found.lines)


@pytest.mark.parametrize(("algorithm", "pack"), [("gzip", gzip.compress), ("br", brotli.compress)])
async def test_a_bomb_is_opened_no_further_than_the_bound(blackbox, server: FaultServer, algorithm: str, pack):
    server.routes["/"] = reply(pack(b"0" * 50_000_000))
    found = await probed(blackbox, server.url("/"), HttpModule(compression=algorithm))
    assert found.gauges.get("probe_success") == 0
    assert found.gauges.get("probe_http_uncompressed_body_length") == 100_000


async def test_a_body_without_an_end_ends_with_the_time_of_the_probe(blackbox: Blackbox, server: FaultServer):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.routes["/"] = dripping(head, b"1\r\nx\r\n", every=0.01)
    found = await probed(blackbox, server.url("/"), HttpModule(), seconds=2)
    assert found.gauges.get("probe_success") == 0
    assert found.gauges.get("probe_http_status_code") == 200


async def test_what_was_measured_before_the_end_of_the_time_is_told(blackbox: Blackbox, server: FaultServer):
    server.routes["/"] = hang
    found = await probed(blackbox, server.url("/"), HttpModule(), seconds=2)
    phases = found.gauges.values["probe_http_duration_seconds"]
    assert phases[("phase", "connect"),] > 0
    assert phases[("phase", "processing"),] == 0


async def test_the_body_of_a_file_is_sent_as_it_is_at_the_moment(blackbox, server: FaultServer, tmp_path: Path):
    (file := tmp_path / "body").write_text("one")
    options = HttpModule(method="POST", body_file=file)
    await probed(blackbox, server.url("/"), options)
    file.write_text("two")
    await probed(blackbox, server.url("/"), options)
    assert [request.body for request in server.requests] == [b"one", b"two"]


async def test_a_line_break_in_the_file_of_a_token_is_no_header(blackbox: Blackbox, server: FaultServer):
    options = HttpModule(credentials=Credentials(reveal=lambda: "Bearer a\r\nX-Evil: 1"))
    found = await probed(blackbox, server.url("/"), options)
    assert found.gauges.get("probe_success") == 0
    assert server.requests == []


async def test_an_authority_that_is_replaced_in_its_file_is_believed_from_then_on(blackbox, tmp_path: Path):
    first, second = trustme.CA(), trustme.CA()
    file = tmp_path / "ca.pem"
    first.cert_pem.write_to_path(file)
    options = HttpModule(tls=TlsOptions(ca_file=file))
    async with FaultServer(tls=serving(second.issue_cert("127.0.0.1"))) as secure:
        before = await probed(blackbox, secure.url("/"), options)
        file.unlink()
        second.cert_pem.write_to_path(file)
        after = await probed(blackbox, secure.url("/"), options)
    assert (before.gauges.get("probe_success"), after.gauges.get("probe_success")) == (0, 1)


async def test_an_address_that_is_not_ours_fails_the_probe_and_nothing_else(blackbox: Blackbox, server: FaultServer):
    options = TcpModule(source_address="192.0.2.1")
    found = await probed(blackbox, f"127.0.0.1:{server.port}", options)
    assert found.gauges.get("probe_success") == 0
    assert (await probed(blackbox, server.url("/"), HttpModule())).gauges.get("probe_success") == 1


async def test_an_answer_to_another_question_is_not_taken(blackbox: Blackbox):
    async with DnsServer() as dns:
        dns.names["slow.example"] = lambda question: question.reply().pack()[2:] + b"xx"
        options = DnsModule(query_name="slow.example", query_type="A")
        found = await probed(blackbox, dns.address, options, seconds=0.5)
    assert found.gauges.get("probe_dns_query_succeeded") == 0


@pytest.mark.parametrize(
    "target",
    [
        "",
        "://",
        "http://",
        "http:///path",
        "http://[",
        "a b",
        "http://a\nb/",
        "http://\x00/",
        "http://é\u2028/",
        "%",
        "@",
    ],
)
@pytest.mark.parametrize("options", [HttpModule(), TcpModule(), DnsModule(query_name="x")], ids=["http", "tcp", "dns"])
async def test_no_target_whatever_it_is_breaks_the_prober(blackbox: Blackbox, target: str, options):
    found = await probed(blackbox, target, options, seconds=0.5)
    assert found.gauges.get("probe_success") == 0


async def test_a_hundred_probes_at_once_all_end_and_leave_nothing_open(server: FaultServer):
    server.routes["/hang"] = hang
    blackbox = Blackbox(user_agent="x", now=lambda: dt.datetime.now(dt.UTC), at_once=20)
    paths = ["/", "/hang"] * 50
    found = await asyncio.gather(
        *(probed(blackbox, server.url(path), HttpModule(), seconds=8 if path == "/" else 0.5) for path in paths),
        return_exceptions=True,
    )
    assert [each.gauges.get("probe_success") for each in found[::2] if isinstance(each, Probed)] == [1] * 50
    blackbox.close()


async def test_what_is_sent_may_hold_what_was_caught(blackbox: Blackbox):
    heard = asyncio.get_running_loop().create_future()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"noise\nkey=abc;\n")
        heard.set_result(await reader.readline())
        writer.close()

    listener = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    turn = Turn(expect=Pattern.of(r"key=(?P<key>\w+)"), send=b"got ${key}, $1 and $$1 and $nothing.")
    await probed(blackbox, f"127.0.0.1:{port}", TcpModule(turns=(turn,)))
    assert await heard == b"got abc, abc and $1 and .\n"
    listener.close()


async def test_a_proxy_is_shown_its_credentials_and_headers_and_the_target_is_not(blackbox: Blackbox, server):
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(talk, "127.0.0.1", 0)
    proxy = ProxyOptions(
        host="127.0.0.1",
        port=listener.sockets[0].getsockname()[1],
        authorization=Secret("proxy", "Basic abc"),
        connect_headers=(("X-Tunnel", "one"),),
    )
    for target in ("http://127.0.0.1:9/x", "https://127.0.0.1:9/x"):
        found = await probed(blackbox, target, HttpModule(proxy=proxy, credentials=Credentials(reveal=lambda: "Mine")))
        assert found.gauges.get("probe_success") == 0
    plain, tunnel = (head.decode() for head in heads)
    assert plain.startswith("GET http://127.0.0.1:9/x HTTP/1.1\r\n")
    assert tunnel.startswith("CONNECT 127.0.0.1:9 HTTP/1.1\r\n")
    assert all("Proxy-Authorization: Basic abc\r\n" in head for head in (plain, tunnel))
    assert ("X-Tunnel: one" in plain, "X-Tunnel: one" in tunnel) == (False, True)
    # Nobody but the target is shown what is meant for it, once the way to it is encrypted.
    assert ("Mine" in plain, "Mine" in tunnel) == (True, False)
    listener.close()


@pytest.mark.parametrize(
    ("template", "made"),
    [(b"$1x", b""), (b"${1}x", b"onex"), (b"$", b"$"), (b"$$", b"$"), (b"${9}", b""), (b"a$-b", b"a$-b")],
)
def test_templates_are_those_of_go(template: bytes, made: bytes):
    assert expand(template, {"0": b"all", "1": b"one"}) == made


@pytest.mark.parametrize(
    ("openssl", "registered"),
    [
        ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
        ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("ECDHE-ECDSA-AES256-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
        ("ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
        ("AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"),
        ("DHE-RSA-AES256-GCM-SHA384", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    ],
)
def test_cipher_suites_have_their_registered_names(openssl: str, registered: str):
    assert suite_name(openssl) == registered


def test_every_cipher_suite_of_the_library_has_some_name():
    for each in ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).get_ciphers():
        assert suite_name(each["name"]).startswith("TLS_")


@pytest.mark.parametrize(
    "text", ["Wed, 21 Oct 2015 07:28:00 GMT", "Wednesday, 21-Oct-15 07:28:00 GMT", "Wed Oct 21 07:28:00 2015"]
)
def test_dates_are_read_in_the_three_forms_of_http(text: str):
    assert http_date(text) == dt.datetime(2015, 10, 21, 7, 28, tzinfo=dt.UTC)
    assert http_date(f"{text} or so") is None


def test_the_hash_of_an_address_is_fnv_of_its_bytes():
    assert address_hash("127.0.0.1") == 3668918509
    assert address_hash("::1") == address_hash("0:0:0:0:0:0:0:1")


@pytest.mark.parametrize("algorithm", ["gzip", "br", "deflate"])
def test_an_empty_body_is_not_compressed(algorithm: str):
    with pytest.raises(NotCompressed):
        decompress(b"", algorithm, most=10)


def test_a_module_shows_no_secret_when_it_is_printed():
    options = HttpModule(headers=(("X-Key", "hidden-word"),), body=b"hidden-word")
    assert "hidden-word" not in repr(a_module(replace(options, method="POST")))
