"""Whose scripts did what: which host's code threw, kept the page busy, or was loaded by whom."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.diagnosis.incident import Incident
from monitor.diagnosis.names import parts_of
from monitor.domain.cause import Party
from monitor.domain.evidence import PageError
from monitor.domain.exchange import Exchange
from monitor.domain.script_time import ScriptTime

_CODE = frozenset({"script", "stylesheet"})


def errors_in_force(incident: Incident) -> tuple[PageError, ...]:
    """Return what code of the page threw in the failing step, or since the page came on which that step acted."""
    names = [step.name for step in incident.attempt.steps]
    step = incident.step.name if incident.step else ""
    pages = [x.step for x in incident.exchanges if x.resource == "document" and x.step in names]
    since = names.index(pages[-1]) if pages else len(names)
    recent = {"", step, *names[since:]}
    return tuple(error for error in incident.evidence.page_errors if error.step in recent)


def stack_hosts(incident: Incident) -> frozenset[str]:
    """Return the hosts whose code threw first in the failing step, or made the element that was in the way."""
    error = incident.step.error if incident.step else None
    thrown = [each.frames[0] for each in errors_in_force(incident) if each.frames]
    made = error.intercepted_stack[:1] if error else ()
    return frozenset(host for url in (*thrown, *made) if (host := parts_of(url).hostname))


def busy_seconds(incident: Incident, host: str) -> float:
    """Return the main-thread work of one host's scripts in the failing step."""
    return sum(seconds for each, seconds in busy_hosts(incident) if each == host)


def busy_hosts(incident: Incident) -> tuple[tuple[str, float], ...]:
    """Return the main-thread work of each host's scripts in the failing step, the longest first."""
    step = incident.step.name if incident.step else ""
    return by_host(script for script in incident.evidence.scripts if not step or script.step in ("", step))


def by_host(scripts: Iterable[ScriptTime]) -> tuple[tuple[str, float], ...]:
    """Return the main-thread work of each host's scripts, the longest first."""
    seconds: dict[str, float] = {}
    for script in scripts:
        host = parts_of(script.url).hostname
        if host:
            seconds[host] = seconds.get(host, 0.0) + script.seconds
    return tuple(sorted(seconds.items(), key=lambda item: -item[1]))


def chain_of(incident: Incident, host: str) -> tuple[str, ...]:
    """Return the foreign hosts whose scripts asked for this host's code, the nearest first."""
    chain: list[str] = []
    current = host
    while (loader := _loader_of(incident, current)) and loader not in (*chain, host):
        chain.append(loader)
        current = loader
    return tuple(chain)


def _loader_of(incident: Incident, host: str) -> str | None:
    first = next((x for x in incident.exchanges if x.host == host and x.resource in _CODE), None)
    for source in _sources(first):
        if incident.context.owners.owner_of(source).party is Party.THIRD_PARTY and source != host:
            return source
    return None


def _sources(exchange: Exchange | None) -> tuple[str, ...]:
    initiator = exchange.initiator if exchange else None
    if initiator is None or initiator.kind != "script":
        return ()
    urls = (initiator.url, *initiator.frames)
    return tuple(host for url in urls if (host := parts_of(url).hostname))


def asked_by_own(incident: Incident, exchange: Exchange) -> bool:
    """Say whether our own markup or script asked for something, with nobody else's code in between."""
    if exchange.initiator is None:
        return False
    sources = [url for url in (*exchange.initiator.frames, exchange.initiator.url) if url]
    owner_of = incident.context.owners.owner_of
    return bool(sources) and all(owner_of(url).party is Party.OWN for url in sources)
