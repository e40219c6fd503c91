"""What is wrong in a file, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong: its place, the path of the value, and a sentence that ends in the remedy."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        """Show it as editors and compilers do: ``file:line:column: path: message``."""
        place = f"{self.file}:{self.line}:{self.column}: "
        return f"{place}{self.path}: {self.message}" if self.path else f"{place}{self.message}"


class ReadingError(Exception):
    """A file cannot be used; ``problems`` holds everything that is wrong with it, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems in the order of their places, each once."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def dotted(path: Path) -> str:
    """Write a path as people do: ``checks[0].every``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shown(part)}" if text else shown(part)
    return shown(text, 120)


def shown(text: str, limit: int = 60) -> str:
    """Return foreign text fit for a message: shortened, without line breaks or invisible characters."""
    visible = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"


def quoted(value: object) -> str:
    """Return what was given, in quotes, fit for a message."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"'{str(value).lower()}'"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return f"'{shown(str(value))}'"
