from __future__ import annotations

import json

import pytest

from monitor.domain.evidence import ProberFault
from monitor.domain.secret import Secret
from monitor.probes.session import ExpectationFailed, ProberError
from tests.probes.http.fault_server import reply

TOKEN = Secret("token", "s3cret/token value")


async def test_paths_are_joined_below_the_base_url(server, open_session):
    session = await open_session(server.url("/app/"))
    for path in ("/a", "b?x=1", "", "?q=1", server.url("/whole")):
        await session.handle.get(path)
    assert [request.target for request in server.requests] == ["/app/a", "/app/b?x=1", "/app/", "/app/?q=1", "/whole"]


async def test_what_is_asked_for_is_what_is_sent(server, open_session):
    session = await open_session(server.url(), values=(("token", TOKEN),), profile={"locale": "de-DE"})
    http = session.handle
    await http.put("/", json={"a": [1, TOKEN]}, headers={"X-One": "1"})
    await http.post("/", data={"field": TOKEN}, params={"q": TOKEN})
    await http.patch("/", content="text")
    await http.delete("/")
    await http.options("/")
    put, post, patch, delete, options = server.requests
    assert json.loads(put.body) == {"a": [1, TOKEN.reveal()]}
    assert put.header("x-one") == "1"
    assert put.header("accept-language") == "de-DE,de;q=0.9"
    assert post.body == b"field=s3cret%2Ftoken+value"
    assert post.target == "/?q=s3cret%2Ftoken+value"
    assert (patch.method, patch.body) == ("PATCH", b"text")
    assert (delete.method, options.method) == ("DELETE", "OPTIONS")


async def test_no_secret_stands_in_any_record(server, open_session, failure_of_get):
    server.routes["/echo"] = reply(
        status="302 Found", headers=(f"Location: ftp://x/{TOKEN.reveal().replace(' ', '%20')}",)
    )
    session = await open_session(server.url(), values=(("token", TOKEN),), target={"headers": (("X-Key", TOKEN),)})
    await session.handle.get("/", params={"q": TOKEN}, headers={"Authorization": TOKEN})
    failed = await failure_of_get(session.handle, "/echo")
    told = session.explain(failed)
    seen = await session.finish(failed=True)
    for text in (repr(seen), repr(told), str(failed)):
        assert "s3cret" not in text
    assert "•••" in seen.exchanges[0].url


async def test_an_error_status_is_an_answer(server, open_session):
    server.routes["/"] = reply(b"broken", status="500 Internal Server Error")
    response = await (await open_session(server.url())).handle.get("/")
    assert (response.status, response.ok, response.text) == (500, False, "broken")
    assert response.exchange.failure is None


async def test_cookies_are_kept_within_the_run_and_never_recorded(server, open_session):
    server.routes["/in"] = reply(headers=("Set-Cookie: id=abc; Path=/", "Set-Cookie: other=1; Path=/elsewhere"))
    session = await open_session(server.url())
    first = await session.handle.get("/in")
    await session.handle.get("/account")
    assert first.cookies["id"] == "abc"
    assert server.requests[1].header("cookie") == "id=abc"
    assert "id=abc" not in repr(await session.finish(failed=False))
    fresh = await open_session(server.url())
    await fresh.handle.get("/account")
    assert server.requests[2].header("cookie") is None


async def test_target_headers_and_credentials_of_the_url_go_to_the_target_only(server, stranger, open_session):
    base = server.url().replace("http://", "http://user:word@")
    session = await open_session(base, target={"headers": (("X-Key", "1"),)})
    await session.handle.get("/")
    await session.handle.get(stranger.url("/"))
    assert server.requests[0].header("authorization") == "Basic dXNlcjp3b3Jk"
    assert server.requests[0].header("x-key") == "1"
    assert stranger.requests[0].header("authorization") is stranger.requests[0].header("x-key") is None
    assert "word" not in repr(await session.finish(failed=False))


async def test_values_and_secrets_of_the_check_are_at_hand(server, open_session):
    http = (await open_session(server.url(), values=(("name", "Ada"), ("token", TOKEN)))).handle
    assert http.value("name") == "Ada"
    assert http.secret("token") is not None
    assert http.secret("token").reveal() == TOKEN.reveal()
    with pytest.raises(LookupError, match=r"http\.secret"):
        http.value("token")
    with pytest.raises(LookupError, match="name, token"):
        http.value("missing")
    with pytest.raises(ProberError) as caught:
        http.secret("missing")
    assert caught.value.fault is ProberFault.SECRET_MISSING


async def test_a_secret_formatted_into_a_header_is_an_author_error_not_a_401(server, open_session):
    session = await open_session(server.url())
    with pytest.raises(ValueError, match="reveal"):
        await session.handle.get("/", headers={"Authorization": f"Bearer {TOKEN}"})
    with pytest.raises(ValueError, match="one line"):
        await session.handle.get("/", headers={"X-One": "a\r\nX-Two: b"})


async def test_what_is_no_json_fails_an_expectation_with_an_excerpt(server, open_session):
    server.routes["/"] = reply(b"<h1>Sorry</h1>", headers=("Content-Type: text/html",))
    server.routes["/deep"] = reply(b"[" * 100_000)
    session = await open_session(server.url())
    with pytest.raises(ExpectationFailed, match=r"text/html.*Sorry"):
        (await session.handle.get("/")).json()
    with pytest.raises(ExpectationFailed):
        (await session.handle.get("/deep")).json()


@pytest.mark.parametrize(
    "charset",
    ["utf-8", "latin-1", "no-such-charset", "zlib", "hex", "idna", "undefined", "\0", '"utf-8"', "unicode_escape"],
)
async def test_any_charset_gives_text(server, open_session, charset):
    server.routes["/"] = reply(
        b"caf\xc3\xa9 \\x41", headers=(f"Content-Type: text/html; charset={charset}".replace("\0", "%00"),)
    )
    text = (await (await open_session(server.url())).handle.get("/")).text
    assert text.startswith("caf")
    assert text.endswith("\\x41")


async def test_a_request_without_anything_of_its_own_is_built_once(server, open_session):
    session = await open_session(server.url())
    await session.handle.get("/", headers={"X-One": "1"}, params={"q": "x"})
    plan = session.handle._plan
    before = dict(plan._requests)
    assert before
    again = await open_session(server.url())
    await again.handle.get("/", headers={"X-One": "1"}, params={"q": "x"})
    assert again.handle._plan is plan
    assert plan._requests == before
    assert all(plan._requests[key] is before[key] for key in before)


async def test_telling_headers_are_recorded_and_others_are_not(server, open_session):
    server.routes["/"] = reply(
        headers=(
            "Server: nginx",
            "Via: 1.1 cache",
            "X-Cache: HIT",
            "Server-Timing: db;dur=3",
            "Set-Cookie: a=b",
            "X-Other: 1",
            "Content-Type: text/html; charset=utf-8",
        )
    )
    exchange = (await (await open_session(server.url())).handle.get("/")).exchange
    assert {name for name, _ in exchange.headers} == {
        "server",
        "via",
        "x-cache",
        "server-timing",
        "content-length",
        "content-type",
    }
    assert exchange.mime_type == "text/html"
    assert len(exchange.body_sha256) == 64


async def test_a_password_in_the_base_url_is_masked_where_it_comes_back(server, open_session):
    server.routes["/"] = reply(headers=("Server: says p4ssword!",))
    session = await open_session(server.url().replace("http://", "http://me:p4ssword%21@"))
    response = await session.handle.get("/")
    assert dict(response.exchange.headers)["server"] == "says •••"
