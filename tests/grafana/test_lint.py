"""Every dashboard follows the rules, or an exception says why not."""

from __future__ import annotations

import copy

import pytest

from tests.grafana.linting import RULES, UIDS, complaints, exceptions
from tests.grafana.reading import dashboards, panels

COMMITTED = dashboards()


@pytest.mark.parametrize("uid", COMMITTED)
def test_every_dashboard_follows_the_rules(uid):
    assert [str(each) for each in complaints(COMMITTED[uid])] == []


def test_the_nine_dashboards_are_there():
    assert set(COMMITTED) == UIDS


def test_every_exception_names_a_rule_and_gives_its_reason():
    for rule, exception in exceptions().items():
        assert rule in RULES
        assert len(exception["reason"]) > 20
        for entry in exception.get("entries") or ():
            assert entry["dashboard"] in {board["title"] for board in COMMITTED.values()}


def first(board):
    return panels(board)[1]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("template-datasource-rule", lambda board: board["templating"]["list"].pop(0)),
        ("template-on-time-change-reload-rule", lambda board: board["templating"]["list"][2].update(refresh=1)),
        ("panel-datasource-rule", lambda board: first(board)["targets"][0]["datasource"].update(uid="prometheus")),
        ("panel-title-description-rule", lambda board: first(board).update(description="")),
        ("panel-units-rule", lambda board: first(board)["fieldConfig"]["defaults"].update(unit="furlong")),
        ("panel-no-targets-rule", lambda board: first(board).update(targets=[])),
        ("target-rate-interval-rule", lambda board: first(board)["targets"][0].update(expr="rate(x_total[5m])")),
        ("target-counter-agg-rule", lambda board: first(board)["targets"][0].update(expr="sum(x_total)")),
        ("uneditable-dashboard-rule", lambda board: board.update(editable=True)),
        ("house-manners-rule", lambda board: board.update(timezone="utc")),
        ("house-gaps-rule", lambda board: first(board)["fieldConfig"]["defaults"].pop("noValue")),
        ("house-variables-rule", lambda board: first(board).update(title="$nowhere")),
        ("house-links-rule", lambda board: first(board).update(links=[{"url": "/d/faultline-nowhere?x"}])),
    ],
)
def test_each_rule_finds_what_it_is_for(rule, change):
    board = copy.deepcopy(COMMITTED["faultline-journey"])
    change(board)
    assert rule in {each.rule for each in complaints(board)}


def test_a_counter_may_stand_by_itself_only_where_its_birth_is_counted():
    board = copy.deepcopy(COMMITTED["faultline-journey"])
    born = "increase(x_total[$__range]) + clamp_max(x_total unless x_total offset $__range, 1)"
    first(board)["targets"][0]["expr"] = born
    assert [str(each) for each in complaints(board)] == []
    first(board)["targets"][0]["expr"] = born.replace("unless x_total", "unless y_total")
    assert {each.rule for each in complaints(board)} == {"target-counter-agg-rule"}
