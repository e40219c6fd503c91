"""How a run is told to a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from monitor.diagnosis.told import fared
from monitor.domain.diagnosis import Diagnosis
from monitor.domain.evidence import Attempt, Evidence, StepResult
from monitor.domain.outcome import StepOutcome
from monitor.domain.run import Judgement

_SIGNS = {"passed": "✔", "degraded": "◔", "failed": "✖", "inconclusive": "?", "not_reached": "-"}
_STYLES = {"passed": "green", "degraded": "yellow", "failed": "red", "inconclusive": "magenta", "not_reached": "dim"}
_LONGEST = 400


def tell(check: str, run_id: str, judgement: Judgement, evidence: Evidence, *, fully: bool = False) -> Iterator[Text]:
    """Yield the lines that tell a run: outcome, steps, whose it is and why; ``fully`` adds what that rests on."""
    outcome = judgement.outcome.value
    yield Text.assemble(_signed(outcome), f"  {check}  {_seconds(evidence.duration)}  ", (f"run {run_id}", "dim"))
    for attempt in evidence.attempts:
        yield from _attempt(attempt, alone=len(evidence.attempts) == 1)
    if judgement.diagnosis is not None:
        yield from _diagnosis(judgement.diagnosis)
    elif evidence.recovered:
        yield Text("  passed on a later attempt; the first failure stays on record", "yellow")
    if fully:
        yield from _beside(judgement, evidence)


def _attempt(attempt: Attempt, *, alone: bool) -> Iterator[Text]:
    if not alone:
        yield Text.assemble(f"  attempt {attempt.number}: ", _signed(attempt.outcome.value))
    for step in attempt.steps:
        yield _step(step)
    if attempt.prober_fault is not None:
        text = f"  our own fault, not the site's: {attempt.prober_fault.value}. {attempt.prober_fault_text}"
        yield Text(_clipped(text), "magenta")


def _step(step: StepResult) -> Text:
    took = "" if step.outcome is StepOutcome.NOT_REACHED else _seconds(step.duration)
    line = Text.assemble("    ", _signed(step.outcome.value, word=False), f" {step.name:<24} {took:>9}")
    if step.capability:
        line.append(f"  {step.capability}", "dim")
    if step.error:
        line.append(f"\n        {_below(step.error.message, 8)}")
    return line


def _diagnosis(diagnosis: Diagnosis) -> Iterator[Text]:
    cause = diagnosis.cause.value.replace("_", " ")
    sure = f" ({diagnosis.confidence.value})" if diagnosis.confidence.value != "none" else ""
    culprit = f", {diagnosis.culprit.kind.value} {diagnosis.culprit.name}" if diagnosis.culprit else ""
    yield Text.assemble(
        "  ", (cause, "bold"), f"{sure}{culprit}  ", (f"{diagnosis.detail.value} {diagnosis.rule}", "dim")
    )
    yield Text(f"  {diagnosis.because}")
    for line in diagnosis.evidence:
        yield Text(f"    - {_below(line, 6)}", "dim")
    for other in diagnosis.alternatives:
        why = f": {other.because}" if other.because else ""
        yield Text(f"    or {other.detail.value}{_clipped(why)}", "dim")


def _beside(judgement: Judgement, evidence: Evidence) -> Iterator[Text]:
    if evidence.lately is not None:
        yield Text(f"  {fared(evidence.lately)}", "dim")
    for item in judgement.collateral:
        vendor = f" ({item.vendor})" if item.vendor else ""
        yield Text(f"  beside it, harmless: {item.host}{vendor} {item.failure.value}", "dim")
    for cut in evidence.truncated:
        yield Text(f"  cut short by our own cap: {cut.what}, kept {cut.kept} of {cut.seen}", "yellow")
    for exchange in evidence.exchanges:
        if exchange.failure is not None or exchange.pending:
            what = exchange.failure.value if exchange.failure else "still open at the end"
            yield Text(_clipped(f"  {exchange.method} {exchange.url}: {what} {exchange.failure_text}"), "dim")
    for file in evidence.artifacts:
        yield Text(f"  file: {file.name}", "dim")


def _signed(outcome: str, *, word: bool = True) -> tuple[str, str]:
    shown = f"{_SIGNS[outcome]} {outcome}" if word else _SIGNS[outcome]
    return shown, _STYLES[outcome]


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def _below(text: str, column: int) -> str:
    """Return a text whose further lines begin where its first one does."""
    return f"\n{' ' * column}".join(_clipped(text).splitlines())


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
