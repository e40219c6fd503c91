"""Holds checks against the journeys that were found: what either of them cannot see alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from monitor.config.settings import Place, Settings
from monitor.domain.check import Check
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind
from monitor.domain.profile import Engine, HostOverride, IpFamily
from monitor.reading.addresses import is_loopback
from monitor.reading.problem import Problem, quoted
from monitor.reading.suggestion import did_you_mean


def check_journeys(settings: Settings, catalogue: JourneyCatalogue) -> tuple[Problem, ...]:
    """Return every problem between the checks and the journeys, those of the journeys' own files included."""
    known = {journey.name: journey for journey in catalogue.journeys}
    found = [
        Problem(file=one.source, line=one.line or 1, column=one.column or 1, path="", message=one.message)
        for one in catalogue.problems
    ]
    # What was found and could not be used has been told already.
    unusable = {Path(one.source).stem for one in catalogue.problems} - set(known)
    for check in settings.checks:
        if check.journey in unusable:
            continue
        place = settings.places.get(check.name) or _nowhere(settings)
        messages = (*_messages(check, known), *_worker_messages(settings, check, known))
        found += [_at(place, message) for message in messages]
    return tuple(sorted(set(found)))


def _messages(check: Check, known: dict[str, JourneyOutline]) -> Iterator[str]:
    journey = known.get(check.journey)
    if journey is None:
        some = ", ".join(sorted(known)[:10]) or "none that can be used"
        hint = did_you_mean(check.journey, known) or f"; the journeys are: {some}"
        yield f"no journey is called {quoted(check.journey)}{hint}"
        return
    yield from _parameter_messages(check, journey)
    limits = _browser_limits if journey.probe is ProbeKind.BROWSER else _http_limits
    for message in limits(check):
        yield f"profile {check.profile.name}: {message}"


def _worker_messages(settings: Settings, check: Check, known: dict[str, JourneyOutline]) -> Iterator[str]:
    journey, workers = known.get(check.journey), settings.workers
    if journey is None or not check.enabled:
        return
    if journey.probe is ProbeKind.BROWSER and not workers.browsers:
        yield f"the journey {journey.name} needs a browser, and workers.browsers is 0; raise it, or disable the check"
    if journey.probe is ProbeKind.HTTP and not journey.declarative and not workers.scripts:
        yield f"the journey {journey.name} is Python, and workers.scripts is 0; raise it, or disable the check"


def _parameter_messages(check: Check, journey: JourneyOutline) -> Iterator[str]:
    given = {name for name, _ in check.values}
    for name in journey.parameters:
        if name not in given:
            yield f"the journey {journey.name} needs {quoted(name)}; give it under values or secrets"
    for name in sorted(given - set(journey.parameters)):
        hint = did_you_mean(name, set(journey.parameters) - given) or "; leave it out"
        yield f"the journey {journey.name} takes no {quoted(name)}{hint}"
    for name in sorted({name for name, _ in check.second_account} - set(journey.parameters)):
        hint = did_you_mean(name, set(journey.parameters)) or "; leave it out"
        yield f"second_account: the journey {journey.name} takes no {quoted(name)}{hint}"


def _browser_limits(check: Check) -> Iterator[str]:
    # A word that has no effect would put a name on figures that were taken otherwise.
    profile = check.profile
    if profile.resolver is not None:
        yield "a browser cannot be given a resolver; use 'hosts', or a profile of its own for HTTP journeys"
    held = profile.ip_family is not IpFamily.ANY
    if held and not (profile.engine is Engine.FIREFOX and profile.ip_family is IpFamily.IPV4):
        yield f"{profile.engine} cannot be held to {profile.ip_family}; use 'hosts' with an address of that version"
    if profile.engine is not Engine.CHROMIUM:
        yield from _limits_beside_chromium(check)


def _limits_beside_chromium(check: Check) -> Iterator[str]:
    profile, target, engine = check.profile, check.target, check.profile.engine
    if profile.cpu_slowdown != 1:
        yield f"'cpu_slowdown' works in chromium only, not in {engine}; leave it out"
    if profile.network is not None and not profile.network.offline:
        yield f"'network' works in chromium only, not in {engine}; leave it out, or write offline"
    hosts = (*profile.hosts, *target.hosts)
    if hosts and not (engine is Engine.FIREFOX and all(_stays_here(override) for override in hosts)):
        yield f"{engine} cannot send the 'hosts' of profile and target to other addresses; use chromium"
    if target.headers:
        yield f"{engine} would carry the headers of target {target.name} on to third parties; use chromium"
    if engine is Engine.WEBKIT and (profile.extra_ca or target.extra_ca):
        yield "webkit takes no 'extra_ca'; use chromium or firefox"
    if engine is Engine.WEBKIT and not profile.third_party_storage:
        yield "webkit has its own way with 'third_party_storage'; leave it out"


def _stays_here(override: HostOverride) -> bool:
    return override.port is None and is_loopback(override.address)


def _http_limits(check: Check) -> Iterator[str]:
    profile = check.profile
    if profile.network is not None:
        yield "an HTTP journey has no access line to shape or cut; use a profile without 'network'"
    if profile.cpu_slowdown != 1:
        yield "an HTTP journey has no processor to slow down; use a profile without 'cpu_slowdown'"
    if profile.proxy is not None and not profile.proxy.url.startswith("http://"):
        yield "an HTTP journey goes through http:// proxies only; use another profile"


def _at(place: Place, message: str) -> Problem:
    return Problem(file=place.file, line=place.line, column=place.column, path=place.path, message=message)


def _nowhere(settings: Settings) -> Place:
    return Place(file=str(settings.path), line=1, column=1, path="checks")
