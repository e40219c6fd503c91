"""Reads YAML into plain data with places: no tags, no surprises, nothing unbounded."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path as FilePath

import yaml

from monitor.reading.composer import Composer
from monitor.reading.document import Document
from monitor.reading.problem import Problem, ReadingError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a file is read at most.

    Attributes:
        depth: Levels of mappings and lists inside each other.
        values: Keys and values, those behind an alias counted each time it is used.
    """

    size: int = 16_000_000
    depth: int = 40
    values: int = 2_000_000


def read(path: FilePath, limits: Limits = Limits(), *, binary: bool = False) -> Document:
    """Return what a YAML file holds. Raises ReadingError where it cannot be read at all.

    ``binary`` lets the tag ``!!binary`` stand for bytes; all others are refused.

    What can be read around (a key given twice, an ambiguous word) stands in the document's ``problems``, so that
    :func:`monitor.reading.validation.validate` can report everything at once.
    """
    return read_text(_content(path, limits.size), file=str(path), limits=limits, binary=binary)


def read_text(text: str, *, file: str, limits: Limits = Limits(), binary: bool = False) -> Document:
    """Return what YAML text holds, as :func:`read` does; ``file`` is its name in problems."""
    composer = Composer(file, depth=limits.depth, values=limits.values, binary=binary)
    try:
        # The events of the parser, and not its nodes: a bomb is refused before it is built.
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            composer.take(event)
    except yaml.YAMLError as error:
        raise ReadingError([*composer.problems, _syntax_problem(error, text, file)]) from None
    return composer.document()


def _content(path: FilePath, size: int) -> str:
    file = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unreadable(file, "not a file; name a YAML file")
        with path.open("rb") as stream:
            content = stream.read(size + 1)
    except OSError as error:
        raise _unreadable(file, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _unreadable(shown(file), "cannot be the name of a file") from error
    if len(content) > size:
        raise _unreadable(file, f"larger than {size // 1_000_000} MB; split or shorten it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise _unreadable(file, "not UTF-8; save the file as UTF-8", line, column) from error


def _unreadable(file: str, message: str, line: int = 1, column: int = 1) -> ReadingError:
    return ReadingError([Problem(file=file, line=line, column=column, path="", message=message)])


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    line, column, message = 1, 1, "not YAML"
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            line, column = mark.line + 1, mark.column + 1
        message = f"not YAML: {error.problem or 'it cannot be parsed'}"
        if error.problem and "cannot start any token" in error.problem:
            message += "; put the text in quotes, and indent with spaces"
        elif error.context:
            message += f" ({error.context})"
    elif isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        message = "not YAML: a character that is not allowed; remove it, or write it as \\u…. in double quotes"
    return Problem(file=file, line=line, column=column, path="", message=message)
