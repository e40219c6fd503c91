"""What the page of a run shows: steps, exchanges on one time line, pictures, diagnosis and its evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitor.diagnosis.deployed import deployed_before
from monitor.domain.deployment import Deployment
from monitor.domain.diagnosis import Collateral, Diagnosis
from monitor.domain.evidence import Artifact, Evidence
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Phase
from monitor.history.values import StoredRun
from monitor.web import words

# Beyond this many rows a page helps nobody; the rest is in the JSON.
MOST_EXCHANGES = 300
_WIDTH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerName:
    """Whose a host is, as shown: the party and the team or vendor."""

    party: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One phase of an exchange on the time line, in thousandths of the run."""

    phase: str
    x: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRow:
    """One exchange's line."""

    step: str
    method: str
    resource: str
    url: str
    party: str
    owner: str
    status: int | None
    failure: str
    failed_phase: str
    failure_text: str
    pending: bool
    protocol: str
    address: str | None
    total: float
    bar: tuple[Piece, ...]
    bar_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """The whole page of one run."""

    run_id: str
    title: str
    check: str
    journey: str
    target: str
    profile: str
    location: str
    scheduled_at: dt.datetime
    started_at: dt.datetime
    duration: float
    outcome: str
    validity: str
    diagnosis: Diagnosis | None
    collateral: tuple[Collateral, ...]
    timings: tuple[tuple[str, float], ...]
    evidence: Evidence
    deployed: tuple[Deployment, ...]
    lean: bool
    screenshots: tuple[Artifact, ...]
    exchanges: tuple[ExchangeRow, ...]
    exchanges_hidden: int


def run_view(stored: StoredRun, *, title: str, owner_of: Callable[[str], OwnerName]) -> RunView:
    """Arrange a stored run for its page."""
    summary, evidence = stored.summary, stored.evidence
    rows = tuple(_row(exchange, evidence.duration, owner_of) for exchange in _worth_showing(evidence.exchanges))
    return RunView(
        run_id=summary.run_id,
        title=title,
        check=summary.check,
        journey=summary.journey,
        target=summary.target,
        profile=summary.profile,
        location=summary.location,
        scheduled_at=summary.scheduled_at,
        started_at=summary.started_at,
        duration=summary.duration,
        outcome=summary.outcome.value,
        validity=summary.validity.value.replace("_", " "),
        diagnosis=stored.judgement.diagnosis,
        collateral=stored.judgement.collateral,
        timings=stored.judgement.timings,
        evidence=evidence,
        deployed=deployed_before(evidence),
        lean=stored.lean,
        screenshots=tuple(file for file in evidence.artifacts if file.kind == "screenshot"),
        exchanges=rows,
        exchanges_hidden=len(evidence.exchanges) - len(rows),
    )


def _worth_showing(exchanges: Sequence[Exchange]) -> Sequence[Exchange]:
    if len(exchanges) <= MOST_EXCHANGES:
        return exchanges
    bad = [exchange for exchange in exchanges if exchange.failure or exchange.pending][:MOST_EXCHANGES]
    chosen = {exchange.id for exchange in bad}
    for exchange in exchanges:
        if len(chosen) >= MOST_EXCHANGES:
            break
        chosen.add(exchange.id)
    return [exchange for exchange in exchanges if exchange.id in chosen]


def _row(exchange: Exchange, duration: float, owner_of: Callable[[str], OwnerName]) -> ExchangeRow:
    owner = owner_of(exchange.url)
    return ExchangeRow(
        step=exchange.step,
        method=exchange.method,
        resource=exchange.resource,
        url=exchange.url,
        party=owner.party,
        owner=owner.name,
        status=exchange.status,
        failure=exchange.failure.value if exchange.failure else "",
        failed_phase=exchange.failed_phase.value if exchange.failed_phase else "",
        failure_text=exchange.failure_text,
        pending=exchange.pending,
        protocol=exchange.protocol,
        address=exchange.address,
        total=exchange.timings.total,
        bar=_bar(exchange, max(duration, 0.001)),
        bar_text=_bar_text(exchange),
    )


def _bar(exchange: Exchange, duration: float) -> tuple[Piece, ...]:
    pieces = []
    at = exchange.timings.started
    for phase in Phase:
        spent = exchange.timings.of(phase)
        if spent:
            pieces.append(_piece(phase.value, at, spent, duration))
            at += spent
    if not pieces:
        pieces.append(_piece("whole", at, exchange.timings.total, duration))
    return tuple(pieces)


def _piece(phase: str, start: float, spent: float, duration: float) -> Piece:
    x = min(_WIDTH - 2, max(0, round(_WIDTH * start / duration)))
    return Piece(phase=phase, x=x, width=max(2, min(_WIDTH - x, round(_WIDTH * spent / duration))))


def _bar_text(exchange: Exchange) -> str:
    phases = [(phase.value, exchange.timings.of(phase)) for phase in Phase]
    parts = [f"{name} {words.seconds(spent)}" for name, spent in phases if spent is not None]
    return f"started after {words.seconds(exchange.timings.started)}" + (": " + ", ".join(parts) if parts else "")
