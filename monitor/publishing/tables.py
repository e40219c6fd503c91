"""All families with their series, as one thing that counts against one limit."""

from __future__ import annotations

from threading import Lock

from monitor.publishing import catalogue
from monitor.publishing.exposition import AnyTable
from monitor.publishing.series import Family, Kind, Room, Spread, Table, Value

_OURS = 100
_SPREADS = frozenset({Kind.SUMMARY, Kind.HISTOGRAM})


class Tables:
    """Finds the table of a family.

    ``full`` is whether checks get more than the twelve core series each.
    """

    def __init__(self, *, lock: Lock, limit: int, full: bool) -> None:
        """Make a table, without series, for each family of the catalogue."""
        self.full = full
        self.room = Room(limit)
        # Whatever the checks take, what we say of ourselves must still find room.
        ours = {family.name: Room(_OURS) for family in catalogue.OF_OURSELVES}
        self._values: dict[str, Table[Value]] = {}
        self._spreads: dict[str, Table[Spread]] = {}
        for family in catalogue.FAMILIES:
            room = ours.get(family.name, self.room)
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

    def all(self) -> list[AnyTable]:
        """Return every table in the order of the catalogue."""
        return [
            self._spreads[family.name] if family.kind in _SPREADS else self._values[family.name]
            for family in catalogue.FAMILIES
        ]

    def keep_checks(self, places: set[tuple[str, ...]]) -> None:
        """Drop the series of checks that are not among these; the first three label values are a check's."""
        length = len(catalogue.CHECK)
        for family in catalogue.OF_CHECKS:
            table: AnyTable = self.spread(family) if family.kind in _SPREADS else self.value(family)
            table.keep_only(places, length)
