from __future__ import annotations

import pytest

from monitor.domain.journey import ProbeKind
from monitor.execution.allowance import Allowance


class HandClock:
    moment = 100.0

    def now(self):
        raise NotImplementedError

    def elapsed(self):
        return self.moment


@pytest.mark.parametrize(
    ("kind", "deadline", "for_steps"),
    [
        (ProbeKind.BROWSER, 30, 27.6),
        (ProbeKind.BROWSER, 300, 295),
        (ProbeKind.BROWSER, 1, 0.8),
        (ProbeKind.HTTP, 30, 29.85),
        (ProbeKind.HTTP, 1, 0.92),
    ],
)
def test_a_part_of_the_time_is_kept_back_for_evidence(kind, deadline, for_steps):
    assert Allowance(deadline, kind=kind, clock=HandClock()).for_steps == pytest.approx(for_steps)


def test_time_runs_from_the_start_and_never_below_nothing():
    clock = HandClock()
    allowance = Allowance(10, kind=ProbeKind.HTTP, clock=clock)
    clock.moment += 4
    assert allowance.now() == 4
    assert allowance.left() == 6
    clock.moment += 10
    assert (allowance.left(), allowance.left_for_steps()) == (0, 0)


def test_a_browser_is_given_its_time_to_answer_even_when_none_is_left():
    clock = HandClock()
    browser, http = (Allowance(10, kind=kind, clock=clock) for kind in (ProbeKind.BROWSER, ProbeKind.HTTP))
    assert browser.for_closing(0.5, least=1.5) == http.for_closing(0.5, least=1.5) == 5
    clock.moment += 10
    assert browser.for_closing(0.5, least=1.5) == 1.5
    assert http.for_closing(0.5, least=1.5) == 0
