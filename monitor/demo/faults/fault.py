"""One way to break the shop, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.demo.effects import Effect
from monitor.domain.cause import Detail


class Side(StrEnum):
    """On whose side a fault is made."""

    OWN = "own"
    THIRD_PARTY = "third-party"
    CUSTOMER = "customer"
    CHANGE = "change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to break the shop.

    Attributes:
        notice: What a customer notices.
        detail: What Faultline should say of it; ``None`` where no journey is hurt.
        journeys: Which of the shop's journeys are hurt.
    """

    name: str
    side: Side
    title: str
    explanation: str
    notice: str
    detail: Detail | None
    effects: tuple[Effect, ...]
    journeys: tuple[str, ...] = ()

    @property
    def harmless(self) -> bool:
        """Say whether every journey still succeeds."""
        return self.detail is None


BROWSER_JOURNEYS = ("checkout", "login", "search")
ALL_JOURNEYS = (*BROWSER_JOURNEYS, "api", "order")
