"""As whom a journey is made: the customer's device, browser and line."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.domain.secret import Secret


class Engine(StrEnum):
    """A browser engine."""

    CHROMIUM = "chromium"
    FIREFOX = "firefox"
    WEBKIT = "webkit"


class IpFamily(StrEnum):
    """Which IP versions the client may use."""

    ANY = "any"
    IPV4 = "ipv4"
    IPV6 = "ipv6"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewport:
    """The size of the page's window, in CSS pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The access line. ``None`` leaves a figure unlimited; ``offline`` cuts the line."""

    name: str
    latency: dt.timedelta = dt.timedelta()
    download_bits_per_second: int | None = None
    upload_bits_per_second: int | None = None
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A forward proxy between the client and everything else."""

    url: str
    username: str | None = None
    password: Secret | None = None
    bypass: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOverride:
    """Sends one name to an address, as curl's ``--resolve`` does. ``port`` is ``None`` for every port."""

    host: str
    address: str
    port: int | None = None


class Asking(StrEnum):
    """How names are asked for: as a client does, with signatures left unchecked, or of the zone's own servers."""

    USUAL = "usual"
    UNCHECKED = "unchecked"
    AUTHORITY = "authority"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProfile:
    """As whom: engine, device, screen, place, line, machine and storage.

    Attributes:
        full_browser: Use the full Chromium rather than its headless shell.
        device: The name of a Playwright device, whose values the other fields override.
        resolver: The DNS server to ask, ``address`` or ``address:port``; the system's when ``None``.
        asking: How it is asked; no client asks otherwise than usual, but an experiment may.
        extra_ca: PEM text of certificate authorities that this client trusts beside the public ones.
        cpu_slowdown: How many times slower the client's processor is; 1 is this machine's own.
        third_party_storage: Whether cookies and storage of other sites are kept.
        supported: Whether the business promises that this client works.
    """

    name: str
    engine: Engine = Engine.CHROMIUM
    full_browser: bool = False
    device: str | None = None
    viewport: Viewport | None = None
    locale: str | None = None
    timezone: str | None = None
    user_agent: str | None = None
    network: Network | None = None
    cpu_slowdown: float = 1.0
    javascript: bool = True
    third_party_storage: bool = True
    proxy: Proxy | None = None
    extra_ca: str | None = field(default=None, repr=False)
    resolver: str | None = None
    asking: Asking = Asking.USUAL
    hosts: tuple[HostOverride, ...] = ()
    ip_family: IpFamily = IpFamily.ANY
    http2: bool = True
    supported: bool = True
