"""A value that must never be seen."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus


@dataclass(frozen=True, slots=True)
class Secret:
    """Holds a secret text; printing, logging or formatting it shows only its name.

    The text is read with :meth:`reveal`, so that each place that does so can be found.
    """

    name: str
    value: str

    def reveal(self) -> str:
        """Return the secret text itself."""
        return self.value

    def __repr__(self) -> str:
        """Show the name, never the text."""
        return f"Secret({self.name!r})"

    def __str__(self) -> str:
        """Show a mask, so that formatting a secret into a message leaks nothing."""
        return "•••"

    def __format__(self, format_spec: str) -> str:
        """Show the mask whatever the format."""
        return format(str(self), format_spec)


class Redactor:
    """Masks every known secret in a text, in the encodings in which a secret is likely to come back.

    Secrets shorter than four characters are not looked for: masking them would destroy innocent text.
    """

    _SHORTEST = 4

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        """Prepare the forms to look for, longest first, so that a form inside another one is masked whole."""
        forms = {form for secret in secrets for form in _forms(secret.value) if len(form) >= self._SHORTEST}
        self._pattern: re.Pattern[str] | None = None
        if forms:
            self._pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))

    def mask(self, text: str) -> str:
        """Return the text with each secret replaced by a mask."""
        return self._pattern.sub("•••", text) if self._pattern else text

    def finds(self, text: str) -> bool:
        """Say whether a secret stands in the text."""
        return bool(self._pattern and self._pattern.search(text))


def _forms(value: str) -> Iterator[str]:
    raw = value.encode()
    yield value
    yield quote(value, safe="")
    yield quote(value)
    yield quote_plus(value)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)
    yield repr(value)[1:-1]
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
