from __future__ import annotations

import asyncio
import socket
import time

import pytest

from monitor.domain.exchange import TimeSource
from monitor.domain.failure import Failure, Phase
from monitor.probes.http.ledger import ExchangeFailed
from tests.probes.http.fault_server import close, dripping, endless, hang, reply, then_close, then_reset
from tests.waiting import until

# Long enough for a busy machine to get as far as where a server keeps it waiting.
DEADLINE = 2.0
# A fraction of what the servers here would make one wait, and more than a busy machine needs to notice a deadline.
PATIENCE = 20.0


async def _timed_failure(session, path="/", **options):
    started = time.monotonic()
    with pytest.raises(ExchangeFailed) as caught:
        await session.handle.get(path, **options)
    assert time.monotonic() - started < PATIENCE
    return caught.value.exchange


async def test_a_body_that_drips_ends_at_the_deadline_and_says_how_much_came(server, open_session):
    server.routes["/"] = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    exchange = await _timed_failure(await open_session(server.url(), seconds=DEADLINE))
    assert exchange.failure is Failure.HTTP_RESPONSE_TIMED_OUT
    assert exchange.failed_phase is Phase.RECEIVE
    assert exchange.status == 200
    assert 1 <= exchange.transfer_bytes < 20
    assert "of 1000 bytes" in exchange.failure_text
    assert exchange.timings.receive > 0.5


async def test_headers_that_drip_end_at_the_deadline(server, open_session):
    server.routes["/"] = dripping(b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n")
    exchange = await _timed_failure(await open_session(server.url(), seconds=DEADLINE))
    assert exchange.failure is Failure.HTTP_RESPONSE_TIMED_OUT
    assert exchange.status is None


async def test_a_server_that_never_answers_is_waited_for_until_the_deadline(server, open_session):
    server.routes["/"] = hang
    exchange = await _timed_failure(await open_session(server.url(), seconds=DEADLINE))
    assert (exchange.failure, exchange.failed_phase) == (Failure.HTTP_RESPONSE_TIMED_OUT, Phase.WAIT)
    assert exchange.request_sent
    assert exchange.timings.wait > 0.5


async def test_a_handshake_that_never_ends_is_given_up_in_its_own_phase(server, open_session):
    session = await open_session(f"https://127.0.0.1:{server.port}", seconds=DEADLINE)
    exchange = await _timed_failure(session)
    assert (exchange.failure, exchange.failed_phase) == (Failure.TLS_TIMED_OUT, Phase.TLS)
    assert not exchange.request_sent


async def test_a_full_backlog_is_a_time_out_of_connecting(open_session):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        session = await open_session(f"http://127.0.0.1:{listener.getsockname()[1]}", seconds=DEADLINE)
        exchange = await _timed_failure(session)
        for filler in fillers:
            filler.close()
    assert (exchange.failure, exchange.failed_phase) == (Failure.TCP_TIMED_OUT, Phase.CONNECT)
    assert exchange.address == "127.0.0.1"


async def test_a_step_may_be_less_patient_than_its_run(server, open_session):
    import datetime as dt

    server.routes["/"] = hang
    session = await open_session(server.url(), seconds=30)
    exchange = await _timed_failure(session, timeout=dt.timedelta(seconds=DEADLINE))
    assert exchange.failure is Failure.HTTP_RESPONSE_TIMED_OUT


async def test_an_endless_body_stops_at_the_cap_and_says_so(server, small_probe, open_session):
    server.routes["/"] = endless(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"
    )
    session = await open_session(server.url(), using=small_probe)
    response = await session.handle.get("/")
    assert response.truncated
    assert len(response.body) == 100_000
    seen = await session.finish(failed=False)
    assert seen.exchanges[0].truncated
    assert seen.exchanges[0].failure is None
    assert seen.truncated[0].kept == 100_000
    assert seen.truncated[0].seen > 100_000


async def test_times_come_from_the_kernel_and_exclude_our_own_delay(server, open_session):
    async def answer(_request, writer):
        await asyncio.sleep(0.1)
        writer.write(reply())

    server.routes["/"] = answer
    session = await open_session(server.url())
    response = await session.handle.get("/")
    timings = response.timings
    assert timings.source is TimeSource.KERNEL
    assert timings.wait > 0.09
    assert timings.tls is None
    assert timings.resolve is None
    assert timings.connect > 0
    assert timings.total >= timings.wait


async def test_a_loop_that_was_busy_when_the_bytes_came_does_not_count_as_waiting(open_session):
    import threading

    answered = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(reply())
                answered.append(time.monotonic())

        thread = threading.Thread(target=serve)
        thread.start()
        session = await open_session(f"http://127.0.0.1:{listener.getsockname()[1]}")
        task = asyncio.ensure_future(session.handle.get("/"))
        await asyncio.sleep(0)
        for _ in range(100):
            if session._transport._busy:
                break
            await asyncio.sleep(0)
        began = time.monotonic()
        time.sleep(0.5)  # noqa: ASYNC251 - the loop is to be blocked
        response = await task
        thread.join()
    if response.timings.source is TimeSource.KERNEL:
        # The thread that answers may have been kept waiting too.
        assert response.timings.wait < max(0.0, answered[0] - began) + 0.4


async def test_a_wall_clock_that_steps_makes_us_trust_our_own_readings(server, open_session, monkeypatch):
    from monitor.probes.vantage import stamps

    real, calls = time.time_ns, iter((0, 0, 0, 0))
    monkeypatch.setattr(stamps.time, "time_ns", lambda: real() + next(calls, 3_600_000_000_000))

    async def answer(_request, writer):
        for _ in calls:
            pass
        writer.write(reply())

    server.routes["/"] = answer
    response = await (await open_session(server.url())).handle.get("/")
    assert response.timings.source is TimeSource.USER
    assert 0 <= response.timings.wait < 60


async def test_a_connection_is_used_again_within_a_run(server, open_session):
    session = await open_session(server.url())
    await session.handle.get("/")
    second = await session.handle.get("/")
    assert server.connections == 1
    assert second.timings.connect is None
    assert second.exchange.address == "127.0.0.1"


async def test_each_run_connects_anew(server, open_session):
    for _ in range(2):
        session = await open_session(server.url())
        await session.handle.get("/")
        await session.finish(failed=False)
    assert server.connections == 2


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced(server, open_session):
    server.routes["/first"] = then_close(reply())
    session = await open_session(server.url())
    await session.handle.get("/first")
    await asyncio.sleep(0.05)
    assert (await session.handle.get("/second")).status == 200


async def test_a_storm_of_cancelled_requests_leaves_the_next_one_healthy(server, open_session):
    server.routes["/slow"] = hang
    session = await open_session(server.url())
    for _ in range(5):
        tasks = [asyncio.ensure_future(session.handle.get("/slow")) for _ in range(20)]
        await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    fresh = await open_session(server.url())
    assert (await fresh.handle.get("/")).status == 200
    assert (await session.handle.get("/")).status == 200
    assert not session._transport._busy


async def test_a_body_that_breaks_off_says_after_how_many_bytes(server, open_session, failure_of_get):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    server.routes["/fin"] = then_close(head + b"x" * 40)
    server.routes["/rst"] = then_reset(head + b"x" * 40)
    session = await open_session(server.url())
    fin = (await failure_of_get(session.handle, "/fin")).exchange
    assert (fin.failure, fin.failed_phase) == (Failure.HTTP_RESPONSE_TRUNCATED, Phase.RECEIVE)
    assert "after 40 of 100 bytes" in fin.failure_text
    rst = (await failure_of_get(session.handle, "/rst")).exchange
    assert (rst.failure, rst.failed_phase) == (Failure.TCP_RESET, Phase.RECEIVE)
    assert "after 40 of 100 bytes" in rst.failure_text


async def test_a_server_that_hangs_up_without_a_word_gave_an_empty_answer(server, open_session, failure_of_get):
    server.routes["/"] = close
    session = await open_session(server.url())
    exchange = (await failure_of_get(session.handle)).exchange
    assert exchange.failure is Failure.HTTP_RESPONSE_EMPTY
    assert exchange.request_sent


async def test_a_refused_connection_is_told_with_its_address(open_session, failure_of_get, unused_tcp_port):
    exchange = (await failure_of_get((await open_session(f"http://127.0.0.1:{unused_tcp_port}")).handle)).exchange
    assert (exchange.failure, exchange.failed_phase) == (Failure.TCP_REFUSED, Phase.CONNECT)
    assert (exchange.address, exchange.ip_family) == ("127.0.0.1", "ipv4")


async def test_a_cancelled_request_is_recorded_as_pending(server, open_session):
    server.routes["/"] = hang
    session = await open_session(server.url())
    task = asyncio.ensure_future(session.handle.get("/"))
    await until(lambda: server.requests, "the request has arrived")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    exchange = (await session.finish(failed=True)).exchanges[0]
    assert exchange.pending
    assert exchange.failure is Failure.PENDING
    assert exchange.failed_phase is Phase.WAIT


async def test_a_session_that_ends_lets_nobody_wait_for_ever(server, open_session):
    server.routes["/"] = hang
    session = await open_session(server.url(), seconds=60)
    task = asyncio.ensure_future(session.handle.get("/"))
    await until(lambda: server.requests, "the request has arrived")
    await session.finish(failed=True)
    with pytest.raises(ExchangeFailed):
        await asyncio.wait_for(task, 30)


async def test_running_out_of_local_ports_is_our_fault(open_session, monkeypatch):
    import errno

    from monitor.domain.evidence import ProberFault
    from monitor.probes.http.channels import Channel
    from monitor.probes.session import ProberError

    async def connect(self, address, port):
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(Channel, "connect", connect)
    session = await open_session("http://127.0.0.1:9")
    with pytest.raises(ProberError) as caught:
        await session.handle.get("/")
    assert caught.value.fault is ProberFault.OUT_OF_FILES


async def test_what_must_not_be_sent_twice_goes_over_no_connection_that_rested_long(server, open_session, monkeypatch):
    from monitor.probes.http import transport

    session = await open_session(server.url())
    await session.handle.get("/")
    await session.handle.post("/", content="order")
    assert server.connections == 1
    monkeypatch.setattr(transport, "_SURELY_OPEN", -1.0)
    await session.handle.post("/", content="order")
    assert server.connections == 2


async def test_a_whole_answer_that_cannot_be_decoded_keeps_its_times(server, open_session, failure_of_get):
    server.routes["/"] = reply(b"no gzip", headers=("Content-Encoding: gzip",))
    exchange = (await failure_of_get((await open_session(server.url())).handle)).exchange
    assert exchange.failure is Failure.HTTP_RESPONSE_UNDECODABLE
    assert exchange.timings.receive == 0.0


async def test_the_moment_of_sending_is_the_kernels_too(server, open_session, monkeypatch):
    from monitor.probes.http.channels import Channel

    left = []
    real = Channel._take_stamp

    def take(self):
        before = self.sent_at
        real(self)
        left.append((before, self.sent_at, self._stamp_is_due))

    monkeypatch.setattr(Channel, "_take_stamp", take)
    for _ in range(5):
        session = await open_session(server.url())
        assert (await session.handle.get("/")).timings.source is TimeSource.KERNEL
    # Where something interrupts the reading of the two clocks, a stamp may seem to be from before the sending, and is
    # not believed.
    assert any(after > before and not still_due for before, after, still_due in left)


async def test_a_system_that_gives_no_stamps_is_measured_by_our_own_clock(server, open_session, monkeypatch):
    from monitor.probes.http import channels

    monkeypatch.setattr(channels, "ask_for_stamps", lambda _sock: False)
    response = await (await open_session(server.url())).handle.get("/")
    assert response.status == 200
    assert response.timings.source is TimeSource.USER
    assert 0 <= response.timings.wait <= response.timings.total
