"""A whole world: built for one scenario and one seed, broken and mended on request."""

from __future__ import annotations

import ssl
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.manifest import Manifest
from tests.lab.vocabulary import AUTHORITY, CONTROLS, OWN, RESOLVERS, VENDORS
from tests.lab.world.certificates import Certificates
from tests.lab.world.edge import Edge
from tests.lab.world.faults import Faults
from tests.lab.world.messages import Answer, Request, redirect
from tests.lab.world.names import Names, draw
from tests.lab.world.proxies import Proxy
from tests.lab.world.resolvers import Resolver
from tests.lab.world.server import App, Server, Tenant
from tests.lab.world.shop import Shop
from tests.lab.world.vendors import Vendors

_HTTPS = 443


class World:
    """Servers on loopback; ``with`` starts and stops them.

    ``privileged``: each stands at the usual port of its own address and has a name in the world's own DNS. Otherwise
    the port is a drawn one, and the monitor must be told the addresses.
    """

    def __init__(self, manifest: Manifest, seed: int, directory: Path, *, privileged: bool, block: int = 0) -> None:
        """Draw names and build everything. Raises ValueError for a manifest that names what is not there."""
        self.manifest = manifest
        self.privileged = privileged
        self.names: Names = draw(f"{manifest.id}/{seed}", port=_HTTPS if privileged else None, block=block)
        self.faults = Faults(manifest.faults, self.names)
        words = tuple(self.names.domains[role].partition(".")[0] for role in ("own", "cdn", "control1", "tenant"))
        self.certificates = Certificates(directory, words)
        self.edge = Edge(self.names, manifest.world.dialect)
        self._vendors = Vendors(self.names)
        self._shop = Shop(self.names, manifest.world, self.faults, login=manifest.world.login)
        self._servers = tuple(self._server(*roles) for roles in self._groups())
        asked = (*RESOLVERS, AUTHORITY) if manifest.world.authority else RESOLVERS
        self.resolvers = {role: Resolver(role, self.names, self.faults, self.zone()) for role in asked}
        self.proxies = {
            role: Proxy(role, self.names, self.faults, self.certificates, partial(self._find, role))
            for role in ("proxy", "vantage1", "vantage2")
        }
        self.faults.tell(self._changed)

    def __enter__(self) -> Self:
        """Start everything. Raises OSError where an address is taken."""
        try:
            for server in self._servers:
                server.start()
            for proxy in self.proxies.values():
                proxy.start()
            if self.privileged:
                for resolver in self.resolvers.values():
                    resolver.start()
        except OSError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        for part in (*self.resolvers.values(), *self.proxies.values(), *self._servers):
            part.close()

    def _changed(self, roles: frozenset[str]) -> None:
        everybody = bool(self.faults.of_kind("clock"))
        for server in self._servers:
            if everybody or server.roles & roles:
                server.update()
        for role, proxy in self.proxies.items():
            if role in roles:
                proxy.update()

    def _groups(self) -> tuple[tuple[str, ...], ...]:
        single = tuple(
            (role,) for role in (*OWN, *VENDORS, *CONTROLS, "edgecontrol", "portal") if role not in {"saas", "edge"}
        )
        behind = (("origin",), ("edge2",)) if self.manifest.world.edge else ()
        return (*single, ("saas", "hosted", "tenant", "target"), *behind)

    def _server(self, *roles: str) -> Server:
        tenants = tuple(
            Tenant(
                role="own" if role == "edge2" else role,
                host=self._host(role),
                app=self._app(role),
                context=partial(self._context, self._issuer(role)),
            )
            for role in roles
        )
        return Server(tenants, self.names.addresses[roles[0]], self.names.port, self.faults, moved=self._moved)

    def _host(self, role: str) -> str:
        return (
            self.names.hosts["own"]
            if role in {"origin", "edge2"}
            else self.names.hosts.get(role, f"portal.{self.names.domains['ads']}")
        )

    def _app(self, role: str) -> App:
        shop, vendors = self._shop, self._vendors
        edged = self.manifest.world.edge is not None
        if role in {"own", "edge2"} and edged:
            return self.edge.front(self.edge.fetch)
        own: dict[str, App] = {
            "own": shop.own,
            "origin": shop.own,
            "api": shop.api,
            "flags": shop.flags,
            "live": shop.live,
        }
        if role in own:
            return own[role]
        if role == "edgecontrol":
            return self.edge.front(vendors.other)
        if role == "portal":
            return self._portal
        if role in {"saas", "hosted", "tenant", "target"}:
            return vendors.saas
        found: App = getattr(vendors, role, vendors.other)
        return found

    def _portal(self, _request: Request) -> Answer:
        return redirect(f"https://portal.{self.names.domains['ads']}/welcome")

    @staticmethod
    def _issuer(role: str) -> int:
        return (
            0
            if role in {*OWN, "origin", "edge2", "hosted"}
            else 2
            if role in {*CONTROLS, "edgecontrol", "tenant"}
            else 1
        )

    def _context(self, issuer: int, host: str, bad: dict[str, object]) -> ssl.SSLContext:
        kind = str(bad.get("kind", "good"))
        days = float(bad.get("days", 0) or 0)  # type: ignore[arg-type]  # a number in every manifest
        other = f"{self.names.library.lower()}.{self.names.domains['tenant']}"
        return self.certificates.context(host, issuer=issuer, kind=kind, other=other, days=days, moved=self._moved())

    def _moved(self) -> float:
        return next((float(trouble.get("days")) for trouble in self.faults.of_kind("clock")), 0.0)

    def zone(self) -> dict[str, str]:
        """Return the address of each host name."""
        zone = {
            host: self.names.addresses[role] for role, host in self.names.hosts.items() if role in self.names.addresses
        }
        zone[self.names.hosts["own"]] = self.names.addresses["own"]
        zone[self.names.hosts["target"]] = self.names.addresses["saas"]
        if not self.manifest.world.authority:
            del zone[self.names.hosts[AUTHORITY]]
        return zone

    def _find(self, role: str, host: str) -> str | None:
        if self.manifest.world.edge and role != "proxy" and host == self.names.hosts["own"]:
            return self.names.addresses["edge2"]
        zone = self.zone()
        return zone.get(host) or (self.names.addresses["saas"] if host == self.names.hosts["hosted"] else None)
