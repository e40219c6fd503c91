"""DNS servers of the world: the client's own, and others that may be asked as well."""

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
            threading.Thread(target=self._answer, args=(listening, packet, peer), daemon=True).start()

    def _answer(self, listening: socket.socket, packet: bytes, peer: tuple[str, int]) -> None:
        try:
            asked = dns.message.from_wire(packet)
        except (dns.exception.DNSException, ValueError):
            return
        if not asked.question:
            return
        name = asked.question[0].name.to_text(omit_final_dot=True).lower()
        trouble = self._trouble(name)
        kind = str(trouble.get("answer")) if trouble is not None else ""
        if kind == "drop":
            return
        if kind == "delay" and trouble is not None:
            time.sleep(float(trouble.get("seconds", 2.5)))
        with contextlib.suppress(OSError):
            listening.sendto(self._reply(asked, name, kind, trouble).to_wire(), peer)

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
        code = trouble.get("extended_error") if trouble is not None else None
        if code in _SIGNATURES and asked.flags & dns.flags.CD:
            # Whoever leaves signatures unchecked is answered by a resolver that finds them wrong.
            kind, code = "", None
        if code is not None and asked.edns >= 0:
            reply.use_edns(0, options=[dns.edns.EDEOption(code)])
        if kind == "servfail":
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply
        end = self._aliases.get(name, name)
        known = self._zone.get(end)
        if kind == "nxdomain" or known is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
            return reply
        owner = asked.question[0].name.to_text()
        if end != name:
            reply.answer.append(dns.rrset.from_text(owner, _TTL, "IN", "CNAME", end + "."))
            owner = end + "."
        given = self._names.addresses.get(str(trouble.get("address", "")).lstrip("@")) if trouble is not None else None
        address = given if kind == "address" and given else known
        question = asked.question[0].rdtype
        if question == dns.rdatatype.A and kind != "empty":
            reply.answer.append(dns.rrset.from_text(owner, _TTL, "IN", "A", address))
        if question == dns.rdatatype.AAAA and kind == "aaaa" and trouble is not None:
            reply.answer.append(
                dns.rrset.from_text(owner, _TTL, "IN", "AAAA", str(trouble.get("address", "fd00:5::7")))
            )
        return reply
