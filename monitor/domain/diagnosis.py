"""Whose failure it was, how sure we are, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.failure import Failure


class CulpritKind(StrEnum):
    """What sort of thing a culprit is."""

    TEAM = "team"
    VENDOR = "vendor"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """The owner team, the vendor, or the part of the customer's environment."""

    kind: CulpritKind
    name: str
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A runner-up."""

    cause: Cause
    detail: Detail
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Whose, in one sentence, with the evidence it rests on.

    Attributes:
        rule: Stable id of the rule that decided.
        because: One sentence that a person on call can act on.
        evidence: What was seen, each a short sentence.
        exchanges: Ids of the exchanges it rests on.
    """

    cause: Cause
    detail: Detail
    confidence: Confidence
    rule: str
    because: str
    ruleset: str = ""
    culprit: Culprit | None = None
    evidence: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collateral:
    """A defect seen in a run that did not hurt the journey. Never a failure."""

    cause: Cause
    host: str
    failure: Failure
    vendor: str | None = None
    count: int = 1
