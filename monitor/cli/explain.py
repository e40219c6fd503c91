"""Looks a run up in history and tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from monitor.cli.telling import tell
from monitor.config.settings import StorageSettings
from monitor.domain.clock import SystemClock
from monitor.domain.secret import Redactor
from monitor.history import HistoryError, Reader, StoredRun
from monitor.publishing.run_json import to_json
from monitor.service import StartupError, recorded


async def find(storage: StorageSettings, run_id: str) -> StoredRun:
    """Return a stored run. Raises StartupError where there is none."""
    try:
        reader = await Reader.beside(storage, clock=SystemClock())
    except HistoryError as error:
        raise StartupError(str(error)) from error
    try:
        stored = await reader.run(run_id)
    finally:
        await reader.close()
    if stored is None:
        msg = f"no run has the id '{run_id}', or it is older than runs are kept"
        raise StartupError(msg)
    return stored


def as_json(stored: StoredRun, redactor: Redactor) -> dict[str, Any]:
    """Return a stored run as plain data."""
    return to_json(recorded(stored), redactor)


def told(stored: StoredRun) -> Iterator[Text]:
    """Yield the lines that tell a stored run in full."""
    summary = stored.summary
    yield from tell(summary.check, summary.run_id, stored.judgement, stored.evidence, fully=True)
    if stored.lean:
        yield Text("  nothing went wrong in this run, so its exchanges were counted but not kept", "dim")
