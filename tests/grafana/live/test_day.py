"""Every expression of every dashboard and rule, asked of a day that is known to the minute."""

from __future__ import annotations

import pytest

from grafana.preview.boards import boards
from tests.grafana.live import script
from tests.grafana.live.allowed import ALLOWED, SILENT_RULES
from tests.grafana.live.asking import answer, queries_of, resolver_of
from tests.grafana.live.cast import PLACES

pytestmark = pytest.mark.slow

BOARDS = boards()
FAILURES = "faultline_journey_run_failures_total"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
async def test_every_query_of_a_dashboard_is_answered_or_empty_for_a_stated_reason(board, day, prometheus):
    resolver = await resolver_of(board, day, prometheus)
    empty = set()
    for place, query in queries_of(board, resolver).items():
        if not await answer(query, resolver, prometheus):
            empty.add((place.panel, place.ref))
    allowed = set(ALLOWED.get(board.uid, {}))
    assert {"without a reason": empty - allowed, "no longer empty": allowed - empty} == {
        "without a reason": set(),
        "no longer empty": set(),
    }


def test_every_rule_of_the_past_was_evaluated_and_yielded_something_or_nothing_for_a_stated_reason(day):
    silent = {name for name, series in day.rules.items() if series == 0}
    assert {"without a reason": silent - set(SILENT_RULES), "no longer silent": set(SILENT_RULES) - silent} == {
        "without a reason": set(),
        "no longer silent": set(),
    }


async def test_an_own_outage_of_an_hour_is_as_many_own_failures_as_there_were_runs(day, prometheus):
    act = script.OWN_OUTAGE
    failed = await prometheus.query(
        f'sum by (cause) (increase({FAILURES}{{journey="order-api"}}[70m])) > 0', day.at(act.ends - 5)
    )
    minutes = act.begins - act.ends
    assert {sample.labels["cause"]: round(sample.value) for sample in failed} == {
        "own_infrastructure": minutes * len(PLACES)
    }
