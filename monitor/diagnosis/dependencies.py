"""Which failed exchanges the failing step depended on. Nothing is needed merely because it failed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from monitor.diagnosis.as_ever import without_usual_troubles
from monitor.diagnosis.compared import differences, failed_alike, is_comparable, is_new, turned
from monitor.diagnosis.context import Context
from monitor.diagnosis.incident import Incident
from monitor.diagnosis.mechanisms import Mechanism, is_defect, is_half_taken, mechanism_of
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.openers import is_led_astray
from monitor.diagnosis.trials import covers, flips, looks, made, passed, reprobes
from monitor.domain.cause import Party
from monitor.domain.evidence import Evidence, StepError, StepErrorKind, StepResult
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import StepOutcome
from monitor.domain.reference import DifferenceKind

_WAITED = frozenset({StepErrorKind.TIMEOUT, StepErrorKind.DEADLINE})
_DATA = frozenset({"xhr", "fetch"})
_CODE = frozenset({"script", "stylesheet"})
_OWN_NEEDS = _DATA | _CODE | {"document"}
_DECORATION = frozenset({"image", "font", "media", "ping", "beacon", "prefetch", "csp_report", "manifest", "texttrack"})
_BY_NAVIGATION = frozenset({"", "other", "user", "navigation"})
# How a browser tells code that its request failed: no fault of that code.
_NOT_FETCHED = re.compile(r"failed to fetch|networkerror when|load failed", re.IGNORECASE)
_BY_SOCKET = frozenset(
    {
        Mechanism.NAME,
        Mechanism.RESOLVER,
        Mechanism.REFUSED,
        Mechanism.BROKEN_OFF,
        Mechanism.PATH,
        Mechanism.UNREACHABLE,
        Mechanism.LOCAL,
        Mechanism.TLS,
    }
)
_BY_THE_PAGE = frozenset({Failure.POLICY_CSP, Failure.POLICY_MIXED_CONTENT, Failure.POLICY_SRI, Failure.POLICY_CORP})
_MISSING_NAME = re.compile(r"is not defined|can't find variable", re.IGNORECASE)
_SEVERAL = 3
_CLIENT_ERROR = 400
_SERVER_ERROR = 500
_TOO_MANY = 429
_REFUSED = frozenset({401, 403})
_HALF = 0.5


def incident_of(evidence: Evidence, context: Context) -> Incident:
    """Gather the deciding attempt, its failing step, and what was exchanged."""
    evidence = without_usual_troubles(evidence)
    attempt = evidence.last
    exchanges = tuple([x for x in evidence.exchanges if x.attempt == attempt.number and not x.intervention])
    step = next((s for s in attempt.steps if s.outcome in (StepOutcome.FAILED, StepOutcome.INCONCLUSIVE)), None)
    return Incident(evidence=evidence, context=context, attempt=attempt, step=step, exchanges=exchanges)


def with_needs(incident: Incident) -> Incident:
    """Add the failed exchanges that the failing step depended on, and those of which nobody knows.

    An intervention that made the step pass outranks every sign of need: it names the resource.
    """
    needed, certain = _needed(incident)
    replayed, blocked = _interventions(incident)
    if replayed is not None or blocked is not None:
        needed, certain = _touched(incident, replayed, blocked), True
    elif not certain:
        needed = () if _is_disproved(incident, needed) else tuple(x for x in needed if not _answers_again(incident, x))
    needed = tuple(x for x in needed if not came_whole_again(incident, x))
    chosen = {x.id for x in needed}
    suspects = tuple(
        x
        for x in incident.exchanges
        if x.id not in chosen and is_defect(x) and not _is_left_behind(incident, x) and not failed_alike(incident, x)
    )
    return replace(
        incident,
        needed=tuple(_clearer(incident, x) for x in needed),
        suspects=_by_suspicion(suspects, incident.step),
        certain=certain,
        replayed=replayed,
        blocked=blocked,
    )


def _is_left_behind(incident: Incident, exchange: Exchange) -> bool:
    """Say whether what is open was asked for by a page that the browser has left since."""
    mine = (x for x in incident.exchanges if x.attempt == exchange.attempt and not x.pending and x.failure is None)
    later = (x for x in mine if x.timings.started > exchange.timings.started and x.step != exchange.step)
    return exchange.pending and any(is_navigation(x, incident.exchanges) for x in later)


def _needed(incident: Incident) -> tuple[tuple[Exchange, ...], bool]:
    for kind in (
        _awaited,
        _navigated,
        _relied_on,
        _relied_on_earlier,
        _missed_by_code,
        _blocking,
        _only_new,
        _blocked_here,
    ):
        certain = kind in (_awaited, _navigated)
        # What a step waits for may fail until it is there; with anything else a failure that was there before is none.
        found = tuple(x for x in kind(incident) if is_defect(x) and (certain or not failed_alike(incident, x)))
        if found:
            return found, certain
    return (), False


def _interventions(incident: Incident) -> tuple[Experiment | None, Experiment | None]:
    """Return the smallest replay and the smallest blocking that made the step pass."""
    replayed = next(iter(flips(incident, ExperimentKind.REPLAY)), None)
    blocked = next(iter(flips(incident, ExperimentKind.BLOCK)), None)
    return replayed, blocked


def _touched(incident: Incident, replayed: Experiment | None, blocked: Experiment | None) -> tuple[Exchange, ...]:
    """Return the failed exchanges that the replay answered; what may be blocked without harm is needed by nobody."""
    if replayed is None:
        return ()
    if blocked is not None and set(blocked.hosts) <= set(replayed.hosts):
        return ()
    touched = tuple(x for x in incident.exchanges if is_defect(x) and covers(replayed, x))
    # A policy is set by one party and hurts the request to another, whichever of the two was replayed.
    return touched or tuple(x for x in _in_step(incident) if mechanism_of(x) is Mechanism.POLICY)


def _is_disproved(incident: Incident, needed: tuple[Exchange, ...]) -> bool:
    """Say whether the last good answers of the one host that failed did not help.

    What a policy of the page keeps out stays out, however well it is answered: that clears the host, not the policy.
    """
    if len({x.host for x in needed}) != 1 or any(x.failure in _BY_THE_PAGE for x in needed):
        return False
    replays = [e for e in made(incident, ExperimentKind.REPLAY) if not passed(e) and not e.missed]
    return any(all(covers(replay, x) for x in needed) for replay in replays)


def _answers_again(incident: Incident, exchange: Exchange) -> bool:
    """Say whether what was still open answered each time it was asked again: then something else kept it open."""
    if not exchange.pending or exchange.method not in ("GET", "HEAD"):
        return False
    again = [e for e in looks(incident, ExperimentKind.REPROBE, exchange.host) if e.exchanges[-1].url == exchange.url]
    return len(again) >= _SEVERAL and all(passed(e) for e in again)


def came_whole_again(incident: Incident, exchange: Exchange) -> bool:
    """Say whether an answer that had begun, and whose end the page never took in, comes whole to our own socket.

    A page whose only thread is held takes nothing in, not even the rest of itself.
    """
    if not is_half_taken(exchange):
        return False
    again = [e for e in looks(incident, ExperimentKind.REPROBE, exchange.host) if e.exchanges[-1].url == exchange.url]
    return bool(again) and all(passed(e) for e in again)


def _clearer(incident: Incident, exchange: Exchange) -> Exchange:
    """Let our own socket, or the way without the proxy, say what the browser could not."""
    mechanism = mechanism_of(exchange)
    if exchange.failure is Failure.PROXY_TUNNEL_FAILED:
        ends = [e.exchanges[-1] for e in looks(incident, ExperimentKind.DIRECT, exchange.host)]
    elif mechanism is Mechanism.NOTHING or (exchange.pending and mechanism is Mechanism.PATH):
        ends = list(reprobes(incident, exchange.host))
    else:
        return exchange
    end = next((x for x in ends if x.failure is not None and mechanism_of(x) in _BY_SOCKET), None)
    if end is None:
        return exchange
    return replace(exchange, failure=end.failure, failed_phase=end.failed_phase, pending=False, dns=end.dns)


def _awaited(incident: Incident) -> Iterable[Exchange]:
    """What the step itself was waiting for, followed along its redirects to the host that failed."""
    error = incident.step.error if incident.step else None
    if error is None:
        return ()
    if error.exchange is not None:
        return _end_of_chain(incident.exchanges, error.exchange)
    matches = [x for x in incident.exchanges if _matches(error.awaited, x.url)]
    return [end for match in matches for end in _end_of_chain(incident.exchanges, match.id)]


def _matches(awaited: str, url: str) -> bool:
    if "://" in awaited or awaited.startswith("**/"):
        return fnmatchcase(url, awaited.replace("**", "*"))
    is_path = awaited.startswith("/") and not awaited.startswith("//")
    return is_path and fnmatchcase(parts_of(url).path, awaited)


def _end_of_chain(exchanges: tuple[Exchange, ...], start: str) -> tuple[Exchange, ...]:
    by_id = {x.id: x for x in exchanges}
    following = {x.redirected_from: x for x in exchanges if x.redirected_from is not None}
    current = by_id.get(start)
    seen: set[str] = set()
    while current is not None and current.id in following and current.id not in seen:
        seen.add(current.id)
        current = following[current.id]
    return (current,) if current is not None else ()


def _navigated(incident: Incident) -> Iterable[Exchange]:
    """Pages that the step went to, or the last request of an HTTP journey: it got over the ones before."""
    requests = [x for x in _in_step(incident) if x.resource == "http"]
    pages = [x for x in _in_step(incident) if is_navigation(x, incident.exchanges)]
    return requests[-1:] + pages


def is_navigation(exchange: Exchange, exchanges: tuple[Exchange, ...]) -> bool:
    """Say whether an exchange loads the page itself rather than a frame that some script put into it."""
    if exchange.resource != "document":
        return False
    first = exchange
    by_id = {x.id: x for x in exchanges}
    for _ in exchanges:
        previous = by_id.get(first.redirected_from or "")
        if previous is None:
            break
        first = previous
    return first.initiator is None or first.initiator.kind in _BY_NAVIGATION


def _relied_on(incident: Incident) -> Iterable[Exchange]:
    """Data and code of our own, and vendors that journeys are known to need, within the failing step."""
    return (x for x in _in_step(incident) if _relies(incident, x))


def _relied_on_earlier(incident: Incident) -> Iterable[Exchange]:
    """The same in earlier steps: what a page failed to load may be missed only later."""
    return (x for x in incident.exchanges if not x.pending and _relies(incident, x))


def _relies(incident: Incident, exchange: Exchange) -> bool:
    if exchange.resource in _DECORATION or is_led_astray(incident, exchange):
        return False
    owner = incident.owner(exchange)
    if owner.party is Party.THIRD_PARTY:
        return owner.critical and _telling(incident, exchange)
    return exchange.resource in _OWN_NEEDS and _telling(incident, exchange)


def _telling(incident: Incident, exchange: Exchange) -> bool:
    """Leave out answers that are a normal part of talking to an API, and requests that are meant to stay open."""
    if exchange.pending:
        patience = (incident.step.duration if incident.step else 0.0) * _HALF
        return incident.kind in _WAITED | {StepErrorKind.EXPECTATION} and exchange.timings.total >= patience
    if exchange.resource in _DATA and exchange.status is not None and exchange.failure is None:
        ours = incident.owner(exchange).party is Party.OWN and exchange.status >= _CLIENT_ERROR
        refused = (ours or exchange.status in _REFUSED) and turned(incident, exchange)
        return exchange.status >= _SERVER_ERROR or exchange.status == _TOO_MANY or refused
    return True


def _missed_by_code(incident: Incident) -> Iterable[Exchange]:
    """The one script of a vendor that did not come, where our own code misses a name that it does not define."""
    owners = incident.context.owners
    missing = [e for e in incident.evidence.page_errors if e.frames and _MISSING_NAME.search(e.message)]
    if not any(owners.owner_of(error.frames[0]).party is Party.OWN for error in missing):
        return ()
    code = [x for x in incident.exchanges if x.resource == "script" and is_defect(x) and not x.pending]
    vendors = [x for x in code if incident.owner(x).party is Party.THIRD_PARTY and not incident.owner(x).beside]
    return vendors if len({x.host for x in vendors}) == 1 else ()


def _blocking(incident: Incident) -> Iterable[Exchange]:
    """A script in the page's head that never came, where the page is what the step waited for."""
    error = incident.step.error if incident.step else None
    if error is None or error.kind not in _WAITED or not _awaits_page(error, incident):
        return ()
    pending = [x for x in _in_step(incident) if x.pending and _is_parser_blocking(x)]
    # An asynchronous script looks the same from outside. One candidate may be named, two may not.
    return pending if len(pending) == 1 else ()


def _only_new(incident: Incident) -> Iterable[Exchange]:
    """The one host that fails now and answered in the last good run, where all else of ours is as it was."""
    thrown = [e for e in incident.evidence.page_errors if not _NOT_FETCHED.search(e.message)]
    if not is_comparable(incident) or thrown or _own_differs(incident):
        return ()
    failed = [
        x for x in _in_step(incident) if is_defect(x) and x.resource in _OWN_NEEDS and not incident.owner(x).beside
    ]
    return failed if len({x.host for x in failed}) == 1 and all(_was_well(incident, x) for x in failed) else ()


def _was_well(incident: Incident, exchange: Exchange) -> bool:
    if is_new(incident, exchange):
        return False
    # What a policy keeps from the page may have been answered as ever, and an answer that breaks off has a good status.
    return turned(incident, exchange) or mechanism_of(exchange) in (Mechanism.POLICY, Mechanism.PROTOCOL)


def _own_differs(incident: Incident) -> bool:
    owner_of = incident.context.owners.owner_of
    ours = [d for d in differences(incident) if owner_of(d.url).party is Party.OWN]
    return any(d.resource in _CODE | {"document"} and d.kind is not DifferenceKind.HEADER for d in ours)


def _blocked_here(incident: Incident) -> Iterable[Exchange]:
    """Code that the client itself refused to load, where nothing else went wrong."""
    failed = [x for x in incident.exchanges if is_defect(x) and x.resource not in _DECORATION]
    blocked = [x for x in failed if x.failure is Failure.BLOCKED_BY_CLIENT and not incident.owner(x).beside]
    return blocked if all(x in blocked or incident.owner(x).beside for x in failed) else ()


def _awaits_page(error: StepError, incident: Incident) -> bool:
    # A click's log speaks of navigations too, so only the words of waiting for a page count.
    words = f"{error.message} {error.detail}".lower()
    by_words = "goto:" in words or "waiting for navigation to" in words or "domcontentloaded" in words
    pages = (x for x in _in_step(incident) if is_navigation(x, incident.exchanges))
    return by_words and any(not is_defect(page) for page in pages)


def _is_parser_blocking(exchange: Exchange) -> bool:
    return exchange.resource in _CODE and exchange.initiator is not None and exchange.initiator.kind == "parser"


def _in_step(incident: Incident) -> Iterable[Exchange]:
    name = incident.step.name if incident.step else None
    return (x for x in incident.exchanges if name is None or x.step in ("", name))


def _by_suspicion(suspects: tuple[Exchange, ...], step: StepResult | None) -> tuple[Exchange, ...]:
    def rank(exchange: Exchange) -> tuple[bool, bool, bool]:
        elsewhere = step is not None and exchange.step not in ("", step.name)
        return elsewhere, exchange.resource in _DECORATION, exchange.pending

    return tuple(sorted(suspects, key=rank))
