"""Series in memory, each with its line prefix built once, so that a scrape is little more than joining text.

What is written is, byte for byte, what prometheus_client writes of the same numbers.
"""

from __future__ import annotations

import bisect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from threading import Lock
from typing import Generic, TypeVar

from prometheus_client import Metric
from prometheus_client.samples import Exemplar, Sample

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_LONGEST_LABEL = 200
# Between these, the formats write a number as Python does, and that is quicker.
_LOW, _HIGH = -1e15, 1e6
_INFINITY = float("inf")
_BOUND = "le"


class Kind(StrEnum):
    """What a family's numbers mean."""

    COUNTER = "counter"
    GAUGE = "gauge"
    INFO = "info"
    SUMMARY = "summary"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric as users know it: its full name, its meaning, and its labels.

    Attributes:
        buckets: Upper bounds of a histogram's buckets, without the last, which is infinite.
        coarse: Those of them that are left where a check is not counted in full; all where it is empty.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    coarse: tuple[float, ...] = ()

    @property
    def series(self) -> int:
        """Return how many series one set of label values has."""
        sizes = {Kind.SUMMARY: 2, Kind.HISTOGRAM: len(self.buckets) + 3}
        return sizes.get(self.kind, 1)

    @property
    def base(self) -> str:
        """Return the name as OpenMetrics declares it, without the suffix that the kind implies."""
        suffix = {Kind.COUNTER: "_total", Kind.INFO: "_info"}.get(self.kind, "")
        return self.name.removesuffix(suffix)


def clean(value: str) -> str:
    """Return a label value without control characters and of bounded length; a line break stays, to be escaped."""
    if value.isprintable() and len(value) <= _LONGEST_LABEL:
        return value
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value)[:_LONGEST_LABEL]


def escape(value: str) -> str:
    """Return a label value as the exposition formats write it."""
    if '"' not in value and "\\" not in value and "\n" not in value:
        return value
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def number(value: float) -> str:
    """Return a number as the exposition formats write it: as Go does, which turns to exponents sooner than Python."""
    if value in (_INFINITY, -_INFINITY):
        return "+Inf" if value > 0 else "-Inf"
    if value != value:  # noqa: PLR0124 - the only number that is not itself
        return "NaN"
    text = repr(float(value))
    whole, dot, rest = text.partition(".")
    if value < _HIGH or not dot or len(whole) == 1:
        return text
    return f"{text[0]}.{whole[1:]}{rest}".rstrip("0.") + f"e+{len(whole) - 1:02d}"


class LabelText:
    """Writes a family's labels, sorted by name as the library does."""

    def __init__(self, names: Sequence[str]) -> None:
        """Prepare for these names; the values will come in their order."""
        ordered = sorted(range(len(names)), key=names.__getitem__)
        first = sum(name < _BOUND for name in names)
        self._before, self._behind = tuple(ordered[:first]), tuple(ordered[first:])
        self._template_before = ",".join(f'{names[index]}="%s"' for index in self._before)
        self._template_behind = ",".join(f'{names[index]}="%s"' for index in self._behind)

    def around(self, values: Sequence[str]) -> tuple[str, str]:
        """Return what stands before a bucket's ``le`` and what stands behind it, without a comma between them."""
        before = self._template_before % tuple([escape(values[index]) for index in self._before])
        behind = self._template_behind % tuple([escape(values[index]) for index in self._behind])
        return before, behind


def joined(*parts: str) -> str:
    """Return labels between braces, or nothing where there are none."""
    inside = ",".join([part for part in parts if part])
    return f"{{{inside}}}" if inside else ""


class Child(ABC):
    """The series of one set of label values; its text is built when it is asked for after a change."""

    __slots__ = ("_family", "_lock", "_marked", "_text", "_values", "exemplars", "name")

    def __init__(self, family: Family, values: tuple[str, ...], lock: Lock) -> None:
        """Hold the label values; ``lock`` keeps a scrape from seeing half an update."""
        self.name = family.name
        self._family = family
        self._values = values
        self.exemplars: dict[str, Exemplar] = {}
        self._lock = lock
        self._text: str | None = None
        self._marked: str | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Return the label values by name."""
        return dict(zip(self._family.labels, self._values, strict=True))

    def text(self) -> str:
        """Return the lines of this child, without exemplars."""
        text = self._text
        if text is None:
            with self._lock:
                text = self._text = self._build()
                self._marked = None
        return text

    def text_with_exemplars(self) -> str:
        """Return the lines of this child with the exemplars that OpenMetrics allows."""
        text = self.text()
        if not self.exemplars:
            return text
        marked = self._marked
        if marked is None:
            with self._lock:
                text, exemplars = self._build(), dict(self.exemplars)
            lines = text.splitlines(keepends=True)
            marks = (exemplars.get(line.rpartition(" ")[0]) for line in lines)
            marked = self._marked = "".join(_marked(line, mark) for line, mark in zip(lines, marks, strict=True))
        return marked

    @abstractmethod
    def samples(self) -> Iterator[Sample]:
        """Yield the same numbers in the form of prometheus_client."""

    @abstractmethod
    def _build(self) -> str: ...


def _marked(line: str, exemplar: Exemplar | None) -> str:
    if exemplar is None:
        return line
    labels = ",".join(f'{name}="{escape(value)}"' for name, value in sorted(exemplar.labels.items()))
    moment = f" {exemplar.timestamp}" if exemplar.timestamp is not None else ""
    return f"{line[:-1]} # {{{labels}}} {number(exemplar.value)}{moment}\n"


class Value(Child):
    """A counter, a gauge or the constant 1 of an info."""

    __slots__ = ("_prefix", "_value")

    def __init__(self, family: Family, values: tuple[str, ...], texts: LabelText, lock: Lock) -> None:
        """Start at zero; an info is always one."""
        super().__init__(family, values, lock)
        self._prefix = family.name + joined(*texts.around(values))
        self._value = 1.0 if family.kind is Kind.INFO else 0.0

    @property
    def value(self) -> float:
        """Return the present number."""
        return self._value

    def add(self, amount: float = 1.0) -> None:
        """Count."""
        self._value += amount
        self._text = None

    def set(self, value: float) -> None:
        """State a gauge's number."""
        self._value = float(value)
        self._text = None

    def mark(self, exemplar: Exemplar) -> None:
        """Attach the run that made the latest difference."""
        self.exemplars[self._prefix] = exemplar

    def text(self) -> str:
        """Return the line of this child; one number needs no lock, only a second look at whether it was still that."""
        text = self._text
        if text is None:
            value = self._value
            text = self._text = f"{self._prefix} {value!r}\n" if _LOW < value < _HIGH else self._build()
            self._marked = None
            if self._value is not value:
                self._text = None
        return text

    def samples(self) -> Iterator[Sample]:
        """Yield the one sample."""
        yield Sample(self.name, self.labels, self._value, None, self.exemplars.get(self._prefix))

    def _build(self) -> str:
        return f"{self._prefix} {number(self._value)}\n"


class Spread(Child):
    """A summary or a histogram: count, sum and, where the family has them, cumulative buckets."""

    __slots__ = ("_bounds", "_counts", "_labels", "_prefixes", "_sum")

    def __init__(self, family: Family, values: tuple[str, ...], texts: LabelText, lock: Lock) -> None:
        """Build one line prefix for each bucket."""
        super().__init__(family, values, lock)
        self._bounds = (*family.buckets, float("inf")) if family.buckets else ()
        self._counts = [0] * (len(self._bounds) or 1)
        self._sum = 0.0
        before, behind = texts.around(values)
        bounds = [joined(before, f'{_BOUND}="{number(bound)}"', behind) for bound in self._bounds]
        self._prefixes = tuple([f"{family.name}_bucket{labels}" for labels in bounds])
        self._labels = joined(before, behind)

    def observe(self, value: float, exemplar: Exemplar | None = None) -> None:
        """Take one measurement in; where there are buckets, the run may mark the one it fell into."""
        place = bisect.bisect_left(self._bounds, value) if self._bounds else 0
        self._counts[place] += 1
        self._sum += value
        if exemplar is not None and self._bounds:
            self.exemplars[self._prefixes[place]] = exemplar
        self._text = None

    def samples(self) -> Iterator[Sample]:
        """Yield the buckets, the count and the sum."""
        counts = list(accumulate(self._counts))
        if self._bounds:
            for bound, prefix, count in zip(self._bounds, self._prefixes, counts, strict=True):
                labels = {**self.labels, "le": number(bound)}
                yield Sample(f"{self.name}_bucket", labels, float(count), None, self.exemplars.get(prefix))
        yield Sample(f"{self.name}_count", self.labels, float(counts[-1]))
        yield Sample(f"{self.name}_sum", self.labels, self._sum)

    def _build(self) -> str:
        counts = list(accumulate(self._counts))
        lines = [f"{prefix} {_whole(count)}\n" for prefix, count in zip(self._prefixes, counts, strict=False)]
        lines.append(f"{self.name}_count{self._labels} {_whole(counts[-1])}\n")
        lines.append(f"{self.name}_sum{self._labels} {number(self._sum)}\n")
        return "".join(lines)


def _whole(count: int) -> str:
    return f"{count}.0" if count < _HIGH else number(count)


C = TypeVar("C", bound=Child)
Make = Callable[[Family, tuple[str, ...], LabelText, Lock], C]


class Table(Generic[C]):
    """All children of one family, by their label values."""

    def __init__(self, family: Family, make: Make[C], lock: Lock, room: Room) -> None:
        """Start without children; ``room`` says whether another one may still be made."""
        self.family = family
        self._make = make
        self._lock = lock
        self._room = room
        self._children: dict[tuple[str, ...], C] = {}
        self._texts = LabelText(family.labels)
        self._refused = make(family, ("",) * len(family.labels), self._texts, lock)

    def at(self, *values: str) -> C:
        """Return the child of these label values, making it at zero; past the limit one that nobody sees."""
        child = self._children.get(values)
        if child is not None:
            return child
        key = tuple(clean(value) for value in values)
        child = self._children.get(key)
        if child is None:
            if not self._room.take(self.family.series):
                return self._refused
            child = self._make(self.family, key, self._texts, self._lock)
            self._children[key] = child
        return child

    def keep(self, wanted: Callable[[tuple[str, ...]], bool]) -> None:
        """Let each child vanish whose label values are not wanted."""
        for key in [key for key in self._children if not wanted(key)]:
            self.drop(*key)

    def drop(self, *values: str) -> None:
        """Let one child vanish at the next scrape."""
        if self._children.pop(tuple(clean(value) for value in values), None) is not None:
            self._room.give_back(self.family.series)

    def children(self) -> list[C]:
        """Return all children as they are now."""
        return list(self._children.values())

    def metric(self) -> Metric:
        """Return the family in the form of prometheus_client."""
        metric = Metric(self.family.base, self.family.help, self.family.kind.value)
        metric.samples = [sample for child in self.children() for sample in child.samples()]
        return metric


class Room:
    """Counts series against a limit, and how often more were wanted."""

    def __init__(self, limit: int) -> None:
        """Start empty; where the limit is zero nothing is wanted, so that nothing counts as refused."""
        self._limit = limit
        self.taken = 0
        self.refused = 0

    def take(self, series: int) -> bool:
        """Say whether so many further series fit, and count them if so."""
        if self.taken + series > self._limit:
            self.refused += 1 if self._limit else 0
            return False
        self.taken += series
        return True

    def give_back(self, series: int) -> None:
        """Make room for so many series."""
        self.taken -= series
