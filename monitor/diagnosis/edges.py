"""Which edge provider answered in front of an own origin, as far as its answer tells."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.diagnosis.owners import Owners
from monitor.domain.exchange import Exchange

_WORDS = ("server", "via", "proxy-status", "x-served-by")
_MARKS = (
    ("cf-ray", "cloudflare"),
    ("cf-error-type", "cloudflare"),
    ("cf-mitigated", "cloudflare"),
    ("x-amz-cf-id", "cloudfront"),
    ("x-amz-cf-pop", "cloudfront"),
)
_SERVERS = ("cloudflare", "cloudfront", "akamaighost", "fastly", "imperva", "sucuri", "bunnycdn")


def edge_named(exchange: Exchange, owners: Owners) -> str | None:
    """Return the edge that an answer names: one of the user's list, or a well-known provider's own mark."""
    headers = dict(exchange.headers)
    words = " ".join(headers.get(name, "") for name in _WORDS)
    stated = owners.edge_in(words)
    if stated is not None:
        return stated
    marked = next((name for header, name in _MARKS if header in headers), None)
    if marked is not None:
        return marked
    return edge_by_name(headers.get("server", ""), owners)


def edge_by_name(words: str, owners: Owners) -> str | None:
    """Return the edge by whose name somebody goes: one of the user's list, or a well-known one."""
    return owners.edge_in(words) or next((name for name in _SERVERS if name in words.lower()), None)


def edges_named(exchanges: Iterable[Exchange], owners: Owners) -> frozenset[str]:
    """Return every edge that answered in these exchanges."""
    return frozenset(name for x in exchanges if (name := edge_named(x, owners)) is not None)
