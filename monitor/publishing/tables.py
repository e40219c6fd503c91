"""All families with their series, as one thing that counts against one limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from monitor.config.settings import MetricsDetail
from monitor.publishing import catalogue, of_checks, of_ourselves
from monitor.publishing.exposition import AnyTable
from monitor.publishing.series import Family, Kind, Room, Spread, Table, Value

_OURS = 100
_SPREADS = frozenset({Kind.SUMMARY, Kind.HISTOGRAM})
_LEVELS: dict[MetricsDetail, tuple[Family, ...]] = {
    MetricsDetail.CORE: of_checks.CORE,
    MetricsDetail.STANDARD: (*of_checks.CORE, *of_checks.MORE),
    MetricsDetail.FULL: (*of_checks.CORE, *of_checks.MORE, *of_checks.MOST),
}


def families_of(detail: MetricsDetail) -> tuple[Family, ...]:
    """Return the families that a check has at a level of detail, with the buckets that they have there."""
    families = _LEVELS[detail]
    return families if detail is MetricsDetail.FULL else tuple(_coarse(family) for family in families)


def _coarse(family: Family) -> Family:
    return replace(family, buckets=family.coarse) if family.coarse else family


class Tables:
    """Finds the table of a family. Tables of families that the level of detail leaves out stay empty, whatever comes.

    ``steps`` is whether steps, phases and Web Vitals are counted; ``more`` is whether anything beyond the core is.
    """

    def __init__(self, *, lock: Lock, limit: int, detail: MetricsDetail) -> None:
        """Make a table, without series, for each family of the catalogue."""
        self.more = detail is not MetricsDetail.CORE
        self.steps = detail is MetricsDetail.FULL
        self.room = Room(limit)
        # Whatever the checks take, what we say of ourselves must still find room.
        rooms = {family.name: Room(_OURS) for family in of_ourselves.FAMILIES}
        held = {family.name: family for family in families_of(detail)}
        rooms |= {family.name: Room(0) for family in catalogue.OF_CHECKS if family.name not in held}
        self._values: dict[str, Table[Value]] = {}
        self._spreads: dict[str, Table[Spread]] = {}
        for family in (held.get(family.name, family) for family in catalogue.FAMILIES):
            room = rooms.get(family.name, self.room)
            if family.kind in _SPREADS:
                self._spreads[family.name] = Table(family, Spread, lock, room)
            else:
                self._values[family.name] = Table(family, Value, lock, room)

    def value(self, family: Family) -> Table[Value]:
        """Return the table of a counter, gauge or info."""
        return self._values[family.name]

    def spread(self, family: Family) -> Table[Spread]:
        """Return the table of a summary or histogram."""
        return self._spreads[family.name]

    def table(self, family: Family) -> AnyTable:
        """Return the table of any family."""
        return self.spread(family) if family.kind in _SPREADS else self.value(family)

    def all(self) -> list[AnyTable]:
        """Return every table in the order of the catalogue."""
        return [self.table(family) for family in catalogue.FAMILIES]

    def keep_checks(self, wanted: Callable[[tuple[str, ...]], bool]) -> None:
        """Drop the series of checks that are not wanted, by the label values that are a check's."""
        length = len(of_checks.CHECK)
        for family in catalogue.OF_CHECKS:
            self.table(family).keep(lambda values: wanted(values[:length]))
