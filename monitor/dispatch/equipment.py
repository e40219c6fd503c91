"""What a worker works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.domain.journey import Journey
from monitor.execution.run import Vantage
from monitor.probes.session import Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """All that a worker needs besides orders.

    Attributes:
        load: Returns the journey of a name, given the file that its outline names.
    """

    probe: Probe
    load: Callable[[str, str], Journey]
    vantage: Vantage | None = None
