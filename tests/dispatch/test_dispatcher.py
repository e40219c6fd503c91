from __future__ import annotations

import pytest

from monitor.dispatch.messages import LaneName
from monitor.domain.outcome import Outcome


@pytest.mark.parametrize("lane", LaneName)
async def test_a_run_is_carried_out_in_a_worker_of_its_lane(bench, lane):
    evidence = await bench.evidence("look", lane)
    assert evidence.last.outcome is Outcome.PASSED
    assert [step.name for step in evidence.last.steps] == ["look", "act"]
    assert evidence.worker.startswith(lane.value)
    assert evidence.engine == "still 1.0"
