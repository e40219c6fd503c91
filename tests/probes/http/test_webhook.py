from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from monitor.domain.evidence import ProberFault
from monitor.probes.http.webhook import WebhookAddress, WebhookListener
from monitor.probes.session import ExpectationFailed, ProberError

SHORT = dt.timedelta(seconds=0.2)


async def _send(url: str, body: bytes = b"", *, head: bytes | None = None) -> bytes:
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(
        head
        or b"POST /%b HTTP/1.1\r\nHost: x\r\nX-Sign: abc\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(body))
    )
    writer.write(body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_request_to_the_lent_url_reaches_the_step(server, open_session):
    http = (await open_session(server.url())).handle
    async with http.webhook() as hook:
        answer = await _send(f"{hook.url}/orders?x=1", b'{"order": 7}')
        request = await hook.received()
    assert answer.startswith(b"HTTP/1.1 204")
    assert (request.method, request.path, request.json()) == ("POST", "/orders?x=1", {"order": 7})
    assert ("x-sign", "abc") in request.headers


async def test_no_request_in_time_fails_the_expectation(server, open_session):
    http = (await open_session(server.url())).handle
    async with http.webhook() as hook:
        with pytest.raises(ExpectationFailed, match=r"no webhook came within 0\.2 s"):
            await hook.received(SHORT)


async def test_a_guessed_or_ended_url_is_not_found():
    listener = WebhookListener(WebhookAddress())
    async with listener.hook() as hook:
        guessed = hook.url.rpartition("/")[0] + "/guess"
        assert (await _send(guessed)).startswith(b"HTTP/1.1 404")
        other = hook.url
    assert (await _send(other)).startswith(b"HTTP/1.1 404")
    await listener.close()


async def test_bodies_and_queues_are_bounded():
    listener = WebhookListener(WebhookAddress(body_bytes=1000))
    async with listener.hook() as hook:
        await _send(hook.url, b"x" * 3000)
        request = await hook.received(SHORT)
        assert (len(request.body), request.truncated) == (1000, True)
        answers = [await _send(hook.url) for _ in range(20)]
        assert sum(answer.startswith(b"HTTP/1.1 204") for answer in answers) == 16
        assert answers[-1].startswith(b"HTTP/1.1 429")
    await listener.close()


async def test_rubbish_and_silence_disturb_nobody():
    listener = WebhookListener(WebhookAddress())
    async with listener.hook() as hook:
        await _send(hook.url, head=b"\x00\x01 rubbish\r\n\r\n")
        host, _, port = hook.url.removeprefix("http://").partition("/")[0].partition(":")
        _, silent = await asyncio.open_connection(host, int(port))
        await _send(hook.url, b"fine")
        assert (await hook.received(SHORT)).body == b"fine"
        await listener.close()
        silent.close()


async def test_an_address_that_cannot_be_had_is_our_fault():
    listener = WebhookListener(WebhookAddress(host="192.0.2.1", port=9))
    with pytest.raises(ProberError) as caught:
        async with listener.hook():
            pass
    assert caught.value.fault is ProberFault.INTERNAL
    assert "192.0.2.1:9" in str(caught.value)


async def test_a_public_url_stands_in_for_the_own_address():
    listener = WebhookListener(WebhookAddress(url="https://monitor.example/hooks/"))
    async with listener.hook() as hook:
        assert hook.url.startswith("https://monitor.example/hooks/")
        assert len(hook.url.rpartition("/")[2]) >= 32
    await listener.close()
