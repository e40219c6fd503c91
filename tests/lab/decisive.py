"""Whether the evidence holds the event that decides, and the diagnosis rests on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from monitor.domain.evidence import Evidence
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment
from tests.lab.manifest import Event
from tests.lab.world.world import World


def found(events: Sequence[Event], evidence: Evidence, told: dict[str, Any], world: World) -> bool:
    """Say whether one of the events is in the evidence, and what was said of the run names the host it happened at."""
    said = _words(told)
    return any(any(_cited(host, said) for host in _Finder(event, evidence, world).hosts()) for event in events)


def _words(told: dict[str, Any]) -> str:
    diagnosis = told["run"]["diagnosis"] or {}
    lines = [diagnosis.get("because", ""), *diagnosis.get("evidence", [])]
    lines += [one["host"] for one in told["run"]["collateral"]]
    lines += told.get("cited_hosts", [])
    return " ".join(lines)


def _cited(host: str, said: str) -> bool:
    return not host or host in said


class _Finder:
    """Looks for one event."""

    def __init__(self, event: Event, evidence: Evidence, world: World) -> None:
        self._event = event
        self._evidence = evidence
        self._world = world

    def hosts(self) -> Iterable[str]:
        """Yield for each place at which the event is found the host that must be named; empty where none need be."""
        event, evidence = self._event, self._evidence
        if event.exchange is not None:
            host = self._host(event.exchange)
            yield from (host for one in evidence.exchanges if one.host == host and self._fits(one, event.exchange))
        if event.experiment is not None:
            yield from (one.subject_host for one in map(_Made, evidence.experiments) if self._made(one.experiment))
        if event.page_error is not None:
            host = self._host(event.page_error)
            yield from (host for one in evidence.page_errors if any(_at(frame, host) for frame in one.frames))
        if event.script is not None:
            host = self._host(event.script)
            least = event.min_seconds or 0.0
            yield from (host for one in evidence.scripts if _at(one.url, host) and one.seconds >= least)
        if event.websocket is not None:
            host = self._host(event.websocket)
            yield from (
                host for one in evidence.websockets if one.host == host and (one.error or one.answered is False)
            )
        if event.difference is not None and evidence.compared is not None:
            host = self._host(event.difference)
            yield from (host for one in evidence.compared.differences if one.host == host)
        yield from self._in_page()

    def _in_page(self) -> Iterable[str]:
        event, evidence = self._event, self._evidence
        errors = [step.error for attempt in evidence.attempts for step in attempt.steps if step.error is not None]
        if event.intercepted is not None:
            host = self._host(event.intercepted)
            yield from (host for one in errors if any(_at(frame, host) for frame in one.intercepted_stack))
        if event.console is not None:
            yield from ("" for one in evidence.console if re.search(event.console, one.text))
        if event.error is not None:
            texts = [f"{one.kind.value} {one.message}" for one in errors]
            texts += [f"{one.prober_fault} {one.prober_fault_text}" for one in evidence.attempts]
            yield from ("" for text in texts if re.search(event.error, text, re.IGNORECASE))
        if event.health and evidence.vantage is not None:
            yield ""
        if event.slow and (evidence.baseline is not None or any(step.budget for step in evidence.last.steps)):
            yield ""

    def _host(self, role: str) -> str:
        return self._world.names.hosts[role.lstrip("@")]

    def _fits(self, exchange: Exchange, role: str) -> bool:
        event = self._event
        path = self._world.names.part(role.lstrip("@"), event.path) if event.path else "/"
        return (urlsplit(exchange.url).path or "/").startswith(path) and self._facts_fit(exchange)

    def _facts_fit(self, exchange: Exchange) -> bool:
        event, headers = self._event, dict(exchange.headers)
        failure = "pending" if exchange.pending else exchange.failure.value if exchange.failure is not None else ""
        dns = exchange.dns
        code = exchange.tls.verify_code if exchange.tls is not None else None
        wanted = (
            event.status is None or exchange.status == event.status,
            event.failure is None or re.search(event.failure, failure) is not None,
            event.pending is None or (failure == "pending") == event.pending,
            event.blocked is None or re.search(event.blocked, exchange.blocked_reason or failure) is not None,
            event.cors is None or (exchange.cors_error is not None or failure == "policy.cors") == event.cors,
            event.verify_code is None or code == event.verify_code,
            event.min_seconds is None or exchange.timings.total >= event.min_seconds,
            event.rcode is None or (dns is not None and dns.rcode == event.rcode),
            event.extended_error is None
            or (dns is not None and any(one.startswith(f"{event.extended_error} ") for one in dns.errors)),
            all(re.search(pattern, headers.get(name, "")) for name, pattern in event.header.items()),
        )
        return all(wanted)

    def _made(self, made: Experiment) -> bool:
        event = self._event
        if made.kind is not event.experiment or (event.outcome is not None and made.outcome is not event.outcome):
            return False
        if event.host is not None:
            host = self._host(event.host)
            if host not in made.hosts and not _at(made.subject, host) and made.subject != host:
                return False
        if event.by is not None and self._world.names.addresses[event.by.lstrip("@")] not in made.by:
            return False
        asks = (event.status, event.failure, event.rcode, event.extended_error)
        return all(one is None for one in asks) or any(self._facts_fit(one) for one in made.exchanges)


class _Made:
    """An experiment, with the host that a diagnosis resting on it names; controls and profiles are named as such."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment

    @property
    def subject_host(self) -> str:
        """Return the host it is about, where it is about one of the page's."""
        if self.experiment.kind.value in {
            "control",
            "profile",
            "rerun",
            "vantage",
            "direct",
            "client",
            "tenant",
            "origin",
        }:
            return ""
        return (
            self.experiment.hosts[0]
            if self.experiment.hosts
            else urlsplit(self.experiment.subject).hostname or self.experiment.subject
        )


def _at(url: str, host: str) -> bool:
    return (urlsplit(url).hostname or url) == host
