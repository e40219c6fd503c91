"""Finds the servers that a zone calls its own: asked for at a resolver, then followed down from the zone above."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
from dns.rdatatype import RdataType

from monitor.probes.vantage.system import NameServer

_PATIENCE = 1.5
_MOST_SERVERS = 2
_MOST_ZONES = 4
_PAYLOAD = 1232


class Authorities:
    """Finds the own servers of zones for one look-up; what a resolver cannot tell, the zone above may."""

    def __init__(self, resolvers: tuple[NameServer, ...], *, port: int, allowed_private: bool, deadline: float) -> None:
        """Ask ``resolvers`` which servers there are; ``deadline`` is a reading of the event loop's clock."""
        self._resolvers = resolvers
        self._port = port
        self._allowed_private = allowed_private
        self._deadline = deadline

    async def of(self, host: str) -> tuple[NameServer, ...]:
        """Return servers of the zone that holds a name, two at the most; none where none are to be found."""
        try:
            name = dns.name.from_text(host)
        except dns.exception.DNSException:
            return ()
        servers = await self._nearest(name)
        seen: set[dns.name.Name] = set()
        for _ in range(_MOST_ZONES):
            below = await self._below(name, servers) if servers else None
            if below is None or below.owner in seen:
                break
            seen.add(below.owner)
            servers = below.glue or await self._addresses(below.hosts)
        return servers

    async def _nearest(self, name: dns.name.Name) -> tuple[NameServer, ...]:
        """Return the servers of the nearest zone at or above a name for which the resolver knows any."""
        zones = list(_upwards(name))
        asked = (self._ask(zone, RdataType.NS, self._resolvers, recursive=True) for zone in zones)
        for zone, answer in zip(zones, await asyncio.gather(*asked), strict=True):
            hosts = _hosts(answer, zone) if answer is not None else ()
            if hosts and (servers := await self._addresses(hosts)):
                return servers
        return ()

    async def _below(self, name: dns.name.Name, servers: tuple[NameServer, ...]) -> _Delegation | None:
        """Return to whom a server hands on a name, or nothing where it speaks for the name itself or says nothing."""
        answer = await self._ask(name, RdataType.A, servers, recursive=False)
        if answer is None or answer.flags & dns.flags.AA:
            return None
        for rrset in answer.authority:
            if rrset.rdtype == RdataType.NS and name.is_subdomain(rrset.name):
                hosts = tuple(sorted(record.target for record in rrset))
                return _Delegation(rrset.name, hosts[:_MOST_SERVERS], self._glue(answer, hosts))
        return None

    def _glue(self, answer: dns.message.Message, hosts: tuple[dns.name.Name, ...]) -> tuple[NameServer, ...]:
        addresses = [
            record.address
            for rrset in answer.additional
            if rrset.name in hosts and rrset.rdtype in (RdataType.A, RdataType.AAAA)
            for record in rrset
        ]
        return self._servers(addresses)

    async def _addresses(self, hosts: tuple[dns.name.Name, ...]) -> tuple[NameServer, ...]:
        kinds = [(host, kind) for host in hosts for kind in (RdataType.A, RdataType.AAAA)]
        asked = (self._ask(host, kind, self._resolvers, recursive=True) for host, kind in kinds)
        answers = await asyncio.gather(*asked)
        found = [
            record.address
            for (_, kind), answer in zip(kinds, answers, strict=True)
            if answer is not None
            for rrset in answer.answer
            if rrset.rdtype == kind
            for record in rrset
        ]
        return self._servers(found)

    def _servers(self, addresses: list[str]) -> tuple[NameServer, ...]:
        # Most networks have IPv4, and one of them is enough.
        usable = sorted((a for a in dict.fromkeys(addresses) if self._may_ask(a)), key=lambda a: ":" in a)
        return tuple(NameServer(address, self._port) for address in usable[:_MOST_SERVERS])

    def _may_ask(self, address: str) -> bool:
        found = ipaddress.ip_address(address)
        return found.is_global or (self._allowed_private and not found.is_link_local)

    async def _ask(
        self, name: dns.name.Name, kind: RdataType, servers: tuple[NameServer, ...], *, recursive: bool
    ) -> dns.message.Message | None:
        """Return the first answer that one of the servers gives, signatures unchecked; nothing where none does."""
        question = dns.message.make_query(name, kind, use_edns=0, payload=_PAYLOAD)
        question.flags = dns.flags.Flag(dns.flags.RD | dns.flags.CD if recursive else 0)
        for server in servers[:_MOST_SERVERS]:
            left = min(_PATIENCE, self._deadline - asyncio.get_running_loop().time())
            if left <= 0:
                return None
            try:
                answer, _ = await dns.asyncquery.udp_with_fallback(
                    question, server.address, timeout=left, port=server.port, ignore_unexpected=True
                )
            except (OSError, EOFError, dns.exception.DNSException):
                continue
            return answer
        return None


class _Delegation:
    """To whom a zone hands on the names below ``owner``."""

    def __init__(self, owner: dns.name.Name, hosts: tuple[dns.name.Name, ...], glue: tuple[NameServer, ...]) -> None:
        self.owner = owner
        self.hosts = hosts
        self.glue = glue


def _upwards(name: dns.name.Name) -> Iterator[dns.name.Name]:
    """Yield a name and those above it, the root left out."""
    while name != dns.name.root:
        yield name
        name = name.parent()


def _hosts(answer: dns.message.Message, zone: dns.name.Name) -> tuple[dns.name.Name, ...]:
    found = (rrset for rrset in answer.answer if rrset.rdtype == RdataType.NS and rrset.name == zone)
    return tuple(sorted(record.target for rrset in found for record in rrset))[:_MOST_SERVERS]
