"""Names of headers that a file may set."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from monitor.reading.problem import quoted

_HEADER_NAME = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_RESERVED_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "trailer", "te"}  # codespell:ignore te
)


def check_header_name(value: str) -> str:
    """Return the name of a header as it is. Raises ValueError where it may not be set."""
    if not value or not _HEADER_NAME.issuperset(value):
        msg = f"{quoted(value)} is not the name of a header; write X-Synthetic"
        raise ValueError(msg)
    if value.lower() in _RESERVED_HEADERS:
        msg = f"{quoted(value)} is set by the client itself; leave it out"
        raise ValueError(msg)
    return value


HeaderName = Annotated[str, AfterValidator(check_header_name)]
