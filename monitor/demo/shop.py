"""The shop as a whole: starts and stops every host, breaks them and mends them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Self

from monitor.demo.applications import Premises, applications
from monitor.demo.certificates import Authority, CertificateKind
from monitor.demo.control import control_application
from monitor.demo.faults import Fault, fault_named
from monitor.demo.hosts import HOSTNAMES, PUBLIC, Addresses, Host, Ports
from monitor.demo.listener import LOOPBACK, Listener, Listening
from monitor.demo.orders import OrderBook
from monitor.demo.pages import Pages
from monitor.demo.world import World
from monitor.domain.clock import Clock, SystemClock
from monitor.domain.profile import HostOverride

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from starlette.types import ASGIApp, Receive, Scope, Send

_log = logging.getLogger(__name__)

MONITOR = "http://127.0.0.1:9488"
_CONFIRM_AFTER = 0.8


class Shop:
    """A running shop; ``async with`` starts and stops it.

    Attributes:
        addresses: Where each host can be reached, known once the shop has started.
    """

    addresses: Addresses

    def __init__(
        self,
        directory: Path,
        *,
        ports: Ports | None = None,
        clock: Clock | None = None,
        monitor_url: str = MONITOR,
        confirm_after: float = _CONFIRM_AFTER,
        control_address: str = LOOPBACK,
    ) -> None:
        """Prepare a shop that keeps its certificates in ``directory`` and confirms orders after so many seconds.

        The control page listens on ``control_address``, everything else on loopback.
        """
        self._ports = ports or Ports.starting_at()
        self._authority = Authority(directory, clock or SystemClock())
        self._monitor_url = monitor_url
        self._control_address = control_address
        self._world = World()
        self._orders = OrderBook(self._world, delay=confirm_after)
        self._listeners: dict[Host, Listener] = {}
        self._presented = dict.fromkeys(PUBLIC, CertificateKind.VALID)
        self._turn = asyncio.Lock()

    @property
    def ca_path(self) -> Path:
        """Return the file of the certificate that a client must trust."""
        return self._authority.path

    @property
    def ca_pem(self) -> str:
        """Return the certificate that a client must trust, as PEM text."""
        return self._authority.pem

    @property
    def hosts(self) -> tuple[HostOverride, ...]:
        """Return what to resolve for a client whose system does not know names below ``localhost``."""
        return tuple(HostOverride(host=HOSTNAMES[host], address="127.0.0.1") for host in PUBLIC)

    @property
    def broken(self) -> tuple[Fault, ...]:
        """Return the faults that are made just now."""
        return self._world.broken

    def url(self, host: str) -> str:
        """Return the address of a host by its name: ``shop``, ``api``, ``payment``, …, ``control``."""
        return self.addresses.url(Host(host))

    def connections(self, host: str) -> int:
        """Return how many clients are connected to a host."""
        return self._listeners[Host(host)].connections

    async def break_(self, name: str) -> None:
        """Make a fault. Raises KeyError where there is none of this name."""
        self._world.break_(fault_named(name))
        await self._apply()
        _log.info("the shop was broken", extra={"fault": name})

    async def mend(self, name: str | None = None) -> None:
        """Undo a fault, or all. Raises KeyError where there is none of this name."""
        if name is None:
            self._world.mend_all()
        else:
            self._world.mend(fault_named(name).name)
        await self._apply()
        _log.info("the shop was mended", extra={"fault": name or "all"})

    async def __aenter__(self) -> Self:
        """Start every host. Raises PortTakenError where a port is in use."""
        outlets = {host: _Outlet() for host in Host}
        try:
            for host, outlet in outlets.items():
                address = self._control_address if host is Host.CONTROL else LOOPBACK
                self._listeners[host] = Listener(outlet, choose_context=self._chooser(host), address=address)
            ports = {host: listener.bind(self._ports.numbers[host]) for host, listener in self._listeners.items()}
            self.addresses = Addresses(ports=ports)
            for host, app in self._build().items():
                outlets[host].app = app
            for listener in self._listeners.values():
                await listener.become(Listening.SERVES)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop every host."""
        await self.close()

    async def close(self) -> None:
        """Let go of what is held, stop every host and release the ports."""
        self._world.close()
        await self._orders.close()
        for listener in self._listeners.values():
            await listener.close()

    def _build(self) -> dict[Host, ASGIApp]:
        pages = Pages(self.addresses)
        premises = Premises(pages=pages, addresses=self.addresses, world=self._world, orders=self._orders)
        control = control_application(self, pages, self.addresses, monitor_url=self._monitor_url)
        return {**applications(premises), Host.CONTROL: control}

    def _chooser(self, host: Host) -> Callable[[], ssl.SSLContext] | None:
        if host is Host.CONTROL:
            return None
        return lambda: self._authority.context(HOSTNAMES[host], self._world.certificate(host))

    async def _apply(self) -> None:
        async with self._turn:
            for host in PUBLIC:
                listener = self._listeners[host]
                kind = self._world.certificate(host)
                await listener.become(self._world.listening(host))
                if kind is not self._presented[host]:
                    self._presented[host] = kind
                    # A connection that is open was made with the other certificate.
                    listener.cut()


class _Outlet:
    """Stands for an application until all ports are known, since every application names every address."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


async def serve(
    directory: Path,
    ports: Ports | None = None,
    *,
    control_address: str = LOOPBACK,
    monitor_url: str = MONITOR,
    on_ready: Callable[[Shop], None] | None = None,
) -> None:
    """Run the shop until the task is canceled; ``on_ready`` is told once every host listens.

    Raises PortTakenError where a port cannot be had.
    """
    async with Shop(directory, ports=ports, control_address=control_address, monitor_url=monitor_url) as shop:
        if on_ready is not None:
            on_ready(shop)
        await asyncio.Event().wait()
