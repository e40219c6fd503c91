"""Hands each finished run to every destination."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from monitor.domain.run import Run

_LOGGER = logging.getLogger(__name__)


class Publisher(Protocol):
    """One destination of finished runs."""

    def publish(self, run: Run) -> None:
        """Take one run in; must not block."""
        ...


class Publishers:
    """Fans a run out; a destination that fails is counted and logged, and does not stop the others."""

    def __init__(self, destinations: Mapping[str, Publisher], *, on_failure: Callable[[str], None]) -> None:
        """Keep the destinations by name; ``on_failure`` is told the name of one that failed."""
        self._destinations = dict(destinations)
        self._on_failure = on_failure

    def publish(self, run: Run) -> None:
        """Hand a run to every destination; never raises."""
        for name, destination in self._destinations.items():
            try:
                destination.publish(run)
            except Exception as error:  # noqa: BLE001 - whatever a destination raises, the others must be served
                self._note(name, run, error)

    def _note(self, name: str, run: Run, error: Exception) -> None:
        # What reports a failure may itself be the destination that fails.
        with contextlib.suppress(Exception):
            self._on_failure(name)
        with contextlib.suppress(Exception):
            _LOGGER.error("a destination failed", exc_info=error, extra={"destination": name, "run_id": run.run_id})
