"""URLs, hosts and ports, for pydantic models: the harmless ones only."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field

from monitor.reading.problem import quoted

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_HIGHEST_PORT = 65535


def check_url(value: str) -> str:
    """Return an ``http`` or ``https`` URL as it is. Raises ValueError for other schemes, user info and nonsense."""
    parts = split_url(value)
    if parts.scheme not in {"http", "https"}:
        msg = f"{quoted(value)} must start with https:// or http://; other schemes are refused"
        raise ValueError(msg)
    if "@" in parts.netloc:
        # The value is not shown: what stands before the @ is likely to be a password.
        msg = "a URL must not hold a user name or password; send them in a header from a secret"
        raise ValueError(msg)
    if not is_host(parts.hostname or ""):
        msg = f"{quoted(value)} names no host; write https://www.example.com"
        raise ValueError(msg)
    return value


def check_base_url(value: str) -> str:
    """Return a URL of a scheme, a host, a port and perhaps a path, without a slash at its end."""
    parts = split_url(check_url(value))
    if parts.query or parts.fragment or "?" in value or "#" in value:
        msg = f"{quoted(value)} must end with its path; leave out what follows '?' or '#'"
        raise ValueError(msg)
    return value.rstrip("/")


def split_url(value: str) -> SplitResult:
    """Return the parts of a URL. Raises ValueError, in words for people, where it has none."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises where the port is no number
    except ValueError:
        msg = "not a URL; write https://www.example.com"
        raise ValueError(msg) from None
    if not value.isascii() or any(char.isspace() or not char.isprintable() or char == "\\" for char in value):
        msg = f"{quoted(value)} holds characters that a URL cannot; write names in punycode and escape the rest with %"
        raise ValueError(msg)
    return parts


def is_host(value: str) -> bool:
    """Say whether the text is a host name or an IP address."""
    return is_address(value) or _HOST.fullmatch(value.lower()) is not None


def is_address(value: str) -> bool:
    """Say whether the text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def check_host(value: str) -> str:
    """Return a host name in lower case. Raises ValueError where it is none."""
    if not is_host(value):
        msg = f"{quoted(value)} is not a host name; write www.example.com, without scheme, port or path"
        raise ValueError(msg)
    return value.lower()


def check_host_pattern(value: str) -> str:
    """Return a host name, or ``*.`` and a suffix, in lower case. Raises ValueError where it is neither."""
    if not is_host(value.removeprefix("*.")):
        msg = f"{quoted(value)} is not a host; write pay.example.com, or *.example.com for all below it"
        raise ValueError(msg)
    return value.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPort:
    """A host and, where it is given, a port."""

    host: str
    port: int | None = None


def split_host_port(value: str) -> HostPort:
    """Return host and port of ``host``, ``host:port``, ``[v6]:port`` or a bare IPv6 address. Raises ValueError."""
    if is_address(value):
        return HostPort(host=value)
    host, colon, port = value.rpartition(":")
    if not colon:
        host, port = value, ""
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not is_host(bare) or (colon and not _is_port(port)):
        msg = f"{quoted(value)} is not host:port; write 127.0.0.1:9488 or [::1]:9488"
        raise ValueError(msg)
    return HostPort(host=bare.lower(), port=int(port) if colon else None)


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach the host."""
    if is_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= _HIGHEST_PORT  # noqa: PLR2004 - digits of the highest port


Url = Annotated[str, Field(max_length=2000, json_schema_extra={"format": "uri"}), AfterValidator(check_url)]
BaseUrl = Annotated[str, Field(max_length=2000, json_schema_extra={"format": "uri"}), AfterValidator(check_base_url)]
Host = Annotated[str, AfterValidator(check_host)]
HostPattern = Annotated[str, AfterValidator(check_host_pattern)]
