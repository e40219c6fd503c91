"""The files a run leaves: readable by us alone, and without secrets."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext

from monitor.domain.evidence import Artifact
from monitor.domain.exchange import Exchange

_TRACE_SECONDS = 5.0
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class ArtifactFolder:
    """Where one attempt puts its files; does nothing where no directory was given."""

    def __init__(self, directory: str, attempt: int) -> None:
        self._directory = Path(directory) if directory else None
        self._attempt = attempt

    @property
    def is_open(self) -> bool:
        """Say whether files may be kept."""
        return self._directory is not None

    def keep(self, kind: str, ending: str, content: bytes, *, step: str = "") -> Artifact | None:
        """Write a file with mode 0600 in a directory with mode 0700, whatever the umask."""
        if self._directory is None:
            return None
        name = "-".join(part for part in (str(self._attempt), _UNSAFE.sub("-", step)[:60], kind) if part) + ending
        _make_private(self._directory)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(self._directory / name, flags, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
        return Artifact(kind=kind, name=name, size=len(content), step=step)


async def keep_har(
    folder: ArtifactFolder, exchanges: Iterable[Exchange], *, started_at: dt.datetime, creator: str
) -> Artifact | None:
    """Keep the exchanges of an attempt as a file; ``None`` where the disk refuses."""
    with contextlib.suppress(OSError):
        har = await asyncio.to_thread(har_of, exchanges, started_at=started_at, creator=creator)
        return await asyncio.to_thread(folder.keep, "har", ".har", har)
    return None


async def keep_trace(folder: ArtifactFolder, context: BrowserContext, path: Path) -> Artifact | None:
    """Keep Playwright's trace of a context, written to ``path`` first; ``None`` where there is none to be had."""
    try:
        async with asyncio.timeout(_TRACE_SECONDS):
            await context.tracing.stop(path=path)
        return await asyncio.to_thread(folder.keep, "trace", ".zip", await asyncio.to_thread(path.read_bytes))
    except Exception:  # noqa: BLE001 - a picture of a failure is worth less than its facts
        return None
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


def _make_private(directory: Path) -> None:
    if not directory.exists():
        directory.mkdir(mode=0o700, parents=True)
        directory.chmod(0o700)


def har_of(exchanges: Iterable[Exchange], *, started_at: dt.datetime, creator: str) -> bytes:
    """Return an HTTP archive without bodies, cookies and credentials, and only with headers that tell of causes."""
    log = {
        "version": "1.2",
        "creator": {"name": "Faultline", "version": "1", "comment": creator},
        "entries": [_har_entry(exchange, started_at) for exchange in exchanges],
    }
    return json.dumps({"log": log}, ensure_ascii=False, separators=(",", ":")).encode()


def _har_entry(exchange: Exchange, started_at: dt.datetime) -> dict[str, Any]:
    timings = exchange.timings
    began = started_at + dt.timedelta(seconds=timings.started)
    headers = [{"name": name, "value": value} for name, value in exchange.headers]
    return {
        "startedDateTime": began.isoformat(),
        "time": timings.total * 1000,
        "request": {
            "method": exchange.method,
            "url": exchange.url,
            "httpVersion": exchange.protocol,
            "cookies": [],
            "headers": [],
            "queryString": [],
            "headersSize": -1,
            "bodySize": -1 if exchange.request_bytes is None else exchange.request_bytes,
        },
        "response": {
            "status": exchange.status or 0,
            "statusText": exchange.reason,
            "httpVersion": exchange.protocol,
            "cookies": [],
            "headers": headers,
            "content": {"size": exchange.body_bytes or 0, "mimeType": exchange.mime_type},
            "redirectURL": dict(exchange.headers).get("location", ""),
            "headersSize": -1,
            "bodySize": -1,
            "_transferSize": exchange.transfer_bytes or 0,
            "_error": exchange.failure_text or None,
        },
        "cache": {},
        "timings": {
            "dns": _milliseconds(timings.resolve),
            "connect": _milliseconds(timings.connect),
            "ssl": _milliseconds(timings.tls),
            "send": 0,
            "wait": _milliseconds(timings.wait),
            "receive": _milliseconds(timings.receive),
        },
        "serverIPAddress": exchange.address or "",
        "_resourceType": exchange.resource,
        "_failure": exchange.failure.value if exchange.failure else None,
        "_step": exchange.step,
    }


def _milliseconds(seconds: float | None) -> float:
    return -1 if seconds is None else seconds * 1000
