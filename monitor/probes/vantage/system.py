"""What the machine's own files say about names: ``/etc/hosts`` and ``/etc/resolv.conf``."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_DNS_PORT = 53
_MOST_SERVERS = 3


@dataclass(frozen=True, slots=True)
class NameServer:
    """A DNS server to ask."""

    address: str
    port: int = _DNS_PORT

    def __str__(self) -> str:
        """Show it as ``address:port``, with brackets around an IPv6 address."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverSettings:
    """The servers to ask, the domains in which to look for short names, and how patiently to ask."""

    servers: tuple[NameServer, ...] = (NameServer("127.0.0.1"),)
    search: tuple[str, ...] = ()
    ndots: int = 1
    timeout: float = 5.0
    attempts: int = 2


def parse_server(text: str) -> NameServer:
    """Return the server that ``address`` or ``address:port`` names. Raises ValueError where it names none."""
    address, port = text, str(_DNS_PORT)
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    try:
        ipaddress.ip_address(address.partition("%")[0])
        number = int(port)
    except ValueError as error:
        msg = f"{text!r} is not the address of a DNS server; write 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353"
        raise ValueError(msg) from error
    return NameServer(address, number)


def parse_hosts(text: str) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each name in a hosts file, in its order."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _lines(text):
        address, *names = line.split()
        if not _is_address(address):
            continue
        for name in names:
            key = name.rstrip(".").lower()
            if address not in found.get(key, ()):
                found[key] = (*found.get(key, ()), address)
    return found


def parse_resolv_conf(text: str) -> ResolverSettings:
    """Return what a ``resolv.conf`` says; what it does not say keeps the usual value."""
    servers: list[NameServer] = []
    search: tuple[str, ...] = ()
    options: dict[str, int] = {}
    for line in _lines(text):
        word, *values = line.split()
        match word:
            case "nameserver" if values and _is_address(values[0]):
                servers.append(NameServer(values[0]))
            case "search" | "domain":
                search = tuple(value.rstrip(".").lower() for value in values)
            case "options":
                options |= dict(_numbers(values))
            case _:
                pass
    return ResolverSettings(
        servers=tuple(servers[:_MOST_SERVERS]) or (NameServer("127.0.0.1"),),
        search=search,
        ndots=min(options.get("ndots", 1), 15),
        timeout=float(min(max(options.get("timeout", 5), 1), 30)),
        attempts=min(max(options.get("attempts", 2), 1), 5),
    )


class SystemFile(Generic[T]):
    """A file of the system, read again when it has changed, and at most once a second looked at."""

    def __init__(self, path: Path, parse: Callable[[str], T], *, elapsed: Callable[[], float]) -> None:
        """Remember where it is and what makes a value of its text."""
        self._path = path
        self._parse = parse
        self._elapsed = elapsed
        self._seen: tuple[int, int] | None = None
        self._looked = float("-inf")
        self._value = parse("")

    def read(self) -> T:
        """Return the value of the present text; of an empty one where the file cannot be read."""
        now = self._elapsed()
        if now - self._looked < 1.0:
            return self._value
        self._looked = now
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size)
            if seen != self._seen:
                self._value = self._parse(self._path.read_text("utf-8", "replace"))
                self._seen = seen
        except OSError:
            self._value, self._seen = self._parse(""), None
        return self._value


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        content = line.partition("#")[0].partition(";")[0].strip()
        if content:
            yield content


def _numbers(words: list[str]) -> Iterator[tuple[str, int]]:
    for word in words:
        name, _, number = word.partition(":")
        if number.isdigit():
            yield name, int(number)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
