from __future__ import annotations

import datetime as dt

from monitor.config.settings import InvestigationSettings
from monitor.domain.check import Schedule
from monitor.investigation.budget import Budget, Left, Throttle
from tests.builders import A_MOMENT, a_check


class HandClock:
    """A clock that stands still until it is moved."""

    seconds = 0.0

    def now(self) -> dt.datetime:
        return A_MOMENT

    def elapsed(self) -> float:
        return self.seconds


def test_a_budget_counts_journeys_requests_and_time():
    clock = HandClock()
    budget = Budget(InvestigationSettings(), clock)
    budget.spend(journeys=1, requests=4)
    clock.seconds = 45.0
    assert budget.left() == Left(journeys=2, requests=36, seconds=15.0)
    clock.seconds = 90.0
    assert budget.left().seconds == 0.0


def test_all_investigations_together_spend_a_twentieth_of_the_load():
    clock = HandClock()
    throttle = Throttle(clock)
    every = Schedule(interval=dt.timedelta(seconds=10))
    throttle.configure([a_check(name=str(number), schedule=every) for number in range(10)])
    spent = 0
    while throttle.allows(1.0):
        spent += 1
    assert spent in {179, 180}
    clock.seconds = 60.0
    assert [throttle.allows(1.0) for _ in range(4)] == [True, True, True, False]


def test_a_small_installation_can_pay_for_one_investigation():
    throttle = Throttle(HandClock())
    throttle.configure([a_check(schedule=Schedule(interval=dt.timedelta(hours=1)))])
    assert throttle.allows(7.0)
    assert not throttle.allows(7.0)
