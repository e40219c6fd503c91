"""One run: attempts within one deadline, made into evidence."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Protocol

from monitor.domain.assignment import Assignment
from monitor.domain.clock import Clock
from monitor.domain.evidence import Attempt, Evidence, ProberFault, VantageHealth
from monitor.domain.journey import Journey, ProbeKind
from monitor.domain.outcome import Outcome
from monitor.domain.secret import Redactor, Secret
from monitor.execution.allowance import Allowance
from monitor.execution.attempt import Made, Undertaking, make_attempt
from monitor.execution.crashes import PAGE_CRASHES, crashed_step, crashes_of_the_page
from monitor.execution.progress import Progress, not_reached
from monitor.probes.session import Observations, Probe

_log = logging.getLogger(__name__)

_WORTH_ANOTHER_LOOK = frozenset(
    {
        ProberFault.BROWSER_CRASHED,
        ProberFault.BROWSER_FROZEN,
        ProberFault.DRIVER_DIED,
        ProberFault.INTERNAL,
    }
)

_FAULTY_ATTEMPTS = 2
_GOOD = (Outcome.PASSED, Outcome.DEGRADED)


class HealthWindow(Protocol):
    """How we ourselves fare during one run."""

    def close(self, *, browser_alive: bool | None = None) -> VantageHealth:
        """Return what was seen since the window was opened."""
        ...


class Vantage(Protocol):
    """Where we look from, as far as its health goes: the sampler of ``monitor.probes.vantage``."""

    def window(self) -> HealthWindow:
        """Open a window that starts now."""
        ...


def ignore(_: Progress) -> None:
    """Tell nobody."""


async def execute(
    assignment: Assignment,
    journey: Journey,
    probe: Probe,
    *,
    clock: Clock,
    progress: Callable[[Progress], None] = ignore,
    vantage: Vantage | None = None,
    worker: str = "",
) -> Evidence:
    """Carry out one run and return what was observed, by the check's deadline.

    Raises nothing, but for CancelledError where the caller itself is cancelled. A step that blocks the event
    loop can only be ended from outside.
    """
    allowance = Allowance(assignment.check.deadline.total_seconds(), kind=journey.probe, clock=clock)
    started_at = clock.now()
    run = Undertaking(
        assignment=assignment,
        journey=journey,
        probe=probe,
        allowance=allowance,
        redactor=_redactor(tuple(secrets_of(assignment))),
        values=_values(assignment),
        report=_quiet(progress),
    )
    window = _window(vantage)
    try:
        attempts = await _attempts(run)
    except Exception as error:  # noqa: BLE001 - a defect of ours ends one run and not the worker
        _log.exception("execution failed", extra={"run_id": assignment.run_id})
        attempts = [_inconclusive(run, ProberFault.INTERNAL, f"execution failed: {type(error).__name__}: {error}")]
    health = _health(window, attempts, run)
    return _evidence(attempts, started_at=started_at, run=run, health=health, worker=worker)


def secrets_of(assignment: Assignment) -> Iterator[Secret]:
    """Yield every secret that a run is given."""
    check = assignment.check
    pairs = (*check.values, *check.target.headers)
    yield from (value for _, value in pairs if isinstance(value, Secret))
    proxy = check.profile.proxy
    if proxy is not None and proxy.password is not None:
        yield proxy.password


@lru_cache(maxsize=1_000)
def _redactor(secrets: tuple[Secret, ...]) -> Redactor:
    return Redactor(secrets)


async def _attempts(run: Undertaking) -> list[Made]:
    missing = [name for name in run.journey.parameters if name not in run.values]
    if missing:
        text = f"check '{run.assignment.check.name}' gives no value for {', '.join(missing)}; add it under 'values'"
        return [_inconclusive(run, ProberFault.SECRET_MISSING, text)]
    made = [await make_attempt(run, 1)]
    while _again(run, made):
        made.append(await make_attempt(run, len(made) + 1))
    return crashes_of_the_page(made)


def _again(run: Undertaking, made: Sequence[Made]) -> bool:
    outcome = made[-1].attempt.outcome
    if outcome in _GOOD or any(attempt.effects_begun for attempt in made):
        return False
    # An attempt that cannot be given its time would only put a failure of ours in place of the site's.
    if run.allowance.left_for_steps() < run.allowance.for_steps / 2:
        return False
    faulty = [made_one for made_one in made if made_one.attempt.outcome is Outcome.INCONCLUSIVE]
    if outcome is Outcome.FAILED:
        return len(made) - len(faulty) < run.assignment.attempt_limit
    allowed = PAGE_CRASHES if crashed_step(made[-1]) else _FAULTY_ATTEMPTS
    return len(faulty) < allowed and made[-1].attempt.prober_fault in _WORTH_ANOTHER_LOOK


def _evidence(
    made: Sequence[Made], *, started_at: dt.datetime, run: Undertaking, health: VantageHealth, worker: str
) -> Evidence:
    seen = _together(made)
    return Evidence(
        started_at=started_at,
        duration=run.allowance.now(),
        attempts=tuple([one.attempt for one in made]),
        exchanges=seen.exchanges,
        console=seen.console,
        page_errors=seen.page_errors,
        websockets=seen.websockets,
        events=seen.events,
        vitals=seen.vitals,
        scripts=seen.scripts,
        vantage=health,
        artifacts=seen.artifacts,
        truncated=seen.truncated,
        engine=run.probe.engine,
        worker=worker,
    )


def _together(made: Sequence[Made]) -> Observations:
    if len(made) == 1:
        return made[0].seen
    seen = [one.seen for one in made]
    return Observations(
        exchanges=tuple(exchange for one in seen for exchange in one.exchanges),
        console=tuple(message for one in seen for message in one.console),
        page_errors=tuple(error for one in seen for error in one.page_errors),
        websockets=tuple(socket for one in seen for socket in one.websockets),
        events=tuple(event for one in seen for event in one.events),
        vitals=next((one.vitals for one in reversed(seen) if one.vitals is not None), None),
        scripts=seen[-1].scripts,
        artifacts=tuple(artifact for one in seen for artifact in one.artifacts),
        truncated=tuple(cut for one in seen for cut in one.truncated),
    )


def _values(assignment: Assignment) -> dict[str, object]:
    return {name.replace("-", "_"): value for name, value in assignment.check.values}


def _quiet(progress: Callable[[Progress], None]) -> Callable[[Progress], None]:
    def report(told: Progress) -> None:
        try:
            progress(told)
        except Exception:  # noqa: BLE001 - whatever the listener raises is not the run's trouble
            # A listener that is gone costs the partial evidence of a killed run, not the run.
            _log.warning("progress could not be told", exc_info=True)

    return report


def _inconclusive(run: Undertaking, fault: ProberFault, text: str) -> Made:
    attempt = Attempt(
        number=1,
        outcome=Outcome.INCONCLUSIVE,
        started=0.0,
        duration=run.allowance.now(),
        steps=tuple(not_reached(step) for step in run.journey.steps),
        prober_fault=fault,
        prober_fault_text=run.redactor.mask(text),
    )
    return Made(attempt=attempt)


def _window(vantage: Vantage | None) -> HealthWindow | None:
    try:
        return vantage.window() if vantage else None
    except Exception:  # noqa: BLE001 - what is not known of us is left out, and the run still made
        _log.exception("our own health cannot be followed")
        return None


def _health(window: HealthWindow | None, made: Sequence[Made], run: Undertaking) -> VantageHealth:
    pings = [one.alive for one in made if one.alive is not None]
    alive = pings[-1] if run.probe.kind is ProbeKind.BROWSER and pings else None
    if window is None:
        return VantageHealth(browser_alive=alive)
    try:
        return window.close(browser_alive=alive)
    except Exception:  # noqa: BLE001 - what is not known of us is left out, and the run still told
        _log.exception("our own health could not be read", extra={"run_id": run.assignment.run_id})
        return VantageHealth(browser_alive=alive)
