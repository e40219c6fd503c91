"""How the shop's hosts read what they are sent, and refuse what they cannot use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.requests import Request

_LARGEST = 64_000


async def read_json(request: Request) -> dict[str, object]:
    """Return the JSON object in the body. Raises HTTPException 400 or 413 where there is none."""
    body = await _read(request)
    try:
        value = json.loads(body)
    except ValueError as error:
        raise HTTPException(400, "the body is not JSON") from error
    if not isinstance(value, dict):
        raise HTTPException(400, "the body is not a JSON object")
    return value


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form. Raises HTTPException 413 where it is too large."""
    return dict(parse_qsl((await _read(request)).decode("utf-8", "replace"), keep_blank_values=True))


def refusal(message: str, *, status: int = 422) -> JSONResponse:
    """Return the answer to a request that makes no sense."""
    return JSONResponse({"error": message}, status_code=status)


def on_refusal(_request: Request, error: Exception) -> JSONResponse:
    """Answer an HTTPException as JSON, for hosts that are APIs."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise HTTPException(413, "the body is too large")
    return bytes(body)
