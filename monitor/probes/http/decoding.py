"""Content codings, undone within a bound: a small body may hold a very large one."""

from __future__ import annotations

import zlib

from monitor.domain.failure import Failure
from monitor.probes.http.failures import Fault

ACCEPTED = "gzip, deflate"
_GZIP = 16 + zlib.MAX_WBITS
_MOST_CODINGS = 4


def decode(body: bytes, coding: str, *, most: int, cut: bool) -> tuple[bytes, bool]:
    """Return the decoded body and whether it was cut at ``most`` bytes. ``cut`` says that it came in incomplete.

    Raises Fault where the body is not what its coding says.
    """
    codings = [each.strip().lower() for each in coding.split(",") if each.strip()]
    if len(codings) > _MOST_CODINGS:
        raise Fault(Failure.HTTP_RESPONSE_UNDECODABLE, f"{len(codings)} content codings on top of each other")
    for each in reversed(codings):
        match each:
            case "identity":
                continue
            case "gzip" | "x-gzip":
                body, cut = _inflate(body, _GZIP, most=most, cut=cut)
            case "deflate":
                body, cut = _deflate(body, most=most, cut=cut)
            case _:
                raise Fault(Failure.HTTP_RESPONSE_UNDECODABLE, f"a content coding nobody asked for: {each[:40]!r}")
    return body[:most], cut or len(body) > most


def _deflate(body: bytes, *, most: int, cut: bool) -> tuple[bytes, bool]:
    try:
        return _inflate(body, zlib.MAX_WBITS, most=most, cut=cut)
    except Fault:
        # Some servers leave out the frame that the standard demands; every client takes it.
        return _inflate(body, -zlib.MAX_WBITS, most=most, cut=cut)


def _inflate(body: bytes, window: int, *, most: int, cut: bool) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    room, rest = most, body
    while rest:
        engine = zlib.decompressobj(window)
        try:
            # One byte more than there is room for, to tell a full body from a larger one.
            part = engine.decompress(rest, room + 1)
        except zlib.error as error:
            raise Fault(Failure.HTTP_RESPONSE_UNDECODABLE, f"the body is not what its coding says: {error}") from error
        parts.append(part[:room])
        if len(part) > room:
            return b"".join(parts), True
        room -= len(part)
        if not engine.eof:
            if not cut:
                raise Fault(Failure.HTTP_RESPONSE_UNDECODABLE, "the compressed body breaks off")
            return b"".join(parts), True
        rest = engine.unused_data if window == _GZIP else b""
    return b"".join(parts), cut
