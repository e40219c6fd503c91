"""Which hosts, paths and capabilities belong to whom, as the user told us."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PathOwner:
    """A team that owns the paths below a prefix of a host (``*`` for every own host)."""

    host: str
    prefix: str
    team: str
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOwner:
    """A team that owns a host (exact, or ``*.`` and a suffix)."""

    host: str
    team: str
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityOwner:
    """A team that owns a back-end capability."""

    capability: str
    team: str
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A third party the user named, its hosts (exact, or ``*.`` and a suffix), and whether journeys need it.

    Attributes:
        objective: The share of requests that it should answer, between 0 and 1.
    """

    name: str
    hosts: tuple[str, ...]
    critical: bool = False
    category: str = ""
    objective: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedName:
    """An own name that a vendor serves."""

    host: str
    vendor: str
    control: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an own host is really served, behind the edge: ``address`` or ``address:port``."""

    host: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """The user's statement of who owns what. Data sets only name strangers; this decides.

    Attributes:
        domains: Own registrable domains; every host below one is own unless said otherwise.
        default_team: Who owns what is own and named nowhere else.
        origins: Where own hosts behind an edge are served, so that edge and origin can be told apart.
        controls: URLs of three diverse targets; they tell whether we ourselves can see the world.
    """

    domains: tuple[str, ...] = ()
    hosts: tuple[HostOwner, ...] = ()
    paths: tuple[PathOwner, ...] = ()
    capabilities: tuple[CapabilityOwner, ...] = ()
    vendors: tuple[Vendor, ...] = ()
    hosted: tuple[HostedName, ...] = ()
    edges: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    default_team: str | None = None
