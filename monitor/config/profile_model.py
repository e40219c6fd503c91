"""The ``profiles`` of ``monitor.yaml``: as whom a journey is made."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.presets import NETWORKS, check_device, check_timezone, device_names
from monitor.config.secrets import SecretValue
from monitor.reading.addresses import check_host_pattern, check_url, is_address, split_host_port
from monitor.reading.names import PathText
from monitor.reading.problem import quoted
from monitor.reading.quantities import Duration, Rate
from monitor.reading.suggestion import did_you_mean
from monitor.reading.validation import FileModel

_VIEWPORT = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})")
_LOCALE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*")


def check_resolver(value: str) -> str:
    """Return ``address`` or ``address:port`` as it is. Raises ValueError where it is neither."""
    if not is_address(split_host_port(value).host):
        msg = f"{quoted(value)} is not the address of a resolver; write 192.0.2.53 or 192.0.2.53:5353"
        raise ValueError(msg)
    return value


def check_override(value: str) -> str:
    """Return ``host`` or ``host:port`` in lower case. Raises ValueError where it is neither."""
    found = split_host_port(value)
    return found.host if found.port is None else f"{found.host}:{found.port}"


def check_address(value: str) -> str:
    """Return an IP address as it is. Raises ValueError where it is none."""
    if not is_address(value):
        msg = f"{quoted(value)} is not an IP address; write 192.0.2.10"
        raise ValueError(msg)
    return value


def check_locale(value: str) -> str:
    """Return a locale as it is. Raises ValueError where it does not look like one."""
    if not _LOCALE.fullmatch(value):
        msg = f"{quoted(value)} is not a locale; write de-DE"
        raise ValueError(msg)
    return value


def check_header_text(value: str) -> str:
    """Return text that can be sent in a header. Raises ValueError where it cannot."""
    if not value or not value.isascii() or not value.isprintable():
        msg = f"{quoted(value)} cannot be sent in a header; write visible ASCII characters on one line"
        raise ValueError(msg)
    return value


def check_proxy(value: str) -> str:
    """Return the URL of a proxy as it is. Raises ValueError for other schemes and for user info."""
    scheme, _, rest = value.partition("://")
    check_url(f"http://{rest}" if scheme in {"socks5", "http", "https"} else value)
    return value


def viewport_parts(value: object) -> object:
    """Return ``1280x720`` as a mapping, and everything else as it is. Raises ValueError for other text."""
    if not isinstance(value, str):
        return value
    matched = _VIEWPORT.fullmatch(value)
    if matched is None:
        msg = f"{quoted(value)} is not a size; write 1280x720"
        raise ValueError(msg)
    return {"width": int(matched[1]), "height": int(matched[2])}


def network_name(value: object) -> object:
    """Return the name of a line as a mapping, and everything else as it is. Raises ValueError for unknown names."""
    if not isinstance(value, str):
        return value
    if value not in NETWORKS:
        known = ", ".join(NETWORKS)
        hint = did_you_mean(value, NETWORKS)
        msg = f"{quoted(value)} is not a network; write one of {known}, or figures of your own{hint}"
        raise ValueError(msg)
    return {"preset": value}


NetworkPreset = Literal["2g", "slow-3g", "3g", "fast-3g", "4g", "lte", "dsl", "cable", "fiber", "offline"]


class ViewportModel(FileModel):
    """The size of the page's window in CSS pixels."""

    width: int = Field(ge=50, le=10_000, description="Width in CSS pixels.")
    height: int = Field(ge=50, le=10_000, description="Height in CSS pixels.")


class NetworkModel(FileModel):
    """An access line: a preset, changed by the figures given beside it; or only figures."""

    preset: NetworkPreset | None = Field(default=None, description="The line to start from.")
    latency: Duration | None = Field(default=None, description="Added round-trip time.")
    download: Rate | None = Field(default=None, description="Download rate.")
    upload: Rate | None = Field(default=None, description="Upload rate.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        figures = (self.latency, self.download, self.upload)
        if self.preset is None and figures == (None, None, None):
            msg = "says nothing; give a preset, or latency, download or upload"
            raise ValueError(msg)
        if self.preset == "offline" and figures != (None, None, None):
            msg = "'offline' has no figures; leave them out"
            raise ValueError(msg)
        return self


class ProxyModel(FileModel):
    """A forward proxy."""

    url: Annotated[str, AfterValidator(check_proxy)] = Field(
        description="Address: http, https or socks5, without user name."
    )
    username: Annotated[str, AfterValidator(check_header_text)] | None = Field(default=None, description="User name.")
    password: SecretValue | None = Field(default=None, description="Password: `${NAME}` or `{file: path}`.")
    bypass: list[Annotated[str, AfterValidator(check_host_pattern)]] = Field(
        default_factory=list, description="Hosts that are reached without the proxy."
    )

    @model_validator(mode="after")
    def _whole_credentials(self) -> Self:
        if (self.username is None) != (self.password is None):
            msg = "needs both 'username' and 'password', or neither"
            raise ValueError(msg)
        if self.username is not None and self.url.startswith("socks5://"):
            msg = "a browser gives no password to a SOCKS proxy; leave 'username' and 'password' out, or use http://"
            raise ValueError(msg)
        return self


Overrides = dict[Annotated[str, AfterValidator(check_override)], Annotated[str, AfterValidator(check_address)]]
TimeZone = Annotated[str, AfterValidator(check_timezone), Field(json_schema_extra={"examples": ["Europe/Berlin"]})]
_Viewport = Annotated[ViewportModel, BeforeValidator(viewport_parts, json_schema_input_type=str | ViewportModel)]
_Network = Annotated[NetworkModel, BeforeValidator(network_name, json_schema_input_type=NetworkPreset | NetworkModel)]
HeaderText = Annotated[str, AfterValidator(check_header_text)]
_Locale = Annotated[str, AfterValidator(check_locale)]
Resolver = Annotated[str, AfterValidator(check_resolver)]
_Device = Annotated[
    str,
    AfterValidator(check_device),
    Field(json_schema_extra=lambda schema: schema.update(enum=list(device_names()))),
]


class ProfileModel(FileModel):
    """A client profile: the customer's device, browser, place and line."""

    engine: Literal["chromium", "firefox", "webkit"] = Field(default="chromium", description="Browser engine.")
    full_browser: bool = Field(default=False, description="Use the full browser rather than its headless shell.")
    device: _Device | None = Field(default=None, description="Playwright device; the other keys override what it says.")
    viewport: _Viewport | None = Field(default=None, description="Window size, such as `1280x720`.")
    locale: _Locale | None = Field(default=None, description="Language and country, such as `de-DE`.")
    timezone: TimeZone | None = Field(default=None, description="Time zone of the browser.")
    user_agent: HeaderText | None = Field(default=None, description="User agent to claim.")
    network: _Network | None = Field(default=None, description="Access line: a preset by name, or figures.")
    cpu_slowdown: float = Field(default=1.0, ge=1, le=50, description="How many times slower the processor is.")
    javascript: bool = Field(default=True, description="Whether scripts run.")
    third_party_storage: bool = Field(default=True, description="Whether cookies and storage of other sites are kept.")
    proxy: ProxyModel | None = Field(default=None, description="Forward proxy.")
    extra_ca: PathText | None = Field(
        default=None, description="PEM file of certificate authorities trusted beside the public ones."
    )
    resolver: Resolver | None = Field(
        default=None, description="DNS server to ask, `address` or `address:port`; for HTTP journeys."
    )
    hosts: Overrides = Field(default_factory=dict, description="`host` or `host:port` to the address to connect to.")
    ip_family: Literal["any", "ipv4", "ipv6"] = Field(default="any", description="IP versions that may be used.")
    http2: bool = Field(default=True, description="Whether HTTP/2 may be used.")
    supported: bool = Field(default=True, description="Whether the business promises that this client works.")
