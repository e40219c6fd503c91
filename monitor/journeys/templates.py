"""``${name}`` in the text of a declarative journey."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from monitor.domain.secret import Secret

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
_JSON = (str, int, float, dict, list, type(None))
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def references(value: object) -> Iterator[str]:
    """Yield each name that a value refers to, at whatever depth, as it is written."""
    match value:
        case str():
            yield from (found[1] for found in _REFERENCE.finditer(value) if found[1] is not None)
        case dict():
            for inner in value.values():
                yield from references(inner)
        case list() | tuple():
            for inner in value:
                yield from references(inner)


def is_name(text: str) -> bool:
    """Say whether a text can be the name of a value."""
    return _NAME.fullmatch(text) is not None


def fill(value: object, known: Mapping[str, object]) -> object:
    """Return the value with every reference filled in.

    A text that is one reference and nothing else becomes the value itself, so that a number stays a number in JSON.
    """
    match value:
        case str():
            alone = _REFERENCE.fullmatch(value)
            if alone is not None and alone[1] is not None:
                filled = known[alone[1]]
                return filled if isinstance(filled, _JSON) else as_text(filled)
            return fill_text(value, known)
        case dict():
            return {key: fill(inner, known) for key, inner in value.items()}
        case list() | tuple():
            return [fill(inner, known) for inner in value]
        case _:
            return value


def fill_text(text: str, known: Mapping[str, object], escape: Callable[[str], str] = str) -> str:
    """Return the text with every reference filled in as text, each passed through ``escape`` first."""
    if "${" not in text:
        return text

    def filled(found: re.Match[str]) -> str:
        return "${" if found[1] is None else escape(as_text(known[found[1]]))

    return _REFERENCE.sub(filled, text)


def as_text(value: object) -> str:
    """Return a value as it stands in a URL, a header or a body. A secret is revealed."""
    match value:
        case Secret():
            return value.reveal()
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case _:
            return str(value)
