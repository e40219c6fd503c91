"""Writes down verdicts that other runs have changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from monitor.history import History, HistoryError, VerdictSource
from monitor.investigation.correlation import Revision

_log = logging.getLogger(__name__)


class Revisions:
    """Hands revised verdicts to the store, without anybody waiting for it."""

    def __init__(self, history: History) -> None:
        """Write to ``history``."""
        self._history = history
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, revisions: Iterable[Revision]) -> None:
        """Write the verdicts down beside the earlier ones; returns at once."""
        for revision in revisions:
            task = asyncio.create_task(self._write(revision), name=f"revision of {revision.run_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self, revision: Revision) -> None:
        try:
            await self._history.revise(
                revision.run_id,
                revision.judgement,
                why=revision.why,
                at=revision.at,
                source=VerdictSource.CORRELATION,
            )
        except HistoryError as error:
            _log.warning("a verdict was not revised", extra={"run_id": revision.run_id, "error": str(error)})
