from __future__ import annotations

import datetime as dt

from monitor.dispatch.repetition import joined
from monitor.domain.evidence import ProberFault, StepResult
from monitor.domain.exchange import Timings
from monitor.domain.outcome import Outcome, StepOutcome
from tests.builders import A_MOMENT, an_attempt, an_evidence, an_exchange


def test_both_dispatches_stand_on_one_line_of_time():
    lost = an_evidence(
        duration=2.0,
        attempts=(an_attempt(outcome=Outcome.INCONCLUSIVE, prober_fault=ProberFault.WORKER_DIED, duration=2.0),),
    )
    step = StepResult(name="look", title="Look", outcome=StepOutcome.PASSED, started=0.1)
    second = an_evidence(
        started_at=A_MOMENT + dt.timedelta(seconds=2.5),
        duration=1.0,
        attempts=(an_attempt(started=0.1, steps=(step,)), an_attempt(number=2, started=0.6)),
        exchanges=(an_exchange(timings=Timings(started=0.2)), an_exchange(id="2", attempt=2)),
    )
    both = joined(lost, second)
    assert both.started_at == A_MOMENT
    assert both.duration == 3.5
    assert [attempt.number for attempt in both.attempts] == [1, 2, 3]
    assert [attempt.started for attempt in both.attempts] == [0.0, 2.6, 3.1]
    assert both.attempts[1].steps[0].started == 2.6
    assert [exchange.attempt for exchange in both.exchanges] == [2, 3]
    assert both.exchanges[0].timings.started == 2.7
