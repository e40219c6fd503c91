"""What an error answer says of itself in the form of RFC 9457: the kind of problem, and nothing else of its body."""

from __future__ import annotations

import json
from urllib.parse import urlsplit, urlunsplit

_MEDIA_TYPE = "application/problem+json"
_FIRST_ERROR_STATUS = 400
_LARGEST = 65_536
_LONGEST = 300


def problem_type(status: int | None, content_type: str, body: bytes) -> str:
    """Return the URL that names the kind of problem, without its query; an empty text where the answer names none."""
    stated = content_type.partition(";")[0].strip().lower()
    if status is None or status < _FIRST_ERROR_STATUS or stated != _MEDIA_TYPE or not 0 < len(body) <= _LARGEST:
        return ""
    try:
        document = json.loads(body)
        kind = document.get("type") if isinstance(document, dict) else None
        parts = urlsplit(kind) if isinstance(kind, str) and kind.isprintable() else None
        host = parts.hostname if parts is not None else None
    except (ValueError, RecursionError):
        return ""
    if parts is None or parts.scheme not in ("http", "https") or not host or len(host) > _LONGEST:
        return ""
    return urlunsplit((parts.scheme, host, parts.path, "", ""))[:_LONGEST]
