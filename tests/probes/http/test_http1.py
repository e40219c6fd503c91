from __future__ import annotations

import pytest

from monitor.domain.failure import Failure
from monitor.probes.http.ledger import ExchangeFailed
from tests.probes.http.fault_server import endless, reply, then_close

CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        b"\x00\x01\x02\x03 this is no HTTP at all\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"<html><body>from before HTTP/1.0</body></html>",
        b"HTTP/1.1 200 OK\r\nno colon in here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Escape: \x1b[31mred\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_what_is_no_valid_http_is_a_protocol_error(server, open_session, answer):
    server.routes["/"] = then_close(answer)
    session = await open_session(server.url())
    with pytest.raises(ExchangeFailed) as caught:
        await session.handle.get("/")
    assert caught.value.exchange.failure is Failure.HTTP_PROTOCOL_ERROR


async def test_a_server_that_greets_like_ssh_is_a_protocol_error(server, open_session, failure_of_get):
    server.greeting = b"SSH-2.0-OpenSSH_9.2p1\r\n"
    server.routes["/"] = b""
    exchange = (await failure_of_get((await open_session(server.url())).handle)).exchange
    assert exchange.failure is Failure.HTTP_PROTOCOL_ERROR


async def test_one_huge_header_and_very_many_are_refused(server, small_probe, open_session, failure_of_get):
    server.routes["/huge"] = endless(b"HTTP/1.1 200 OK\r\nX-Huge: ", b"x" * 65536)
    server.routes["/many"] = endless(b"HTTP/1.1 200 OK\r\n", b"X-One: 1\r\n" * 100)
    session = await open_session(server.url(), using=small_probe)
    for path in ("/huge", "/many"):
        exchange = (await failure_of_get(session.handle, path)).exchange
        assert exchange.failure is Failure.HTTP_RESPONSE_HEADERS_TOO_BIG


async def test_headers_and_reason_that_are_no_text_are_kept_escaped(server, open_session):
    server.routes["/"] = b"HTTP/1.1 200 \xff\xfeOK\r\nServer: \xc3\x28\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd"
    response = await (await open_session(server.url())).handle.get("/")
    assert response.reason == "\\xff\\xfeOK"
    assert dict(response.exchange.headers)["server"] == "\\xc3("
    assert response.text == "\ufffd\ufffd\ufffd"
    response.text.encode()
    response.reason.encode()


async def test_control_characters_never_reach_a_record(server, open_session, failure_of_get):
    server.routes["/"] = b"HTTP/1.1 200 a\x00b\x1b[31m\r\nServer: x\r\nContent-Length: 0\r\n\r\n"
    response = await (await open_session(server.url())).handle.get("/")
    assert response.reason.isprintable()
    server.routes["/two"] = then_close(
        b"HTTP/1.1 302 F\r\nLocation: nul:\xe2\x80\xae\xc2\x85\r\nContent-Length: 0\r\n\r\n"
    )
    failed = await failure_of_get((await open_session(server.url())).handle, "/two")
    assert failed.exchange.failure_text.isprintable()
    assert dict(failed.exchange.headers)["location"].isprintable()


async def test_interim_responses_are_passed_over(server, open_session):
    server.routes["/"] = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + reply(b"done", headers=("X-Real: 1",))
    response = await (await open_session(server.url())).handle.get("/")
    assert (response.status, response.body) == (200, b"done")
    assert "link" not in response.headers


async def test_a_response_without_length_ends_with_the_connection(server, open_session):
    server.routes["/"] = then_close(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    response = await (await open_session(server.url())).handle.get("/")
    assert response.body == b"until the end"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_statuses_without_a_body_end_with_their_headers(server, open_session, status):
    server.routes["/"] = f"HTTP/1.1 {status}\r\nServer: x\r\n\r\n".encode()
    session = await open_session(server.url())
    for _ in range(2):
        assert (await session.handle.get("/")).body == b""
    assert server.connections == 1


async def test_the_answer_to_head_has_no_body_and_the_connection_stays(server, open_session):
    server.routes["/"] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    session = await open_session(server.url())
    for _ in range(2):
        response = await session.handle.head("/")
        assert response.headers["content-length"] == "5"
    assert server.connections == 1


async def test_a_chunked_body_with_trailers_is_put_together(server, open_session):
    server.routes["/"] = (
        b"HTTP/1.1 200 OK\r\n" + CHUNKED.encode() + b"\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nX-T: 1\r\n\r\n"
    )
    session = await open_session(server.url())
    response = await session.handle.get("/")
    assert response.body == b"abcde"
    assert "x-t" not in response.headers


async def test_a_connection_with_bytes_behind_the_response_is_not_used_again(server, open_session):
    server.routes["/"] = reply(b"ab") + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    session = await open_session(server.url())
    for _ in range(2):
        assert (await session.handle.get("/")).body == b"ab"
    assert server.connections == 2


async def test_a_refusal_is_read_though_the_body_was_not_taken(server, open_session):
    async def refuse(_request, writer):
        writer.write(reply(b"too large", status="413 Content Too Large", headers=("Connection: close",)))
        writer.close()

    server.routes["/"] = refuse
    response = await (await open_session(server.url())).handle.post("/", content=b"x" * 100_000)
    assert response.status == 413
