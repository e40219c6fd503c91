"""Plain data with the place of every value."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.reading.problem import Path, Problem, dotted


@dataclass(slots=True)
class Entry:
    """A key of a mapping: where it starts, and the spot of its value."""

    line: int
    column: int
    value: Spot


@dataclass(slots=True)
class Spot:
    """Where a value starts, and the spots of what is in it."""

    line: int
    column: int
    elements: list[Spot] | None = None
    entries: dict[str, Entry] | None = None

    def inner(self, part: str | int) -> Spot | None:
        """Return the spot of an element or of the value of a key, or ``None`` where there is none."""
        if isinstance(part, int):
            return self.elements[part] if self.elements is not None and 0 <= part < len(self.elements) else None
        entry = self.entries.get(part) if self.entries is not None else None
        return entry.value if entry else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that was read: plain data, and what is already known to be wrong with it."""

    file: str
    data: object
    root: Spot = field(repr=False)
    problems: tuple[Problem, ...] = ()

    def place(self, path: Path) -> tuple[int, int]:
        """Return line and column, counted from 1, of the value at the path, or of the nearest thing around it."""
        _, spot = self._follow(path)
        return spot.line, spot.column

    def key_place(self, path: Path) -> tuple[int, int]:
        """Return line and column of the key that the path ends in, or of the value where it is no key."""
        _, spot = self._follow(path[:-1])
        last = path[-1] if path else None
        if isinstance(last, str) and spot.entries is not None and last in spot.entries:
            entry = spot.entries[last]
            return entry.line, entry.column
        return self.place(path)

    def existing(self, path: Path) -> Path:
        """Return the path without the parts that do not stand in the file, such as names of model classes."""
        return self._follow(path)[0]

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> Problem:
        """Return a problem with the value, or the key, at the path."""
        line, column = self.key_place(path) if at_key else self.place(path)
        return Problem(file=self.file, line=line, column=column, path=dotted(path), message=message)

    def _follow(self, path: Path) -> tuple[Path, Spot]:
        spot = self.root
        found: list[str | int] = []
        for part in path:
            inner = spot.inner(part)
            if inner is not None:
                spot = inner
                found.append(part)
        return tuple(found), spot
