"""The kinds of values that modules of the blackbox exporter hold, for pydantic models."""

from __future__ import annotations

import re
from ssl import TLSVersion
from typing import Annotated, NoReturn

from pydantic import AfterValidator, BeforeValidator, InstanceOf, WithJsonSchema

from monitor.probes.blackbox.patterns import Pattern
from monitor.probes.vantage.question import CLASSES, RCODES, TYPES
from monitor.reading.addresses import is_address
from monitor.reading.problem import quoted
from monitor.reading.suggestion import did_you_mean

_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMGTPE]?)(?:i?B)", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_VERSIONS = {
    "TLS10": TLSVersion.TLSv1,
    "TLS11": TLSVersion.TLSv1_1,
    "TLS12": TLSVersion.TLSv1_2,
    "TLS13": TLSVersion.TLSv1_3,
}
_HTTP_VERSIONS = ("HTTP/1.0", "HTTP/1.1", "HTTP/2.0")


def parse_pattern(value: object) -> Pattern:
    """Return the compiled expression. Raises ValueError."""
    if not isinstance(value, str):
        msg = f"{quoted(value)} is not a regular expression; put quotes around it"
        raise ValueError(msg)  # noqa: TRY004 - pydantic takes a ValueError only
    return Pattern.of(value)


def parse_base2(value: object) -> int:
    """Return the bytes that ``10MB`` means to the exporter, which counts in steps of 1024. Raises ValueError."""
    found = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        msg = f"{quoted(value)} is not a size; write 10MB or 512KB, counted in steps of 1024"
        raise ValueError(msg)
    return int(float(found[1]) * 1024 ** _POWERS[found[2].upper()])


def parse_tls_version(value: object) -> TLSVersion:
    """Return the version that ``TLS12`` means. Raises ValueError."""
    found = _VERSIONS.get(value) if isinstance(value, str) else None
    if found is None:
        msg = f"{quoted(value)} is not one of {', '.join(_VERSIONS)}"
        raise ValueError(msg)
    return found


def refusing(reason: str) -> BeforeValidator:
    """Return a validator that refuses whatever stands there."""

    def refuse(_value: object) -> NoReturn:
        raise ValueError(reason)

    return BeforeValidator(refuse)


def check_token(value: str) -> str:
    """Return the name of a header as it is. Raises ValueError where it is none."""
    if not value or not _TOKEN.issuperset(value):
        msg = f"{quoted(value)} is not the name of a header; write X-Synthetic"
        raise ValueError(msg)
    return value


def check_header_value(value: str) -> str:
    """Return the value of a header as it is. Raises ValueError, without the value, where it would break the line."""
    if any(char in value for char in "\r\n\0"):
        msg = "the value of a header must stand on one line"
        raise ValueError(msg)
    return value


def check_http_version(value: str) -> str:
    """Return a version of HTTP as it is. Raises ValueError for one that no answer can have."""
    if value == "HTTP/3.0":
        msg = "HTTP/3 is not supported; leave it out, or keep this module with the blackbox exporter"
        raise ValueError(msg)
    if value not in _HTTP_VERSIONS:
        msg = f"{quoted(value)} is not one of {', '.join(_HTTP_VERSIONS)}{did_you_mean(value, _HTTP_VERSIONS)}"
        raise ValueError(msg)
    return value


def check_source_address(value: str) -> str:
    """Return an IP address as it is. Raises ValueError where it is none."""
    if not is_address(value):
        msg = f"{quoted(value)} is not an IP address; write one of this machine's own"
        raise ValueError(msg)
    return value


def _known(kind: str, names: frozenset[str], value: str) -> str:
    if value not in names:
        hint = did_you_mean(value, names) or "; write it in capital letters, as DNS does"
        msg = f"{quoted(value)} is no {kind} of DNS{hint}"
        raise ValueError(msg)
    return value


Expression = Annotated[
    InstanceOf[Pattern], BeforeValidator(parse_pattern), WithJsonSchema({"type": "string", "format": "regex"})
]
Base2Size = Annotated[int, BeforeValidator(parse_base2), WithJsonSchema({"type": "string", "examples": ["10MB"]})]
TlsVersionName = Annotated[
    InstanceOf[TLSVersion], BeforeValidator(parse_tls_version), WithJsonSchema({"enum": list(_VERSIONS)})
]
HeaderName = Annotated[str, AfterValidator(check_token)]
HeaderValue = Annotated[str, AfterValidator(check_header_value)]
HttpVersion = Annotated[str, AfterValidator(check_http_version)]
SourceAddress = Annotated[str, AfterValidator(check_source_address)]
QueryType = Annotated[str, AfterValidator(lambda value: _known("record type", TYPES, value))]
QueryClass = Annotated[str, AfterValidator(lambda value: _known("class", CLASSES, value))]
Rcode = Annotated[str, AfterValidator(lambda value: _known("response code", RCODES, value))]


def accepts(encoding: str, accept_encoding: str) -> bool:
    """Say whether an ``Accept-Encoding`` header asks for an encoding, so that an answer can have it."""
    offered: list[tuple[float, str]] = []
    for part in accept_encoding.split(","):
        name, _, parameter = part.rpartition(";") if ";" in part else (part, "", "")
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            quality = 0.0
        offered.append((quality, name.strip()))
    offered.sort(key=lambda each: -each[0])
    return next((quality > 0 for quality, name in offered if name in {encoding, "*"}), False)
