"""The two DNS messages a resolver of ours needs: a question for addresses, and the answer to it.

A general library takes thirty times as long for them, and a monitor asks anew in every run.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from dns.rdatatype import RdataType

from monitor.domain.profile import Asking

_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_EDNS_PAYLOAD = 1232
_EDNS = b"\0" + struct.pack("!HHIH", RdataType.OPT, _EDNS_PAYLOAD, 0, 0)
_EDE_OPTION = 15
_CLASS_IN = 1
_POINTER = 0xC0
_LONGEST_LABEL = 63
_LONGEST_NAME = 253
_MOST_JUMPS = 64
_MOST_RECORDS = 512
_FLAG_RESPONSE = 0x8000
_FLAG_TRUNCATED = 0x0200
_FLAG_AUTHORITATIVE = 0x0400
_FLAG_RECURSION_DESIRED = 0x0100
_FLAG_CHECKING_DISABLED = 0x0010
_FLAGS = {
    Asking.USUAL: _FLAG_RECURSION_DESIRED,
    Asking.UNCHECKED: _FLAG_RECURSION_DESIRED | _FLAG_CHECKING_DISABLED,
    Asking.AUTHORITY: 0,
}
_RCODE = 0x000F


class MalformedAnswer(Exception):  # noqa: N818 - says what the bytes are
    """The bytes are no DNS answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one DNS answer says about a name.

    Attributes:
        addresses: Each with the name that owns it, in the order of the answer.
        aliases: CNAME records as ``(name, canonical name)``.
        errors: Extended DNS errors (RFC 8914) as ``(code, text)``.
        authoritative: Whether the server says that the zone is its own.
    """

    identifier: int
    rcode: int
    truncated: bool
    question: str
    kind: int
    addresses: tuple[tuple[str, str], ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    errors: tuple[tuple[int, str], ...] = ()
    authoritative: bool = False


def encode_question(identifier: int, name: str, kind: RdataType, asking: Asking = Asking.USUAL) -> bytes:
    """Return the question for one name, with EDNS. Raises ValueError where it is no DNS name."""
    labels = name.rstrip(".").encode("ascii").split(b".")
    if any(not 0 < len(label) <= _LONGEST_LABEL for label in labels) or len(name) > _LONGEST_NAME:
        msg = f"not a DNS name: {name!r}"
        raise ValueError(msg)
    encoded = b"".join(bytes((len(label),)) + label for label in labels)
    head = _HEADER.pack(identifier, _FLAGS[asking], 1, 0, 0, 1)
    return head + encoded + b"\0" + struct.pack("!HH", kind, _CLASS_IN) + _EDNS


def decode_answer(data: bytes) -> Answer:
    """Return what the answer says. Raises MalformedAnswer where the bytes hold none."""
    try:
        return _Reader(bytes(data)).answer()
    except (struct.error, IndexError, ValueError) as error:
        msg = f"not a DNS answer: {error}"
        raise MalformedAnswer(msg) from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = _HEADER.size
        self._addresses: list[tuple[str, str]] = []
        self._aliases: list[tuple[str, str]] = []
        self._errors: list[tuple[int, str]] = []
        self._extended_rcode = 0

    def answer(self) -> Answer:
        identifier, flags, questions, answers, authorities, additional = _HEADER.unpack_from(self._data)
        if not flags & _FLAG_RESPONSE or questions != 1:
            msg = "no response to one question"
            raise ValueError(msg)
        question = self._name()
        kind, _ = struct.unpack_from("!HH", self._data, self._at)
        self._at += 4
        truncated = bool(flags & _FLAG_TRUNCATED)
        records = answers + authorities + additional
        if records > _MOST_RECORDS:
            msg = f"{records} records"
            raise ValueError(msg)
        # A truncated answer may end anywhere; it is asked again over TCP, so that nothing in it matters.
        for number in range(0 if truncated else records):
            self._record(answer=number < answers)
        return Answer(
            identifier=identifier,
            rcode=(flags & _RCODE) | self._extended_rcode,
            truncated=truncated,
            question=question,
            kind=kind,
            addresses=tuple(self._addresses),
            aliases=tuple(self._aliases),
            errors=tuple(self._errors),
            authoritative=bool(flags & _FLAG_AUTHORITATIVE),
        )

    def _record(self, *, answer: bool) -> None:
        owner = self._name()
        kind, klass, ttl, length = _RECORD.unpack_from(self._data, self._at)
        start = self._at + _RECORD.size
        end = start + length
        if end > len(self._data):
            msg = "a record reaches beyond the message"
            raise ValueError(msg)
        self._at = start
        if kind == RdataType.OPT:
            self._extended_rcode = (ttl >> 24) << 4
            self._options(end)
        elif answer and klass == _CLASS_IN:
            if kind in {RdataType.A, RdataType.AAAA}:
                self._addresses.append((owner, str(ipaddress.ip_address(self._data[start:end]))))
            elif kind == RdataType.CNAME:
                self._aliases.append((owner, self._name()))
        self._at = end

    def _options(self, end: int) -> None:
        while self._at + 4 <= end:
            option, length = struct.unpack_from("!HH", self._data, self._at)
            start = self._at + 4
            self._at = start + length
            if option == _EDE_OPTION and 2 <= length <= end - start:  # noqa: PLR2004 - the two bytes of the code
                code = struct.unpack_from("!H", self._data, start)[0]
                text = self._data[start + 2 : start + length].decode("utf-8", "backslashreplace").rstrip("\0")
                self._errors.append((code, text))

    def _name(self) -> str:
        labels: list[str] = []
        at, jumps, resume = self._at, 0, 0
        while length := self._data[at]:
            if length & _POINTER == _POINTER:
                resume = resume or at + 2
                at = (length & ~_POINTER) << 8 | self._data[at + 1]
                jumps += 1
            elif length > _LONGEST_LABEL:
                msg = "a label of an unknown kind"
                raise ValueError(msg)
            else:
                label = self._data[at + 1 : at + 1 + length]
                labels.append(label.decode("ascii", "backslashreplace").lower())
                at += 1 + length
            if jumps > _MOST_JUMPS or len(labels) > _MOST_JUMPS * 2:
                msg = "a name without end"
                raise ValueError(msg)
        self._at = resume or at + 1
        return ".".join(labels)
