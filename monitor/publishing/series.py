"""Series in memory, each with its line prefix built once, so that a scrape is little more than joining text."""

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
_INFINITY = float("inf")


class Kind(StrEnum):
    """What a family's numbers mean."""

    COUNTER = "counter"
    GAUGE = "gauge"
    INFO = "info"
    SUMMARY = "summary"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric as users know it: its full name, its meaning, and its labels."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

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
    """Return a number as the exposition formats write it."""
    if value == _INFINITY:
        return "+Inf"
    return repr(float(value))


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    return ",".join(f'{name}="{escape(value)}"' for name, value in zip(names, values, strict=True))


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
    labels = _labels(tuple(exemplar.labels), tuple(exemplar.labels.values()))
    moment = f" {exemplar.timestamp:.3f}" if exemplar.timestamp is not None else ""
    return f"{line[:-1]} # {{{labels}}} {number(exemplar.value)}{moment}\n"


class Value(Child):
    """A counter, a gauge or the constant 1 of an info."""

    __slots__ = ("_prefix", "_value")

    def __init__(self, family: Family, values: tuple[str, ...], inside: str, lock: Lock) -> None:
        """Start at zero; an info is always one."""
        super().__init__(family, values, lock)
        self._prefix = f"{family.name}{{{inside}}}" if inside else family.name
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
            text = self._text = f"{self._prefix} {value!r}\n" if value < _INFINITY else self._build()
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

    __slots__ = ("_bounds", "_counts", "_inside", "_prefixes", "_sum")

    def __init__(self, family: Family, values: tuple[str, ...], inside: str, lock: Lock) -> None:
        """Build one line prefix for each bucket."""
        super().__init__(family, values, lock)
        self._bounds = (*family.buckets, float("inf")) if family.buckets else ()
        self._counts = [0] * (len(self._bounds) or 1)
        self._sum = 0.0
        comma = "," if inside else ""
        self._prefixes = tuple(f'{family.name}_bucket{{{inside}{comma}le="{number(le)}"}}' for le in self._bounds)
        self._inside = f"{{{inside}}}" if inside else ""

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
        lines = [f"{prefix} {count}.0\n" for prefix, count in zip(self._prefixes, counts, strict=False)]
        lines.append(f"{self.name}_count{self._inside} {counts[-1]}.0\n")
        lines.append(f"{self.name}_sum{self._inside} {number(self._sum)}\n")
        return "".join(lines)


C = TypeVar("C", bound=Child)


Make = Callable[[Family, tuple[str, ...], str, Lock], C]


class Table(Generic[C]):
    """All children of one family, by their label values."""

    def __init__(self, family: Family, make: Make[C], lock: Lock, room: Room) -> None:
        """Start without children; ``room`` says whether another one may still be made."""
        self.family = family
        self._make = make
        self._lock = lock
        self._room = room
        self._children: dict[tuple[str, ...], C] = {}
        self._inside = ",".join(f'{name}="%s"' for name in family.labels)
        self._refused = make(family, ("",) * len(family.labels), "", lock)

    def at(self, *values: str) -> C:
        """Return the child of these label values, making it at zero; past the limit one that nobody sees."""
        child = self._children.get(values)
        if child is not None:
            return child
        key = tuple(clean(value) for value in values)
        child = self._children.get(key)
        if child is None:
            if not self._room.take():
                return self._refused
            inside = self._inside % tuple(escape(value) for value in key)
            child = self._make(self.family, key, inside, self._lock)
            self._children[key] = child
        return child

    def keep_only(self, wanted: set[tuple[str, ...]], length: int) -> None:
        """Drop each child whose first ``length`` label values are not among the wanted ones."""
        gone = [key for key in list(self._children) if key[:length] not in wanted]
        for key in gone:
            self.drop(*key)

    def drop(self, *values: str) -> None:
        """Let one child vanish at the next scrape."""
        if self._children.pop(tuple(clean(value) for value in values), None) is not None:
            self._room.give_back()

    def children(self) -> list[C]:
        """Return all children as they are now."""
        return list(self._children.values())

    def metric(self) -> Metric:
        """Return the family in the form of prometheus_client."""
        metric = Metric(self.family.base, self.family.help, self.family.kind.value)
        metric.samples = [sample for child in self.children() for sample in child.samples()]
        return metric


class Room:
    """Counts children against a limit, and what was refused because of it."""

    def __init__(self, limit: int) -> None:
        """Start empty."""
        self._limit = limit
        self.taken = 0
        self.refused = 0

    def take(self) -> bool:
        """Say whether another child fits, and count it if so."""
        if self.taken >= self._limit:
            self.refused += 1
            return False
        self.taken += 1
        return True

    def give_back(self) -> None:
        """Make room for one child."""
        self.taken -= 1
