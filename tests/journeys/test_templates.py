from __future__ import annotations

import pytest

from monitor.domain.secret import Secret
from monitor.journeys.templates import fill, fill_text, is_name, references

KNOWN = {"order": 42, "email": "a@example.org", "paid": True, "nothing": None, "pw": Secret("pw", "hunter22")}


def test_references_are_found_at_any_depth():
    value = {"a": ["${order}", {"b": "x ${email} ${pw}"}], "c": 3, "d": "$${literal}"}
    assert list(references(value)) == ["order", "email", "pw"]


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("${order}", 42),
        ("order ${order}", "order 42"),
        ("${paid}", True),
        ("so ${paid} ${nothing}.", "so true ."),
        ("$${order} costs $5", "${order} costs $5"),
        ("$${order}", "${order}"),
        ({"id": "${order}", "by": ["${email}"], "n": 1}, {"id": 42, "by": ["a@example.org"], "n": 1}),
        ("${pw}", "hunter22"),
        ("Bearer ${pw}", "Bearer hunter22"),
    ],
)
def test_a_reference_is_filled_in_and_one_that_stands_alone_keeps_its_kind(value, filled):
    assert fill(value, KNOWN) == filled


def test_what_is_filled_in_can_be_escaped():
    assert fill_text("<${email}>", KNOWN, lambda text: text.replace(".", r"\.")) == r"<a@example\.org>"


def test_what_a_value_brings_along_is_not_filled_in_again():
    assert fill_text("${a}", {"a": "${order}"}) == "${order}"


@pytest.mark.parametrize(("text", "answer"), [("order_id", True), ("Order", False), ("1st", False), ("a-b", False)])
def test_a_name_is_in_small_letters(text, answer):
    assert is_name(text) is answer
