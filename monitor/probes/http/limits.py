"""The bounds of what the HTTP probe takes in; a bound that is reached shows as truncated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a response, a redirect chain and a run is taken.

    Attributes:
        body_bytes: Bytes of a body after decoding; the rest is neither kept nor waited for.
        header_bytes: Bytes of status line and headers together; more is a failure of the site.
        redirects: How many redirects are followed in a row.
        exchanges: How many exchanges one session keeps; later ones are counted, not kept.
        reserve: Seconds before the run's deadline at which an exchange gives up, so that its record survives.
    """

    body_bytes: int = 4_194_304
    header_bytes: int = 262_144
    header_count: int = 1_000
    redirects: int = 20
    exchanges: int = 1_000
    reserve: float = 0.2
    happy_eyeballs_delay: float = 0.25
