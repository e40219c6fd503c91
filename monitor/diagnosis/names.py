"""Names of strangers: which domain a host belongs to, and which vendor serves it."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from urllib.parse import SplitResult, urlsplit

from publicsuffixlist import PublicSuffixList


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVendor:
    """A vendor as the shipped data knows it."""

    name: str
    category: str = ""


class VendorCatalogue:
    """Finds the vendor of a host: the exact host first, then the longest suffix that has a wildcard."""

    def __init__(
        self,
        exact: Mapping[str, KnownVendor],
        wildcard: Mapping[str, KnownVendor],
        version: str = "",
    ) -> None:
        """Keep both tables; a wildcard covers its suffix itself too."""
        self._exact = exact
        self._wildcard = wildcard
        self.version = version

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self._exact) + len(self._wildcard)

    @property
    def names(self) -> frozenset[str]:
        """Return the names of all vendors."""
        return frozenset(vendor.name for table in (self._exact, self._wildcard) for vendor in table.values())

    def find(self, host: str) -> KnownVendor | None:
        """Return the vendor that serves a host, or ``None`` where nobody knows."""
        exact = self._exact.get(host)
        if exact is not None:
            return exact
        return next((self._wildcard[suffix] for suffix in suffixes(host) if suffix in self._wildcard), None)


class Domains:
    """Tells the registrable domain of a host by the public suffix list, its private section included."""

    def __init__(self, rules: PublicSuffixList | None = None) -> None:
        """Use the given list, or the one that its package bundles; nothing is fetched."""
        self._rules = rules or PublicSuffixList()

    def of(self, host: str) -> str | None:
        """Return the registrable domain; ``None`` for addresses and for names that are a suffix themselves."""
        if is_address(host):
            return None
        found: str | None = self._rules.privatesuffix(host)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Both sources together; loaded once and shared by all checks."""

    domains: Domains
    vendors: VendorCatalogue


def load_names() -> Names:
    """Read the shipped data; the supplement of journey-critical vendors wins over the general list."""
    folder = resources.files(__package__) / "data"
    shipped = json.loads((folder / "vendors.json").read_text(encoding="utf-8"))
    vendors = [KnownVendor(name=name, category=category) for name, category in shipped["vendors"]]
    exact = {host: vendors[number] for host, number in shipped["exact"].items()}
    wildcard = {host: vendors[number] for host, number in shipped["wildcard"].items()}
    for pattern, vendor in _supplement(json.loads((folder / "supplement.json").read_text(encoding="utf-8"))):
        table, host = (wildcard, pattern[2:]) if pattern.startswith("*.") else (exact, pattern)
        table[host] = vendor
    return Names(domains=Domains(), vendors=VendorCatalogue(exact, wildcard, shipped["version"]))


def _supplement(categories: Mapping[str, Mapping[str, Iterable[str]]]) -> Iterator[tuple[str, KnownVendor]]:
    for category, vendors in categories.items():
        for name, patterns in vendors.items():
            vendor = KnownVendor(name=name, category=category)
            yield from ((pattern, vendor) for pattern in patterns)


def suffixes(host: str) -> Iterator[str]:
    """Yield the host and its parent names, longest first."""
    yield host
    while "." in host:
        host = host.partition(".")[2]
        yield host


def parts_of(url: str) -> SplitResult:
    """Return the parts of a URL that a page or a server may have made up; one that cannot be read has none."""
    try:
        parts = urlsplit(url.removeprefix("blob:"))
        _ = parts.hostname, parts.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def is_address(host: str) -> bool:
    """Say whether a host is a literal IP address, with or without brackets."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
