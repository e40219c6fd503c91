from __future__ import annotations

import gzip
import zlib

import pytest

from monitor.domain.failure import Failure
from monitor.probes.http.decoding import decode
from monitor.probes.http.failures import Fault
from tests.probes.http.fault_server import reply


async def test_a_bomb_is_capped_after_decoding(server, small_probe, open_session):
    bomb = gzip.compress(b"0" * 20_000_000)
    assert len(bomb) < 50_000
    server.routes["/"] = reply(bomb, headers=("Content-Encoding: gzip",))
    response = await (await open_session(server.url(), using=small_probe)).handle.get("/")
    assert response.truncated
    assert len(response.body) == 100_000


def test_bombs_within_bombs_stay_bounded():
    body = gzip.compress(gzip.compress(gzip.compress(b"0" * 5_000_000)))
    decoded, cut = decode(body, "gzip, gzip, gzip", most=1000, cut=False)
    assert cut
    assert len(decoded) == 1000
    with pytest.raises(Fault):
        decode(body, ", ".join(["gzip"] * 50), most=1000, cut=False)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"text", mtime=0)),
        ("x-gzip", gzip.compress(b"te", mtime=0) + gzip.compress(b"xt", mtime=0)),
        ("deflate", zlib.compress(b"text")),
        ("deflate", zlib.compress(b"text")[2:-4]),
        ("identity", b"text"),
        ("", b"text"),
        ("deflate, gzip", gzip.compress(zlib.compress(b"text"), mtime=0)),
    ],
)
def test_each_known_coding_is_undone(coding, body):
    assert decode(body, coding, most=1000, cut=False) == (b"text", False)


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", b"no gzip at all"), ("gzip", gzip.compress(b"text", mtime=0)[:-4]), ("br", b"x"), ("evil", b"x")],
)
def test_a_body_that_is_not_what_its_coding_says_is_undecodable(coding, body):
    with pytest.raises(Fault) as caught:
        decode(body, coding, most=1000, cut=False)
    assert caught.value.failure is Failure.HTTP_RESPONSE_UNDECODABLE


def test_a_body_that_we_cut_ourselves_is_decoded_as_far_as_it_goes():
    import os

    text = os.urandom(5000).hex().encode()
    decoded, cut = decode(gzip.compress(text)[:2000], "gzip", most=100_000, cut=True)
    assert cut
    assert text.startswith(decoded)
