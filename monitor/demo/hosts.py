"""The hosts of the shop and of its third parties: their names, their ports and their addresses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_PORT = 8443


class Host(StrEnum):
    """One host of the shop's world, by what it is for."""

    SHOP = "shop"
    API = "api"
    PAYMENT = "payment"
    IDENTITY = "identity"
    TAGS = "tags"
    STATS = "stats"
    ADS = "ads"
    FONTS = "fonts"
    CDN = "cdn"
    CHAT = "chat"
    NEWS = "news"
    WEATHER = "weather"
    MUSEUM = "museum"
    CONTROL = "control"


CONTROLS = (Host.NEWS, Host.WEATHER, Host.MUSEUM)
"""Sites that have nothing to do with the shop; they show whether the customer's own line works."""

PUBLIC = tuple(host for host in Host if host is not Host.CONTROL)
"""Every host that a customer can reach; the control page is not one of them."""

HOSTNAMES: Mapping[Host, str] = MappingProxyType(
    {
        Host.SHOP: "www.shop.localhost",
        Host.API: "api.shop.localhost",
        Host.PAYMENT: "pay.examplepay.localhost",
        Host.IDENTITY: "login.exampleid.localhost",
        Host.TAGS: "tags.exampletags.localhost",
        Host.STATS: "stats.examplestats.localhost",
        Host.ADS: "ads.exampleads.localhost",
        Host.FONTS: "fonts.examplefonts.localhost",
        Host.CDN: "cdn.examplecdn.localhost",
        Host.CHAT: "chat.examplechat.localhost",
        Host.NEWS: "www.examplenews.localhost",
        Host.WEATHER: "www.exampleweather.localhost",
        Host.MUSEUM: "www.examplemuseum.localhost",
        Host.CONTROL: "127.0.0.1",
    },
)

_OFFSETS: Mapping[Host, int] = MappingProxyType(
    {
        Host.SHOP: 0,
        Host.API: 1,
        Host.PAYMENT: 8,
        Host.IDENTITY: 9,
        Host.TAGS: 10,
        Host.STATS: 11,
        Host.ADS: 12,
        Host.FONTS: 13,
        Host.CDN: 14,
        Host.CHAT: 15,
        Host.NEWS: 16,
        Host.WEATHER: 17,
        Host.MUSEUM: 18,
        Host.CONTROL: 27,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Which port each host listens on; 0 stands for any free one."""

    numbers: Mapping[Host, int]

    @classmethod
    def starting_at(cls, first: int = FIRST_PORT) -> Ports:
        """Return the usual arrangement, moved so that the shop's web server has the port ``first``."""
        highest = 65535 - max(_OFFSETS.values())
        if not 1 <= first <= highest:
            message = f"the first port is {first}; choose one from 1 to {highest}"
            raise ValueError(message)
        return cls(numbers={host: first + offset for host, offset in _OFFSETS.items()})

    @classmethod
    def free(cls) -> Ports:
        """Return ports that the system chooses when the shop starts."""
        return cls(numbers=dict.fromkeys(Host, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where each host can be reached, once its port is known."""

    ports: Mapping[Host, int]

    def url(self, host: Host) -> str:
        """Return scheme, name and port, without a slash at the end."""
        scheme = "http" if host is Host.CONTROL else "https"
        return f"{scheme}://{HOSTNAMES[host]}:{self.ports[host]}"

    def urls(self) -> dict[str, str]:
        """Return the address of each host by its name, as templates want it."""
        return {host.value: self.url(host) for host in Host}
