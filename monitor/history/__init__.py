"""What happened: the store of slots, runs and artifacts."""

from __future__ import annotations

from monitor.history.artifacts import ArtifactStore
from monitor.history.outbox import Unsent
from monitor.history.reader import Reader
from monitor.history.store import History, Retained
from monitor.history.values import (
    CheckState,
    Coverage,
    FieldAccuracy,
    GroupBy,
    HistoryError,
    HistoryStatus,
    InUseError,
    PastVerdict,
    ResultLostError,
    RunFilter,
    RunSummary,
    Share,
    StoredRun,
    Verdict,
    VerdictSource,
)
from monitor.history.writer import WriterLimits

__all__ = [
    "ArtifactStore",
    "CheckState",
    "Coverage",
    "FieldAccuracy",
    "GroupBy",
    "History",
    "HistoryError",
    "HistoryStatus",
    "InUseError",
    "PastVerdict",
    "Reader",
    "ResultLostError",
    "Retained",
    "RunFilter",
    "RunSummary",
    "Share",
    "StoredRun",
    "Unsent",
    "Verdict",
    "VerdictSource",
    "WriterLimits",
]
