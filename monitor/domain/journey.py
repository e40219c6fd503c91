"""What a customer comes to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ProbeKind(StrEnum):
    """The technique that performs steps."""

    HTTP = "http"
    BROWSER = "browser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing the customer does and what must then be true.

    Attributes:
        name: Kebab-case, unique in its journey; a metric label.
        title: The same for a person to read.
        act: The coroutine function that does it. It is handed the session of the run and what earlier steps returned.
        capability: The back-end capability whose promise this step relies on.
        budget: The time it may take before the run counts as degraded.
        effects: Whether it changes something in the world (an order is placed), so that nothing repeats it unasked.
        sensitive: Whether its screen must not be kept as a picture.
    """

    name: str
    title: str
    act: Callable[..., Awaitable[Any]]
    capability: str | None = None
    budget: dt.timedelta | None = None
    effects: bool = False
    sensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """An ordered tuple of steps with a name; it knows nothing of where, when or as whom.

    Attributes:
        declarative: Whether the engine's own code performs every step, so that many such journeys may share a process.
        parameters: Names of the values and secrets that a check must hand to it.
    """

    name: str
    title: str
    steps: tuple[Step, ...]
    probe: ProbeKind
    description: str = ""
    budget: dt.timedelta | None = None
    declarative: bool = False
    parameters: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutline:
    """What is known of a step without its code."""

    name: str
    title: str
    capability: str | None = None
    budget: dt.timedelta | None = None
    effects: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyOutline:
    """What the main process knows of a journey: everything but its code, which only workers load."""

    name: str
    title: str
    probe: ProbeKind
    steps: tuple[StepOutline, ...]
    description: str = ""
    budget: dt.timedelta | None = None
    declarative: bool = False
    parameters: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyProblem:
    """A file in which no journey could be found, and why; line and column are ``None`` where there are none to name."""

    source: str
    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyCatalogue:
    """All journeys that were found, and the files in which something was wrong."""

    journeys: tuple[JourneyOutline, ...] = ()
    problems: tuple[JourneyProblem, ...] = ()
