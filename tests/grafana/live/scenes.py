"""What a run sees in each scene of the day, as evidence for the real judge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from random import Random

from monitor.domain.check import Check
from monitor.domain.evidence import (
    Attempt,
    Evidence,
    PageError,
    ProberFault,
    StepError,
    StepErrorKind,
    StepResult,
    VantageHealth,
    Vitals,
)
from monitor.domain.exchange import Certificate, Exchange, Initiator, Timings, TlsFacts
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome, StepOutcome
from tests.grafana.live.cast import BROWSER_JOURNEYS, CDN, PAY, SHOP, SIGN_IN, STATS, STEPS, Asked

CERTIFICATES = {SHOP: 12, PAY: 75, SIGN_IN: 60, CDN: 200}  # days that are left when the day ends
_BY_USER = Initiator(kind="other")


class Scene(StrEnum):
    """What is the matter, if anything."""

    HEALTHY = "healthy"
    RECOVERED = "recovered"
    STATS_BROKEN = "stats broken"
    OWN_OUTAGE = "own outage"
    OWN_SCRIPT = "own script"
    OWN_SLOW = "own slow"
    VENDOR_DOWN = "vendor down"
    VENDOR_SLOW = "vendor slow"
    NO_NAMES = "no names"
    SICK = "sick vantage"
    CRASHED = "browser crashed"
    UNCLEAR = "unclear"


class Stagehand:
    """Builds evidence; what varies from run to run comes from the given randomness."""

    def __init__(self, random: Random, ending: dt.datetime) -> None:
        """Keep the moment at which the day ends: certificates expire so long after it."""
        self._random = random
        self._expiry = {host: ending + dt.timedelta(days=days) for host, days in CERTIFICATES.items()}

    def evidence(self, check: Check, scene: Scene, at: dt.datetime) -> Evidence:
        """Return what a run of this check, started at this moment, saw."""
        healthy = self._healthy(check, at)
        alter = _SCENES.get(scene)
        return healthy if alter is None else alter(check, healthy)

    def _healthy(self, check: Check, at: dt.datetime) -> Evidence:
        browser = check.journey in BROWSER_JOURNEYS
        pace = self._random.lognormvariate(0.0, 0.18) * (1.5 if check.profile.name == "phone" else 1.0)
        steps, exchanges, moment = [], [], 0.0
        for number, asked in enumerate(STEPS[check.journey]):
            made = self._exchanges(number, asked, moment, pace, browser=browser)
            took = max(x.timings.started + x.timings.total for x in made) - moment + (0.15 if browser else 0.01)
            name, title, capability, _, _ = asked
            steps.append(
                StepResult(
                    name=name,
                    title=title,
                    capability=capability,
                    outcome=StepOutcome.PASSED,
                    started=moment,
                    duration=took,
                )
            )
            exchanges.extend(made)
            moment += took
        attempt = Attempt(number=1, outcome=Outcome.PASSED, started=0.0, duration=moment, steps=tuple(steps))
        return Evidence(
            started_at=at,
            duration=moment + 0.05,
            attempts=(attempt,),
            exchanges=tuple(exchanges),
            vitals=self._vitals(pace) if browser else None,
        )

    def _exchanges(self, number: int, asked: Asked, start: float, pace: float, *, browser: bool) -> list[Exchange]:
        name, _, _, host, path = asked
        kind = "http" if not browser else ("document" if host == SHOP else "xhr")
        found = [self._exchange(f"{number}", (host, path), name, kind, start, pace)]
        if browser and number == 0:
            later = start + 0.05
            found.append(self._exchange("cdn", (CDN, "/lib.js"), name, "script", later, pace * 0.6, 48_000))
            found.append(self._exchange("stats", (STATS, "/hit"), name, "ping", later, pace * 0.4, 300))
        return found

    def _exchange(
        self, mark: str, where: tuple[str, str], step: str, kind: str, start: float, pace: float, size: int = 22_000
    ) -> Exchange:
        host, path = where
        first = mark in {"0", "cdn", "stats"}
        dialed = pace if first else 0.0
        timings = Timings(
            started=start,
            resolve=0.008 * pace if first else None,
            connect=0.018 * pace if first else None,
            tls=0.03 * pace if first else None,
            wait=0.16 * pace,
            receive=0.04 * pace,
            total=(0.008 + 0.018 + 0.03) * dialed + (0.16 + 0.04) * pace,
        )
        expiry = self._expiry.get(host)
        chain = (Certificate(subject=f"CN={host}", issuer="CN=Example CA", not_after=expiry),) if expiry else ()
        return Exchange(
            id=mark, url=f"https://{host}{path}", host=host, step=step, resource=kind, status=200, protocol="h2",
            address="192.0.2.7", port=443, timings=timings,
            tls=TlsFacts(version="TLSv1.3", chain=chain), transfer_bytes=size, body_bytes=size,
            initiator=_BY_USER if kind == "document" else Initiator(kind="script", frames=(f"https://{SHOP}/app.js",)),
        )  # fmt: skip

    def _vitals(self, pace: float) -> Vitals:
        return Vitals(
            largest_contentful_paint=1.1 * pace,
            first_contentful_paint=0.6 * pace,
            time_to_first_byte=0.22 * pace,
            interaction_to_next_paint=0.08 * pace,
            cumulative_layout_shift=0.02 * pace,
        )


def _failing_step(check: Check) -> str:
    """Return the step that fails when something is the matter: where a vendor or the API is asked."""
    return {"checkout": "pay", "login": "sign-in", "search": "search"}.get(check.journey, STEPS[check.journey][0][0])


def _fail(
    evidence: Evidence, step: str, *, took: float, kind: StepErrorKind = StepErrorKind.EXPECTATION, message: str
) -> Evidence:
    """Let a step fail; later ones are not reached, and what they asked was never asked."""
    steps, reached, names = [], True, set()
    for each in evidence.last.steps:
        if each.name == step:
            error = StepError(kind=kind, message=message)
            steps.append(replace(each, outcome=StepOutcome.FAILED, duration=took, error=error))
            reached, moment = False, each.started + took
        else:
            steps.append(each if reached else replace(each, outcome=StepOutcome.NOT_REACHED, duration=0.0))
        if reached or each.name == step:
            names.add(each.name)
    attempt = replace(evidence.last, outcome=Outcome.FAILED, steps=tuple(steps), duration=moment)
    kept = tuple(x for x in evidence.exchanges if x.step in names)
    return replace(evidence, attempts=(*evidence.attempts[:-1], attempt), exchanges=kept, duration=moment + 0.05)


def _with(evidence: Evidence, wanted: Callable[[Exchange], bool], change: Callable[[Exchange], Exchange]) -> Evidence:
    return replace(evidence, exchanges=tuple(change(x) if wanted(x) else x for x in evidence.exchanges))


def _own_outage(check: Check, evidence: Evidence) -> Evidence:
    step = _failing_step(check)
    failed = _fail(evidence, step, took=0.6, message="expected status 200, got 503")
    own = f"https://api.shop.example/{step}"
    return _with(
        failed, lambda x: x.step == step, lambda x: replace(x, url=own, host="api.shop.example", status=503)
    )  # fmt: skip


def _own_script(check: Check, evidence: Evidence) -> Evidence:
    step = "see-confirmation" if check.journey == "checkout" else _failing_step(check)
    failed = _fail(evidence, step, took=5.0, kind=StepErrorKind.TIMEOUT, message="the confirmation was not there")
    error = PageError(message="TypeError: x is null", frames=(f"https://{SHOP}/checkout/app.js",), step=step)
    return replace(failed, page_errors=(error,))


def _vendor_down(check: Check, evidence: Evidence) -> Evidence:
    step = _failing_step(check)
    failed = _fail(evidence, step, took=1.2, kind=StepErrorKind.TIMEOUT, message="the vendor's answer was not there")
    return _with(failed, lambda x: x.host in {PAY, SIGN_IN}, lambda x: replace(x, status=503))


def _lengthen(evidence: Evidence, step: str, by: float) -> Evidence:
    """Let the first exchange of a step take longer, and with it the step, the run and all that comes later."""
    slow = next(x for x in evidence.exchanges if x.step == step)
    timings = replace(slow.timings, wait=(slow.timings.wait or 0.0) + by, total=slow.timings.total + by)
    steps, late = [], False
    for each in evidence.last.steps:
        moved = replace(each, started=each.started + (by if late else 0.0))
        if each.name == step:
            late = True
            moved = replace(moved, duration=each.duration + by, budget=2.0, outcome=StepOutcome.DEGRADED)
        steps.append(moved)
    attempt = replace(evidence.last, outcome=Outcome.DEGRADED, steps=tuple(steps), duration=evidence.last.duration + by)
    later = [
        replace(x, timings=replace(x.timings, started=x.timings.started + by))
        if x.timings.started > slow.timings.started and x.step != step
        else x
        for x in evidence.exchanges
    ]
    exchanges = tuple(replace(x, timings=timings) if x.id == slow.id else x for x in later)
    return replace(evidence, attempts=(attempt,), exchanges=exchanges, duration=evidence.duration + by)


def _vendor_slow(check: Check, evidence: Evidence) -> Evidence:
    return _lengthen(evidence, _failing_step(check), 4.5)


def _own_slow(check: Check, evidence: Evidence) -> Evidence:
    return _lengthen(evidence, _failing_step(check), 3.2)


def _no_names(check: Check, evidence: Evidence) -> Evidence:
    step = STEPS[check.journey][0][0]
    failed = _fail(evidence, step, took=5.0, kind=StepErrorKind.TIMEOUT, message="the page did not open")
    return replace(
        failed,
        vitals=None,
        exchanges=tuple(
            Exchange(
                id=f"{host}", url=f"https://{host}/", host=host, step=step, failure=Failure.DNS_TIMED_OUT,
                resource="document" if host == SHOP else "xhr", timings=Timings(total=5.0), initiator=_BY_USER,
            )
            for host in (SHOP, PAY, CDN)
        ),
    )  # fmt: skip


def _sick(check: Check, evidence: Evidence) -> Evidence:
    step = _failing_step(check)
    failed = _fail(evidence, step, took=30.0, kind=StepErrorKind.TIMEOUT, message="it was not there in time")
    health = VantageHealth(cpu_pressure=92.0, loop_lag_p50=1.4, loop_lag_max=6.0, throttled_ratio=0.6)
    return replace(failed, vantage=health)


def _crashed(check: Check, evidence: Evidence) -> Evidence:
    failed = _fail(evidence, _failing_step(check), took=3.0, kind=StepErrorKind.PROBER, message="the browser crashed")
    attempt = replace(failed.last, outcome=Outcome.INCONCLUSIVE, prober_fault=ProberFault.BROWSER_CRASHED)
    return replace(failed, attempts=(attempt,))


def _unclear(check: Check, evidence: Evidence) -> Evidence:
    return _fail(evidence, _failing_step(check), took=4.0, message="expected 'Thank you', found 'One moment'")


def _recovered(check: Check, evidence: Evidence) -> Evidence:
    first = _fail(evidence, _failing_step(check), took=2.0, message="not at the first try").last
    return replace(evidence, attempts=(first, replace(evidence.last, number=2)),
                   exchanges=tuple(replace(x, attempt=2) for x in evidence.exchanges))  # fmt: skip


def _stats_broken(check: Check, evidence: Evidence) -> Evidence:
    return _with(evidence, lambda x: x.host == STATS, lambda x: replace(x, status=502))


_SCENES: dict[Scene, Callable[[Check, Evidence], Evidence]] = {
    Scene.RECOVERED: _recovered,
    Scene.STATS_BROKEN: _stats_broken,
    Scene.OWN_OUTAGE: _own_outage,
    Scene.OWN_SCRIPT: _own_script,
    Scene.OWN_SLOW: _own_slow,
    Scene.VENDOR_DOWN: _vendor_down,
    Scene.VENDOR_SLOW: _vendor_slow,
    Scene.NO_NAMES: _no_names,
    Scene.SICK: _sick,
    Scene.CRASHED: _crashed,
    Scene.UNCLEAR: _unclear,
}
