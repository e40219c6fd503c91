"""Which address of a target is probed, chosen as the blackbox exporter does."""

from __future__ import annotations

import ipaddress
import time

from monitor.domain.profile import IpFamily
from monitor.probes.blackbox.occasion import Occasion
from monitor.probes.vantage.resolver import NameView, ResolveFailed

_FNV_OFFSET, _FNV_PRIME, _FNV_MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
_FAMILIES = {"ip4": IpFamily.IPV4, "ip6": IpFamily.IPV6}
_SHORTEST = 1e-6


async def choose_address(occasion: Occasion, host: str, *, preferred: str, fallback: bool) -> tuple[str, float]:
    """Return an address of the preferred kind, else, where that is allowed, of the other, and the seconds it took.

    Raises ResolveFailed where there is none.
    """
    gauges = occasion.gauges
    gauges.declare("probe_ip_protocol", "probe_dns_lookup_time_seconds", "probe_ip_addr_hash")
    occasion.say("Resolving target address", target=host, ip_protocol=preferred)
    started = time.monotonic()
    try:
        address = await _choose(occasion, host, preferred, fallback=fallback)
    except ResolveFailed as error:
        occasion.say("Resolution with IP protocol failed", target=host, ip_protocol=preferred, err=error)
        raise
    finally:
        # A number in a file of the system is found at once; that it was looked up must still be seen.
        seconds = max(_SHORTEST, time.monotonic() - started)
        gauges.set("probe_dns_lookup_time_seconds", seconds)
    gauges.set("probe_ip_protocol", 6 if ":" in address else 4)
    gauges.set("probe_ip_addr_hash", address_hash(address))
    occasion.say("Resolved target address", target=host, ip=address)
    return address, seconds


async def _choose(occasion: Occasion, host: str, preferred: str, *, fallback: bool) -> str:
    # An address is taken as it is written; IPv4 in the dress of IPv6 counts as IPv4.
    view = NameView(family=IpFamily.ANY if fallback else _FAMILIES[preferred])
    found = await occasion.network.resolver.resolve(host, port=0, view=view, deadline=occasion.deadline)
    wanted = [each for each in found.addresses if (":" in each) == (preferred == "ip6")]
    return (wanted or list(found.addresses[-1:]))[0]


def address_hash(address: str) -> float:
    """Return a number that changes as the address changes (FNV-1a of its bytes)."""
    value = _FNV_OFFSET
    for byte in ipaddress.ip_address(address.partition("%")[0]).packed:
        value = ((value ^ byte) * _FNV_PRIME) & _FNV_MASK
    return float(value)
