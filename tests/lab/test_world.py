from __future__ import annotations

import contextlib
import http.client
import socket
import ssl

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


def get(world, role, path="/", *, agent="Mozilla/5.0", method="GET"):
    context = ssl.create_default_context(cadata=world.certificates.bundle())
    names = world.names
    with (
        socket.create_connection((names.addresses[role], names.port), timeout=3) as plain,
        contextlib.closing(http.client.HTTPSConnection(names.hosts[role], names.port)) as connection,
        context.wrap_socket(plain, server_hostname=names.hosts[role]) as connection.sock,
    ):
        connection.request(method, path, headers={"user-agent": agent})
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
            get(world, "own")


def test_a_fault_can_touch_some_requests_only(tmp_path):
    fault = {"where": "@own", "what": "status", "with": {"status": 403}, "when": {"headless": True, "first": 2}}
    with a_world(tmp_path, fault) as world:
        world.faults.begin()
        assert get(world, "own", agent="HeadlessChrome/156")[0] == 403
        assert get(world, "own")[0] == 200
        assert get(world, "own", agent="HeadlessChrome/156")[0] == 403
        assert get(world, "own", agent="HeadlessChrome/156")[0] == 200


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
