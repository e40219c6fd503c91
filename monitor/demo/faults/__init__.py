"""The ways in which the shop can be broken: a closed table."""

from __future__ import annotations

from monitor.demo.faults.elsewhere import CHANGE, CUSTOMER
from monitor.demo.faults.fault import Fault, Side
from monitor.demo.faults.own import OWN
from monitor.demo.faults.third_party import THIRD_PARTY

__all__ = ["FAULTS", "Fault", "Side", "fault_named"]

FAULTS: tuple[Fault, ...] = (*OWN, *THIRD_PARTY, *CUSTOMER, *CHANGE)


def fault_named(name: str) -> Fault:
    """Return the fault of this name. Raises KeyError where there is none; the message lists the names."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    names = ", ".join(fault.name for fault in FAULTS)
    message = f"there is no fault {name!r}; the faults are {names}"
    raise KeyError(message)
