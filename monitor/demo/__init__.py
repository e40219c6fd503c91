"""A shop with third parties that can be broken on demand."""

from __future__ import annotations

from monitor.demo.faults import FAULTS, Fault, Side, fault_named
from monitor.demo.hosts import Addresses, Host, Ports
from monitor.demo.listener import PortTakenError
from monitor.demo.shop import MONITOR, Shop, serve

__all__ = [
    "FAULTS",
    "MONITOR",
    "Addresses",
    "Fault",
    "Host",
    "PortTakenError",
    "Ports",
    "Shop",
    "Side",
    "fault_named",
    "serve",
]
