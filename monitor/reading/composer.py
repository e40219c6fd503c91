"""Builds plain data from the parser's events, and refuses what has no place in a file that people write."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import NoReturn

import yaml

from monitor.reading.document import Document, Entry, Spot
from monitor.reading.problem import Path, Problem, ReadingError, dotted, quoted
from monitor.reading.scalars import AmbiguousScalar, typed

_Data = dict[str, object] | list[object]
_MERGE = "<<"
_BINARY = "tag:yaml.org,2002:binary"


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: object
    spot: Spot
    size: int


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being built; ``duplicate`` says that the next value belongs to a key given twice."""

    data: _Data
    spot: Spot
    anchor: str | None
    before: int
    key: str | None = None
    key_mark: tuple[int, int] = (0, 0)
    duplicate: bool = False


@dataclass(slots=True)
class Composer:
    """Takes events one by one; :meth:`document` returns what they amount to."""

    file: str
    depth: int
    values: int
    binary: bool = False
    problems: list[Problem] = field(default_factory=list)
    _frames: list[_Frame] = field(default_factory=list)
    _anchors: dict[str, _Anchored] = field(default_factory=dict)
    _count: int = 0
    _documents: int = 0
    _result: tuple[object, Spot] | None = None

    def take(self, event: yaml.Event) -> None:
        """Add one event. Raises ReadingError where going on would be unbounded or pointless."""
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._open(event, {})
            case yaml.SequenceStartEvent():
                self._open(event, [])
            case yaml.CollectionEndEvent():
                self._close()
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._give_up(event, "a second document starts here; keep one document in a file")

    def document(self) -> Document:
        """Return the document that the events made."""
        data, spot = self._result or (None, Spot(1, 1))
        return Document(file=self.file, data=data, root=spot, problems=tuple(self.problems))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self.binary and event.tag == _BINARY:
            self._bytes(event)
            return
        self._refuse_tag(event)
        frame = self._frames[-1] if self._frames else None
        if frame and isinstance(frame.data, dict) and frame.key is None:
            self._key(frame, event)
            return
        self._tally(event, 1)
        value: object = event.value
        if event.implicit[0]:
            try:
                value = typed(event.value)
            except AmbiguousScalar as error:
                self._note(event, str(error))
        self._add(value, _spot(event), 1, event.anchor)

    def _bytes(self, event: yaml.ScalarEvent) -> None:
        self._refuse_as_key(event)
        self._tally(event, 1)
        try:
            value = base64.b64decode("".join(event.value.split()), validate=True)
        except ValueError:
            value = b""
            self._note(event, "not Base64; encode the bytes anew")
        self._add(value, _spot(event), 1, event.anchor)

    def _key(self, frame: _Frame, event: yaml.ScalarEvent) -> None:
        self._tally(event, 1)
        spot = _spot(event)
        frame.key, frame.key_mark, frame.duplicate = event.value, (spot.line, spot.column), False
        if event.anchor is not None:
            self._note(event, "a key cannot carry an anchor; put it at the value")
        entries = frame.spot.entries
        if event.value == _MERGE and event.implicit[0]:
            frame.duplicate = True
            self._note(event, "merging with '<<' is not supported; write the keys out, or use 'defaults'")
        elif entries is not None and event.value in entries:
            frame.duplicate = True
            self._note(
                event, f"{quoted(event.value)} is given twice, first on line {entries[event.value].line}; keep one"
            )

    def _open(self, event: yaml.CollectionStartEvent, data: _Data) -> None:
        self._refuse_tag(event)
        self._refuse_as_key(event)
        self._tally(event, 1)
        if len(self._frames) >= self.depth:
            self._give_up(event, f"nested more than {self.depth} levels deep; flatten it")
        spot = _spot(event)
        if isinstance(data, dict):
            spot.entries = {}
        else:
            spot.elements = []
        self._frames.append(_Frame(data, spot, event.anchor, self._count))

    def _close(self) -> None:
        frame = self._frames.pop()
        self._add(frame.data, frame.spot, self._count - frame.before + 1, frame.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        self._refuse_as_key(event)
        anchored = self._anchors.get(event.anchor or "")
        if anchored is None:
            self._give_up(event, f"'*{event.anchor}' names no anchor that ends before it; put the anchor first")
        self._tally(event, anchored.size)
        self._add(anchored.value, anchored.spot, anchored.size, None)

    def _add(self, value: object, spot: Spot, size: int, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, spot, size)
        if not self._frames:
            self._result = (value, spot)
            return
        frame = self._frames[-1]
        if isinstance(frame.data, list):
            frame.data.append(value)
            if frame.spot.elements is not None:
                frame.spot.elements.append(spot)
            return
        if frame.key is not None and not frame.duplicate:
            frame.data[frame.key] = value
            if frame.spot.entries is not None:
                frame.spot.entries[frame.key] = Entry(*frame.key_mark, spot)
        frame.key = None

    def _refuse_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._note(event, f"the tag {quoted(shown)} is refused; write plain YAML, with quotes for text")

    def _refuse_as_key(self, event: yaml.Event) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame and isinstance(frame.data, dict) and frame.key is None:
            self._give_up(event, "a key must be a plain word; put quotes around text such as '{…}', '[…]' or '*…'")

    def _tally(self, event: yaml.Event, size: int) -> None:
        self._count += size
        if self._count > self.values:
            self._give_up(event, f"more than {self.values:,} values, aliases counted each time; shorten it")

    def _note(self, event: yaml.Event, message: str) -> None:
        self.problems.append(self._problem(event, message))

    def _give_up(self, event: yaml.Event, message: str) -> NoReturn:
        raise ReadingError([*self.problems, self._problem(event, message)])

    def _problem(self, event: yaml.Event, message: str) -> Problem:
        spot, path = _spot(event), dotted(self._path())
        return Problem(file=self.file, line=spot.line, column=spot.column, path=path, message=message)

    def _path(self) -> Path:
        parts: list[str | int] = []
        for frame in self._frames:
            if isinstance(frame.data, list):
                parts.append(len(frame.data))
            elif frame.key is not None:
                parts.append(frame.key)
        return tuple(parts)


def _spot(event: yaml.Event) -> Spot:
    mark = event.start_mark
    return Spot(mark.line + 1, mark.column + 1) if mark else Spot(1, 1)
