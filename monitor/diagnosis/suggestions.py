"""Hosts that journeys touched lately, whose they are, and, for those that nobody named, what they might be.

Nothing here decides anything: a suggestion is a piece of ``ownership.yaml`` for a person to take over or to leave.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.diagnosis.names import Names, is_address, parts_of, suffixes
from monitor.diagnosis.owners import Owner, Owners
from monitor.domain.cause import Party
from monitor.domain.evidence import Evidence
from monitor.domain.exchange import Exchange

# A certificate for more domains than this is one that a CDN shows for many customers.
_SHARED_BY_MANY = 8
_SHORTEST_LABEL = 4
_DELIVERS = "cdn"
_MOST_HOSTS = 2000
_MOST_NAMES = 100
_SOURCES = re.compile(r"(?:https?://)?(?:\*\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.IGNORECASE)


class SuggestionKind(StrEnum):
    """What an unknown host might be."""

    OWN = "own"
    HOSTED = "hosted"
    EDGE = "edge"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What a host might be, why we think so, and how to say so in ``ownership.yaml``."""

    kind: SuggestionKind
    because: str
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRow:
    """One host that was seen, and whose it is.

    Attributes:
        runs: Runs in which it was asked for something.
        failures: Runs in which at least one request to it failed or was still open at the end.
        checks: The checks of those runs.
    """

    host: str
    owner: Owner
    runs: int
    failures: int
    checks: tuple[str, ...]
    suggestions: tuple[Suggestion, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Sighting:
    owner: Owner
    runs: int = 0
    failures: int = 0
    checks: set[str] = field(default_factory=set)
    certificate: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()


class Sightings:
    """Gathers hosts run by run, in bounded memory."""

    def __init__(self, names: Names) -> None:
        """Use the shipped names of vendors."""
        self._names = names
        self._seen: dict[tuple[str, Party, str], _Sighting] = {}
        self._own: set[str] = set()
        self.truncated = False

    def add(self, check: str, evidence: Evidence, owners: Owners) -> None:
        """Take in one run of a check."""
        runs: dict[str, list[Exchange]] = {}
        for exchange in evidence.exchanges:
            if exchange.host and not exchange.intervention:
                runs.setdefault(exchange.host, []).append(exchange)
        for host, exchanges in runs.items():
            self._add_host(check, host, exchanges, owners)

    def rows(self) -> tuple[HostRow, ...]:
        """Return all hosts: first those that nobody named, then third parties, then our own, each by failures."""
        rows = [self._row(host, sighting) for (host, _, _), sighting in self._seen.items()]
        return tuple(sorted(rows, key=_order))

    def _add_host(self, check: str, host: str, exchanges: list[Exchange], owners: Owners) -> None:
        owner = owners.owner_of(host)
        key = (host, owner.party, owner.name)
        if key not in self._seen and len(self._seen) >= _MOST_HOSTS:
            self.truncated = True
            return
        sighting = self._seen.setdefault(key, _Sighting(owner=owner))
        sighting.runs += 1
        sighting.failures += any(exchange.failure or exchange.pending for exchange in exchanges)
        sighting.checks.add(check)
        for exchange in exchanges:
            sighting.certificate |= frozenset(_certificate_names(exchange))
            sighting.aliases |= frozenset(exchange.dns.aliases if exchange.dns else ())
            sighting.origins |= frozenset(_origins_allowed(exchange))
        if owner.party is Party.OWN:
            self._own.add(host)

    def _row(self, host: str, sighting: _Sighting) -> HostRow:
        owner = sighting.owner
        suggestions: Iterable[Suggestion] = ()
        if owner.party is Party.OWN and owner.operator is None:
            suggestions = self._perhaps_hosted(host, sighting)
        elif owner.party is Party.THIRD_PARTY and not owner.named and not is_address(host):
            suggestions = self._perhaps(host, sighting)
        return HostRow(
            host=host,
            owner=owner,
            runs=sighting.runs,
            failures=sighting.failures,
            checks=tuple(sorted(sighting.checks)),
            suggestions=tuple(suggestions),
        )

    def _perhaps(self, host: str, sighting: _Sighting) -> Iterator[Suggestion]:
        domain = self._names.domains.of(host) or host
        for because in self._signs_of_own(domain, sighting):
            yield Suggestion(kind=SuggestionKind.OWN, because=because, snippet=_own_snippet(domain))
        vendor = self._vendor_behind(sighting.aliases)
        if vendor:
            alias, name, category = vendor
            because = f"{host} is an alias of {alias}, which is {name}"
            yield Suggestion(kind=SuggestionKind.VENDOR, because=because, snippet=_vendor_snippet(name, host, category))
            return
        because = f"nothing says whose {domain} is; if it is a vendor, this names it"
        snippet = _vendor_snippet(domain, f"*.{domain}" if host != domain else domain, "")
        yield Suggestion(kind=SuggestionKind.VENDOR, because=because, snippet=snippet)

    def _signs_of_own(self, domain: str, sighting: _Sighting) -> Iterator[str]:
        own_domains = sorted({self._names.domains.of(host) or host for host in self._own})
        label = domain.partition(".")[0]
        alike = next((own for own in own_domains if own.partition(".")[0] == label), None)
        if alike and len(label) >= _SHORTEST_LABEL:
            yield f"{domain} and your {alike} have the same name"
        shared = self._shared_certificate(domain, sighting)
        if shared:
            yield f"one certificate names both {domain} and your {shared}"
        own_alias = next((alias for alias in sorted(sighting.aliases) if self._is_own(alias)), None)
        if own_alias:
            yield f"it is an alias of your {own_alias}"
        named = next((origin for origin in sorted(sighting.origins) if origin in self._own), None)
        if named:
            yield f"its answers are made for pages of your {named} (CORS or frame-ancestors), as an own API's would be"

    def _shared_certificate(self, domain: str, sighting: _Sighting) -> str | None:
        """Return an own host that one certificate names together with this domain, whichever of the two showed it."""
        mine = next((name for name in _telling(sighting.certificate, self._names) if self._is_own(name)), None)
        if mine:
            return mine
        for (host, party, _), other in sorted(self._seen.items(), key=lambda item: item[0][0]):
            if party is Party.OWN and domain in _domains(_telling(other.certificate, self._names), self._names):
                return host
        return None

    def _perhaps_hosted(self, host: str, sighting: _Sighting) -> Iterator[Suggestion]:
        vendor = self._vendor_behind(sighting.aliases)
        if vendor is None:
            return
        alias, name, category = vendor
        if category == _DELIVERS:
            because = f"{host} is an alias of {alias}: {name} stands in front of it"
            yield Suggestion(
                kind=SuggestionKind.EDGE, because=because, snippet=f"edges:\n  - {_quoted(name.lower())}\n"
            )
            return
        because = f"{host} is an alias of {alias}, which is {name}: an own name that a vendor serves"
        snippet = f"hosted:\n  - host: {host}\n    vendor: {_quoted(name)}\n" + _vendor_snippet(name, alias, category)
        yield Suggestion(kind=SuggestionKind.HOSTED, because=because, snippet=snippet)

    def _vendor_behind(self, aliases: Iterable[str]) -> tuple[str, str, str] | None:
        for alias in sorted(aliases):
            vendor = self._names.vendors.find(alias)
            if vendor is not None:
                return alias, vendor.name, vendor.category
        return None

    def _is_own(self, host: str) -> bool:
        return any(suffix in self._own for suffix in suffixes(host.removeprefix("*.")))


def _order(row: HostRow) -> tuple[bool, bool, int, int, str]:
    own = row.owner.party is Party.OWN
    return row.owner.named and not row.suggestions, own, -row.failures, -row.runs, row.host


def _certificate_names(exchange: Exchange) -> Iterator[str]:
    if exchange.tls and exchange.tls.chain:
        yield from (name.lower() for name in exchange.tls.chain[0].names[:_MOST_NAMES])


def _origins_allowed(exchange: Exchange) -> Iterator[str]:
    headers: Mapping[str, str] = dict(exchange.headers)
    allowed = headers.get("access-control-allow-origin", "")
    if "://" in allowed:
        yield (parts_of(allowed).hostname or "").lower()
    for directive in headers.get("content-security-policy", "").split(";"):
        name, _, sources = directive.strip().partition(" ")
        if name.lower() == "frame-ancestors":
            yield from (match[1].lower() for match in _SOURCES.finditer(sources))


def _telling(certificate: frozenset[str], names: Names) -> list[str]:
    """Return the names of a certificate, unless it is one for many customers, which says nothing."""
    if len(_domains(certificate, names)) > _SHARED_BY_MANY:
        return []
    return sorted(name.removeprefix("*.") for name in certificate)


def _domains(hosts: Iterable[str], names: Names) -> set[str]:
    return {names.domains.of(host.removeprefix("*.")) or host for host in hosts}


def _own_snippet(domain: str) -> str:
    return f"domains:\n  - {domain}\n"


def _vendor_snippet(name: str, pattern: str, category: str) -> str:
    trade = f"    category: {_quoted(category)}\n" if category else ""
    return f"vendors:\n  {_quoted(name)}:\n    hosts: [{_quoted(pattern)}]\n{trade}"


def _quoted(text: str) -> str:
    """Return a text as YAML reads it back: JSON's quotes are YAML's too."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", text) else json.dumps(text, ensure_ascii=False)
