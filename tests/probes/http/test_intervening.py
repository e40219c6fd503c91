from __future__ import annotations

import time

import pytest

from monitor.domain.assignment import Intervention, InterventionKind
from monitor.domain.failure import Failure, Phase
from monitor.probes.archive import ArchivedAnswer, write_archive
from monitor.probes.http.ledger import ExchangeFailed
from monitor.probes.session import ProberError
from tests.probes.http.conftest import assignment_for
from tests.probes.http.fault_server import reply

HOST = "127.0.0.1"
BLOCK, REPLAY, DELAY, EMPTY = InterventionKind


def an_archive(folder, server, **bodies: bytes) -> str:
    headers = (("content-type", "application/json"),)
    write_archive(
        folder,
        [ArchivedAnswer(url=server.url(f"/{name}"), body=body, headers=headers) for name, body in bodies.items()],
    )
    return str(folder)


async def test_only_the_paths_that_are_meant_are_blocked(server, open_session):
    session = await open_session(server.url(), interventions=(Intervention(kind=BLOCK, host=HOST, path="/a"),))
    with pytest.raises(ExchangeFailed) as failed:
        await session.handle.get("/a/b")
    assert (await session.handle.get("/c")).ok
    assert failed.value.exchange.failure is Failure.BLOCKED_BY_INTERVENTION
    assert [request.target for request in server.requests] == ["/c"]


async def test_an_archived_answer_is_given_in_the_place_of_the_server(server, open_session, tmp_path):
    server.routes["/config"] = reply(b"")
    archive = an_archive(tmp_path / "good", server, config=b'{"currency": "EUR"}')
    replay = Intervention(kind=REPLAY, host=HOST, path="/config", archive=archive)
    session = await open_session(server.url(), interventions=(replay,))
    answer = await session.handle.get("/config")
    assert answer.json() == {"currency": "EUR"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.exchange.intervention
    assert answer.exchange.mime_type == "application/json"
    assert not server.requests
    assert not (await session.handle.get("/live")).exchange.intervention


async def test_what_the_archive_does_not_hold_goes_to_the_server_and_is_told(server, open_session, tmp_path):
    archive = an_archive(tmp_path / "good", server, config=b"{}")
    session = await open_session(server.url(), interventions=(Intervention(kind=REPLAY, host=HOST, archive=archive),))
    await session.handle.post("/config")
    await session.handle.get("/other")
    seen = await session.finish(failed=False)
    assert [request.method for request in server.requests] == ["POST", "GET"]
    missed = [event.text for event in seen.events if event.kind == "replay_missed"]
    assert missed == [server.url("/config"), server.url("/other")]


async def test_an_archived_answer_is_found_whatever_its_query_but_not_for_another_method(
    server, open_session, tmp_path
):
    archive = an_archive(tmp_path / "good", server, config=b"12345678")
    session = await open_session(server.url(), interventions=(Intervention(kind=REPLAY, host=HOST, archive=archive),))
    assert (await session.handle.get("/config?x=1")).body == b"12345678"
    assert (await session.handle.head("/config")).exchange.intervention is False


async def test_an_archive_that_cannot_be_used_is_our_fault(probe, tmp_path):
    replay = Intervention(kind=REPLAY, host="x", archive=str(tmp_path / "none"))
    with pytest.raises(ProberError, match="x cannot be replayed: there is no archive"):
        await probe.open(assignment_for("http://x", interventions=(replay,)), 1, started=time.monotonic())


async def test_nothing_is_answered_with_success_and_the_server_is_not_asked(server, open_session):
    session = await open_session(server.url(), interventions=(Intervention(kind=EMPTY, host=HOST),))
    answer = await session.handle.get("/")
    assert (answer.status, answer.body, answer.exchange.intervention) == (200, b"", True)
    assert not server.requests


async def test_a_delayed_request_goes_on_and_its_time_shows(server, open_session):
    session = await open_session(server.url(), interventions=(Intervention(kind=DELAY, host=HOST, seconds=2.0),))
    answer = await session.handle.get("/")
    assert answer.ok
    assert answer.exchange.intervention
    assert answer.exchange.timings.total >= 2.0
    assert (answer.exchange.timings.wait or 0.0) < 1.5
    assert len(server.requests) == 1


async def test_a_delay_beyond_the_deadline_looks_as_a_server_that_does_not_answer(server, open_session):
    delay = Intervention(kind=DELAY, host=HOST, seconds=60.0)
    session = await open_session(server.url(), interventions=(delay,), seconds=2.0)
    with pytest.raises(ExchangeFailed) as failed:
        await session.handle.get("/")
    exchange = failed.value.exchange
    assert (exchange.failure, exchange.failed_phase) == (Failure.HTTP_RESPONSE_TIMED_OUT, Phase.WAIT)
    assert exchange.intervention
    assert not server.requests
