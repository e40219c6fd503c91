from __future__ import annotations

import contextlib
import http.client
import socket
import ssl

import dns.flags
import dns.message
import dns.rcode
import pytest

from tests.lab.manifest import Manifest
from tests.lab.world.world import World


def a_world(tmp_path, *faults, **world):
    manifest = Manifest.model_validate(
        {
            "id": "O99",
            "title": "x",
            "journey": "buy",
            "world": world,
            "faults": list(faults) or [{"where": "@own", "what": "stopped"}],
            "expect": {"outcome": "failed", "detail": "own.connect"},
        }
    )
    return World(manifest, 1, tmp_path, privileged=False)


def get(world, role, path="/", *, agent="Mozilla/5.0", method="GET", body=None, patience=60):
    context = ssl.create_default_context(cadata=world.certificates.bundle())
    names = world.names
    with (
        socket.create_connection((names.addresses[role], names.port), timeout=patience) as plain,
        contextlib.closing(http.client.HTTPSConnection(names.hosts[role], names.port)) as connection,
        context.wrap_socket(plain, server_hostname=names.hosts[role]) as connection.sock,
    ):
        connection.request(method, path, body, headers={"user-agent": agent})
        with connection.getresponse() as answer:
            return answer.status, dict(answer.getheaders()), answer.read().decode()


def test_a_world_is_whole_until_it_is_broken_and_whole_again_when_mended(tmp_path):
    with a_world(tmp_path) as world:
        assert get(world, "own")[0] == 200
        world.faults.begin()
        with pytest.raises(ConnectionRefusedError):
            get(world, "own")
        assert get(world, "api", world.names.part("api", "prices"))[0] == 200
        world.faults.end()
        assert get(world, "own")[0] == 200


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"what": "reset"}, ConnectionResetError),
        ({"what": "close"}, OSError),
        ({"what": "black-hole"}, TimeoutError),
        ({"what": "tls-alert", "with": {"code": 40}}, ssl.SSLError),
        ({"what": "certificate", "with": {"kind": "expired"}}, ssl.SSLCertVerificationError),
        ({"what": "certificate", "with": {"kind": "other-name"}}, ssl.SSLCertVerificationError),
        ({"what": "certificate", "with": {"kind": "self-signed"}}, ssl.SSLCertVerificationError),
        ({"what": "certificate", "with": {"kind": "unknown-issuer"}}, ssl.SSLCertVerificationError),
        ({"what": "reset-answer"}, ConnectionResetError),
        ({"what": "empty-answer"}, http.client.RemoteDisconnected),
        ({"what": "truncated"}, http.client.IncompleteRead),
    ],
)
def test_each_way_to_break_a_connection_does(tmp_path, fault, error):
    with a_world(tmp_path, {"where": "@own", **fault}) as world:
        world.faults.begin()
        with pytest.raises(error):
            # Of all of them, only what never answers has to be given up.
            get(world, "own", patience=1 if error is TimeoutError else 60)


def test_a_fault_can_touch_some_requests_only(tmp_path):
    fault = {"where": "@own", "what": "status", "with": {"status": 403}, "when": {"headless": True, "first": 2}}
    with a_world(tmp_path, fault) as world:
        world.faults.begin()
        assert get(world, "own", agent="HeadlessChrome/156")[0] == 403
        assert get(world, "own")[0] == 200
        assert get(world, "own", agent="HeadlessChrome/156")[0] == 403
        assert get(world, "own", agent="HeadlessChrome/156")[0] == 200


def test_a_fault_can_touch_one_account_only_and_name_hosts_as_they_were_drawn(tmp_path):
    words = {
        "status": 403,
        "headers": {"proxy-status": 'gate; next-hop="@pay"'},
        "body": "not by @idp, ada@mail.example",
    }
    fault = {"where": "@api", "path": "session", "what": "status", "with": words, "when": {"body": "ada@"}}
    with a_world(tmp_path, fault) as world:
        world.faults.begin()
        hosts, path = world.names.hosts, world.names.part("api", "session")
        status, headers, body = get(world, "api", path, method="POST", body='{"email": "ada@mail.example"}')
        assert (status, body) == (403, f"not by {hosts['idp']}, ada@mail.example")
        assert headers["proxy-status"] == f'gate; next-hop="{hosts["pay"]}"'
        assert get(world, "api", path, method="POST", body='{"email": "grace@mail.example"}')[0] == 200


def ask(world, resolver, name, kind="A", *, unchecked=False):
    question = dns.message.make_query(name, kind)
    question.flags |= dns.flags.CD if unchecked else 0
    return dns.message.from_wire(world.resolvers[resolver].answer(question.to_wire()))


def test_an_own_zone_can_be_asked_itself_where_the_world_has_it_so(tmp_path):
    fault = {"where": "@own", "what": "dns", "with": {"answer": "nxdomain", "resolvers": ["@r1"]}}
    with a_world(tmp_path, fault, authority=True) as world:
        names = world.names
        world.faults.begin()
        (servers,) = ask(world, "r1", names.domains["own"], "NS").answer
        assert [str(one.target) for one in servers] == [f"{names.hosts['ns']}."]
        assert ask(world, "r1", names.hosts["ns"]).answer[0][0].address == names.addresses["ns"]
        assert ask(world, "r1", names.hosts["own"]).rcode() == dns.rcode.NXDOMAIN
        told = ask(world, "ns", names.hosts["own"])
        assert told.answer[0][0].address == names.addresses["own"]
        assert told.flags & dns.flags.AA
    with a_world(tmp_path) as world:
        assert "ns" not in world.resolvers
        assert ask(world, "r1", world.names.domains["own"], "NS").rcode() == dns.rcode.NXDOMAIN


def test_a_zone_that_is_signed_wrongly_is_known_where_signatures_are_left_unchecked(tmp_path):
    with a_world(tmp_path, {"where": "@own", "what": "dns", "with": {"answer": "bogus"}}) as world:
        world.faults.begin()
        host = world.names.hosts["own"]
        assert ask(world, "r1", host).rcode() == dns.rcode.SERVFAIL
        assert ask(world, "r1", host, unchecked=True).answer[0][0].address == world.names.addresses["own"]


def test_a_fault_can_begin_with_a_request(tmp_path):
    fault = {"where": "@api", "what": "stopped", "since": {"where": "@own", "path": "cart"}}
    with a_world(tmp_path, fault) as world:
        world.faults.begin()
        assert get(world, "api", world.names.part("api", "prices"))[0] == 200
        get(world, "own", world.names.part("own", "cart"))
        with pytest.raises(ConnectionRefusedError):
            get(world, "api", world.names.part("api", "prices"))


def test_an_edge_says_of_its_origin_what_it_met(tmp_path):
    with a_world(tmp_path, {"where": "@origin", "what": "stopped"}, edge="own") as world:
        assert get(world, "own")[1]["via"].endswith(world.names.hosts["edge"])
        world.faults.begin()
        status, headers, _ = get(world, "own")
        assert status == 502
        assert "connection_refused" in headers["proxy-status"]
        assert get(world, "own")[0] == 502


def test_no_answer_of_a_world_tells_its_scenario(tmp_path):
    with a_world(tmp_path) as world:
        for role, symbol in (("own", "home"), ("own", "app-js"), ("api", "prices"), ("pay", "script")):
            _, headers, body = get(world, role, world.names.part(role, symbol))
            assert "o99" not in f"{headers}{body}".lower()
