from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

from monitor.domain.exchange import TimeSource
from monitor.domain.failure import Failure, Phase
from monitor.probes.http.ledger import ExchangeFailed
from tests.probes.http.certificates import self_signed, serving
from tests.probes.http.fault_server import FaultServer, then_close

HOST = "shop.localhost"
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@contextmanager
def alerting(context: ssl.SSLContext) -> Iterator[int]:
    """Serve one handshake at a time by blocking sockets; unlike asyncio's, they send TLS alerts."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(peer, server_side=True) as secure:
                    secure.recv(1000)
            except OSError:
                peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture
def refused(open_session, authority_pem):
    async def look(context: ssl.SSLContext, *, pem: str | None = authority_pem):
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        async with FaultServer(tls=context) as server:
            session = await open_session(server.url(host=HOST), target={"extra_ca": pem})
            with pytest.raises(ExchangeFailed) as caught:
                await session.handle.get("/")
            exchange = caught.value.exchange
            assert not server.requests, "nothing may be sent to a server that is not trusted"
            assert exchange.failed_phase is Phase.TLS
            return exchange

    return look


async def test_an_expired_certificate_is_named_and_shown(refused, authority):
    certificate = authority.issue_cert(HOST, not_before=NOW - 9 * DAY, not_after=NOW - DAY)
    exchange = await refused(serving(certificate))
    assert exchange.failure is Failure.TLS_CERT_EXPIRED
    assert exchange.tls.verify_code == 10
    assert exchange.tls.chain[0].names == (HOST,)
    assert exchange.tls.chain[0].not_after < NOW


async def test_a_certificate_from_the_future_is_not_yet_valid(refused, authority):
    certificate = authority.issue_cert(HOST, not_before=NOW + DAY, not_after=NOW + 9 * DAY)
    assert (await refused(serving(certificate))).failure is Failure.TLS_CERT_NOT_YET_VALID


async def test_a_certificate_of_another_name_is_told_with_the_names_it_has(refused, authority):
    exchange = await refused(serving(authority.issue_cert("other.localhost")))
    assert exchange.failure is Failure.TLS_CERT_NAME_INVALID
    assert exchange.tls.chain[0].names == ("other.localhost",)


async def test_a_self_signed_certificate_is_told_from_one_of_an_unknown_authority(refused):
    assert (await refused(self_signed(HOST))).failure is Failure.TLS_CERT_SELF_SIGNED
    stranger = trustme.CA(organization_name="Nobody knows")
    exchange = await refused(serving(stranger.issue_cert(HOST)))
    assert exchange.failure is Failure.TLS_CERT_AUTHORITY_INVALID


async def test_a_missing_intermediate_is_an_incomplete_chain(refused, authority):
    certificate = authority.create_child_ca().issue_cert(HOST)
    exchange = await refused(serving(certificate, leaf_only=True))
    assert exchange.failure is Failure.TLS_CERT_INCOMPLETE_CHAIN
    assert len(exchange.tls.chain) == 1


async def test_a_server_that_speaks_old_tls_only_is_a_version_mismatch(open_session, failure_of_get, authority):
    context = serving(authority.issue_cert(HOST))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with alerting(context) as port:
        exchange = (await failure_of_get((await open_session(f"https://{HOST}:{port}")).handle)).exchange
    assert (exchange.failure, exchange.failed_phase) == (Failure.TLS_VERSION_OR_CIPHER_MISMATCH, Phase.TLS)


async def test_plain_http_on_an_encrypted_port_is_a_tls_protocol_error(server, open_session, failure_of_get):
    server.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    session = await open_session(f"https://127.0.0.1:{server.port}")
    exchange = (await failure_of_get(session.handle)).exchange
    assert (exchange.failure, exchange.failed_phase) == (Failure.TLS_PROTOCOL_ERROR, Phase.TLS)


async def test_a_server_that_hangs_up_within_the_handshake_closed_the_connection(open_session, failure_of_get):
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5000)
        writer.close()

    listener = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    session = await open_session(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
    exchange = (await failure_of_get(session.handle)).exchange
    listener.close()
    assert (exchange.failure, exchange.failed_phase) == (Failure.TCP_CLOSED, Phase.TLS)


async def test_a_server_that_wants_our_certificate_is_told_apart(
    authority, open_session, authority_pem, failure_of_get
):
    context = serving(authority.issue_cert(HOST))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with alerting(context) as port:
        session = await open_session(f"https://{HOST}:{port}", target={"extra_ca": authority_pem})
        exchange = (await failure_of_get(session.handle)).exchange
    assert exchange.failure is Failure.TLS_BAD_CLIENT_AUTH_CERT


async def test_a_good_handshake_leaves_version_cipher_chain_and_days_left(open_session, authority, authority_pem):
    certificate = authority.create_child_ca().issue_cert(HOST, not_after=NOW + 20 * DAY)
    async with FaultServer(tls=serving(certificate)) as server:
        session = await open_session(server.url(host=HOST), target={"extra_ca": authority_pem})
        response = await session.handle.get("/")
    facts = response.exchange.tls
    assert facts.version == "TLSv1.3"
    assert facts.cipher
    assert len(facts.chain) == 2
    assert 19 < response.certificate_days_left < 20.1
    assert response.timings.tls > 0
    assert response.timings.source is TimeSource.KERNEL


async def test_a_body_that_breaks_off_under_tls_is_truncated(open_session, authority, authority_pem, failure_of_get):
    async with FaultServer(tls=serving(authority.issue_cert(HOST))) as server:
        server.routes["/"] = then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        session = await open_session(server.url(host=HOST), target={"extra_ca": authority_pem})
        exchange = (await failure_of_get(session.handle)).exchange
    assert exchange.failure is Failure.HTTP_RESPONSE_TRUNCATED


async def test_an_authority_in_the_profile_is_trusted_as_well(open_session, authority, authority_pem):
    async with FaultServer(tls=serving(authority.issue_cert(HOST))) as server:
        session = await open_session(server.url(host=HOST), profile={"extra_ca": authority_pem})
        assert (await session.handle.get("/")).status == 200
