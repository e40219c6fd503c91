from __future__ import annotations

import pytest

from monitor.journeys.jsonpath import JsonPath, JsonPathError, NothingThere

ORDER = {"order": {"items": [{"id": 7}, {"id": 8}], "odd key": None, "paid": False}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("order.items[0].id", 7),
        ("order.items[-1].id", 8),
        ("$.order.paid", False),
        ('order["odd key"]', None),
        ("order.items", [{"id": 7}, {"id": 8}]),
        ("", ORDER),
        ("$", ORDER),
    ],
)
def test_a_path_leads_to_its_value(path, value):
    assert JsonPath.parse(path).of(ORDER) == value


def test_a_list_may_be_the_document():
    assert JsonPath.parse("[1].a").of([{}, {"a": 3}]) == 3


@pytest.mark.parametrize("path", ["order..id", "order[", "order[x]", ".order", "a b", "order.", "*"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(JsonPathError, match="not a path into JSON"):
        JsonPath.parse(path)


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("order.total", "at 'order' there is an object with items, odd key, paid"),
        ("order.items[2].id", "at 'order.items' there is a list of 2"),
        ("order.paid.by", "at 'order.paid' there is False"),
        ("basket", "at the top there is an object with order"),
    ],
)
def test_a_path_that_leads_nowhere_says_how_far_it_led(path, seen):
    with pytest.raises(NothingThere, match=seen.replace("[", r"\[")):
        JsonPath.parse(path).of(ORDER)
