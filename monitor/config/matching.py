"""Holds checks against the journeys that were found: what either of them cannot see alone."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.settings import Place, Settings
from monitor.domain.check import Check
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind
from monitor.domain.profile import ClientProfile, Engine, IpFamily
from monitor.reading.problem import Problem, quoted
from monitor.reading.suggestion import did_you_mean


def check_journeys(settings: Settings, catalogue: JourneyCatalogue) -> tuple[Problem, ...]:
    """Return every problem between the checks and the journeys, those of the journeys' own files included."""
    known = {journey.name: journey for journey in catalogue.journeys}
    found = [
        Problem(file=problem.source, line=problem.line or 1, column=1, path="", message=problem.message)
        for problem in catalogue.problems
    ]
    for check in settings.checks:
        place = settings.places.get(check.name) or _nowhere(settings)
        found += [_at(place, message) for message in _messages(check, known)]
    return tuple(sorted(set(found)))


def _messages(check: Check, known: dict[str, JourneyOutline]) -> Iterator[str]:
    journey = known.get(check.journey)
    if journey is None:
        some = ", ".join(sorted(known)[:10]) or "none were found"
        hint = did_you_mean(check.journey, known) or f"; the journeys are: {some}"
        yield f"no journey is called {quoted(check.journey)}{hint}"
        return
    yield from _parameter_messages(check, journey)
    limits = _browser_limits if journey.probe is ProbeKind.BROWSER else _http_limits
    for message in limits(check.profile):
        yield f"profile {check.profile.name}: {message}"


def _parameter_messages(check: Check, journey: JourneyOutline) -> Iterator[str]:
    given = {name for name, _ in check.values}
    for name in journey.parameters:
        if name not in given:
            yield f"the journey {journey.name} needs {quoted(name)}; give it under values or secrets"
    for name in sorted(given - set(journey.parameters)):
        hint = did_you_mean(name, set(journey.parameters) - given) or "; leave it out"
        yield f"the journey {journey.name} takes no {quoted(name)}{hint}"


def _browser_limits(profile: ClientProfile) -> Iterator[str]:
    # A word that has no effect would put a name on figures that were taken otherwise.
    if profile.resolver is not None:
        yield "a browser cannot be given a resolver; use 'hosts', or a profile of its own for HTTP journeys"
    if profile.ip_family is not IpFamily.ANY:
        yield "a browser cannot be held to one IP version; use 'hosts' with an address of that version"
    if profile.engine is not Engine.CHROMIUM:
        if profile.cpu_slowdown != 1:
            yield f"'cpu_slowdown' works in chromium only, not in {profile.engine}; leave it out"
        if profile.network is not None and not profile.network.offline:
            yield f"'network' works in chromium only, not in {profile.engine}; leave it out, or write offline"


def _http_limits(profile: ClientProfile) -> Iterator[str]:
    if profile.network is not None and not profile.network.offline:
        yield "an HTTP journey has no access line to slow down; use a profile without 'network'"
    if profile.cpu_slowdown != 1:
        yield "an HTTP journey has no processor to slow down; use a profile without 'cpu_slowdown'"


def _at(place: Place, message: str) -> Problem:
    return Problem(file=place.file, line=place.line, column=place.column, path=place.path, message=message)


def _nowhere(settings: Settings) -> Place:
    return Place(file=str(settings.path), line=1, column=1, path="checks")
