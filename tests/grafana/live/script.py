"""What happens when: the day as data, in minutes before its end."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.domain.check import Check
from tests.grafana.live.cast import (
    CATALOG_API,
    CHECKOUT,
    CHECKS,
    FRANKFURT,
    LEGACY,
    LOGIN,
    ORDER_API,
    PARIS,
    PHONE,
    PLACES,
    SEARCH,
    STORE,
)
from tests.grafana.live.scenes import Scene

LENGTH = 26 * 60
OFTEN = 10 * 60  # from here on a scrape a minute, before that every other


@dataclass(frozen=True, slots=True)
class Act:
    """From one minute before the end until another, runs of these checks at these places see a scene."""

    begins: int
    ends: int
    scene: Scene
    checks: tuple[Check, ...]
    places: tuple[str, ...] = PLACES

    def plays(self, check: Check, place: str, minute: int) -> bool:
        """Say whether a run that starts at a minute before the end sees it."""
        return self.ends < minute <= self.begins and check in self.checks and place in self.places


@dataclass(frozen=True, slots=True)
class Break:
    """A time without runs: of one check in maintenance, of one check that is late, or of a whole monitor."""

    begins: int
    ends: int
    check: Check | None = None
    place: str | None = None

    def covers(self, minute: int) -> bool:
        """Say whether a minute before the end lies in it."""
        return self.ends < minute <= self.begins


OWN_OUTAGE = Act(300, 240, Scene.OWN_OUTAGE, (CATALOG_API, ORDER_API))
PAY_SLOW = Act(1320, 1290, Scene.VENDOR_SLOW, (CHECKOUT, PHONE))
PAY_DOWN = Act(165, 145, Scene.VENDOR_DOWN, (CHECKOUT, PHONE))
BAD_RELEASE = Act(205, 185, Scene.OWN_SCRIPT, (CHECKOUT, PHONE))
NO_NAMES = Act(120, 95, Scene.NO_NAMES, CHECKS, (STORE,))
SICK = Act(1200, 1170, Scene.SICK, CHECKS, (PARIS,))
ID_DOWN = Act(35, 0, Scene.VENDOR_DOWN, (LOGIN,))
ACTS = (
    PAY_SLOW,
    SICK,
    Act(400, 370, Scene.OWN_SLOW, (SEARCH,)),
    OWN_OUTAGE,
    BAD_RELEASE,
    PAY_DOWN,
    NO_NAMES,
    Act(80, 65, Scene.SICK, CHECKS, (PARIS,)),
    Act(64, 58, Scene.CRASHED, (CHECKOUT, LOGIN), (PARIS,)),
    Act(50, 44, Scene.UNCLEAR, (SEARCH,)),
    ID_DOWN,
    Act(20, 0, Scene.VENDOR_SLOW, (CHECKOUT,)),
)
RESTART = Break(840, 830, place=FRANKFURT)
MAINTENANCE = (Break(540, 420, check=ORDER_API), Break(25, -15, check=SEARCH))
STANDSTILL = Break(45, 0, check=PHONE)
UNHEALTHY = Break(700, 680, place=STORE)
REMOVED, REMOVED_AT = LEGACY, 720
# Minutes before the end, service, version.
DEPLOYMENTS = ((900, "api", "5.1.0"), (206, "checkout", "2.14.0"), (184, "checkout", "2.14.1"))
# From, until, scope and cause of the incidents that the monitor sees.
INCIDENTS = (
    (296, 240, "host", "own_infrastructure"),
    (163, 145, "vendor", "third_party"),
    (33, -1, "vendor", "third_party"),
)
NOTIFIED = (296, 240, 163, 145, 33)
_STATS_EVERY, _RECOVERED_EVERY = 11, 97


def scene_of(check: Check, place: str, minute: int) -> Scene:
    """Return what a run that starts at a minute before the end sees."""
    for act in ACTS:
        if act.plays(check, place, minute):
            return act.scene
    if minute % _RECOVERED_EVERY == 0:
        return Scene.RECOVERED
    return Scene.STATS_BROKEN if minute % _STATS_EVERY == 0 else Scene.HEALTHY
