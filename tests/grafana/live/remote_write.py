"""Prometheus' remote write protocol, as far as a test needs it: samples of the past, staleness and exemplars."""

from __future__ import annotations

import struct
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

STALE = struct.pack("<Q", 0x7FF0000000000002)
_LITERAL = 63 << 2


def _varint(number: int) -> bytes:
    pieces = bytearray()
    while number > 0x7F:
        pieces.append(number & 0x7F | 0x80)
        number >>= 7
    pieces.append(number)
    return bytes(pieces)


def _block(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + _varint(len(content)) + content


def _labels(labels: Mapping[str, str]) -> bytes:
    pairs = (_block(0x0A, name.encode()) + _block(0x12, labels[name].encode()) for name in sorted(labels))
    return b"".join(_block(0x0A, pair) for pair in pairs)


@dataclass(slots=True)
class Series:
    """One series and what of it has not been sent yet."""

    labels: Mapping[str, str]
    pending: list[bytes] = field(default_factory=list)
    exemplars: list[bytes] = field(default_factory=list)
    identity: bytes = b""

    def __post_init__(self) -> None:
        """Encode the labels once."""
        self.identity = _labels(self.labels)

    def add(self, moment: bytes, value: float) -> None:
        """Add a sample at a moment that :func:`moment` made."""
        self.pending.append(sample_of(value) + moment)

    def end(self, moment: bytes) -> None:
        """Say that the series is no longer there."""
        self.pending.append(b"\x12\x10\x09" + STALE + moment)

    def mark(self, labels: Mapping[str, str], value: float, seconds: float) -> None:
        """Add an exemplar."""
        content = _labels(labels) + b"\x11" + struct.pack("<d", value) + b"\x18" + _varint(round(seconds * 1000))
        self.exemplars.append(_block(0x1A, content))

    def take(self) -> bytes:
        """Return what was added since, encoded."""
        content = b"".join((self.identity, *self.pending, *self.exemplars))
        self.pending.clear()
        self.exemplars.clear()
        return _block(0x0A, content)


def sample_of(value: float) -> bytes:
    """Return an encoded sample but for its time, which :func:`moment` adds."""
    return b"\x12\x10\x09" + struct.pack("<d", value)


def moment(seconds: float) -> bytes:
    """Return the encoded time of samples: six bytes of milliseconds, so that every sample is of one length."""
    encoded = _varint(round(seconds * 1000))
    assert len(encoded) == 6, seconds
    return b"\x10" + encoded


class RemoteWriter:
    """Sends series to a Prometheus that runs with ``--web.enable-remote-write-receiver``."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1/write"
        self._series: dict[frozenset[tuple[str, str]], Series] = {}

    def series(self, **labels: str) -> Series:
        """Return the series of these labels; ``__name__`` is one of them."""
        key = frozenset(labels.items())
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = Series(labels)
        return found

    def flush(self) -> None:
        """Send what was added; a refusal is an error with Prometheus' own words."""
        for content in self._bodies():
            # Snappy's block format allows one literal for all of it; compression would only cost time here.
            body = _varint(len(content)) + bytes((_LITERAL,)) + struct.pack("<I", len(content) - 1) + content
            request = urllib.request.Request(
                self._url,
                body,
                {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
                 "X-Prometheus-Remote-Write-Version": "0.1.0"},
            )  # fmt: skip
            with urllib.request.urlopen(request, timeout=60):
                pass

    def _bodies(self, limit: int = 8_000_000) -> Iterator[bytes]:
        pieces, size = [], 0
        for series in self._series.values():
            if series.pending or series.exemplars:
                piece = series.take()
                pieces.append(piece)
                size += len(piece)
                if size > limit:
                    yield b"".join(pieces)
                    pieces, size = [], 0
        if pieces:
            yield b"".join(pieces)
