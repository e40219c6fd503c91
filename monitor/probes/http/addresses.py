"""Which addresses may be contacted."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from functools import lru_cache

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


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
        if kind is _Kind.PUBLIC or (self._allowed_private and kind is _Kind.PRIVATE):
            return None
        allowed = "this target does not allow" if kind is _Kind.PRIVATE else "no target allows"
        return f"{address} is a {kind.value} address, which {allowed}"


class _Kind(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"
    LINK_LOCAL = "link-local"
    MULTICAST = "multicast"


@lru_cache(maxsize=4096)
def _kind(text: str) -> _Kind:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = _embedded(address) or address
    if address.is_link_local:
        return _Kind.LINK_LOCAL
    if address.is_multicast:
        return _Kind.MULTICAST
    return _Kind.PUBLIC if address.is_global else _Kind.PRIVATE


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address to which packets for an IPv6 address go in the end, where it embeds one."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
