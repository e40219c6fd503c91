from __future__ import annotations

import asyncio
import resource
import socket
import time
from pathlib import Path

import pytest

from monitor.domain.assignment import Intervention, InterventionKind
from monitor.domain.evidence import ProberFault, StepErrorKind
from monitor.domain.failure import Failure
from monitor.domain.journey import ProbeKind
from monitor.domain.profile import Network
from monitor.probes.session import ExpectationFailed, ProberError
from tests.probes.http.conftest import assignment_for
from tests.probes.http.fault_server import hang
from tests.waiting import until


def _limit_that_leaves_room_for(count: int) -> int:
    # The limit is on the number that a file is given, and the lowest free one is given: gaps are room, too.
    taken = {int(path.name) for path in Path("/proc/self/fd").iterdir()}
    return [number for number in range(len(taken) + count + 1) if number not in taken][count]


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_a_blocked_host_is_our_intervention_and_is_never_asked(server, open_session, failure_of_get):
    block = Intervention(kind=InterventionKind.BLOCK, host="127.0.0.1")
    session = await open_session(server.url(), interventions=(block,))
    exchange = (await failure_of_get(session.handle)).exchange
    assert exchange.failure is Failure.BLOCKED_BY_INTERVENTION
    assert exchange.intervention
    assert not server.connections


async def test_an_offline_profile_sees_nothing(server, open_session, failure_of_get):
    session = await open_session(server.url(), profile={"network": Network(name="offline", offline=True)})
    assert (await failure_of_get(session.handle)).exchange.failure is Failure.TCP_OFFLINE
    assert not server.connections


async def test_trace_context_goes_to_first_parties_only(server, stranger, open_session):
    session = await open_session(server.url(), traceparent=TRACE, first_party=("127.0.0.1",))
    await session.handle.get("/")
    await session.handle.get(stranger.url("/"))
    assert server.requests[0].header("traceparent") == TRACE
    assert stranger.requests[0].header("traceparent") is None


async def test_nothing_is_taken_from_the_environment(server, open_session, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password word\n")
    for name, value in {
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
        "HOME": str(tmp_path),
        "NETRC": str(tmp_path / ".netrc"),
        "SSL_CERT_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    session = await open_session(server.url())
    assert (await session.handle.get("/")).status == 200
    assert server.requests[0].header("authorization") is None


async def test_keys_are_not_logged_and_authorities_not_replaced_by_the_environment(
    authority, authority_pem, probe, open_session, monkeypatch, tmp_path, failure_of_get
):
    from tests.probes.http.certificates import serving
    from tests.probes.http.fault_server import FaultServer

    keys, bundle = tmp_path / "keys", tmp_path / "bundle.pem"
    bundle.write_text(authority_pem)
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with FaultServer(tls=serving(authority.issue_cert("shop.localhost"))) as server:
        url = server.url(host="shop.localhost")
        failed = await failure_of_get((await open_session(url)).handle)
        assert failed.exchange.failure is Failure.TLS_CERT_AUTHORITY_INVALID
        session = await open_session(url, target={"extra_ca": authority_pem})
        assert (await session.handle.get("/")).status == 200
        await session.finish(failed=False)
    assert not keys.exists()


async def test_want_of_files_is_our_fault_and_passes(server, probe, open_session):
    await probe.alive()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        session = await open_session(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=2)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (_limit_that_leaves_room_for(5), hard))
        try:
            results = await asyncio.gather(*(session.handle.get("/") for _ in range(20)), return_exceptions=True)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    faults = [each for each in results if isinstance(each, ProberError)]
    assert len(faults) >= 10
    for error in faults:
        assert error.fault is ProberFault.OUT_OF_FILES
        with pytest.raises(ProberError):
            session.explain(error)
    for error in set(results) - set(faults):
        assert error.exchange.failure is Failure.HTTP_RESPONSE_TIMED_OUT
    assert (await (await open_session(server.url())).handle.get("/")).status == 200


async def test_a_probe_without_files_says_that_it_could_not_look(probe):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        assert not await probe.alive()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert await probe.alive()


async def test_each_error_of_a_step_becomes_a_fact(server, open_session, failure_of_get):
    session = await open_session("http://127.0.0.1:1")
    failed = await failure_of_get(session.handle)
    told = session.explain(failed)
    assert (told.kind, told.exchange) == (StepErrorKind.EXCHANGE, failed.exchange.id)
    assert session.explain(ExpectationFailed("saw 500")).kind is StepErrorKind.EXPECTATION
    assert session.explain(TimeoutError()).kind is StepErrorKind.TIMEOUT
    assert session.explain(asyncio.CancelledError()).kind is StepErrorKind.DEADLINE
    group = BaseExceptionGroup("several", [ValueError("x"), ExceptionGroup("inner", [failed])])
    assert session.explain(group).kind is StepErrorKind.EXCHANGE
    try:
        {}["order"]
    except KeyError as error:
        told = session.explain(error)
    assert told.kind is StepErrorKind.SCRIPT
    assert "KeyError" in told.message
    assert "test_probe.py" in told.detail
    assert session.explain(SystemExit(3)).kind is StepErrorKind.SCRIPT


async def test_an_exchange_that_is_still_open_at_the_end_is_recorded(server, open_session):
    server.routes["/"] = hang
    session = await open_session(server.url())
    task = asyncio.ensure_future(session.handle.get("/"))
    await until(lambda: server.requests, "the request has arrived")
    seen = await session.finish(failed=True)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [each.pending for each in seen.exchanges] == [True]


async def test_exchanges_carry_step_attempt_and_order(server, probe):
    session = await probe.open(assignment_for(server.url()), 2, started=time.monotonic())
    session.begin_step("first")
    await session.handle.get("/a")
    session.begin_step("second")
    await session.handle.get("/b")
    seen = await session.finish(failed=False)
    assert [(each.id, each.step, each.attempt) for each in seen.exchanges] == [
        ("2.1", "first", 2),
        ("2.2", "second", 2),
    ]
    assert seen.exchanges[0].timings.started < seen.exchanges[1].timings.started


async def test_the_probe_says_what_it_is(probe):
    assert probe.kind is ProbeKind.HTTP
    assert "httpx" in probe.engine
    assert "OpenSSL" in probe.engine
    assert await probe.alive()


@pytest.mark.parametrize("base", ["ftp://x", "no url", "http://", "http://[::1"])
async def test_a_target_that_is_no_web_address_is_our_configurations_fault(probe, base):
    with pytest.raises(ProberError, match="base_url"):
        await probe.open(assignment_for(base), 1, started=time.monotonic())


async def test_an_authority_that_is_no_certificate_is_named(probe):
    with pytest.raises(ProberError, match="extra_ca"):
        await probe.open(assignment_for("https://x", target={"extra_ca": "rubbish"}), 1, started=time.monotonic())
