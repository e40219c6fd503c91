"""The form in which values leave a process or are kept: MessagePack, decoded against the types of the vocabulary."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


class WireError(Exception):
    """The bytes do not hold a value of the expected type."""


class Codec:
    """Encodes frozen values, and decodes them only into the type that is asked for, whatever the bytes say."""

    def __init__(self) -> None:
        """Prepare one encoder and, as they are first asked for, one decoder for each type."""
        self._encoder = msgspec.msgpack.Encoder()
        self._decoders: dict[type, msgspec.msgpack.Decoder[object]] = {}

    def encode(self, value: object) -> bytes:
        """Return the value as bytes."""
        return self._encoder.encode(value)

    def decode(self, data: bytes | memoryview, kind: type[T]) -> T:
        """Return the value of type ``kind`` that the bytes hold. Raises WireError where they do not."""
        decoder = self._decoders.get(kind)
        if decoder is None:
            decoder = self._decoders[kind] = msgspec.msgpack.Decoder(kind)
        try:
            value = decoder.decode(data)
        except msgspec.MsgspecError as error:
            msg = f"not a {kind.__name__}: {error}"
            raise WireError(msg) from error
        return value  # type: ignore[return-value]  # the decoder was made for this very type
