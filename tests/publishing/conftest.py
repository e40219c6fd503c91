from __future__ import annotations

import datetime as dt

import pytest

from monitor.publishing.metrics import Metrics
from tests.builders import A_MOMENT


class HandClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self._elapsed = 0.0

    def now(self) -> dt.datetime:
        return A_MOMENT + dt.timedelta(seconds=self._elapsed)

    def elapsed(self) -> float:
        return self._elapsed

    def pass_(self, seconds: float) -> None:
        self._elapsed += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def metrics(clock) -> Metrics:
    return Metrics(clock=clock, location="here", version="1.2.3", external_url="https://watch.example.com")
