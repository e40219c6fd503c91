"""The preview resolves, joins and writes as Grafana does, as far as the dashboards use it."""

from __future__ import annotations

import pytest

from grafana.preview.answers import Line, Query, tabled
from grafana.preview.boards import boards
from grafana.preview.charts import over_time, states, ticks
from grafana.preview.page import page_of
from grafana.preview.resolving import ALL, Resolver, Window, chosen_by_default, duration
from grafana.preview.styles import style_of
from grafana.preview.units import written

DAY = Window(start=0.0, end=86400.0, scrape=15.0)


def resolver(**values: tuple[str, ...]) -> Resolver:
    return Resolver(window=DAY, values=values, everything={"team": ".*"})


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (600.0, "", None, "600"),
        (0.95192, "percentunit", 3, "95.192%"),
        (0.25, "s", None, "250 ms"),
        (5400.0, "s", 1, "1.5 hours"),
        (297.0, "suffix: min", 0, "297 min"),
        (155167.0, "locale", 0, "155,167"),
        (1500.0, "short", None, "1.5 K"),
        (1048576.0, "bytes", None, "1 MiB"),
        (float("nan"), "s", None, "NaN"),
        (-7.5, "none", 1, "-7.5"),
    ],
)
def test_a_number_is_written_in_its_unit(value, unit, decimals, text):
    assert written(value, unit, decimals) == text


def test_a_moment_is_told_from_now():
    assert written(1_000_000.0, "dateTimeFromNow", now=1300.0) == "5 minutes ago"


def test_macros_follow_the_width_of_the_panel_and_the_interval_of_scrapes():
    step = DAY.step(500)
    assert step == 120.0
    assert resolver().resolved("rate(x[$__rate_interval]) + y[$__interval] + z[${__range}]", step) == (
        "rate(x[135s]) + y[120s] + z[86400s]"
    )
    assert DAY.step(500, "15m") == 900.0
    assert duration(">30s") == 30.0


def test_variables_are_written_as_expressions_need_them():
    chosen = resolver(team=(ALL,), journey=("a.b", "c"), target=("shop",))
    assert chosen.resolved('{team=~"$team", journey=~"$journey", target="${target:raw}"}', 15) == (
        '{team=~".*", journey=~"(a\\\\.b|c)", target="shop"}'
    )
    with pytest.raises(AssertionError, match="no variable 'nobody'"):
        chosen.resolved("$nobody", 15)


async def test_a_variable_that_takes_one_value_begins_with_the_first_that_is_offered():
    async def label_values(series: str, label: str) -> tuple[str, ...]:
        assert (series, label) == ('x{team=~".*"}', "journey")
        return ("checkout", "login")

    variables = (
        {"name": "journey", "type": "query", "query": {"query": 'label_values(x{team=~"$team"}, journey)'}},
        {"name": "team", "type": "query", "query": "label_values(x, team)", "includeAll": True, "allValue": ".*"},
    )
    chosen = await chosen_by_default(variables, DAY, label_values)
    assert chosen.values == {"team": (ALL,), "journey": ("checkout",)}


def a_query(ref: str) -> Query:
    return Query(ref=ref, expression="", step=15, instant=True, table=True, legend="")


def a_line(value: float, **labels: str) -> Line:
    return Line(ref="A", name="", labels=labels, points=((60.0, value),))


def test_rows_are_put_together_by_what_all_tables_have():
    answered = [
        (a_query("A"), [a_line(1.0, journey="buy", team="shop"), a_line(2.0, journey="find", team="shop")]),
        (a_query("B"), [a_line(0.9, journey="buy")]),
    ]
    organize = {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": {"Value #B": "Success"}}}
    table = tabled(answered, [{"id": "merge"}, organize])
    assert table.rows == [
        {"journey": "buy", "team": "shop", "Value #A": 1.0, "Success": 0.9},
        {"journey": "find", "team": "shop", "Value #A": 2.0, "Success": None},
    ]


def test_a_transformation_that_is_not_known_is_not_left_out_in_silence():
    with pytest.raises(NotImplementedError, match="groupingToMatrix"):
        tabled([(a_query("A"), [])], [{"id": "groupingToMatrix"}])


def test_a_value_takes_the_word_and_the_color_of_its_mapping():
    mapping = {"type": "value", "options": {"6": {"text": "failing", "color": "#D55E00"}}}
    missing = {"type": "special", "options": {"match": "null+nan", "result": {"text": "no data", "color": "#5A5A5A"}}}
    style = style_of({"fieldConfig": {"defaults": {"mappings": [mapping, missing]}}}, "State")
    assert (style.text(6.0), style.color(6.0)) == ("failing", "#D55E00")
    assert (style.text(None), style.color(None)) == ("no data", "#5A5A5A")


def test_an_axis_has_round_figures():
    assert ticks(0.0, 1.0, 5) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_gap_is_drawn_as_a_gap():
    points = tuple((moment, 1.0) for moment in (0.0, 60.0, 120.0, 600.0, 660.0))
    line = Line(ref="A", name="a", labels={}, points=points)
    window = Window(start=0.0, end=720.0, scrape=60.0)
    assert over_time({}, [line], window, 400, 200).count("<polyline") == 2
    assert states({}, [line], window, 400, 200).count("<rect") == 2


class Nobody:
    """A Prometheus that knows nothing."""

    async def query(self, expression, at=None):
        return ()

    async def query_range(self, expression, *, start, end, step):
        return ()


@pytest.mark.parametrize("board", boards(), ids=lambda board: board.uid)
async def test_every_committed_dashboard_can_be_drawn_even_where_nothing_is_known(board):
    async def nothing(series: str, label: str) -> tuple[str, ...]:
        return ()

    html, height, wrong = await page_of(board, Nobody(), await chosen_by_default(board.variables, DAY, nothing))
    assert wrong == []
    assert "preview, not Grafana" in html
    assert height > 500
