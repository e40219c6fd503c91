"""The body of a request that brings JSON."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request


async def json_body(request: Request, most_bytes: int) -> dict[str, Any] | None:
    """Return the object that a request brings; ``None`` where it is larger than allowed or none."""
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > most_bytes:
            return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
