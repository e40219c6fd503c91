"""Rank 1: were we able to look at all? Our own fault vetoes everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.diagnosis.incident import Finding, Incident, Rule, alternative, environment
from monitor.diagnosis.mechanisms import Mechanism, is_hollow, mechanism_of
from monitor.diagnosis.trials import failing_alike
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Confidence, Detail
from monitor.domain.evidence import ProberFault, StepErrorKind, VantageHealth
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import ExperimentKind
from monitor.domain.failure import Failure, FailureClass
from monitor.domain.outcome import Outcome, Validity

LAG_LIMIT = 0.025
_SOME_LAG = 0.010
_LONG_LAG = 0.5
_SOME_THROTTLING = 0.05
PRESSURE_LIMIT = 40.0
THROTTLED_LIMIT = 0.20
DISK_LIMIT = 16_000_000
_CRASH = "crash"
_CLIENT_ERROR = 400
_SERVER_ERROR = 500
_ANSWERS = frozenset(
    {
        Failure.TCP_REFUSED,
        Failure.TCP_ACCESS_DENIED,
        Failure.TCP_OFFLINE,
        Failure.TCP_ADDRESS_UNREACHABLE,
        Failure.DNS_NAME_NOT_RESOLVED,
        Failure.HTTP_ERROR,
        Failure.HTTP_RESPONSE_INVALID,
        Failure.HTTP_RESPONSE_TRUNCATED,
        Failure.HTTP_RESPONSE_UNDECODABLE,
        Failure.HTTP_RESPONSE_HEADERS_TOO_BIG,
        Failure.HTTP_RESPONSE_REDIRECT_LOOP,
        Failure.HTTP_RESPONSE_REDIRECT_REFUSED,
    }
)
_ANSWERING = frozenset({FailureClass.TLS, FailureClass.POLICY, FailureClass.PROXY, FailureClass.BLOCKED})
_CODE_AND_PAGES = frozenset({"document", "script", "stylesheet"})

FAULTS: Mapping[ProberFault, tuple[Detail, str]] = {
    ProberFault.BROWSER_MISSING: (Detail.CLIENT_PROBER, "the browser of the profile is not installed"),
    ProberFault.BROWSER_FOREIGN: (Detail.CLIENT_PROBER, "the browser found is not one that can be driven"),
    ProberFault.BROWSER_CRASHED: (Detail.CLIENT_PROBER, "the browser crashed"),
    ProberFault.BROWSER_FROZEN: (Detail.CLIENT_PROBER, "the browser stopped answering"),
    ProberFault.DRIVER_DIED: (Detail.CLIENT_PROBER, "the browser's driver died"),
    ProberFault.WORKER_DIED: (Detail.CLIENT_PROBER, "the worker process died"),
    ProberFault.WORKER_KILLED: (Detail.CLIENT_PROBER, "the worker did not end by the deadline and was killed"),
    ProberFault.OUT_OF_MEMORY: (Detail.CLIENT_PROBER, "the worker ran out of memory"),
    ProberFault.OUT_OF_FILES: (Detail.CLIENT_PROBER, "the worker ran out of file descriptors"),
    ProberFault.DISK_FULL: (Detail.CLIENT_PROBER, "the monitor's disk is full"),
    ProberFault.STARVED: (Detail.CLIENT_DEVICE, "the monitor's machine was starved of processor time"),
    ProberFault.SCRIPT: (Detail.CLIENT_PROBER, "the journey's code raised an error of its own"),
    ProberFault.SECRET_MISSING: (Detail.UND_MONITOR_CONFIG, "a secret that the journey needs is missing"),
    ProberFault.OFFLINE: (Detail.CLIENT_NETWORK, "the monitor itself is offline"),
    ProberFault.ASSERTION_TIMEOUT: (Detail.CLIENT_PROBER, "an expectation could not be evaluated in time"),
    ProberFault.INTERNAL: (Detail.CLIENT_PROBER, "the monitor failed internally"),
}

# What stops answering on a starved machine is not broken.
_BY_LATENESS = frozenset(
    {ProberFault.BROWSER_FROZEN, ProberFault.ASSERTION_TIMEOUT, ProberFault.WORKER_KILLED, ProberFault.STARVED}
)
_EXPLAINS_SITE_ERRORS = frozenset({ProberFault.OFFLINE, ProberFault.SECRET_MISSING})


def prober_failed(incident: Incident) -> Finding | None:
    """R01: the browser, its driver, the worker or the journey's own code failed."""
    fault = incident.attempt.prober_fault
    if fault is None:
        return _prober_failed_unsaid(incident)
    detail, words = FAULTS[fault]
    late = next(_delays(incident), "") if fault in _BY_LATENESS else ""
    if late:
        return _ours(incident, Detail.CLIENT_DEVICE, f"{words}, on a machine that was starved", late)
    seen = _server_error(incident) if fault not in _EXPLAINS_SITE_ERRORS else None
    seen = seen or (_wrong_answer(incident) if fault is ProberFault.SCRIPT else None)
    text = incident.attempt.prober_fault_text
    if seen is not None:
        return Finding(
            detail=Detail.UND_CONFLICT,
            confidence=Confidence.NONE,
            validity=Validity.INVALID,
            because=f"We could not look properly ({words}), yet {seen} in the same run; the next run will tell.",
            evidence=(words, seen, *([text] if text else [])),
            alternatives=(alternative(detail, words), alternative(Detail.OWN_HTTP_STATUS, seen)),
        )
    return _ours(incident, detail, words, text)


def _prober_failed_unsaid(incident: Incident) -> Finding | None:
    if incident.kind in (StepErrorKind.PROBER, StepErrorKind.PAGE_CRASHED):
        error = incident.step.error if incident.step else None
        words = (
            "the page crashed in our browser" if incident.kind is StepErrorKind.PAGE_CRASHED else "the prober failed"
        )
        return _ours(incident, Detail.CLIENT_PROBER, words, error.message if error else "")
    if _crashed(incident):
        return _ours(incident, Detail.CLIENT_PROBER, "the page crashed in our browser", "")
    broken = next((x for x in incident.needed if mechanism_of(x) is Mechanism.PROBER), None)
    if broken is not None:
        return _ours(incident, Detail.CLIENT_PROBER, happening(broken), broken.failure_text)
    if incident.evidence.vantage.browser_alive is False:
        return _ours(incident, Detail.CLIENT_PROBER, "the browser did not answer a sign of life", "")
    if incident.attempt.outcome is Outcome.INCONCLUSIVE:
        return _ours(incident, Detail.CLIENT_PROBER, "the attempt ended without a result", "")
    return None


def _crashed(incident: Incident) -> bool:
    """Say whether a page crashed in the failing step, whatever the step itself saw of it."""
    step = incident.step.name if incident.step else ""
    return any(event.kind == _CRASH and event.step in ("", step) for event in incident.evidence.events)


def _ours(incident: Incident, detail: Detail, words: str, text: str) -> Finding:
    lifeless = incident.evidence.vantage.browser_alive is False
    sure = lifeless and detail is Detail.CLIENT_PROBER
    decided = Confidence.CONFIRMED if sure else Confidence.PROBABLE
    culprit = environment("the monitor's configuration" if detail is Detail.UND_MONITOR_CONFIG else "the monitor")
    return Finding(
        detail=detail,
        confidence=Confidence.NONE if detail is Detail.UND_MONITOR_CONFIG else decided,
        validity=Validity.INVALID,
        because=f"{incident.scene} we could not look: {words}. This says nothing about the site.",
        culprit=culprit,
        evidence=tuple(line for line in (words, text, "the sign of life failed" if lifeless else "") if line),
    )


def _server_error(incident: Incident) -> str | None:
    """An answer of 5xx cannot be forged by our own death; a broken connection can."""
    errors = (x for x in incident.exchanges if x.status is not None and x.status >= _SERVER_ERROR)
    first = next((x for x in errors if x.resource in ("document", "http", "xhr", "fetch")), None)
    return happening(first) if first else None


def _wrong_answer(incident: Incident) -> str | None:
    """What a journey's code trips over is often what the site sent: an error, or nothing, in place of its data."""
    step = incident.step.name if incident.step else ""
    asked = [x for x in incident.exchanges if x.step == step and x.resource in ("document", "http", "xhr", "fetch")]
    wrong = (x for x in asked if (x.status or 0) >= _CLIENT_ERROR or is_hollow(x))
    first = next((x for x in wrong if not incident.owner(x).beside), None)
    if first is None:
        return None
    return f"{happening(first)} with nothing in it" if is_hollow(first) else happening(first)


def vantage_starved(incident: Incident) -> Finding | None:
    """S0: our own machine was too starved to tell a slow site from a slow monitor.

    Want of processor time makes everything late, and want of disk breaks what a browser keeps, but neither forges a
    refusal, a certificate or a status: where the step needed an exchange that failed in such a way, the rules go on.
    Want of memory forges any failure but the status with which a host itself says that it failed.
    """
    broken = () if _hosts_own_words(incident) else tuple(_shortages(incident))
    if not any(_is_plain_fact(incident, exchange) for exchange in incident.needed) and not _came_empty(incident):
        broken = (*_delays(incident), *broken)
    return _starved(incident, broken) if broken else None


def vantage_crowded(incident: Incident) -> Finding | None:
    """S0 of a slow run that is put down to nobody: others kept the processors of our machine busy meanwhile.

    What runs the journey may have been in time for all that, while the browser beside it was not.
    """
    pressure = incident.evidence.vantage.cpu_pressure or 0.0
    return _starved(incident, (f"processor pressure was {pressure:.0f} %",)) if pressure > PRESSURE_LIMIT else None


def _starved(incident: Incident, signs: tuple[str, ...]) -> Finding:
    return Finding(
        detail=Detail.CLIENT_DEVICE,
        validity=Validity.INVALID,
        because=f"{incident.scene} the monitor's machine was starved ({signs[0]}), so the run says nothing sure.",
        culprit=environment("the monitor's machine"),
        evidence=signs,
    )


def _came_empty(incident: Incident) -> bool:
    """Say whether a page or code came with nothing in it, which no lateness of ours can look like."""
    empty = (x for x in incident.exchanges if x.resource in _CODE_AND_PAGES and is_hollow(x))
    return any(not incident.owner(x).beside for x in empty)


def _hosts_own_words(incident: Incident) -> bool:
    """Say whether all that the step itself waited for in vain was answered with an error of the host's own."""
    if not incident.certain or not incident.needed or incident.context.check.profile.proxy is not None:
        return False
    return all(exchange.status is not None and exchange.status >= _SERVER_ERROR for exchange in incident.needed)


def _is_plain_fact(incident: Incident, exchange: Exchange) -> bool:
    """Say whether the other side answered wrongly or turned us away, which no lateness of ours can look like."""
    if exchange.status is not None and exchange.status >= _CLIENT_ERROR:
        return True
    failure = exchange.failure
    if failure is None:
        return False
    broke_again = failure is Failure.TCP_RESET and failing_alike(incident, exchange, ExperimentKind.REPROBE)
    return failure in _ANSWERS or failure.family in _ANSWERING or bool(broke_again)


def _delays(incident: Incident) -> Iterator[str]:
    vantage = incident.evidence.vantage
    if (vantage.loop_lag_p50 or 0.0) > LAG_LIMIT:
        yield f"the worker's loop ran {1000 * (vantage.loop_lag_p50 or 0.0):.0f} ms late"
    if (vantage.cpu_pressure or 0.0) > PRESSURE_LIMIT and _waited_ourselves(vantage):
        yield f"processor pressure was {vantage.cpu_pressure:.0f} %"
    if (vantage.throttled_ratio or 0.0) > THROTTLED_LIMIT:
        yield f"its processor share was cut in {100 * (vantage.throttled_ratio or 0.0):.0f} % of all periods"
    if vantage.disk_free_bytes is not None and vantage.disk_free_bytes < DISK_LIMIT:
        yield f"only {vantage.disk_free_bytes} bytes of disk were left"


def _waited_ourselves(vantage: VantageHealth) -> bool:
    """Pressure is the whole machine's: it counts where nothing shows that our own part of it went on in time."""
    signs = (vantage.loop_lag_p50, vantage.loop_lag_max, vantage.throttled_ratio)
    if all(sign is None for sign in signs):
        return True
    late = (vantage.loop_lag_p50 or 0.0) > _SOME_LAG or (vantage.loop_lag_max or 0.0) > _LONG_LAG
    return late or (vantage.throttled_ratio or 0.0) > _SOME_THROTTLING


def _shortages(incident: Incident) -> Iterator[str]:
    vantage = incident.evidence.vantage
    if (vantage.memory_pressure or 0.0) > PRESSURE_LIMIT:
        yield f"memory pressure was {vantage.memory_pressure:.0f} %"
    if vantage.oom_kills:
        yield "the system killed a process for want of memory"


RULES = (Rule(id="R01", decide=prober_failed), Rule(id="S0", decide=vantage_starved))
