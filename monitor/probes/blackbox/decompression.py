"""The one compression that a module says a body has, undone within a bound and held against what came."""

from __future__ import annotations

import zlib

import brotli

_GZIP = 16 + zlib.MAX_WBITS
_WITHOUT_FRAME = -zlib.MAX_WBITS


class NotCompressed(Exception):  # noqa: N818 - it says what the body is not
    """The body is not, or not wholly, compressed as the module says; ``body`` is what could be read."""

    def __init__(self, reason: str, body: bytes) -> None:
        """Keep the part that could be read."""
        super().__init__(reason)
        self.body = body


def decompress(body: bytes, algorithm: str, *, most: int) -> bytes:
    """Return the decompressed body, one byte longer than ``most`` where there is more. Raises NotCompressed."""
    match algorithm.lower():
        case "gzip":
            return _inflate(body, _GZIP, most=most)
        case "deflate":
            return _inflate(body, _WITHOUT_FRAME, most=most)
        case "br":
            return _brotli(body, most=most)
        case _:
            return body[: most + 1]


def _inflate(body: bytes, window: int, *, most: int) -> bytes:
    made = bytearray()
    rest = body
    while True:
        engine = zlib.decompressobj(window)
        try:
            made += engine.decompress(rest, most + 1 - len(made))
        except zlib.error as error:
            raise NotCompressed(str(error), bytes(made)) from error
        if len(made) > most:
            return bytes(made)
        if not engine.eof:
            msg = "unexpected end"
            raise NotCompressed(msg, bytes(made))
        rest = engine.unused_data
        # A second member may follow in gzip; what follows a stream of deflate is not looked at.
        if window != _GZIP or not rest:
            return bytes(made)


def _brotli(body: bytes, *, most: int) -> bytes:
    engine = brotli.Decompressor()
    made = bytearray()
    rest = body
    try:
        while len(made) <= most:
            part = engine.process(rest, output_buffer_limit=most + 1 - len(made))
            rest = b""
            made += part
            if engine.is_finished():
                return bytes(made[: most + 1])
            if not part and engine.can_accept_more_data():
                msg = "unexpected end"
                raise NotCompressed(msg, bytes(made))
    except brotli.error as error:
        raise NotCompressed(str(error), bytes(made)) from error
    return bytes(made[: most + 1])
