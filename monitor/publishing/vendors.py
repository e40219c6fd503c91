"""Which third parties get a series of their own: a bounded list, and ``other`` for the rest."""

from __future__ import annotations

from collections.abc import Iterable

OTHER = "other"


class VendorList:
    """Admits the names the user gave, then those of the shipped list as they are met, up to a limit."""

    def __init__(self, limit: int) -> None:
        """Start with nobody."""
        self._limit = limit
        self._admitted: set[str] = set()

    def admit(self, names: Iterable[str]) -> None:
        """Admit the names of the configuration, whatever the limit."""
        self._admitted.update(names)

    def label(self, name: str | None) -> str:
        """Return the label for a vendor; a host that nobody named never becomes one."""
        if name is None:
            return OTHER
        if name in self._admitted:
            return name
        if len(self._admitted) >= self._limit:
            return OTHER
        self._admitted.add(name)
        return name
