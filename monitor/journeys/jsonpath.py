"""Paths into JSON: ``order.items[0].id``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from monitor.probes.session import ExpectationFailed

_PART = re.compile(r"""\.?([A-Za-z_$@][\w$@-]*)|\[(-?\d{1,9})\]|\["([^"\]]+)"\]|\['([^'\]]+)'\]""")


class JsonPathError(ValueError):
    """A path that cannot be read; the message says how one is written."""


class NothingThere(ExpectationFailed):
    """The path leads nowhere in this document; the message says how far it led."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    """Where in a JSON document a value stands. An empty path is the document itself."""

    text: str
    parts: tuple[str | int, ...]

    @classmethod
    def parse(cls, text: str) -> JsonPath:
        """Read ``order.items[0].id``, ``[0].name`` or ``data["odd key"]``. Raises JsonPathError."""
        parts: list[str | int] = []
        position = 0
        rest = text.removeprefix("$") if text.startswith(("$.", "$[")) or text == "$" else text
        while position < len(rest):
            found = _PART.match(rest, position)
            if found is None or (not parts and found[0].startswith(".") and rest == text):
                msg = f"'{text}' is not a path into JSON; write order.items[0].id, or [\"odd key\"] in brackets"
                raise JsonPathError(msg)
            name, index, double, single = found.groups()
            parts.append(int(index) if index is not None else name or double or single)
            position = found.end()
        return cls(text, tuple(parts))

    def of(self, document: object) -> object:
        """Return the value in the document. Raises NothingThere, which is a failed expectation, where there is none."""
        value = document
        for depth, part in enumerate(self.parts):
            match value, part:
                case dict(), str() if part in value:
                    value = value[part]
                case list(), int() if -len(value) <= part < len(value):
                    value = value[part]
                case _:
                    raise NothingThere(self._missing(depth, value))
        return value

    def _missing(self, depth: int, value: object) -> str:
        where = f"at '{_dotted(self.parts[:depth])}'" if depth else "at the top"
        return f"expected JSON to hold '{self.text}', but {where} there is {_described(value)}"


@lru_cache(maxsize=1_000)
def path_of(text: str) -> JsonPath:
    """Return a path, read once as long as it is used. Raises JsonPathError."""
    return JsonPath.parse(text)


def _dotted(parts: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def _described(value: object) -> str:
    match value:
        case dict():
            keys = ", ".join(str(key)[:40] for key in list(value)[:8])
            return f"an object with {keys or 'no keys'}{', …' if len(value) > 8 else ''}"  # noqa: PLR2004 - as above
        case list():
            return f"a list of {len(value)}"
        case _:
            return f"{value!r:.80}"
