"""Regular expressions in the dialect of RE2, which the modules of the blackbox exporter are written in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import re2

_MEMORY = 8 << 20
# In Go's templates, $name takes as many letters as there are, and ${name} says where it ends.
_REFERENCE = re.compile(rb"\$(?:\$|\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One expression, found anywhere in the bytes of a text; the time it takes grows with the text only."""

    text: str
    _compiled: Any = field(repr=False, compare=False)

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Return the compiled expression. Raises ValueError, with the reason, where it is none."""
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY
        try:
            return cls(text, re2.compile(text.encode(), options))
        except re2.error as error:
            reason = error.args[0] if error.args else "cannot be read"
            words = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            msg = f"not a regular expression of RE2: {words}; look-around and back references are not in it"
            raise ValueError(msg) from None

    def found(self, data: bytes) -> bool:
        """Say whether the expression matches somewhere."""
        return self._compiled.search(data) is not None

    def groups(self, data: bytes) -> dict[str, bytes] | None:
        """Return what the groups caught, by number and by name, or ``None`` where nothing matches."""
        match = self._compiled.search(data)
        if match is None:
            return None
        caught = {str(number): match.group(number) or b"" for number in range(self._compiled.groups + 1)}
        named = {_text(name): caught[str(number)] for name, number in self._compiled.groupindex.items()}
        return caught | named


def expand(template: bytes, caught: dict[str, bytes]) -> bytes:
    """Return a template with ``$1``, ``${1}`` and ``${name}`` replaced; what was not caught is empty."""

    def value(found: re.Match[bytes]) -> bytes:
        name = found[1] or found[2]
        return caught.get(name.decode(), b"") if name else b"$"

    return _REFERENCE.sub(value, template)


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
