"""Evidence and judgement as bytes: what is kept of a run beside its figures, and in what form.

Every run keeps *lean* evidence next to its figures: attempts with their steps, vitals, the health of the vantage,
experiments, artifacts and truncations. *Everything* is kept, apart from that, of each run that did not plainly pass
(failed, degraded, inconclusive, recovered, with collateral or experiments), and of one passed run of each check in
some hours, as a picture of what good looks like.
"""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import NamedTuple

from monitor.domain.diagnosis import Diagnosis
from monitor.domain.evidence import (
    EVIDENCE_SCHEMA,
    Artifact,
    Attempt,
    Evidence,
    ProberFault,
    StepError,
    StepResult,
    Truncation,
    VantageHealth,
    Vitals,
)
from monitor.domain.experiment import Experiment
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.run import Judgement, Run
from monitor.execution.wire import Codec, WireError

_LEAN = b"\x01"
_FULL = b"\x02"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What one row of bytes holds."""

    evidence: Evidence
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnlyVersion:
    """Of evidence nothing but its version, to tell what a newer program wrote from what is damaged."""

    schema: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _BodyOfAnyVersion:
    evidence: _OnlyVersion


class _LeanStep(NamedTuple):
    """A step without the names of its fields, which would take more room than their values.

    The order of these fields is the stored form: a new one goes to the end and has a default.
    """

    name: str
    title: str
    outcome: StepOutcome
    started: float
    duration: float
    capability: str | None
    budget: float | None
    effects: bool
    error: StepError | None


class _LeanAttempt(NamedTuple):
    """An attempt, as above."""

    number: int
    outcome: Outcome
    started: float
    duration: float
    steps: tuple[_LeanStep, ...]
    prober_fault: ProberFault | None
    prober_fault_text: str


class _LeanVantage(NamedTuple):
    """The health of the vantage, as above."""

    loop_lag_p50: float | None
    loop_lag_max: float | None
    cpu_pressure: float | None
    memory_pressure: float | None
    throttled_ratio: float | None
    disk_free_bytes: int | None
    browser_alive: bool | None
    oom_kills: int | None
    clock_stepped: float | None


class _Lean(NamedTuple):
    """The lean evidence and judgement of a run, as above."""

    schema: int
    started_at: dt.datetime
    duration: float
    attempts: tuple[_LeanAttempt, ...]
    vitals: Vitals | None
    vantage: _LeanVantage
    experiments: tuple[Experiment, ...]
    artifacts: tuple[Artifact, ...]
    truncated: tuple[Truncation, ...]
    engine: str
    worker: str
    outcome: Outcome
    validity: Validity
    diagnosis: Diagnosis | None
    timings: tuple[tuple[str, float], ...]


_OF_STEP = attrgetter(*_LeanStep._fields)
_OF_VANTAGE = attrgetter(*_LeanVantage._fields)
_NO_VANTAGE = VantageHealth()
_NOTHING_OF_VANTAGE = _OF_VANTAGE(_NO_VANTAGE)


class BodyCodec:
    """Turns evidence and judgement into few bytes and back."""

    def __init__(self) -> None:
        """Prepare the codec that workers and history share."""
        self._codec = Codec()

    def lean(self, run: Run) -> bytes:
        """Return the part of a run that is kept of every run."""
        evidence, judgement = run.evidence, run.judgement
        vantage = evidence.vantage
        # A plain tuple in the order of ``_Lean``: it is written for every run there is.
        lean = (
            evidence.schema,
            evidence.started_at,
            evidence.duration,
            [_lean_attempt(attempt) for attempt in evidence.attempts],
            evidence.vitals,
            _NOTHING_OF_VANTAGE if vantage is _NO_VANTAGE else _OF_VANTAGE(vantage),
            evidence.experiments,
            evidence.artifacts,
            evidence.truncated,
            evidence.engine,
            evidence.worker,
            judgement.outcome,
            judgement.validity,
            judgement.diagnosis,
            judgement.timings,
        )
        return _LEAN + self._codec.encode(lean)

    def full(self, run: Run) -> bytes:
        """Return everything there is about a run."""
        return _FULL + zlib.compress(self._codec.encode(Body(evidence=run.evidence, judgement=run.judgement)), 3)

    def read(self, data: bytes) -> Body:
        """Return what bytes hold, of whatever form they are. Raises WireError where they hold nothing of ours."""
        match data[:1]:
            case b"\x01":
                return _fattened(self._codec.decode(memoryview(data)[1:], _Lean))
            case b"\x02":
                return self._everything(_inflate(data[1:]))
            case form:
                msg = f"evidence is in the form {form!r}, which this program does not know; a newer one wrote it"
                raise WireError(msg)

    def verdict(self, judgement: Judgement) -> bytes:
        """Return a verdict as bytes."""
        return self._codec.encode(judgement)

    def read_verdict(self, data: bytes) -> Judgement:
        """Return the verdict that bytes hold. Raises WireError where they hold none."""
        return self._codec.decode(data, Judgement)

    def _everything(self, data: bytes) -> Body:
        try:
            return self._codec.decode(data, Body)
        except WireError:
            version = self._version(data)
            if version <= EVIDENCE_SCHEMA:
                raise
            msg = f"its evidence has version {version}, and this program knows versions up to {EVIDENCE_SCHEMA}"
            raise WireError(msg) from None

    def _version(self, data: bytes) -> int:
        try:
            return self._codec.decode(data, _BodyOfAnyVersion).evidence.schema
        except WireError:
            return 0


def deserves_everything(run: Run) -> bool:
    """Say whether a run did anything but plainly pass."""
    judgement, evidence = run.judgement, run.evidence
    return (
        judgement.outcome is not Outcome.PASSED
        or len(evidence.attempts) > 1
        or bool(judgement.collateral)
        or judgement.diagnosis is not None
        or bool(evidence.experiments)
    )


def _lean_attempt(attempt: Attempt) -> tuple[object, ...]:
    return (
        attempt.number,
        attempt.outcome,
        attempt.started,
        attempt.duration,
        [_OF_STEP(step) for step in attempt.steps],
        attempt.prober_fault,
        attempt.prober_fault_text,
    )


def _fattened(lean: _Lean) -> Body:
    known = {field.name for field in fields(Evidence)}
    values = {name: value for name, value in lean._asdict().items() if name in known}
    values["attempts"] = tuple(_fattened_attempt(attempt) for attempt in lean.attempts)
    values["vantage"] = VantageHealth(**lean.vantage._asdict())
    return Body(
        evidence=Evidence(**values),
        judgement=Judgement(
            outcome=lean.outcome,
            validity=lean.validity,
            diagnosis=lean.diagnosis,
            timings=lean.timings,
        ),
    )


def _fattened_attempt(attempt: _LeanAttempt) -> Attempt:
    steps = tuple(StepResult(**step._asdict()) for step in attempt.steps)
    return Attempt(**{**attempt._asdict(), "steps": steps})


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        msg = f"evidence is damaged: {error}"
        raise WireError(msg) from error
