"""A response, as the code of a journey sees it."""

from __future__ import annotations

import codecs
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.domain.exchange import Exchange, Timings
from monitor.probes.session import ExpectationFailed

_EXCERPT = 200
# They are no charsets, or turn a small text into a very large or very slow one.
_REFUSED_CODECS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})


class Headers(Mapping[str, str]):
    """The headers of a response; names in any case, several values of one name joined by a comma."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        """Hold pairs whose names are in lower case."""
        self._pairs = pairs

    def __getitem__(self, name: str) -> str:
        """Return all values of a header, joined. Raises KeyError where there is none."""
        values = self.all(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        """Return each name once, in the order of the response."""
        return iter(dict.fromkeys(name for name, _ in self._pairs))

    def __len__(self) -> int:
        """Return the number of different names."""
        return len(dict.fromkeys(name for name, _ in self._pairs))

    def __repr__(self) -> str:
        """Show the names alone; values may be secrets."""
        return f"Headers({', '.join(self)})"

    def all(self, name: str) -> tuple[str, ...]:
        """Return each value of a header."""
        lowered = name.lower()
        return tuple(value for key, value in self._pairs if key == lowered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a server answered; an error status is an answer like any other.

    Attributes:
        url: Where the answer came from, after redirects.
        redirects: The URLs that led there, the first one first.
        cookies: What the session holds for this URL after the answer.
        body: Decoded, and cut at the probe's bound where ``truncated`` says so.
        exchange: The record of the exchange, with its phases, address and TLS facts.
        received_at: The moment of the answer, by the wall clock.
    """

    status: int
    reason: str
    url: str
    headers: Headers
    body: bytes = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    redirects: tuple[str, ...] = ()
    exchange: Exchange = field(repr=False)
    received_at: dt.datetime
    truncated: bool = False

    @property
    def ok(self) -> bool:
        """Say whether the status is 200 to 299."""
        return 200 <= self.status < 300  # noqa: PLR2004 - what RFC 9110 calls successful

    @property
    def text(self) -> str:
        """Return the body as text; what does not fit its charset is replaced, never raised about."""
        return self.body.decode(_charset(self.headers.get("content-type", "")), "replace")

    def json(self) -> Any:
        """Return what the JSON of the body says. Raises ExpectationFailed, with an excerpt, where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            kind = self.headers.get("content-type", "no content type")
            msg = f"expected JSON, saw {kind}: {self.excerpt()!r} ({type(error).__name__})"
            raise ExpectationFailed(msg) from None

    def excerpt(self, length: int = _EXCERPT) -> str:
        """Return the beginning of the body in one line."""
        text = " ".join(self.text[: 4 * length].split())
        return text if len(text) <= length else text[:length] + "…"

    @property
    def timings(self) -> Timings:
        """Return the seconds of each phase of the last exchange."""
        return self.exchange.timings

    @property
    def elapsed(self) -> dt.timedelta:
        """Return the time that the last exchange took."""
        return dt.timedelta(seconds=self.exchange.timings.total)

    @property
    def certificate_days_left(self) -> float | None:
        """Return the days until the first certificate of the chain expires; none without TLS."""
        chain = self.exchange.tls.chain if self.exchange.tls else ()
        ends = [each.not_after for each in chain if each.not_after is not None]
        return (min(ends) - self.received_at) / dt.timedelta(days=1) if ends else None


def _charset(content_type: str) -> str:
    for part in content_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return _safe_codec(value.strip().strip("\"'"))
    return "utf-8"


def _safe_codec(name: str) -> str:
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return "utf-8"
    # Only the attribute below tells codecs that make text of bytes from those that compress or transpose.
    text = getattr(info, "_is_text_encoding", True)
    return info.name if text and info.name.replace("-", "_") not in _REFUSED_CODECS else "utf-8"
