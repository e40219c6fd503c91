"""What a fault does to the world, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.demo.certificates import CertificateKind
from monitor.demo.listener import Listening

if TYPE_CHECKING:
    from monitor.demo.hosts import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """These hosts refuse or reset connections."""

    hosts: tuple[Host, ...]
    how: Listening = Listening.REFUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """These hosts present another kind of certificate."""

    hosts: tuple[Host, ...]
    kind: CertificateKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which requests an effect touches: a host, paths below a prefix, and a method (``None`` for any)."""

    host: Host
    path: str = "/"
    method: str | None = None

    def covers(self, host: Host, path: str, method: str) -> bool:
        """Say whether a request is touched."""
        return self.host is host and path.startswith(self.path) and self.method in (None, method)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """Requests get no answer until the fault is mended."""

    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Requests are answered later."""

    scope: Scope
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """Requests get this answer instead of the right one."""

    scope: Scope
    status: int
    body: str = ""
    media_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """In the body of answers, the first ``old`` becomes ``new``."""

    scope: Scope
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteHeader:
    """In one header of answers, ``old`` (``{payment}`` stands for that host's address) becomes ``new``, once.

    Without ``old`` the whole header goes.
    """

    scope: Scope
    name: str
    old: str | None = None
    new: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StallOrders:
    """The order back end takes orders and never confirms them."""


Effect = Listen | Present | Hang | Delay | Respond | Rewrite | RewriteHeader | StallOrders
