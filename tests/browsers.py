"""Time for browsers, for tests that are not about how much of it they get."""

from __future__ import annotations

import pytest

from monitor.execution import attempt
from monitor.probes.browser import probe, warm


def give_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give browsers the time that a busy machine needs to start, to open a page and to show that they live."""
    monkeypatch.setattr(probe, "_SELF_TEST_SECONDS", 60.0)
    monkeypatch.setattr(warm, "_START_LIMIT", 120.0)
    monkeypatch.setattr(probe, "_OPEN_SECONDS", 60.0)
    monkeypatch.setattr(warm, "_PING_LIMIT", 30.0)
    monkeypatch.setattr(attempt, "_PING_SECONDS", 30.0)
