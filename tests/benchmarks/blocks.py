"""Writes blocks as Prometheus stores them (index version 2, XOR chunks), for a past that was never scraped.

Series with the same values share their chunks, so that a month of a hundred thousand series is written in a minute.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PER_CHUNK = 120
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_POLYNOMIAL = 0x82F63B78


def _table() -> tuple[int, ...]:
    entries = []
    for value in range(256):
        rest = value
        for _ in range(8):
            rest = (rest >> 1) ^ (_POLYNOMIAL if rest & 1 else 0)
        entries.append(rest)
    return tuple(entries)


_TABLE = _table()


def _advance(crc: int, data: bytes) -> int:
    table = _TABLE
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc


def _checksum(data: bytes) -> bytes:
    return struct.pack(">I", _advance(0xFFFFFFFF, data) ^ 0xFFFFFFFF)


class _Tail:
    """The end that many entries share: what it does to a checksum is worked out once, because that is linear."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._zero = _advance(0, data)
        bits = [_advance(1 << bit, data) ^ self._zero for bit in range(32)]
        self._tables = [[0] * 256 for _ in range(4)]
        for octet, table in enumerate(self._tables):
            for value in range(1, 256):
                lowest = value & -value
                table[value] = table[value ^ lowest] ^ bits[8 * octet + lowest.bit_length() - 1]

    def checksum(self, head: bytes) -> bytes:
        """Return the checksum of an entry that begins with ``head`` and ends with this."""
        crc = _advance(0xFFFFFFFF, head)
        a, b, c, d = self._tables
        crc = self._zero ^ a[crc & 0xFF] ^ b[crc >> 8 & 0xFF] ^ c[crc >> 16 & 0xFF] ^ d[crc >> 24]
        return struct.pack(">I", crc ^ 0xFFFFFFFF)


def _uvarint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint(value: int) -> bytes:
    return _uvarint(value << 1 if value >= 0 else (-value << 1) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Evenly spaced samples; the moments in milliseconds."""

    start: int
    step: int
    values: tuple[float, ...]

    def between(self, start: int, end: int) -> Samples:
        """Return those from ``start`` on and before ``end``."""
        first = max(0, -(-(start - self.start) // self.step))
        last = max(first, -(-(end - self.start) // self.step))
        return Samples(start=self.start + first * self.step, step=self.step, values=self.values[first:last])


@dataclass(frozen=True, slots=True)
class _Chunk:
    mint: int
    maxt: int
    ref: int


_Series = tuple[tuple[tuple[str, str], ...], _Tail]


class _Bits:
    def __init__(self) -> None:
        self._bits: list[str] = []

    def add(self, value: int, width: int) -> None:
        self._bits.append(format(value & ((1 << width) - 1), f"0{width}b"))

    def octets(self) -> bytes:
        text = "".join(self._bits)
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big") if text else b""


def _xor(samples: Samples) -> bytes:
    """Return evenly spaced samples as the data of one XOR chunk."""
    bits = _Bits()
    previous = _float_bits(samples.values[0])
    head = struct.pack(">H", len(samples.values)) + _varint(samples.start) + struct.pack(">d", samples.values[0])
    window = (-1, 0)
    for position, value in enumerate(samples.values[1:]):
        if position == 0:
            head += _uvarint(samples.step)
        else:
            bits.add(0, 1)
        now = _float_bits(value)
        window = _value_bits(bits, now ^ previous, window)
        previous = now
    return head + bits.octets()


def _float_bits(value: float) -> int:
    return int.from_bytes(struct.pack(">d", value), "big")


def _value_bits(bits: _Bits, difference: int, window: tuple[int, int]) -> tuple[int, int]:
    if difference == 0:
        bits.add(0, 1)
        return window
    leading = min(64 - difference.bit_length(), 31)
    trailing = (difference & -difference).bit_length() - 1
    old_leading, old_trailing = window
    if old_leading != -1 and leading >= old_leading and trailing >= old_trailing:
        bits.add(0b10, 2)
        bits.add(difference >> old_trailing, 64 - old_leading - old_trailing)
        return window
    significant = 64 - leading - trailing
    bits.add(0b11, 2)
    bits.add(leading, 5)
    bits.add(significant, 6)
    bits.add(difference >> trailing, significant)
    return leading, trailing


class Block:
    """One block: add series, then write it."""

    def __init__(self, folder: Path, number: int, start: int, end: int) -> None:
        """Hold what lies from ``start`` on and before ``end``, in milliseconds."""
        name, rest = "", number
        for _ in range(26):
            name, rest = _ALPHABET[rest & 31] + name, rest >> 5
        self._name, self._start, self._end = name, start, end
        self._folder = folder / name
        self._chunks = bytearray(struct.pack(">IB3x", 0x85BD40DD, 1))
        self._written: dict[int, _Tail | None] = {}
        self._series: list[_Series] = []

    def add(self, labels: Mapping[str, str], samples: Samples) -> None:
        """Add a series; the same ``samples`` are stored once."""
        if id(samples) not in self._written:
            self._written[id(samples)] = self._stored(samples.between(self._start, self._end))
        tail = self._written[id(samples)]
        if tail is not None:
            self._series.append((tuple(sorted(labels.items())), tail))

    def _stored(self, samples: Samples) -> _Tail | None:
        chunks = []
        for first in range(0, len(samples.values), _PER_CHUNK):
            values = samples.values[first : first + _PER_CHUNK]
            part = Samples(start=samples.start + first * samples.step, step=samples.step, values=values)
            data = b"\x01" + _xor(part)
            maxt = part.start + (len(values) - 1) * part.step
            chunks.append(_Chunk(part.start, maxt, len(self._chunks)))
            self._chunks += _uvarint(len(data) - 1) + data + _checksum(data)
        return _Tail(_metas(chunks)) if chunks else None

    def write(self) -> None:
        """Write the block; a Prometheus that starts finds it."""
        (self._folder / "chunks").mkdir(parents=True)
        (self._folder / "chunks" / "000001").write_bytes(self._chunks)
        self._series.sort(key=lambda series: series[0])
        (self._folder / "index").write_bytes(_index(self._series))
        meta = {
            "ulid": self._name,
            "minTime": self._start,
            "maxTime": self._end,
            "stats": {"numSeries": len(self._series)},
            "compaction": {"level": 1, "sources": [self._name]},
            "version": 1,
        }
        (self._folder / "meta.json").write_text(json.dumps(meta))


def _metas(chunks: Sequence[_Chunk]) -> bytes:
    out, previous = _uvarint(len(chunks)), None
    for chunk in chunks:
        if previous is None:
            out += _varint(chunk.mint) + _uvarint(chunk.maxt - chunk.mint) + _uvarint(chunk.ref)
        else:
            out += _uvarint(chunk.mint - previous.maxt) + _uvarint(chunk.maxt - chunk.mint)
            out += _varint(chunk.ref - previous.ref)
        previous = chunk
    return out


def _section(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content + _checksum(content)


def _index(series: Sequence[_Series]) -> bytes:
    texts = sorted({text for labels, _ in series for pair in labels for text in pair} | {""})
    number = {text: position for position, text in enumerate(texts)}
    out = bytearray(struct.pack(">IB", 0xBAAAD700, 2))
    symbols_at = len(out)
    out += _section(struct.pack(">I", len(texts)) + b"".join(_text(text) for text in texts))
    out += bytes(-len(out) % 16)
    series_at = len(out)
    postings: dict[tuple[str, str], list[int]] = {("", ""): []}
    for labels, tail in series:
        out += bytes(-len(out) % 16)
        ref = len(out) // 16
        content = _uvarint(len(labels))
        for name, value in labels:
            content += _uvarint(number[name]) + _uvarint(number[value])
            postings.setdefault((name, value), []).append(ref)
        postings["", ""].append(ref)
        out += _uvarint(len(content) + len(tail.data)) + content + tail.data + tail.checksum(content)
    offsets = []
    out += bytes(-len(out) % 4)
    postings_at = len(out)
    for key in sorted(postings):
        out += bytes(-len(out) % 4)
        offsets.append((key, len(out)))
        refs = postings[key]
        out += _section(struct.pack(f">I{len(refs)}I", len(refs), *refs))
    table_at = len(out)
    entries = (b"\x02" + _text(name) + _text(value) + _uvarint(at) for (name, value), at in offsets)
    out += _section(struct.pack(">I", len(offsets)) + b"".join(entries))
    toc = struct.pack(">6Q", symbols_at, series_at, 0, 0, postings_at, table_at)
    return bytes(out + toc + _checksum(toc))


def _text(text: str) -> bytes:
    octets = text.encode()
    return _uvarint(len(octets)) + octets


def spans(start: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    """Cut a time into spans of at most ``longest``."""
    while start < end:
        yield start, min(start + longest, end)
        start += longest
