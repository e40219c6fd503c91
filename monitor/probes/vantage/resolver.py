"""Names to addresses, on a budget of its own: one slow name never delays another, and nothing is remembered."""

from __future__ import annotations

import asyncio
import ipaddress
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dns.edns import EDECode
from dns.rcode import Rcode
from dns.rcode import to_text as rcode_text
from dns.rdatatype import RdataType

from monitor.domain.failure import Failure
from monitor.domain.profile import Asking, HostOverride, IpFamily
from monitor.probes.vantage.lookup import Lookup, Replies
from monitor.probes.vantage.message import Answer
from monitor.probes.vantage.system import (
    NameServer,
    ResolverSettings,
    SystemFile,
    parse_hosts,
    parse_resolv_conf,
    parse_server,
)

if TYPE_CHECKING:
    from monitor.probes.vantage.authority import Authorities

_LONGEST_CHAIN = 12
_LOOPBACK = ("::1", "127.0.0.1")
_KINDS = {
    IpFamily.ANY: (RdataType.AAAA, RdataType.A),
    IpFamily.IPV4: (RdataType.A,),
    IpFamily.IPV6: (RdataType.AAAA,),
}


class ResolutionSource(StrEnum):
    """Who said which addresses a name has."""

    LITERAL = "literal"
    OVERRIDE = "override"
    LOCALHOST = "localhost"
    HOSTS_FILE = "hosts_file"
    DNS = "dns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What came of one look-up.

    Attributes:
        addresses: In the order in which to try them.
        aliases: Canonical names that were followed, the name itself not among them.
        rcode: The DNS answer's own word (``NXDOMAIN``), where DNS was asked.
        errors: Extended DNS errors (RFC 8914), each as ``code name: text``.
        server: The DNS servers that were asked.
    """

    addresses: tuple[str, ...] = ()
    source: ResolutionSource = ResolutionSource.DNS
    aliases: tuple[str, ...] = ()
    rcode: str | None = None
    errors: tuple[str, ...] = ()
    server: str = ""
    seconds: float = 0.0


class ResolveFailed(Exception):  # noqa: N818 - the site's failure or the resolver's, not an error of ours
    """A name has no address for us; ``failure`` says why."""

    def __init__(self, failure: Failure, message: str, resolution: Resolution) -> None:
        """Keep what was seen beside the message."""
        super().__init__(message)
        self.failure = failure
        self.resolution = resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class NameView:
    """How one client sees names: overrides first, then the server it asks (the system's when ``None``).

    Attributes:
        asking: Otherwise than usual, nothing but DNS answers: no file of the system, no domains to search.
        allowed_private: Whether a zone's own server may be asked at an address of a private range.
    """

    overrides: tuple[HostOverride, ...] = ()
    server: str | None = None
    asking: Asking = Asking.USUAL
    allowed_private: bool = True
    family: IpFamily = IpFamily.ANY


class Resolver:
    """Resolves names as a client would, asking anew each time."""

    def __init__(
        self,
        *,
        elapsed: Callable[[], float],
        rng: random.Random | None = None,
        hosts: Path = Path("/etc/hosts"),
        resolv_conf: Path = Path("/etc/resolv.conf"),
        authority_port: int = 53,
    ) -> None:
        """Read the system's files lazily; ``rng`` draws the identifiers of questions."""
        self._authority_port = authority_port
        # Identifiers must not be guessable, or anybody could answer.
        self._rng = rng or random.SystemRandom()
        self._hosts = SystemFile(hosts, parse_hosts, elapsed=elapsed)
        self._settings = SystemFile(resolv_conf, parse_resolv_conf, elapsed=elapsed)

    async def resolve(self, host: str, *, port: int, view: NameView, deadline: float) -> Resolution:
        """Return the addresses of a host. Raises ResolveFailed where it has none, or none by ``deadline``.

        ``deadline`` is a reading of the event loop's clock.
        """
        name = host.rstrip(".").lower()
        local = self._without_dns(name, port, view)
        if local is None:
            return await self._by_dns(host, view, deadline)
        if view.family is IpFamily.ANY:
            return local
        addresses = tuple(address for address in local.addresses if _fits(address, view.family))
        if not addresses:
            msg = f"{name} has no {view.family.value} address"
            raise ResolveFailed(Failure.DNS_NO_ADDRESS, msg, local)
        return Resolution(addresses=addresses, source=local.source)

    def _without_dns(self, name: str, port: int, view: NameView) -> Resolution | None:
        for override in view.overrides:
            if override.host.rstrip(".").lower() == name and override.port in {None, port}:
                return Resolution(addresses=(override.address.strip("[]"),), source=ResolutionSource.OVERRIDE)
        if is_address(name):
            return Resolution(addresses=(name,), source=ResolutionSource.LITERAL)
        if view.server is None and view.asking is Asking.USUAL and (found := self._hosts.read().get(name)):
            return Resolution(addresses=found, source=ResolutionSource.HOSTS_FILE)
        # RFC 6761: such names are loopback, whatever a server may say.
        if name == "localhost" or name.endswith(".localhost"):
            return Resolution(addresses=_LOOPBACK, source=ResolutionSource.LOCALHOST)
        return None

    async def _by_dns(self, host: str, view: NameView, deadline: float) -> Resolution:
        settings = self._settings.read()
        if view.server is not None:
            settings = ResolverSettings(servers=(parse_server(view.server),))
        if view.asking is not Asking.USUAL:
            settings = replace(settings, search=())
        authorities = self._authorities(settings, view, deadline) if view.asking is Asking.AUTHORITY else None
        failed: ResolveFailed | None = None
        for candidate in _candidates(host, settings):
            inquiry = _Inquiry(candidate, _KINDS[view.family], settings, self._rng, (view.asking, authorities))
            try:
                return await inquiry.run(deadline)
            except ResolveFailed as error:
                failed = failed or error
                if error.failure not in {Failure.DNS_NAME_NOT_RESOLVED, Failure.DNS_NO_ADDRESS}:
                    break
        assert failed is not None, "there is always a name to try"
        raise failed

    def _authorities(self, settings: ResolverSettings, view: NameView, deadline: float) -> Authorities:
        from monitor.probes.vantage.authority import Authorities  # noqa: PLC0415 - heavy, and for experiments only

        return Authorities(
            settings.servers, port=self._authority_port, allowed_private=view.allowed_private, deadline=deadline
        )


class _Inquiry:
    """Follows one name through its aliases to its addresses."""

    def __init__(
        self,
        name: str,
        kinds: tuple[RdataType, ...],
        settings: ResolverSettings,
        rng: random.Random,
        way: tuple[Asking, Authorities | None] = (Asking.USUAL, None),
    ) -> None:
        self._asking, self._authorities = way
        self._name = name
        self._kinds = kinds
        self._settings = settings
        self._rng = rng
        self._seen = [name.rstrip(".").lower()]
        self._errors: list[str] = []
        self._rcode: int | None = None
        self._seconds = 0.0

    async def run(self, deadline: float) -> Resolution:
        name = self._name
        for _ in range(_LONGEST_CHAIN):
            replies = await self._ask(name, deadline)
            aliases = {owner: to for answer in replies.definite.values() for owner, to in answer.aliases}
            end = self._follow(aliases)
            found = [
                address
                for kind in self._kinds
                if kind in replies.definite
                for owner, address in replies.definite[kind].addresses
                if owner in self._seen
            ]
            if found:
                return self._facts(tuple(_interleaved(found)))
            self._judge_emptiness(replies, asked=name, end=end)
            name = end
        raise self._failed(Failure.DNS_CNAME_LOOP, f"{self._name}: more than {_LONGEST_CHAIN} aliases")

    async def _ask(self, name: str, deadline: float) -> Replies:
        try:
            lookup = Lookup(name, self._kinds, rng=self._rng, asking=self._asking)
        except ValueError as error:
            raise self._failed(Failure.DNS_NAME_NOT_RESOLVED, str(error)) from error
        settings = self._settings
        if self._authorities is not None:
            settings = self._settings = replace(settings, servers=await self._found(name, self._authorities))
        replies = await lookup.ask(
            settings.servers, attempts=settings.attempts, patience=settings.timeout, deadline=deadline
        )
        self._seconds += replies.seconds
        if self._authorities is not None:
            # Whoever answers there without calling the zone its own is no witness: something on the way may have.
            replies.definite = {kind: answer for kind, answer in replies.definite.items() if answer.authoritative}
        for answer in (*replies.definite.values(), *replies.refusals):
            self._note(answer)
        if not replies.definite:
            now_late = asyncio.get_running_loop().time() >= deadline
            failure = Failure.DNS_TIMED_OUT if now_late and not replies.refusals else replies.failure
            raise self._failed(failure, f"{name}: {_words(failure)} (asked {self._servers})")
        return replies

    async def _found(self, name: str, authorities: Authorities) -> tuple[NameServer, ...]:
        before = time.monotonic()
        servers = await authorities.of(name)
        self._seconds += time.monotonic() - before
        if not servers:
            self._settings = replace(self._settings, servers=())
            msg = f"{name}: no server was found that the zone calls its own"
            raise self._failed(Failure.DNS_UNREACHABLE, msg)
        return servers

    def _note(self, answer: Answer) -> None:
        self._rcode = max(answer.rcode, self._rcode or 0)
        for code, text in answer.errors:
            words = f"{code} {_ede_name(code)}" + (f": {text}" if text else "")
            if words not in self._errors:
                self._errors.append(words)

    def _follow(self, aliases: dict[str, str]) -> str:
        name = self._seen[-1]
        while name in aliases:
            name = aliases[name]
            if name in self._seen:
                raise self._failed(Failure.DNS_CNAME_LOOP, f"{self._name}: its aliases lead back to {name}")
            self._seen.append(name)
        return name

    def _judge_emptiness(self, replies: Replies, *, asked: str, end: str) -> None:
        if any(answer.rcode == Rcode.NXDOMAIN for answer in replies.definite.values()):
            raise self._failed(Failure.DNS_NAME_NOT_RESOLVED, f"{end} does not exist")
        if replies.refusals:
            failure = replies.failure
            raise self._failed(failure, f"{end}: {_words(failure)} (asked {self._servers})")
        if end == asked.rstrip(".").lower():
            raise self._failed(Failure.DNS_NO_ADDRESS, f"{end} exists, but has no address")

    @property
    def _servers(self) -> str:
        return ", ".join(str(server) for server in self._settings.servers)

    def _facts(self, addresses: tuple[str, ...]) -> Resolution:
        # Where addresses came, what another server or the question for the other kind brought is not the answer.
        rcode = Rcode.NOERROR if addresses else self._rcode
        return Resolution(
            addresses=addresses,
            aliases=tuple(self._seen[1:]),
            rcode=None if rcode is None else rcode_text(Rcode.make(rcode)),
            errors=tuple(self._errors),
            server=self._servers,
            seconds=self._seconds,
        )

    def _failed(self, failure: Failure, message: str) -> ResolveFailed:
        notes = f" [{'; '.join(self._errors)}]" if self._errors else ""
        return ResolveFailed(failure, message + notes, self._facts(()))


@lru_cache(maxsize=4096)
def is_address(text: str) -> bool:
    """Say whether a text is an IP address."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _fits(address: str, family: IpFamily) -> bool:
    match family:
        case IpFamily.ANY:
            return True
        case IpFamily.IPV4:
            return ":" not in address
        case IpFamily.IPV6:
            return ":" in address


def _interleaved(addresses: list[str]) -> list[str]:
    """Return IPv6 and IPv4 addresses in turn (RFC 8305, section 4), each once."""
    sixes = [address for address in dict.fromkeys(addresses) if ":" in address]
    fours = [address for address in dict.fromkeys(addresses) if ":" not in address]
    mixed: list[str] = []
    for index in range(max(len(sixes), len(fours))):
        mixed += sixes[index : index + 1] + fours[index : index + 1]
    return mixed


def _candidates(host: str, settings: ResolverSettings) -> list[str]:
    if host.endswith("."):
        return [host]
    searched = [f"{host}.{domain}" for domain in settings.search if domain]
    return [host, *searched] if host.count(".") >= settings.ndots else [*searched, host]


def _ede_name(code: int) -> str:
    try:
        return EDECode(code).name.lower().replace("_", " ")
    except ValueError:
        return "unassigned"


def _words(failure: Failure) -> str:
    match failure:
        case Failure.DNS_TIMED_OUT:
            return "no DNS server answered in time"
        case Failure.DNS_SERVER_FAILURE:
            return "the DNS server failed to find out (SERVFAIL)"
        case Failure.DNS_REFUSED:
            return "the DNS server refused to answer"
        case Failure.DNS_UNREACHABLE:
            return "no DNS server is reachable"
        case Failure.DNS_MALFORMED:
            return "what the DNS server sent is no answer"
        case _:
            return "the DNS server answered with an error"
