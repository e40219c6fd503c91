"""Whose host, path or capability something is: the user's words first, then data sets that only name strangers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from monitor.diagnosis.names import Names, parts_of, suffixes
from monitor.domain.cause import Party
from monitor.domain.diagnosis import Culprit, CulpritKind
from monitor.domain.ownership import HostedName, Ownership, PathOwner

_CACHED_URLS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who answers for a host.

    Attributes:
        name: The team, the vendor, or the domain where nobody gave it a name.
        because: What the answer rests on.
        critical: Whether the user said, or its trade says, that journeys need this vendor.
        operator: The vendor that serves an own name.
        whole: Whether the host is meant, whatever was asked of it: its name, its address, its certificate.
    """

    party: Party
    name: str
    host: str
    because: str
    category: str = ""
    critical: bool = False
    named: bool = True
    operator: str | None = None
    whole: bool = False

    @property
    def culprit(self) -> Culprit:
        """Return this owner as the culprit of a diagnosis."""
        kind = CulpritKind.TEAM if self.party is Party.OWN else CulpritKind.VENDOR
        return Culprit(kind=kind, name=self.name, host=self.host)

    @property
    def beside(self) -> bool:
        """Say whether this is a vendor of a trade that runs beside the page, so that no step needs it."""
        return self.category in _TRADES_BESIDE and not self.critical

    @property
    def title(self) -> str:
        """Return the owner in words, for a sentence."""
        if self.party is Party.OWN:
            return f"own infrastructure, {self.name}" if self.name != self.host else "own infrastructure"
        return f"third party {self.name}" if self.named else "a third party that nobody named"


_NEEDED_TRADES = frozenset({"payment", "identity", "captcha"})
_TRADES_BESIDE = frozenset({"ad", "analytics", "marketing", "social"})


class Owners:
    """Resolves URLs to owners for checks of one target.

    The order is: exact hosts of the user, the user's wildcards (longest first), own registrable domains, and then the
    shipped names. The target's host and its registrable domain are own without being told. IP addresses and clouds
    never decide.
    """

    def __init__(self, ownership: Ownership, target_host: str, names: Names) -> None:
        """Index the user's statement once; answers are cached."""
        self._ownership = ownership
        self._names = names
        self._target_host = target_host
        self._own = {domain.lower().lstrip("*.") for domain in ownership.domains}
        self._own |= {target_host, names.domains.of(target_host) or target_host}
        self._exact, self._wildcard = _index(ownership)
        self._paths = sorted(ownership.paths, key=lambda owner: (-len(owner.prefix), owner.host == "*"))
        self._of_host = lru_cache(maxsize=_CACHED_URLS)(self._find)

    def owner_of(self, url: str) -> Owner:
        """Return who answers for a URL; a bare host will do."""
        parts = parts_of(url if "://" in url else f"//{url}")
        owner = self._of_host(parts.hostname or "")
        if self._paths and owner.party is Party.OWN:
            return self._by_path(owner, parts.path or "/")
        return owner

    def owner_at(self, host: str, url: str) -> Owner:
        """Return who answers for a URL whose host is known already, without taking the URL apart for nothing."""
        return self.owner_of(url) if self._paths or not host else self._of_host(host)

    def owner_of_host(self, host: str) -> Owner:
        """Return who answers for a host as such, where nothing could be asked of it yet."""
        owner = self._of_host(host)
        return replace(owner, whole=owner.name != owner.host)

    def domain_of(self, host: str) -> str:
        """Return the registrable domain of a host, or the host where it has none."""
        return self._names.domains.of(host) or host

    def team_of(self, capability: str | None) -> str | None:
        """Return the team that owns a back-end capability."""
        owners = self._ownership.capabilities
        return next((owner.team for owner in owners if owner.capability == capability), None)

    def services_of(self, urls: Iterable[str], capability: str | None) -> Iterator[str]:
        """Return the services that the owners of some own URLs, and of a capability, run there."""
        stated = self._ownership
        yield from (one.service for one in stated.capabilities if one.service and one.capability == capability)
        for url in urls:
            parts = parts_of(url)
            host = (parts.hostname or "").lower()
            path = next((one for one in self._paths if _has(one, host, parts.path or "/")), None)
            hosts = (one for one in stated.hosts if one.host.lower() in {host, *(f"*.{end}" for end in suffixes(host))})
            yield from (one.service for one in ((path,) if path else hosts) if one.service)

    def names_vendor(self, name: str) -> bool:
        """Say whether a name is that of a vendor that the user named."""
        return any(vendor.name.lower() == name.lower() for vendor in self._ownership.vendors)

    def is_edge(self, words: str) -> bool:
        """Say whether the user named an edge provider that appears in these words of a response."""
        return self.edge_in(words) is not None

    def edge_in(self, words: str) -> str | None:
        """Return the edge provider of the user's list that appears in these words of a response."""
        return next((edge for edge in self._ownership.edges if edge.lower() in words.lower()), None)

    @property
    def only_edge(self) -> str | None:
        """Return the edge provider of the user's list, where it names just one."""
        edges = self._ownership.edges
        return edges[0] if len(edges) == 1 else None

    def origin_of(self, host: str) -> str | None:
        """Return where an own host behind an edge is really served, as ``address`` or ``address:port``."""
        return next((o.address for o in self._ownership.origins if o.host.lower() == host.lower()), None)

    def hosted(self, host: str) -> HostedName | None:
        """Return the statement that a vendor serves this own name."""
        return next((name for name in self._ownership.hosted if name.host.lower() == host.lower()), None)

    def _find(self, host: str) -> Owner:
        host = host.lower().strip("[]").rstrip(".")
        stated = self._exact.get(host) or next(
            (self._wildcard[suffix] for suffix in suffixes(host) if suffix in self._wildcard),
            None,
        )
        if stated is not None:
            return self._stated(stated, host)
        own = next((suffix for suffix in suffixes(host) if suffix in self._own), None)
        if own is not None:
            return self._own_host(host, own)
        return self._stranger(host)

    def _stated(self, stated: Owner, host: str) -> Owner:
        return Owner(
            party=stated.party,
            name=stated.name or self._ownership.default_team or host,
            host=host,
            because=stated.because,
            category=stated.category,
            critical=stated.critical,
            operator=stated.operator,
        )

    def _own_host(self, host: str, domain: str) -> Owner:
        because = "it is the target's own host" if host == self._target_host else f"{domain} is an own domain"
        return Owner(party=Party.OWN, name=self._ownership.default_team or host, host=host, because=because)

    def _stranger(self, host: str) -> Owner:
        vendor = self._names.vendors.find(host)
        if vendor is None:
            domain = self.domain_of(host)
            because = f"nobody named {domain} as own or as a vendor"
            return Owner(party=Party.THIRD_PARTY, name=domain, host=host, because=because, named=False)
        return Owner(
            party=Party.THIRD_PARTY,
            name=vendor.name,
            host=host,
            because=f"the shipped list of vendors says that {host} is {vendor.name}",
            category=vendor.category,
            critical=vendor.category in _NEEDED_TRADES,
        )

    def _by_path(self, owner: Owner, path: str) -> Owner:
        for candidate in self._paths:
            if _has(candidate, owner.host, path):
                because = f"{candidate.team} owns {candidate.prefix} of {candidate.host}"
                return Owner(
                    party=Party.OWN,
                    name=candidate.team,
                    host=owner.host,
                    because=because,
                    operator=owner.operator,
                )
        return owner


def _has(owner: PathOwner, host: str, path: str) -> bool:
    return owner.host.lower() in ("*", host) and _below(path, owner)


def _below(path: str, owner: PathOwner) -> bool:
    prefix = owner.prefix.rstrip("/")
    return path == prefix or path.startswith(prefix + "/")


def _index(ownership: Ownership) -> tuple[dict[str, Owner], dict[str, Owner]]:
    exact: dict[str, Owner] = {}
    wildcard: dict[str, Owner] = {}

    def put(pattern: str, owner: Owner) -> None:
        table, host = (wildcard, pattern[2:]) if pattern.startswith("*.") else (exact, pattern)
        table.setdefault(host.lower(), owner)

    for hosted in ownership.hosted:
        because = f"ownership names {hosted.host} as own and served by {hosted.vendor}"
        put(hosted.host, Owner(party=Party.OWN, name="", host="", because=because, operator=hosted.vendor))
    for vendor in ownership.vendors:
        because = f"ownership names {vendor.name} as a vendor"
        owner = Owner(
            party=Party.THIRD_PARTY,
            name=vendor.name,
            host="",
            because=because,
            category=vendor.category,
            critical=vendor.critical or vendor.category in _NEEDED_TRADES,
        )
        for pattern in vendor.hosts:
            put(pattern, owner)
    for host in ownership.hosts:
        put(host.host, Owner(party=Party.OWN, name=host.team, host="", because=f"{host.team} owns {host.host}"))
    return exact, wildcard
