"""What is broken just now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from monitor.demo.certificates import CertificateKind
from monitor.demo.effects import Effect, Listen, Present
from monitor.demo.listener import Listening

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.demo.faults import Fault
    from monitor.demo.hosts import Host

_Kind = TypeVar("_Kind", bound=Effect)


class World:
    """The set of faults that are made, in the order in which they were made."""

    def __init__(self) -> None:
        """Begin with everything in order."""
        self._broken: dict[str, Fault] = {}
        self._closed = False
        self._changed = asyncio.Event()

    @property
    def broken(self) -> tuple[Fault, ...]:
        """Return the faults that are made just now."""
        return tuple(self._broken.values())

    def break_(self, fault: Fault) -> None:
        """Make a fault; one that is made already stays."""
        self._broken[fault.name] = fault
        self._announce()

    def mend(self, name: str) -> None:
        """Undo a fault; one that is not made is no error."""
        self._broken.pop(name, None)
        self._announce()

    def mend_all(self) -> None:
        """Undo every fault."""
        self._broken.clear()
        self._announce()

    def close(self) -> None:
        """Let go of every request that is being held."""
        self._closed = True
        self.mend_all()

    def effects(self, kind: type[_Kind]) -> tuple[_Kind, ...]:
        """Return the effects of one kind."""
        return tuple(effect for fault in self._broken.values() for effect in fault.effects if isinstance(effect, kind))

    def listening(self, host: Host) -> Listening:
        """Return what a host does with connections just now."""
        hows = [effect.how for effect in self.effects(Listen) if host in effect.hosts]
        return hows[0] if hows else Listening.SERVES

    def certificate(self, host: Host) -> CertificateKind:
        """Return which kind of certificate a host presents just now."""
        kinds = [effect.kind for effect in self.effects(Present) if host in effect.hosts]
        return kinds[0] if kinds else CertificateKind.VALID

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on the faults holds, or the shop is closed."""
        while not self._closed and not condition():
            await self._changed.wait()

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the shop is closed."""
        try:
            async with asyncio.timeout(seconds):
                await self.until(lambda: False)
        except TimeoutError:
            return

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
