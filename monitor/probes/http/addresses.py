"""Which addresses may be contacted."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


class AddressPolicy:
    """Says whether an address may be contacted.

    Link-local addresses are refused whoever asks: what answers there (a cloud's metadata service) gives away keys and
    is no customer's destination. Private and loopback addresses are a matter of the target.
    """

    def __init__(self, *, allowed_private: bool) -> None:
        """Allow or refuse private addresses."""
        self._allowed_private = allowed_private

    def refusal(self, address: str) -> str | None:
        """Return why an address must not be contacted, nothing where it may."""
        kind = _kind(address)
        if kind == "public" or (self._allowed_private and kind == "private"):
            return None
        return f"{address} is a {kind} address, which this target does not allow"


@lru_cache(maxsize=4096)
def _kind(text: str) -> str:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    if address.is_link_local:
        return "link-local"
    if address.is_multicast:
        return "multicast"
    return "public" if address.is_global else "private"
