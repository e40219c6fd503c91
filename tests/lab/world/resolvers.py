"""DNS servers of the world: the client's own, another one that may be asked as well, and that of the own zones."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Mapping

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from tests.lab.vocabulary import AUTHORITY
from tests.lab.world.faults import Faults, Trouble
from tests.lab.world.names import Names

_PORT = 53
_LARGEST = 4096
# RFC 8914: what a resolver says that checks signatures, and finds them wrong.
_SIGNATURES = frozenset(range(6, 13))
_TTL = 1


class Resolver:
    """Answers for every name of the world over UDP; what it does not know does not exist."""

    def __init__(self, role: str, names: Names, faults: Faults, addresses: Mapping[str, str]) -> None:
        """Answer as ``role`` with these addresses by host name."""
        self._role = role
        self._names = names
        self._faults = faults
        self._zone = dict(addresses)
        self._roles: dict[str, set[str]] = {}
        for known, host in names.hosts.items():
            self._roles.setdefault(host, set()).add(known)
        self._aliases = {names.hosts["hosted"]: names.hosts["target"]}
        self._own_zones = {names.domains["own"], names.domains["api"]}
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Listen. Raises OSError where that is not allowed."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((self._names.addresses[self._role], _PORT))
        threading.Thread(target=self._listen, args=(self._socket,), daemon=True).start()

    def close(self) -> None:
        """Stop."""
        if self._socket is not None:
            self._socket.close()

    def _listen(self, listening: socket.socket) -> None:
        while True:
            try:
                packet, peer = listening.recvfrom(_LARGEST)
            except OSError:
                return
            threading.Thread(target=self._send, args=(listening, packet, peer), daemon=True).start()

    def _send(self, listening: socket.socket, packet: bytes, peer: tuple[str, int]) -> None:
        answer = self.answer(packet)
        with contextlib.suppress(OSError):
            if answer is not None:
                listening.sendto(answer, peer)

    def answer(self, packet: bytes) -> bytes | None:
        """Return what is answered to a packet, after as long as the faults make it take; nothing where it is silent."""
        try:
            asked = dns.message.from_wire(packet)
        except (dns.exception.DNSException, ValueError):
            return None
        if not asked.question:
            return None
        name = asked.question[0].name.to_text(omit_final_dot=True).lower()
        trouble = self._trouble(name)
        kind = str(trouble.get("answer")) if trouble is not None else ""
        if kind == "drop":
            return None
        if kind == "delay" and trouble is not None:
            time.sleep(float(trouble.get("seconds", 2.5)))
        return self._reply(asked, name, kind, trouble).to_wire()

    def _trouble(self, name: str) -> Trouble | None:
        roles = self._roles.get(name, set())
        for trouble in self._faults.of_kind("dns"):
            if self._role in trouble.roles:
                return trouble
            at = [str(one).lstrip("@") for one in trouble.get("resolvers") or ("r1", "r2")]
            if roles & trouble.roles and self._role in at:
                return trouble
        return None

    def _reply(self, asked: dns.message.Message, name: str, kind: str, trouble: Trouble | None) -> dns.message.Message:
        reply = dns.message.make_response(asked, recursion_available=True)
        if self._role == AUTHORITY:
            reply.flags = reply.flags & ~dns.flags.RA | dns.flags.AA
        code = trouble.get("extended_error") if trouble is not None else None
        if asked.flags & dns.flags.CD and (kind == "bogus" or code in _SIGNATURES):
            # Whoever leaves signatures unchecked is answered by a resolver that finds them wrong.
            kind, code = "", None
        if code is not None and asked.edns >= 0:
            reply.use_edns(0, options=[dns.edns.EDEOption(code)])
        if kind in {"servfail", "bogus", "refused"}:
            reply.set_rcode(dns.rcode.REFUSED if kind == "refused" else dns.rcode.SERVFAIL)
        elif kind == "loop":
            for alias, end in ((f"{name}.", f"a.{name}."), (f"a.{name}.", f"{name}.")):
                reply.answer.append(dns.rrset.from_text(alias, _TTL, "IN", "CNAME", end))
        elif name in self._own_zones and self._names.hosts[AUTHORITY] in self._zone:
            self._of_zone(reply, name)
        else:
            self._of_host(reply, name, kind, trouble)
        return reply

    def _of_zone(self, reply: dns.message.Message, name: str) -> None:
        if reply.question[0].rdtype == dns.rdatatype.NS:
            server = self._names.hosts[AUTHORITY]
            reply.answer.append(dns.rrset.from_text(f"{name}.", _TTL, "IN", "NS", f"{server}."))

    def _of_host(self, reply: dns.message.Message, name: str, kind: str, trouble: Trouble | None) -> None:
        end = self._aliases.get(name, name)
        known = self._zone.get(end)
        if kind == "nxdomain" or known is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
            return
        owner = reply.question[0].name.to_text()
        if end != name:
            reply.answer.append(dns.rrset.from_text(owner, _TTL, "IN", "CNAME", end + "."))
            owner = end + "."
        given = self._names.addresses.get(str(trouble.get("address", "")).lstrip("@")) if trouble is not None else None
        address = given if kind == "address" and given else known
        question = reply.question[0].rdtype
        if question == dns.rdatatype.A and kind != "empty":
            reply.answer.append(dns.rrset.from_text(owner, _TTL, "IN", "A", address))
        if question == dns.rdatatype.AAAA and kind == "aaaa" and trouble is not None:
            reply.answer.append(
                dns.rrset.from_text(owner, _TTL, "IN", "AAAA", str(trouble.get("address", "fd00:5::7")))
            )
