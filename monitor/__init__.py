"""Faultline: runs customer journeys on a schedule and says of each failure whose it is."""

from __future__ import annotations

__version__ = "0.1.0"
