from __future__ import annotations

from pathlib import Path

import pytest

from monitor.domain.secret import Secret
from monitor.probes.archive import read_archive
from monitor.probes.http import static_answers
from tests.probes.http.fault_server import reply

JSON = "Content-Type: application/json"


async def kept(session, folder: Path) -> list[str]:
    """End a session as one that passed; return the paths of what was kept."""
    await session.finish(failed=False)
    return paths_in(folder)


def paths_in(folder: Path) -> list[str]:
    if not folder.exists():
        return []
    return [answer.url.partition("://")[2].partition("/")[2] for answer in read_archive(folder).answers]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a busy disk more than the second that is waited for it at the end of a run."""
    monkeypatch.setattr(static_answers, "_WRITE_SECONDS", 30.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive-1"


async def test_static_answers_of_a_good_run_are_kept_as_they_were_decoded(server, open_session, folder):
    server.routes["/config"] = reply(b"{}", headers=(JSON, "Cache-Control: max-age=5", "X-Request-Id: 7"))
    session = await open_session(server.url(), archive_to=str(folder))
    await session.handle.get("/config")
    await session.handle.get("/list?page=2")
    assert await kept(session, folder) == ["config", "list?page=2"]
    answer = read_archive(folder).answers[0]
    assert (answer.body, answer.resource) == (b"{}", "http")
    assert answer.headers == (("cache-control", "max-age=5"), ("content-type", "application/json"))


async def test_of_a_run_of_a_single_request_nothing_is_kept(server, open_session, folder):
    session = await open_session(server.url(), archive_to=str(folder))
    await session.handle.get("/")
    assert await kept(session, folder) == []


async def test_of_a_run_that_failed_nothing_is_kept(server, open_session, folder):
    session = await open_session(server.url(), archive_to=str(folder))
    await session.handle.get("/a")
    await session.handle.get("/b")
    await session.finish(failed=True)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/x", reply(b"no", status="404 Not Found")),
        ("/x", reply(headers=("Set-Cookie: session=1",))),
        ("/x", reply(headers=("Cache-Control: max-age=0, private",))),
        ("/x", reply(headers=("Cache-Control: no-store",))),
        ("/x", reply(b"the word is hunter22")),
        ("/x?q=hunter22", reply()),
        ("/x?access_token=1", reply()),
    ],
)
async def test_what_is_for_one_customer_or_holds_a_secret_is_not_kept(server, open_session, folder, path, answer):
    server.routes["/x"] = answer
    values = (("word", Secret("word", "hunter22")),)
    session = await open_session(server.url(), archive_to=str(folder), values=values)
    await session.handle.get(path, headers={"Accept": "*/*"})
    session.handle._cookies = None
    await session.handle.get("/other")
    assert await kept(session, folder) == ["other"]


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key", "Cookie", "X-Odd"])
async def test_what_was_asked_with_credentials_is_not_kept(server, open_session, folder, header):
    secret = Secret("word", "hunter22")
    session = await open_session(server.url(), archive_to=str(folder), values=(("word", secret),))
    await session.handle.get("/x", headers={header: secret if header == "X-Odd" else "abc"})
    await session.handle.get("/other")
    assert await kept(session, folder) == ["other"]


async def test_what_follows_a_cookie_is_not_kept(server, open_session, folder):
    server.routes["/first"] = reply(headers=("Set-Cookie: a=1",))
    session = await open_session(server.url(), archive_to=str(folder))
    await session.handle.get("/before")
    await session.handle.get("/first")
    await session.handle.get("/after")
    assert await kept(session, folder) == ["before"]


async def test_where_a_redirect_made_a_customer_of_us_its_end_is_not_kept(server, stranger, open_session, folder):
    moved = (f"Location: {stranger.url('/end')}", "Set-Cookie: a=1")
    server.routes["/start"] = reply(status="302 Found", headers=moved)
    session = await open_session(server.url(), archive_to=str(folder))
    await session.handle.get("/start")
    await session.handle.get(stranger.url("/else"))
    assert await kept(session, folder) == ["else"]


async def test_what_changed_within_one_run_is_not_static(server, open_session, folder):
    session = await open_session(server.url(), archive_to=str(folder))
    await session.handle.get("/x")
    server.routes["/x"] = reply(b"other")
    await session.handle.get("/x")
    await session.handle.get("/y")
    assert await kept(session, folder) == ["y"]


async def test_what_was_asked_to_be_posted_is_not_kept(server, open_session, folder):
    session = await open_session(server.url(), archive_to=str(folder))
    await session.handle.post("/x", json={"a": 1})
    await session.handle.head("/x")
    await session.handle.get("/y")
    assert await kept(session, folder) == ["y"]


async def test_a_disk_that_refuses_costs_the_archive_and_not_the_run(server, open_session, tmp_path):
    (tmp_path / "file").write_text("")
    session = await open_session(server.url(), archive_to=str(tmp_path / "file" / "archive-1"))
    await session.handle.get("/a")
    await session.handle.get("/b")
    assert len((await session.finish(failed=False)).exchanges) == 2
