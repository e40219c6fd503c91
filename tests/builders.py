"""Builders of domain values for tests: sensible defaults, and keywords for what a test is about."""

from __future__ import annotations

import datetime as dt
from typing import Any

from monitor.domain.assignment import Assignment
from monitor.domain.check import Check, Schedule, Target
from monitor.domain.evidence import Attempt, Evidence
from monitor.domain.exchange import Exchange
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.profile import ClientProfile
from monitor.domain.run import Judgement, Run

A_MOMENT = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)


def a_profile(**values: Any) -> ClientProfile:
    return ClientProfile(**{"name": "desktop", **values})


def a_target(**values: Any) -> Target:
    return Target(**{"name": "shop", "base_url": "https://www.shop.localhost:8443", **values})


def a_check(**values: Any) -> Check:
    defaults = {
        "name": "browse@shop/desktop",
        "journey": "browse",
        "target": a_target(),
        "profile": a_profile(),
        "schedule": Schedule(interval=dt.timedelta(minutes=1)),
        "deadline": dt.timedelta(seconds=30),
    }
    return Check(**{**defaults, **values})


def an_assignment(**values: Any) -> Assignment:
    defaults = {
        "run_id": "run-1",
        "check": a_check(),
        "location": "here",
        "scheduled_at": A_MOMENT,
        "not_after": A_MOMENT + dt.timedelta(minutes=1),
        "attempt_limit": 1,
        "artifact_directory": "",
    }
    return Assignment(**{**defaults, **values})


def an_exchange(**values: Any) -> Exchange:
    defaults = {"id": "1", "url": "https://www.shop.localhost:8443/", "host": "www.shop.localhost", "status": 200}
    return Exchange(**{**defaults, **values})


def an_attempt(**values: Any) -> Attempt:
    return Attempt(**{"number": 1, "outcome": Outcome.PASSED, "started": 0.0, "duration": 1.0, **values})


def an_evidence(**values: Any) -> Evidence:
    return Evidence(**{"started_at": A_MOMENT, "duration": 1.0, "attempts": (an_attempt(),), **values})


def a_run(**values: Any) -> Run:
    defaults = {
        "run_id": "run-1",
        "check": a_check(),
        "location": "here",
        "scheduled_at": A_MOMENT,
        "evidence": an_evidence(),
        "judgement": Judgement(outcome=Outcome.PASSED, validity=Validity.VALID),
    }
    return Run(**{**defaults, **values})
