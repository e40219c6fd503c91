"""One labelled run of the lab: what was expected, what was said, what it cost. Read from the runner's JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

SCHEMA = "faultline.lab/v1"
DETERMINATE = ("own_infrastructure", "third_party", "client_environment")
UNDETERMINED = "undetermined"
LABELS = (*DETERMINATE, UNDETERMINED)
_BRANCHES = {"own": DETERMINATE[0], "tp": DETERMINATE[1], "client": DETERMINATE[2], "und": UNDETERMINED}


class Status(StrEnum):
    """Whether a run counts: only one whose fault was built and shown to hurt (or, for a negative, not to) does."""

    COUNTED = "counted"
    NOT_RUN = "not_run"
    NO_IMPACT = "no_impact"


class CaseError(ValueError):
    """A line of results that cannot be scored, with its place and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a correct classifier says. ``accept`` holds details that earn half, or all where they are said as probable.

    Attributes:
        outcome: ``passed``, ``degraded``, ``failed`` or ``inconclusive``.
        detail: Empty for a run that passes.
        culprit: The name of the team or vendor; empty where none is expected.
        accept: Other details that are not wrong.
        at_most: The highest confidence that the evidence carries; empty for no ceiling.
        decisive: Words for the event that decides; empty where none was stated.
        twins: The group of scenarios that look alike and differ in cause; empty for none.
    """

    outcome: str
    validity: str = "valid"
    detail: str = ""
    culprit: str = ""
    accept: tuple[str, ...] = ()
    at_most: str = ""
    decisive: str = ""
    twins: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """Return the first level; empty for a run that passes."""
        return cause_of(self.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the product said of the run."""

    outcome: str
    validity: str = "valid"
    detail: str = ""
    culprit: str = ""
    confidence: str = "none"
    rule: str = ""
    because: str = ""

    @property
    def cause(self) -> str:
        """Return the first level; empty where no cause was given."""
        return cause_of(self.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenExchange:
    """One request of the run itself, as far as a naive classifier needs it. ``party`` is who owns its host."""

    host: str
    party: str
    started: float = 0.0
    total: float = 0.0
    status: int | None = None
    failure: str = ""
    pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The raw evidence of the run, for the baselines: its requests in order, and whether each control answered."""

    exchanges: tuple[SeenExchange, ...] = ()
    controls: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One scenario with one seed.

    Attributes:
        group: Whose fault it is by construction: ``own``, ``third_party``, ``client``, ``performance``, ``negative``,
            ``ambiguous`` or ``correlation``.
        reason: Why it does not count, where it does not.
        decisive_found: Whether the evidence given holds the event that decides; ``None`` where none was stated.
        first_seconds: From the end of the failing run to the first verdict.
        final_seconds: From the end of the failing run to the last verdict.
        journeys: Journeys made beside the run itself.
        requests: Requests of the looks.
        all_requests: Requests of looks and journeys together.
        usual_requests: Requests of one clean journey.
        again: How often the run was made anew because the monitor's own machine was too busy to say anything.
    """

    scenario: str
    seed: int
    title: str = ""
    group: str = ""
    status: Status = Status.COUNTED
    reason: str = ""
    expected: Expected
    said: Said | None = None
    decisive_found: bool | None = None
    first_seconds: float | None = None
    final_seconds: float | None = None
    journeys: int = 0
    requests: int = 0
    all_requests: int = 0
    usual_requests: int = 0
    again: int = 0
    facts: Facts = Facts()

    @property
    def unseen(self) -> bool:
        """Say whether its fault is one that the rules were not built on."""
        return self.scenario.startswith("X")

    @property
    def counts(self) -> bool:
        """Say whether it is scored."""
        return self.status is Status.COUNTED and self.said is not None


def cause_of(detail: str) -> str:
    """Return the cause a detail belongs to, or nothing for no detail. Raises KeyError for an unknown branch."""
    return _BRANCHES[detail.partition(".")[0]] if detail else ""


def read_cases(path: Path) -> tuple[Case, ...]:
    """Return the cases of a file of JSON lines. Raises CaseError with the line that cannot be read."""
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); run the lab first"
        raise CaseError(message) from error
    return tuple(_read(path, lines))


def _read(path: Path, lines: Iterable[str]) -> Iterable[Case]:
    seen: dict[tuple[str, int], int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            case = case_from(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            message = f"{path}:{number}: {_what(error)}"
            raise CaseError(message) from error
        key = case.scenario, case.seed
        if key in seen:
            message = f"{path}:{number}: {case.scenario} with seed {case.seed} stands in line {seen[key]} already"
            raise CaseError(message)
        seen[key] = number
        yield case


def _what(error: Exception) -> str:
    return f"{error.args[0]} is missing or unknown" if isinstance(error, KeyError) else str(error)


def case_from(line: Mapping[str, Any]) -> Case:
    """Return the case of one JSON object. Raises KeyError or ValueError for what is missing or of no use."""
    if line.get("schema") != SCHEMA:
        message = f"schema is {line.get('schema')!r}, and this scoring reads {SCHEMA}"
        raise ValueError(message)
    said = line.get("said")
    return Case(
        scenario=line["scenario"],
        seed=int(line["seed"]),
        title=line.get("title", ""),
        group=line.get("group", ""),
        status=Status(line.get("status", Status.COUNTED)),
        reason=line.get("reason", ""),
        expected=_expected(line["expected"]),
        said=None if said is None else _said(said),
        decisive_found=line.get("decisive_found"),
        first_seconds=line.get("first_seconds"),
        final_seconds=line.get("final_seconds"),
        journeys=line.get("journeys", 0),
        requests=line.get("requests", 0),
        all_requests=line.get("all_requests", line.get("requests", 0)),
        usual_requests=line.get("usual_requests", 0),
        again=line.get("again", 0),
        facts=_facts(line.get("facts") or {}),
    )


def _expected(values: Mapping[str, Any]) -> Expected:
    expected = Expected(
        outcome=values["outcome"],
        validity=values.get("validity") or "valid",
        detail=values.get("detail") or "",
        culprit=values.get("culprit") or "",
        accept=tuple(values.get("accept") or ()),
        at_most=values.get("at_most") or "",
        decisive=values.get("decisive") or "",
        twins=tuple(values.get("twins") or ()),
    )
    if expected.outcome != "passed" and not expected.detail:
        message = f"a run that is expected to be {expected.outcome} needs an expected detail"
        raise ValueError(message)
    for detail in (expected.detail, *expected.accept):
        cause_of(detail)
    return expected


def _said(values: Mapping[str, Any]) -> Said:
    said = Said(
        outcome=values["outcome"],
        validity=values.get("validity") or "valid",
        detail=values.get("detail") or "",
        culprit=values.get("culprit") or "",
        confidence=values.get("confidence") or "none",
        rule=values.get("rule") or "",
        because=values.get("because") or "",
    )
    cause_of(said.detail)
    return said


def _facts(values: Mapping[str, Any]) -> Facts:
    return Facts(
        exchanges=tuple(SeenExchange(**exchange) for exchange in values.get("exchanges", ())),
        controls=tuple(bool(answered) for answered in values.get("controls", ())),
    )
