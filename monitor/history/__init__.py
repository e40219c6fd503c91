"""What happened: the store of slots, runs and artifacts."""

from __future__ import annotations

from monitor.history.artifacts import ArtifactStore
from monitor.history.reader import Reader
from monitor.history.store import History, Retained
from monitor.history.values import (
    CheckState,
    Coverage,
    GroupBy,
    HistoryError,
    HistoryStatus,
    ResultLostError,
    RunFilter,
    RunSummary,
    Share,
    StoredRun,
    Verdict,
)
from monitor.history.writer import WriterLimits

__all__ = [
    "ArtifactStore",
    "CheckState",
    "Coverage",
    "GroupBy",
    "History",
    "HistoryError",
    "HistoryStatus",
    "Reader",
    "ResultLostError",
    "Retained",
    "RunFilter",
    "RunSummary",
    "Share",
    "StoredRun",
    "Verdict",
    "WriterLimits",
]
