"""Where the time of a run went, by party, and whose the excess of a run over budget is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from monitor.diagnosis.incident import Finding, Incident, alternative
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.evidence import StepResult
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Phase
from monitor.domain.outcome import StepOutcome

SHARE = 0.70
_OFF_PATH = frozenset(
    {"image", "font", "media", "ping", "beacon", "eventsource", "websocket", "prefetch", "csp_report"}
)
_MANY = 20
_HALF = 0.5


class _Span(NamedTuple):
    start: float
    end: float
    party: Party
    exchange: Exchange


def is_over_budget(incident: Incident) -> bool:
    """Say whether a step or the whole journey took longer than it may."""
    budget = incident.context.check.budget
    whole = budget is not None and incident.attempt.duration > budget / dt.timedelta(seconds=1)
    return whole or bool(_slow_steps(incident))


def time_by_party(incident: Incident) -> tuple[tuple[str, float], ...]:
    """Return seconds by party in which something of theirs was waited for; overlapping time is shared out evenly."""
    spans = _spans(incident, incident.exchanges)
    return tuple([(str(party), round(seconds, 4)) for party, seconds in _shared_out(spans).items()])


def slow(incident: Incident) -> Finding:
    """R18: the run is over budget; one party is named only if it alone explains most of the slow time."""
    window = _slow_window(incident)
    seconds = window[1] - window[0]
    spans = [_cut(span, window) for span in _spans(incident, incident.exchanges)]
    spans = [span for span in spans if span.end > span.start]
    alone = _alone(spans)
    shares = {
        party: alone.get(party, 0.0) / seconds if seconds > 0 else 0.0 for party in (Party.OWN, Party.THIRD_PARTY)
    }
    words = ", ".join(f"{100 * share:.0f} % {_PLAIN[party]}" for party, share in shares.items())
    scene = _scene(incident)
    throttled = _is_throttled(incident)
    party = max(shares, key=lambda each: shares[each])
    if shares[party] < SHARE or throttled:
        return _undecided(f"{scene} took {seconds:.2f} s ({words} alone)", throttled=throttled)
    longest = max((s for s in spans if s.party is party), key=lambda span: span.end - span.start)
    detail = _detail(party, [span for span in spans if span.party is party])
    if detail is None:
        return _undecided(
            f"{scene} took {seconds:.2f} s, most of it in reaching {longest.exchange.host}", throttled=False
        )
    owner = incident.owner(longest.exchange)
    took = longest.end - longest.start
    return Finding(
        detail=detail,
        because=f"{scene} took {seconds:.2f} s, {100 * shares[party]:.0f} % of it waiting for {owner.title}; "
        f"{owner.host} alone took {took:.2f} s.",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=(longest.exchange.id,),
    )


_PLAIN = {Party.OWN: "own infrastructure", Party.THIRD_PARTY: "third parties"}


def _scene(incident: Incident) -> str:
    steps = _slow_steps(incident)
    return f'Step "{steps[0].name}"' if steps else "The journey"


def _undecided(words: str, *, throttled: bool) -> Finding:
    why = "the profile's line or processor is slowed down on purpose" if throttled else "no side explains most of it"
    link = (alternative(Detail.CLIENT_SLOW_LINK, "if an unthrottled profile is within budget"),) if throttled else ()
    both = (alternative(Detail.OWN_SLOW_FRONTEND, "scripts and rendering"), alternative(Detail.TP_SLOW, "vendors"))
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{words}, and {why}.",
        alternatives=(*link, *both)[:2],
    )


def _slow_steps(incident: Incident) -> list[StepResult]:
    return [
        step
        for step in incident.attempt.steps
        if step.outcome is StepOutcome.DEGRADED or (step.budget is not None and step.duration > step.budget)
    ]


def _slow_window(incident: Incident) -> tuple[float, float]:
    steps = _slow_steps(incident)
    if steps:
        worst = max(steps, key=lambda step: step.duration - (step.budget or 0.0))
        return worst.started, worst.started + worst.duration
    return incident.attempt.started, incident.attempt.started + incident.attempt.duration


def _is_throttled(incident: Incident) -> bool:
    profile = incident.context.check.profile
    return profile.network is not None or profile.cpu_slowdown > 1


def _spans(incident: Incident, exchanges: Iterable[Exchange]) -> list[_Span]:
    """Keep what can be on the critical path; what runs beside the page would take the blame for our own waiting."""
    spans = []
    for exchange in exchanges:
        if exchange.pending or exchange.timings.total <= 0 or exchange.resource in _OFF_PATH:
            continue
        owner = incident.owner(exchange)
        if owner.beside:
            continue
        start = exchange.timings.started
        spans.append(_Span(start=start, end=start + exchange.timings.total, party=owner.party, exchange=exchange))
    return spans


def _cut(span: _Span, window: tuple[float, float]) -> _Span:
    start, end = max(span.start, window[0]), min(span.end, window[1])
    return _Span(start=start, end=end, party=span.party, exchange=span.exchange)


def _slices(spans: Sequence[_Span]) -> Iterable[tuple[float, frozenset[Party]]]:
    """Yield each stretch of time between two changes with the parties that were waited for in it."""
    edges = sorted([(s.start, 1, s.party) for s in spans] + [(s.end, -1, s.party) for s in spans], key=lambda e: e[0])
    open_spans = dict.fromkeys(Party, 0)
    previous = 0.0
    for moment, change, party in edges:
        active = frozenset(each for each, count in open_spans.items() if count)
        if active and moment > previous:
            yield moment - previous, active
        open_spans[party] += change
        previous = moment


def _shared_out(spans: Sequence[_Span]) -> dict[Party, float]:
    if len(spans) == 1:
        return {spans[0].party: spans[0].end - spans[0].start}
    total: dict[Party, float] = {}
    for seconds, active in _slices(spans):
        for party in sorted(active):
            total[party] = total.get(party, 0.0) + seconds / len(active)
    return total


def _alone(spans: Sequence[_Span]) -> dict[Party, float]:
    total: dict[Party, float] = {}
    for seconds, active in _slices(spans):
        if len(active) == 1:
            (party,) = active
            total[party] = total.get(party, 0.0) + seconds
    return total


def _detail(party: Party, spans: Sequence[_Span]) -> Detail | None:
    """Name what was slow, or ``None`` where most of the time went into reaching the host, which may be the path's."""
    phases = {phase: sum(span.exchange.timings.of(phase) or 0.0 for span in spans) for phase in Phase}
    total = sum(phases.values())
    if total and phases[Phase.CONNECT] + phases[Phase.RESOLVE] > _HALF * total:
        return None
    if party is Party.THIRD_PARTY:
        return Detail.TP_SLOW
    if len(spans) > _MANY:
        return Detail.OWN_SLOW_FRONTEND
    return Detail.OWN_SLOW_BACKEND if phases[Phase.WAIT] >= _HALF * total else Detail.OWN_SLOW_DELIVERY
