"""Placeholder until written."""

from __future__ import annotations

from pathlib import Path

from monitor.domain.journey import Journey


def read_journey(path: Path) -> Journey:
    """Read."""
    raise NotImplementedError(path)
