"""Every expression of every dashboard and rule, asked of a day that is known to the minute."""

from __future__ import annotations

import pytest

from grafana.preview.boards import boards
from tests.grafana.live import script
from tests.grafana.live.allowed import ALLOWED, SILENT_RULES
from tests.grafana.live.asking import answer, queries_of, resolver_of, values_of
from tests.grafana.live.cast import FRANKFURT, PARIS, PLACES, STORE

# Playing the day is the set-up of the first test: half a minute on a quiet machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

BOARDS = boards()
FAILURES = "faultline_journey_run_failures_total"
CULPRITS = "faultline_journey_run_culprits_total"


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


async def test_every_query_is_answered_whatever_is_chosen(day, prometheus):
    """Each value of a variable that takes one; two at once of the others, because they are written otherwise."""
    for board in BOARDS:
        resolver = await resolver_of(board, day, prometheus)
        for variable in board.variables:
            if variable["name"] not in {"journey", "team", "third_party", "location"}:
                continue
            offered = await values_of(variable, board, resolver, day, prometheus)
            assert offered, f"{board.uid}: nothing to choose in {variable['name']}"
            for values in [offered[:2]] if variable.get("multi") else [(value,) for value in offered]:
                chosen = await resolver_of(board, day, prometheus, {variable["name"]: values})
                for query in queries_of(board, chosen).values():
                    await prometheus.query(query.expression, day.end)


async def test_an_own_outage_of_an_hour_is_as_many_own_failures_as_there_were_runs(day, prometheus):
    act = script.OWN_OUTAGE
    failed = await prometheus.query(
        f'sum by (cause) (increase({FAILURES}{{journey="order-api"}}[70m])) > 0', day.at(act.ends - 5)
    )
    minutes = act.begins - act.ends
    assert {sample.labels["cause"]: round(sample.value) for sample in failed} == {
        "own_infrastructure": minutes * len(PLACES)
    }


async def test_an_own_outage_pages_soon_and_names_who_is_to_act(day, prometheus):
    act = script.OWN_OUTAGE
    firing = await prometheus.query(
        'ALERTS{alertname="FaultlineErrorBudgetBurnFast", alertstate="firing", journey="order-api"}',
        day.at(act.begins - 15),
    )
    assert [(sample.labels["team"], sample.labels["severity"]) for sample in firing] == [("fulfillment", "critical")]
    before = await prometheus.query('ALERTS{alertstate="firing", journey="order-api"}', day.at(act.begins + 5))
    assert before == ()


async def test_what_is_recorded_of_an_hour_is_what_happened_in_it(day, prometheus):
    act = script.OWN_OUTAGE
    ratio = 'check:faultline_run_failures_per_runs:ratio_rate1h{journey="catalog-api"}'
    assert await prometheus.value(ratio, day.at(act.ends)) == pytest.approx(1.0, abs=0.02)
    assert await prometheus.value(ratio, day.at(act.begins + 1)) == pytest.approx(0.0, abs=0.001)


async def test_a_vendors_outage_counts_for_customers_and_not_against_the_teams_own_budget(day, prometheus):
    spent = {
        sample.labels["cause"]: sample.value
        for sample in await prometheus.query(
            'check_cause:faultline_error_budget_spent:ratio30d{journey="login"}', day.end
        )
    }
    left = await prometheus.value('check:faultline_error_budget_remaining:ratio30d{journey="login"}', day.end)
    assert spent["own_infrastructure"] == 0.0
    assert spent["third_party"] > 0.5
    assert left == pytest.approx(1.0 - sum(spent.values()), abs=0.01)


async def test_a_vendors_outage_is_put_down_to_the_vendor(day, prometheus):
    act = script.PAY_DOWN
    culprits = await prometheus.query(
        f'sum by (kind, culprit) ({CULPRITS}{{journey="checkout"}} and on (culprit) '
        f'(increase({CULPRITS}{{journey="checkout"}}[30m]) > 0))', day.at(act.ends - 2)
    )  # fmt: skip
    assert [(sample.labels["kind"], sample.labels["culprit"]) for sample in culprits] == [("vendor", "Example Pay")]
    minutes = act.begins - act.ends
    assert culprits[0].value == len(PLACES) * (minutes / 2 + minutes / 5)


async def test_a_sick_vantage_is_nobodys_failure_and_shows_in_coverage(day, prometheus):
    act, runs = script.SICK, f'{{journey="catalog-api", location="{PARIS}"}}'
    over = f"[{act.begins - act.ends}m]"
    at = day.at(act.ends - 1)
    assert await prometheus.value(f"sum(increase({FAILURES}{runs}{over}))", at) == 0.0
    inconclusive = await prometheus.value(f"sum(increase(faultline_journey_runs_inconclusive_total{runs}{over}))", at)
    assert inconclusive == pytest.approx(act.begins - act.ends, rel=0.05)
    coverage = await prometheus.value('check:faultline_coverage:ratio_rate1h{journey="catalog-api"}', at)
    assert coverage == pytest.approx(1 - 30 / 180, abs=0.03)


async def test_maintenance_is_skipped_and_said_so_and_is_no_failure(day, prometheus):
    window, check = script.MAINTENANCE[0], '{journey="order-api"}'
    at = day.at(window.ends - 1)
    skipped = await prometheus.value(
        'sum(increase(faultline_journey_runs_skipped_total{journey="order-api", reason="maintenance"}[3h]))', at
    )
    assert skipped == pytest.approx(len(PLACES) * (window.begins - window.ends), rel=0.02)
    assert await prometheus.value(f"max(faultline_journey_maintenance{check})", day.at(window.begins - 10)) == 1.0
    assert await prometheus.value(f"max(faultline_journey_maintenance{check})", at) == 0.0
    assert await prometheus.value(f"sum(increase({FAILURES}{check}[2h]))", at) == 0.0


async def test_while_a_monitor_restarts_there_is_a_gap_and_no_failure_before_or_after(day, prometheus):
    gap, state = script.RESTART, f'faultline_journey_success{{journey="catalog-api", location="{FRANKFURT}"}}'
    assert await prometheus.value(state, day.at(gap.begins + 2)) == 1.0
    assert await prometheus.value(state, day.at(gap.begins - 4)) is None
    assert await prometheus.value(f'up{{instance="{FRANKFURT}:9488"}}', day.at(gap.begins - 4)) == 0.0
    assert await prometheus.value(state, day.at(gap.ends - 4)) == 1.0
    runs = await prometheus.value(
        f'sum(increase(faultline_journey_runs_total{{journey="catalog-api", location="{FRANKFURT}"}}[1h]))',
        day.at(gap.ends - 40),
    )
    assert runs == pytest.approx(60 - (gap.begins - gap.ends), abs=3)


async def test_a_check_that_was_removed_is_gone_at_the_next_scrape(day, prometheus):
    seen = f'count({{__name__=~"faultline_journey_.+", journey="{script.REMOVED.journey}"}})'
    assert await prometheus.value(seen, day.at(script.REMOVED_AT + 2)) is not None
    assert await prometheus.value(seen, day.at(script.REMOVED_AT - 2)) is None
    recorded = f'count by (__name__) ({{__name__=~"check.*", journey="{script.REMOVED.journey}"}})'
    still = {each.labels["__name__"] for each in await prometheus.query(recorded, day.at(script.REMOVED_AT - 10))}
    assert still - {"check:faultline_maintenance_lately:max"} == set(), "but for what looks back by its nature"


async def test_a_check_that_stands_still_is_not_green_and_raises_an_alert(day, prometheus):
    check = '{journey="checkout", profile="phone"}'
    assert await prometheus.query(f"faultline_journey_success{check}", day.end) == ()
    assert await prometheus.value(f"count(faultline_journey_last_run_timestamp_seconds{check})", day.end) == 3.0
    alert = 'ALERTS{alertname="FaultlineJourneyNoData", alertstate="firing", journey="checkout", profile="phone"}'
    assert len(await prometheus.query(alert, day.end)) == 1


async def test_a_monitor_that_stops_working_is_a_place_down_although_it_is_scraped(day, prometheus):
    down = f'ALERTS{{alertname="FaultlineLocationDown", alertstate="firing", location="{STORE}"}}'
    assert len(await prometheus.query(down, day.at(script.UNHEALTHY.ends + 2))) == 1
    assert await prometheus.query(down, day.at(script.UNHEALTHY.ends - 20)) == ()


async def test_exemplars_lead_from_a_number_to_the_run_behind_it(day, prometheus):
    act = script.OWN_OUTAGE
    found = await prometheus.exemplars(
        f'{FAILURES}{{journey="order-api"}}', start=day.at(act.begins), end=day.at(act.ends)
    )
    assert len(found) >= 60
    assert all(exemplar["labels"]["run_id"].split("-")[0] in {"frankfurt", "paris", "store"} for exemplar in found)


async def test_a_deployment_is_a_moment_with_service_and_version(day, prometheus):
    minutes, service, version = script.DEPLOYMENTS[-1]
    deployed = await prometheus.query(
        f'max by (version) (faultline_deployment_timestamp_seconds{{service="{service}"}})', day.end
    )
    assert [(sample.labels["version"], sample.value) for sample in deployed] == [(version, day.at(minutes))]
