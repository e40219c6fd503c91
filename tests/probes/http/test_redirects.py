from __future__ import annotations

import gzip

import pytest

from monitor.domain.failure import Failure
from monitor.domain.secret import Secret
from monitor.probes.http.ledger import ExchangeFailed
from monitor.probes.http.plan import Wanted
from tests.probes.http.fault_server import FaultServer, reply

TOKEN = Secret("token", "s3cret-token-value")


def to(location: str, status: str = "302 Found", *headers: str) -> bytes:
    return reply(b"", status=status, headers=(f"Location: {location}", *headers))


async def test_an_endless_redirect_ends_at_the_limit_and_names_it(server, open_session, failure_of_get):
    server.routes["/"] = to("/")
    session = await open_session(server.url())
    failed = await failure_of_get(session.handle)
    assert failed.exchange.failure is Failure.HTTP_RESPONSE_REDIRECT_LOOP
    assert failed.exchange.status == 302
    assert "20 redirects" in failed.exchange.failure_text
    assert len(server.requests) == 21


async def test_a_chain_of_thirty_hops_is_not_followed_beyond_the_limit(server, open_session, failure_of_get):
    for hop in range(30):
        server.routes[f"/{hop}"] = to(f"/{hop + 1}")
    session = await open_session(server.url())
    await failure_of_get(session.handle, "/0")
    assert [request.target for request in server.requests] == [f"/{hop}" for hop in range(21)]


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "javascript:alert(1)",
        "data:text/html,hi",
        "gopher://x/",
        "http://[::1",
    ],
)
async def test_a_redirect_to_no_web_address_is_refused(server, open_session, failure_of_get, location):
    server.routes["/"] = to(location)
    exchange = (await failure_of_get((await open_session(server.url())).handle)).exchange
    assert exchange.failure is Failure.HTTP_RESPONSE_REDIRECT_REFUSED
    assert exchange.status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "address", ["127.0.0.2", "169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
async def test_a_redirect_to_a_forbidden_address_is_refused_before_connecting(open_session, address, monkeypatch):
    from monitor.probes.http.connecting import AddressPolicy

    # The server itself stands on loopback: let it pass, so that only the hop is judged.
    real = AddressPolicy.refusal
    monkeypatch.setattr(AddressPolicy, "refusal", lambda self, each: None if each == "127.0.0.1" else real(self, each))
    async with FaultServer() as server:
        server.routes["/"] = to(f"http://{address}:{server.port}/inside")
        session = await open_session(server.url(), target={"allowed_private": False})
        with pytest.raises(ExchangeFailed) as caught:
            await session.handle.get("/")
        exchange = caught.value.exchange
        assert exchange.failure is Failure.POLICY_ADDRESS
        assert exchange.timings.connect is None
        assert exchange.redirected_from == "1.1"
        assert len(server.requests) == 1


async def test_a_cloud_metadata_address_is_refused_whatever_the_target_allows(server, open_session, failure_of_get):
    server.routes["/"] = to("http://169.254.169.254/latest/meta-data/")
    exchange = (await failure_of_get((await open_session(server.url())).handle)).exchange
    assert exchange.failure is Failure.POLICY_ADDRESS


async def test_another_origin_sees_no_authorization_cookie_or_secret_header(server, stranger, open_session):
    server.routes["/login"] = reply(headers=("Set-Cookie: session=abc",))
    server.routes["/"] = to(stranger.url("/landing"))
    session = await open_session(
        server.url(), target={"headers": (("X-Target-Key", TOKEN),)}, values=(("token", TOKEN),)
    )
    await session.handle.get("/login")
    await session.handle.get("/", headers={"Authorization": "Basic abc", "X-Api-Key": TOKEN, "X-Mine": "1"})
    own, foreign = server.requests[-1], stranger.requests[0]
    assert own.header("cookie") == "session=abc"
    assert own.header("x-api-key") == own.header("x-target-key") == TOKEN.reveal()
    names = {name.lower() for name, _ in foreign.headers}
    assert names == {"host", "accept", "accept-encoding", "user-agent"}


async def test_the_own_headers_return_when_the_way_leads_back(server, stranger, open_session):
    server.routes["/"] = to(stranger.url("/identity"))
    server.routes["/home"] = reply(b"home")
    stranger.routes["/identity"] = to(server.url("/home"))
    session = await open_session(server.url(), target={"headers": (("X-Target-Key", TOKEN),)})
    response = await session.handle.get("/")
    assert response.text == "home"
    assert server.requests[-1].header("x-target-key") == TOKEN.reveal()
    assert stranger.requests[0].header("x-target-key") is None
    assert [url.rpartition("/")[2] for url in response.redirects] == ["", "identity"]


async def test_a_body_with_a_secret_does_not_follow_to_another_origin(server, stranger, open_session):
    server.routes["/"] = to(stranger.url("/take"), "307 Temporary Redirect")
    session = await open_session(server.url(), values=(("token", TOKEN),))
    with pytest.raises(ExchangeFailed) as caught:
        await session.handle.post("/", json={"token": TOKEN})
    assert caught.value.exchange.failure is Failure.HTTP_RESPONSE_REDIRECT_REFUSED
    assert not stranger.requests
    assert b"s3cret" in server.requests[0].body


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [
        ("301 M", "GET", b""),
        ("302 F", "GET", b""),
        ("303 S", "GET", b""),
        ("307 T", "POST", b"x"),
        ("308 P", "POST", b"x"),
    ],
)
async def test_each_status_keeps_or_changes_the_method_as_clients_do(server, open_session, status, method, body):
    server.routes["/"] = to("/next", status)
    await (await open_session(server.url())).handle.post("/", content=b"x", headers={"Content-Type": "text/plain"})
    assert (server.requests[1].method, server.requests[1].body) == (method, body)
    assert (server.requests[1].header("content-type") is None) == (not body)


async def test_a_redirect_is_an_answer_where_it_is_not_to_be_followed(server, open_session):
    server.routes["/"] = to("/next")
    response = await (await open_session(server.url())).handle.get("/", follow_redirects=False)
    assert (response.status, response.headers["location"]) == (302, "/next")


async def test_a_host_that_offers_encryption_on_the_usual_ports_stays_the_same_origin():
    import httpx

    from monitor.domain.secret import Redactor
    from monitor.probes.http.redirects import next_hop

    request = httpx.Request("GET", "http://shop.test/", headers={"Authorization": "Basic abc"})
    upgraded = next_hop(request, 301, b"https://shop.test/", Redactor())
    assert ("authorization", "Basic abc") in upgraded.headers
    downgraded = next_hop(
        httpx.Request("GET", "https://shop.test/", headers={"X-Key": "1"}), 301, b"http://shop.test/", Redactor()
    )
    assert "x-key" not in dict(downgraded.headers)


async def test_a_request_may_ask_for_fewer_redirects_and_less_of_every_body(server, open_session):
    server.routes["/a"] = reply(b"", status="302 Found", headers=("Location: /b",))
    server.routes["/b"] = reply(gzip.compress(b"0" * 9_000), headers=("Content-Encoding: gzip",))
    handle = (await open_session(server.url())).handle
    response = await handle.send(Wanted(method="GET", path="/a", most_bytes=1_000, most_redirects=1))
    assert (len(response.body), response.truncated) == (1_000, True)
    with pytest.raises(ExchangeFailed) as caught:
        await handle.send(Wanted(method="GET", path="/a", most_redirects=0))
    assert caught.value.exchange.failure is Failure.HTTP_RESPONSE_REDIRECT_LOOP
